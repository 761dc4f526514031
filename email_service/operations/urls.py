from django.urls import URLPattern, path

from email_service.operations import views, views_public

urlpatterns: list[URLPattern] = [
    path("engine/", views.engine, name="engine"),
    path("engine/pause/", views.engine_pause, name="engine_pause"),
    path("engine/resume/", views.engine_resume, name="engine_resume"),
    path("engine/<int:pk>/<slug:decision>/", views.engine_decide, name="engine_decide"),
]
public_urlpatterns: list[URLPattern] = [
    path("healthz", views_public.healthz, name="healthz"),
    path("metrics", views_public.metrics, name="metrics"),
]
