"""发信地址: the list and the dialog."""

from functools import partial

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from email_service.addresses import services
from email_service.addresses.filters import AddressFilter
from email_service.addresses.forms import AddressForm
from email_service.addresses.models import Address
from email_service.domains.queries import choices_for, losses_of
from koomessage.common.errors import RuleViolation
from koomessage.common.htmx import render_confirm, render_page
from koomessage.common.paging import paginate
from koomessage.common.permissions import requires
from koomessage.common.requests import ConsoleRequest

SORTS = {"address": "address", "created": "created_at"}


@require_GET
@requires("email_service.list_address")
def address_list(request: ConsoleRequest) -> HttpResponse:
    filter_form = AddressFilter(request.GET)
    rows = filter_form.narrow(Address.objects.for_tenant(request.tenant).select_related("domain"))
    page = paginate(request, rows, sorts=SORTS, default="-created")
    return render_page(
        request,
        "email_service/addresses/list.html",
        "email_service/addresses/_list.html",
        {"page": page, "filter": filter_form, "losses": partial(losses_of, request.tenant)},
    )


@require_http_methods(["GET", "POST"])
@requires("email_service.add_address")
def address_add(request: ConsoleRequest) -> HttpResponse:
    form = AddressForm(request.POST or None, domains=choices_for(request.tenant))
    if form.is_valid():
        try:
            address = services.create_address(tenant=request.tenant, user=request.user, **form.cleaned_data)
        except RuleViolation as refusal:
            form.add_error(refusal.field, refusal.message)
        else:
            messages.success(
                request, _("The sender address %(address)s was added.") % {"address": address.address}
            )
            return redirect("email:address_list")
    return render_page(
        request,
        "email_service/addresses/form.html",
        "email_service/addresses/_form.html",
        {"form": form, "has_domains": bool(form.fields["domain"].choices)},  # type: ignore[attr-defined]
        status=422 if form.errors else 200,
    )


@require_http_methods(["GET", "POST"])
@requires("email_service.delete_address", on=Address)
def address_delete(request: ConsoleRequest, address: Address) -> HttpResponse:
    refusal: RuleViolation | str = ""
    if request.method == "POST":
        try:
            services.delete_address(address, user=request.user)
        except RuleViolation as violation:
            refusal = violation
        else:
            messages.success(
                request, _("The sender address %(address)s was deleted.") % {"address": address.address}
            )
            return redirect("email:address_list")
    return render_confirm(
        request,
        title=_("Delete the sender address"),
        question=_("Delete the sender address %(address)s?") % {"address": address.address},
        note=_("Mails that were sent from it stay in the send details."),
        action_url=reverse("email:address_delete", args=[address.pk]),
        back_url=reverse("email:address_list"),
        refusal=refusal,
    )
