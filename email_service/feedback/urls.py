from django.urls import URLPattern, path

from email_service.feedback import views, views_public

urlpatterns: list[URLPattern] = [
    path("suppression/", views.suppression_list, name="suppression_list"),
    path("suppression/add/", views.suppression_add, name="suppression_add"),
    path("suppression/<int:pk>/delete/", views.suppression_delete, name="suppression_delete"),
    path("suppression/export/", views.suppression_export, name="suppression_export"),
]
public_urlpatterns: list[URLPattern] = [
    path("u/<str:token>/", views_public.unsubscribe, name="unsubscribe"),
    # Some mail clients drop the last slash, and a POST cannot be redirected.
    path("u/<str:token>", views_public.unsubscribe),
]
