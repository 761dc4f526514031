"""The Email pages, one section after the other."""

from importlib import import_module

from django.urls import URLPattern, URLResolver

app_name = "email"
SECTIONS = (
    "domains",
    "addresses",
    "mail_templates",
    "send_tasks",
    "send_details",
    "downloads",
    "reports",
    "feedback",
    "operations",
)
urlpatterns: list[URLPattern | URLResolver] = [
    pattern for section in SECTIONS for pattern in import_module(f"email_service.{section}.urls").urlpatterns
]
# What recipients open: outside the console, without signing in.
public_urlpatterns: list[URLPattern | URLResolver] = [
    *import_module("email_service.feedback.urls").public_urlpatterns,
    *import_module("email_service.mail_templates.urls").public_urlpatterns,
    # What machines ask.
    *import_module("email_service.operations.urls").public_urlpatterns,
]
