"""What machines ask: is it well, and how does it do."""

import os

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest, multiprocess

from email_service.operations import health
from email_service.operations.collectors import EngineCollector
from koomessage.common.permissions import public


@require_safe
@never_cache
@public
def healthz(request: HttpRequest) -> HttpResponse:
    """Say whether all is well; 503 where mail stands still, or pages cannot work.

    With ?for=pages only what pages need turns it red: a console does not help sending by going off line.
    """
    found = health.examine(only_pages=request.GET.get("for") == "pages")
    answer = JsonResponse(found.as_words(), status=503 if found.is_red else 200)
    # Red is an answer here and no fault of the page: Django would log an error at every probe.
    answer._has_been_logged = True  # type: ignore[attr-defined]
    return answer


@require_safe
@never_cache
@public
def metrics(request: HttpRequest) -> HttpResponse:
    """Show the metrics to who knows METRICS_TOKEN; without one set there is no such page."""
    if not settings.METRICS_TOKEN:
        raise Http404
    given = request.headers.get("Authorization", "")
    if not constant_time_compare(given, f"Bearer {settings.METRICS_TOKEN}"):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    own = CollectorRegistry()
    own.register(EngineCollector())
    return HttpResponse(_of_this_host() + generate_latest(own), content_type=CONTENT_TYPE_LATEST)


def _of_this_host() -> bytes:
    """Return django-prometheus' figures of the pages: of all processes of the host where they share a folder."""
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)
    return generate_latest(registry)
