"""The request as a console view sees it."""

from typing import TYPE_CHECKING

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

if TYPE_CHECKING:
    from iam.models import Tenant, User


class ConsoleRequest(HttpRequest):
    """A signed-in user's request; `tenant` is the account it acts for."""

    user: "User"
    tenant: "Tenant"
    htmx: HtmxDetails
