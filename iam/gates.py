"""What must be true of an account before its pages work."""

from django.http import HttpResponse
from django.shortcuts import redirect

from koomessage.common.requests import ConsoleRequest


def activated(request: ConsoleRequest) -> HttpResponse | None:
    """Lead to activation until the account has activated the service (guide section 2)."""
    return None if request.tenant.is_activated else redirect("iam:activate")
