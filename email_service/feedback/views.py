"""抑制名单: whom the account's tasks do not write to."""

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from email_service.feedback import exports, services
from email_service.feedback.filters import SuppressionFilter
from email_service.feedback.forms import SuppressionForm
from email_service.feedback.models import Suppression
from koomessage.common.errors import RuleViolation
from koomessage.common.htmx import render_confirm, render_page
from koomessage.common.paging import paginate
from koomessage.common.permissions import requires
from koomessage.common.requests import ConsoleRequest
from koomessage.common.workbooks import MAX_ROWS

SORTS = {"created": "created_at"}


@require_GET
@requires("email_service.list_suppression")
def suppression_list(request: ConsoleRequest) -> HttpResponse:
    filter_form = SuppressionFilter(request.GET)
    rows = filter_form.narrow(Suppression.objects.for_tenant(request.tenant))
    page = paginate(request, rows, sorts=SORTS, default="-created")
    return render_page(
        request,
        "email_service/feedback/list.html",
        "email_service/feedback/_list.html",
        {"page": page, "filter": filter_form},
    )


@require_http_methods(["GET", "POST"])
@requires("email_service.add_suppression")
def suppression_add(request: ConsoleRequest) -> HttpResponse:
    form = SuppressionForm(request.POST or None)
    if form.is_valid():
        try:
            row = services.add_suppression(tenant=request.tenant, user=request.user, **form.cleaned_data)
        except RuleViolation as refusal:
            form.add_error(refusal.field, refusal.message)
        else:
            messages.success(
                request, _("%(address)s is on the suppression list now.") % {"address": row.address}
            )
            return redirect("email:suppression_list")
    return render_page(
        request,
        "email_service/feedback/form.html",
        "email_service/feedback/_form.html",
        {"form": form},
        status=422 if form.errors else 200,
    )


@require_http_methods(["GET", "POST"])
@requires("email_service.delete_suppression", on=Suppression)
def suppression_delete(request: ConsoleRequest, row: Suppression) -> HttpResponse:
    if request.method == "POST":
        services.delete_suppression(row, user=request.user)
        messages.success(request, _("%(address)s can be written to again.") % {"address": row.address})
        return redirect("email:suppression_list")
    return render_confirm(
        request,
        title=_("Delete from the suppression list"),
        question=_("Let your tasks write to %(address)s again?") % {"address": row.address},
        note=_("Write only to people who want it: complaints harm the delivery of all your mail."),
        action_url=reverse("email:suppression_delete", args=[row.pk]),
        back_url=reverse("email:suppression_list"),
    )


@require_GET
@requires("email_service.export_suppression")
def suppression_export(request: ConsoleRequest) -> HttpResponseBase:
    rows = SuppressionFilter(request.GET).narrow(Suppression.objects.for_tenant(request.tenant))
    if rows[: MAX_ROWS + 1].count() > MAX_ROWS:
        messages.error(
            request, _("A workbook holds 1,048,575 rows at most. Narrow the list, then export it.")
        )
        return redirect("email:suppression_list")
    return exports.suppression_workbook(rows.order_by("-created_at", "-pk"))
