from django.urls import URLPattern, path

from email_service.domains import views

urlpatterns: list[URLPattern] = [
    path("domains/", views.domain_list, name="domain_list"),
    path("domains/add/", views.domain_add, name="domain_add"),
    path("domains/<int:pk>/", views.domain_detail, name="domain_detail"),
    path("domains/<int:pk>/edit/", views.domain_edit, name="domain_edit"),
    path("domains/<int:pk>/delete/", views.domain_delete, name="domain_delete"),
    path("domains/<int:pk>/check/", views.domain_check, name="domain_check"),
    path("domains/<int:pk>/rotate/", views.domain_rotate, name="domain_rotate"),
    path("domains/<int:pk>/rotate/cancel/", views.domain_rotation_cancel, name="domain_rotation_cancel"),
    path("domains/<int:pk>/status/", views.domain_status, name="domain_status"),
]
