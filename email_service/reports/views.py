"""统计报表: sending and reception by hour, day or month."""

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_GET

from email_service.reports import exports, tables
from email_service.reports.forms import ReportForm
from koomessage.common.htmx import render_page
from koomessage.common.permissions import requires
from koomessage.common.requests import ConsoleRequest


def _tab(request: ConsoleRequest) -> str:
    return tables.RECEPTION if request.GET.get("tab") == tables.RECEPTION else tables.SENDING


@require_GET
@requires("email_service.list_report")
def report(request: ConsoleRequest) -> HttpResponse:
    form, tab = ReportForm(request.GET), _tab(request)
    span = form.span
    context = {
        "form": form,
        "tab": tab,
        "tabs": tables.TABS.items(),
        "span": span,
        "table": tables.table_for(request.tenant, tab, span) if span else None,
    }
    page, fragment = "email_service/reports/report.html", "email_service/reports/_report.html"
    return render_page(request, page, fragment, context, status=200 if span else 422)


@require_GET
@requires("email_service.export_report")
def report_export(request: ConsoleRequest) -> HttpResponseBase:
    span = ReportForm(request.GET).span
    if span is None:
        return redirect("email:report")
    return exports.report_workbook(tables.table_for(request.tenant, _tab(request), span))
