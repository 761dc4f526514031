"""The left navigation, as data: what each entry is called, where it leads, and who sees it."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from koomessage.common.permissions import SIGNED_IN, STAFF, may
from koomessage.common.requests import ConsoleRequest


@dataclass(frozen=True)
class Entry:
    label: str | Promise
    url_name: str
    icon: str
    permission: str

    @property
    def url(self) -> str:
        return reverse(self.url_name)


@dataclass(frozen=True)
class Group:
    label: str | Promise
    entries: tuple[Entry, ...]


NAVIGATION = (
    Group("", (Entry(_("Overview"), "console:overview", "layout-dashboard", SIGNED_IN),)),
    Group("", (Entry(_("Package management"), "billing:package_list", "package", "billing.list_package"),)),
    Group(
        _("Email messages"),
        (
            Entry(_("Sending domains"), "email:domain_list", "globe", "email_service.list_domain"),
            Entry(_("Sender addresses"), "email:address_list", "at-sign", "email_service.list_address"),
            Entry(_("Templates"), "email:template_list", "layout-template", "email_service.list_template"),
            Entry(_("Send tasks"), "email:task_list", "send", "email_service.list_task"),
            Entry(_("Send details"), "email:message_list", "list", "email_service.list_message"),
            Entry(_("Reports"), "email:report", "chart-column", "email_service.list_report"),
            Entry(_("Suppression list"), "email:suppression_list", "ban", "email_service.list_suppression"),
        ),
    ),
    Group("", (Entry(_("Permissions"), "iam:home", "shield-check", "iam.list_user"),)),
)
# What the platform's staff finds outside the administration.
OPERATIONS = (
    Group(
        _("Operations"),
        (
            Entry(_("Sending engine"), "email:engine", "activity", "email_service.view_emailservice"),
            Entry(_("Administration"), "admin:index", "settings", STAFF),
        ),
    ),
)


def visible(request: ConsoleRequest) -> Iterator[tuple[str | Promise, list[tuple[Entry, bool]]]]:
    """Yield each group's label and entries that the user may open, each with whether it is the current one."""
    for group in OPERATIONS if request.user.is_staff else NAVIGATION:
        entries = [
            (entry, _is_current(entry, request.path))
            for entry in group.entries
            if entry.permission in (SIGNED_IN, STAFF) or may(request.user, entry.permission)
        ]
        if entries:
            yield group.label, entries


def label_of(path: str) -> str | Promise:
    """Return the name of the section that an address lies in, empty where it lies in none."""
    entries = [entry for group in (*NAVIGATION, *OPERATIONS) for entry in group.entries]
    return next((entry.label for entry in entries if entry.url != "/" and _is_current(entry, path)), "")


def _is_current(entry: Entry, path: str) -> bool:
    return path == entry.url if entry.url == "/" else path.startswith(entry.url)
