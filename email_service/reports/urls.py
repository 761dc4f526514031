from django.urls import URLPattern, path

from email_service.reports import views

urlpatterns: list[URLPattern] = [
    path("reports/", views.report, name="report"),
    path("reports/export/", views.report_export, name="report_export"),
]
