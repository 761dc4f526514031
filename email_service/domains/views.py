"""发信域名: the list, the dialog, and the page 验证详情."""

from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from email_service.domains import queries, services
from email_service.domains.filters import DomainFilter
from email_service.domains.forms import DomainForm
from email_service.domains.models import Domain
from email_service.domains.names import display, registrable
from koomessage.common.errors import Link, RuleViolation
from koomessage.common.htmx import STOP_POLLING, link_of, render_confirm, render_page, wants_fragment
from koomessage.common.paging import paginate
from koomessage.common.permissions import requires
from koomessage.common.requests import ConsoleRequest

SORTS = {"name": "display_name", "status": "status", "created": "created_at"}


@require_GET
@requires("email_service.list_domain")
def domain_list(request: ConsoleRequest) -> HttpResponse:
    filter_form = DomainFilter(request.GET)
    rows = filter_form.narrow(Domain.objects.for_tenant(request.tenant))
    page = paginate(request, rows, sorts=SORTS, default="-created")
    context = {
        "page": page,
        "filter": filter_form,
        "is_polling": any(row.is_checking for row in page.rows),
        "used": queries.count_for(request.tenant),
        "most": services.MAX_DOMAINS,
        "losses": partial(queries.losses_of, request.tenant),
    }
    return render_page(
        request, "email_service/domains/list.html", "email_service/domains/_list.html", context
    )


@require_http_methods(["GET", "POST"])
@requires("email_service.add_domain")
def domain_add(request: ConsoleRequest) -> HttpResponse:
    form = DomainForm(request.POST or None)
    if form.is_valid():
        try:
            domain = services.register_domain(tenant=request.tenant, user=request.user, **form.cleaned_data)
        except RuleViolation as refusal:
            form.add_error(refusal.field, refusal.message)
        else:
            messages.success(request, _("The domain was added. Publish its DNS records, then verify it."))
            return redirect(domain)
    return _form(request, form, None)


@require_http_methods(["GET", "POST"])
@requires("email_service.change_domain", on=Domain)
def domain_edit(request: ConsoleRequest, domain: Domain) -> HttpResponse:
    form = DomainForm(request.POST or None, initial={"name": domain.display_name})
    link = None
    if form.is_valid():
        try:
            domain = services.rename_domain(domain, user=request.user, **form.cleaned_data)
        except RuleViolation as refusal:
            form.add_error(refusal.field, refusal.message)
            link = link_of(refusal, request)
        else:
            return redirect(domain)
    return _form(request, form, domain, link)


def _form(
    request: ConsoleRequest, form: DomainForm, domain: Domain | None, link: Link | None = None
) -> HttpResponse:
    return render_page(
        request,
        "email_service/domains/form.html",
        "email_service/domains/_form.html",
        {"form": form, "domain": domain, "refusal_link": link},
        status=422 if form.errors else 200,
    )


@require_http_methods(["GET", "POST"])
@requires("email_service.delete_domain", on=Domain)
def domain_delete(request: ConsoleRequest, domain: Domain) -> HttpResponse:
    refusal: RuleViolation | str = ""
    if request.method == "POST":
        try:
            services.delete_domain(domain, user=request.user)
        except RuleViolation as violation:
            refusal = violation
        else:
            messages.success(request, _("The domain %(name)s was deleted.") % {"name": domain.display_name})
            return redirect("email:domain_list")
    return render_confirm(
        request,
        title=_("Delete the sending domain"),
        question=_("Delete the domain %(name)s?") % {"name": domain.display_name},
        note=_("Its DKIM key is deleted too. If you add the domain again, you publish new DNS records."),
        action_url=reverse("email:domain_delete", args=[domain.pk]),
        back_url=reverse("email:domain_list"),
        refusal=refusal,
    )


@require_GET
@requires("email_service.view_domain", on=Domain)
def domain_detail(request: ConsoleRequest, domain: Domain) -> HttpResponse:
    page, fragment = "email_service/domains/detail.html", "email_service/domains/_detail.html"
    return render_page(request, page, fragment, _details(domain))


@require_GET
@requires("email_service.view_domain", on=Domain)
def domain_status(request: ConsoleRequest, domain: Domain) -> HttpResponse:
    """What the page 验证详情 asks for while a check runs; the answer that ends it stops the asking."""
    if not wants_fragment(request):
        return redirect(domain)
    fragment = "email_service/domains/_detail.html"
    context = {**_details(domain), "has_ended": not domain.is_checking}
    return render_page(
        request, fragment, fragment, context, status=200 if domain.is_checking else STOP_POLLING
    )


@require_POST
@requires("email_service.verify_domain", on=Domain)
def domain_check(request: ConsoleRequest, domain: Domain) -> HttpResponse:
    services.start_check(domain, user=request.user)
    if not wants_fragment(request):
        return redirect(domain)
    domain.refresh_from_db()
    fragment = "email_service/domains/_detail.html"
    return render_page(request, fragment, fragment, {**_details(domain), "has_ended": not domain.is_checking})


@require_http_methods(["GET", "POST"])
@requires("email_service.change_domain", on=Domain)
def domain_rotate(request: ConsoleRequest, domain: Domain) -> HttpResponse:
    refusal = ""
    if request.method == "POST":
        try:
            services.start_rotation(domain, user=request.user)
        except RuleViolation as violation:
            refusal = str(violation.message)
        else:
            messages.success(request, _("A new DKIM key was made. Publish its record, then verify."))
            return redirect(domain)
    return render_confirm(
        request,
        title=_("Rotate the DKIM key"),
        question=_("Make a new DKIM key for %(name)s?") % {"name": domain.display_name},
        note=_(
            "One more DNS record is to be published. The present key signs until that record was found, so "
            "that no mail goes out without a valid signature."
        ),
        action_url=reverse("email:domain_rotate", args=[domain.pk]),
        back_url=domain.get_absolute_url(),
        is_danger=False,
        refusal=refusal,
    )


@require_http_methods(["GET", "POST"])
@requires("email_service.change_domain", on=Domain)
def domain_rotation_cancel(request: ConsoleRequest, domain: Domain) -> HttpResponse:
    refusal = ""
    if request.method == "POST":
        try:
            services.cancel_rotation(domain, user=request.user)
        except RuleViolation as violation:
            refusal = str(violation.message)
        else:
            messages.success(request, _("The rotation was cancelled. The present key signs on."))
            return redirect(domain)
    return render_confirm(
        request,
        title=_("Cancel the rotation"),
        question=_("Delete the new DKIM key of %(name)s?") % {"name": domain.display_name},
        note=_("If its record is published already, remove it afterwards."),
        action_url=reverse("email:domain_rotation_cancel", args=[domain.pk]),
        back_url=domain.get_absolute_url(),
        refusal=refusal,
    )


def _details(domain: Domain) -> dict[str, Any]:
    keys = queries.keys_of(domain)
    lines = queries.record_lines(domain, keys)
    return {
        "domain": domain,
        "lines": lines,
        "registered": display(registrable(domain.name)),
        "is_marked": any(line.marks for line in lines),
        "loss": queries.loss_of(domain),
        "claim": queries.claim_on(domain),
        "keys": keys,
        "grace_hours": f"{settings.DOMAIN_GRACE_HOURS:g}",
        "has_ended": False,
    }
