"""The console's addresses with those of the demo, as settings.DEMO adds them."""

from django.urls import include, path

from koomessage.urls import handler403, handler404
from koomessage.urls import urlpatterns as console

urlpatterns = [*console, path("demo/", include("koomessage.demo.urls"))]
__all__ = ["handler403", "handler404", "urlpatterns"]
