from django.urls import path

from koomessage.demo import views_dns, views_inbox, views_pay

app_name = "demo"
urlpatterns = [
    path("inbox/", views_inbox.mail_list, name="mail_list"),
    path("inbox/<int:pk>/", views_inbox.mail_detail, name="mail_detail"),
    path("inbox/<int:pk>/body/", views_inbox.mail_body, name="mail_body"),
    path("inbox/<int:pk>/source/", views_inbox.mail_source, name="mail_source"),
    path("inbox/<int:pk>/parts/<int:position>/", views_inbox.mail_part, name="mail_part"),
    path("pay/", views_pay.pay, name="pay"),
    path("pay/query/", views_pay.query, name="pay_query"),
    path("dns/", views_dns.record_list, name="record_list"),
    path("dns/delete/<slug:record_id>/", views_dns.record_delete, name="record_delete"),
    path("dns/publish/<int:pk>/", views_dns.domain_publish, name="domain_publish"),
]
