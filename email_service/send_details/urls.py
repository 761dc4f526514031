from django.urls import URLPattern, path

from email_service.send_details import views, views_message

urlpatterns: list[URLPattern] = [
    path("details/", views.message_list, name="message_list"),
    path("details/count/", views.message_count, name="message_count"),
    path("details/columns/", views.message_columns, name="message_columns"),
    path("details/export/", views.message_export, name="message_export"),
    path("details/<int:pk>/", views_message.message_detail, name="message_detail"),
    path("details/<int:pk>/frame/", views_message.message_frame, name="message_frame"),
    path("details/<int:pk>/reveal/", views_message.message_reveal, name="message_reveal"),
    path("details/<int:pk>/source/", views_message.message_source, name="message_source"),
]
