"""Every address of the console."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from email_service.urls import public_urlpatterns

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("koomessage.console.urls")),
    path("", include("iam.urls")),
    path("packages/", include("billing.urls")),
    path("email/", include("email_service.urls")),
    path("", include((public_urlpatterns, "public"))),
    path("admin/", admin.site.urls),
]
if settings.DEMO:
    urlpatterns.append(path("demo/", include("koomessage.demo.urls")))

handler403 = "koomessage.console.views.error_403"
handler404 = "koomessage.console.views.error_404"
handler500 = "koomessage.console.views.error_500"
