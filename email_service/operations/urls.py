from django.urls import URLPattern, path

from email_service.operations import views, views_decisions, views_public

urlpatterns: list[URLPattern] = [
    path("engine/", views.engine, name="engine"),
    path("engine/pause/", views.engine_pause, name="engine_pause"),
    path("engine/resume/", views.engine_resume, name="engine_resume"),
    path("engine/held/", views_decisions.held_list, name="held_list"),
    path("engine/held/decide/", views_decisions.held_decide, name="held_decide"),
    path("engine/<int:pk>/<slug:decision>/", views_decisions.engine_decide, name="engine_decide"),
]
public_urlpatterns: list[URLPattern] = [
    path("healthz", views_public.healthz, name="healthz"),
    path("metrics", views_public.metrics, name="metrics"),
]
