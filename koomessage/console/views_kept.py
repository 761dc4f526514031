"""What was filled in when the session had ended: submitted after all, or discarded."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from koomessage.common import kept_forms
from koomessage.common.permissions import SIGNED_IN, requires
from koomessage.common.requests import ConsoleRequest
from koomessage.console import navigation

# The fields by which people know their form again; the others are kept all the same.
LABELS: dict[str, str | Promise] = {
    "name": gettext_lazy("Name"),
    "title": gettext_lazy("Title"),
    "subject": gettext_lazy("Subject"),
    "body": gettext_lazy("Body"),
    "prefix": gettext_lazy("Address prefix"),
    "alias": gettext_lazy("Sender alias"),
    "address": gettext_lazy("E-mail"),
    "email": gettext_lazy("E-mail"),
    "recipients": gettext_lazy("Recipients"),
    "description": gettext_lazy("Description"),
    "document": gettext_lazy("Document"),
    "company_name": gettext_lazy("Company name"),
    "contact_name": gettext_lazy("Contact"),
}


@require_GET
@never_cache
@requires(SIGNED_IN)
def kept_form(request: ConsoleRequest) -> HttpResponse:
    kept = kept_forms.kept_for(request)
    context = {
        "kept": kept,
        "section": navigation.label_of(kept.path) if kept else "",
        "shown": [(LABELS[name], value) for name, value in kept.fields if name in LABELS and value.strip()]
        if kept
        else [],
    }
    return render(request, "console/kept_form.html", context)


@require_POST
@requires(SIGNED_IN, keeps=False)
def kept_form_discard(request: ConsoleRequest) -> HttpResponse:
    kept = kept_forms.kept_for(request)
    kept_forms.forget(request)
    messages.info(request, _("What you had filled in was discarded."))
    return redirect(kept.back if kept else "console:overview")
