"""演示DNS: the demo's zone, edited as at a DNS host."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from email_service.domains.models import Domain
from koomessage.common.errors import RuleViolation
from koomessage.common.htmx import render_confirm, render_page
from koomessage.common.permissions import public, requires
from koomessage.common.requests import ConsoleRequest
from koomessage.demo import services, zone
from koomessage.demo.forms import RecordForm


@require_http_methods(["GET", "POST"])
@public
def record_list(request: HttpRequest) -> HttpResponse:
    form = RecordForm(request.POST or None)
    if form.is_valid():
        try:
            services.add_record(**form.cleaned_data)
        except RuleViolation as refusal:
            form.add_error(refusal.field, refusal.message)
        else:
            messages.success(request, _("The record was published."))
            return redirect("demo:record_list")
    records = zone.load(settings.DEMO_ZONE_FILE)
    search = request.GET.get("search", "").strip().lower()
    context = {
        "demo_page": "dns",
        "form": form,
        "search": search,
        "tenant_records": [
            row for row in reversed(records) if row.origin != "platform" and search in row.name
        ],
        "platform_records": [row for row in records if row.origin == "platform" and search in row.name],
        "nameserver": ":".join(map(str, settings.DNS_NAMESERVERS[0])) if settings.DNS_NAMESERVERS else "",
    }
    return render_page(
        request, "demo/dns.html", "demo/_records.html", context, status=422 if form.errors else 200
    )


@require_http_methods(["GET", "POST"])
@public
def record_delete(request: HttpRequest, record_id: str) -> HttpResponse:
    if request.method == "POST":
        try:
            services.delete_record(record_id)
        except RuleViolation as refusal:
            messages.error(request, str(refusal.message))
        else:
            messages.success(request, _("The record was deleted."))
        return redirect("demo:record_list")
    return render_confirm(
        request,
        title=_("Delete the record"),
        question=_("Whoever looks the name up will no longer find this record."),
        action_url=request.path,
        back_url="/demo/dns/",
    )


@require_POST
@requires("email_service.verify_domain", on=Domain)
def domain_publish(request: ConsoleRequest, domain: Domain) -> HttpResponse:
    count = services.publish_domain(domain)
    if count:
        said = ngettext(
            "%(count)s record was published in the demo DNS. Start the verification now.",
            "%(count)s records were published in the demo DNS. Start the verification now.",
            count,
        )
        messages.success(request, said % {"count": count})
    else:
        messages.info(request, _("The demo DNS holds all records of this domain already."))
    return redirect(domain)
