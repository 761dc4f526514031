"""统计报表: sending and reception by hour, day or month."""

from functools import partial

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_GET

from email_service.reports import exports, queries, tables
from email_service.reports.forms import ReportForm
from koomessage.common.htmx import render_page
from koomessage.common.permissions import requires
from koomessage.common.requests import ConsoleRequest


@require_GET
@requires("email_service.list_report")
def report(request: ConsoleRequest) -> HttpResponse:
    form = ReportForm(request.GET)
    span = form.span
    context = {
        "form": form,
        "tab": form.tab,
        "span": span,
        "table": tables.table_for(request.tenant, form.tab, span, form.wanted) if span else None,
        "refreshed_at": queries.refreshed_at(),
        # Asked for by the page alone: what is swapped refers to it.
        "proposals": partial(queries.proposals, request.tenant),
    }
    page, fragment = "email_service/reports/report.html", "email_service/reports/_report.html"
    return render_page(request, page, fragment, context, status=200 if span else 422)


@require_GET
@requires("email_service.export_report")
def report_export(request: ConsoleRequest) -> HttpResponseBase:
    form = ReportForm(request.GET)
    span = form.span
    if span is None:
        return redirect("email:report")
    table = tables.table_for(request.tenant, form.tab, span, form.wanted)
    return exports.report_file(table, is_csv=request.GET.get("format") == "csv")
