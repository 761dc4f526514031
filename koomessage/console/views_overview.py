"""总览: where an account stands."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from koomessage.common.permissions import requires
from koomessage.common.requests import ConsoleRequest


@require_GET
@requires("console.overview")
def overview(request: ConsoleRequest) -> HttpResponse:
    return render(request, "console/overview.html")
