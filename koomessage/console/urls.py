from django.urls import path

from koomessage.console import views, views_overview

app_name = "console"
urlpatterns = [
    path("", views_overview.home, name="overview"),
    path("language/", views.language_set, name="language_set"),
    path("theme/", views.theme_set, name="theme_set"),
]
