from django.urls import path

from koomessage.console import views, views_kept, views_overview

app_name = "console"
urlpatterns = [
    path("", views_overview.home, name="overview"),
    path("overview/tasks/", views_overview.overview_tasks, name="overview_tasks"),
    path("kept/", views_kept.kept_form, name="kept_form"),
    path("kept/discard/", views_kept.kept_form_discard, name="kept_form_discard"),
    path("language/", views.language_set, name="language_set"),
    path("theme/", views.theme_set, name="theme_set"),
]
