from django.urls import URLPattern, path

from email_service.downloads import views

urlpatterns: list[URLPattern] = [
    path("downloads/", views.download_list, name="download_list"),
    path("downloads/<int:pk>/file/", views.download_file, name="download_file"),
    path("downloads/<int:pk>/again/", views.download_again, name="download_again"),
    path("downloads/<int:pk>/delete/", views.download_delete, name="download_delete"),
]
