from django.urls import URLPattern, path

from email_service.addresses import views

urlpatterns: list[URLPattern] = [
    path("addresses/", views.address_list, name="address_list"),
    path("addresses/add/", views.address_add, name="address_add"),
    path("addresses/<int:pk>/delete/", views.address_delete, name="address_delete"),
]
