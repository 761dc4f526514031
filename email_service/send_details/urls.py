from django.urls import URLPattern, path

from email_service.send_details import views

urlpatterns: list[URLPattern] = [
    path("details/", views.message_list, name="message_list"),
    path("details/export/", views.message_export, name="message_export"),
    path("details/<int:pk>/", views.message_detail, name="message_detail"),
    path("details/<int:pk>/reveal/", views.message_reveal, name="message_reveal"),
]
