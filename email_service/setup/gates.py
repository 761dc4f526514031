"""What must be true of an account before its Email pages work."""

from django.http import HttpResponse
from django.shortcuts import render

from email_service.setup.models import EmailService
from koomessage.common.requests import ConsoleRequest


def configured(request: ConsoleRequest) -> HttpResponse | None:
    """Say what to do until an operator has configured the account's Email service (guide section 5.1)."""
    if EmailService.objects.filter(tenant=request.tenant).exists():
        return None
    return render(request, "email_service/setup/not_configured.html")
