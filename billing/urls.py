from django.urls import URLPattern, URLResolver, path

from billing import views, views_orders, views_payments, views_statements

app_name = "billing"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.package_list, name="package_list"),
    path("purchase/", views.package_purchase, name="package_purchase"),
    path("calculator/", views.package_calculator, name="package_calculator"),
    path("alerts/", views_statements.alert_edit, name="alert_edit"),
    path("balance/", views_statements.balance, name="balance"),
    path("balance/export/", views_statements.balance_export, name="balance_export"),
    path("usage/", views_statements.usage, name="usage"),
    path("usage/export/", views_statements.usage_export, name="usage_export"),
    path("bills/", views_statements.bill_list, name="bill_list"),
    path("bills/export/", views_statements.bill_export, name="bill_export"),
    path("orders/", views_orders.order_list, name="order_list"),
    path("orders/<int:pk>/", views_orders.order_detail, name="order_detail"),
    path("orders/<int:pk>/pay/", views_payments.order_pay, name="order_pay"),
    path("orders/<int:pk>/paid/", views_payments.order_paid, name="order_paid"),
    path("orders/<int:pk>/waiting/", views_payments.order_waiting, name="order_waiting"),
    path("orders/<int:pk>/check/", views_payments.payment_check, name="payment_check"),
    path("orders/<int:pk>/cancel/", views_orders.order_cancel, name="order_cancel"),
    path("payments/notice/", views_payments.payment_notice, name="payment_notice"),
]
