"""发送明细: the list, how many it holds, its columns, the export."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from email_service.downloads.forms import ExportForm
from email_service.downloads.services import request_export
from email_service.send_details import columns, exports, queries, services
from email_service.send_details.filters import MessageFilter
from email_service.send_details.forms import ColumnsForm
from email_service.send_details.models import Message
from koomessage.common.errors import RuleViolation
from koomessage.common.htmx import render_page
from koomessage.common.paging import paginate
from koomessage.common.permissions import may, requires
from koomessage.common.requests import ConsoleRequest

SORTS = {"created": "accepted_at"}
FOLDER = "email_service/send_details"


@require_GET
@requires("email_service.list_message")
def message_list(request: ConsoleRequest) -> HttpResponse:
    filter_form = MessageFilter(request.GET)
    rows = Message.objects.for_tenant(request.tenant)
    search = filter_form.search(rows, request.tenant, dress=queries.listed)
    page = paginate(request, search.rows, sorts=SORTS, default="-created", fetch=search.fetch)
    shown = columns.shown(queries.chosen_columns(request.user))
    context = {
        "page": page,
        "lines": list(queries.lines(page.rows)),
        "filter": filter_form,
        "sees": {column.name for column in shown},
        # Only the first page changes by itself under the reader's eyes.
        "retention_days": settings.RETENTION_DAYS,
        "is_polling": not page.previous_query and any(row.is_unfinished for row in page.rows),
        "has_any": bool(page.rows) or queries.has_any(request.tenant),
    }
    return render_page(request, f"{FOLDER}/list.html", f"{FOLDER}/_list.html", context)


@require_GET
@requires("email_service.list_message")
def message_count(request: ConsoleRequest) -> HttpResponse:
    """How many messages the list's query finds; asked once the list is there, so that it need not wait."""
    count = (
        MessageFilter(request.GET).search(Message.objects.for_tenant(request.tenant), request.tenant).count()
    )
    context = {"count": count, "back_query": request.GET.urlencode()}
    return render_page(request, f"{FOLDER}/count.html", f"{FOLDER}/_count.html", context)


@require_http_methods(["GET", "POST"])
@requires("email_service.list_message")
def message_columns(request: ConsoleRequest) -> HttpResponse:
    """Choose the columns: in the dialog, or on a page of its own; afterwards back to the same search."""
    form = ColumnsForm(
        request.POST if request.method == "POST" else None, chosen=queries.chosen_columns(request.user)
    )
    if form.is_valid():
        if "reset" in request.POST:
            services.reset_columns(user=request.user)
        else:
            services.choose_columns(user=request.user, names=form.cleaned_data["columns"])
        return redirect(f"{reverse('email:message_list')}?{request.GET.urlencode()}".rstrip("?"))
    context = {"form": form, "back_query": request.GET.urlencode()}
    status = 422 if form.errors else 200
    return render_page(request, f"{FOLDER}/columns.html", f"{FOLDER}/_columns.html", context, status=status)


@require_http_methods(["GET", "POST"])
@requires("email_service.export_message")
def message_export(request: ConsoleRequest) -> HttpResponse:
    """Ask for the kind of file, then have it made of what the list's filters in the address let through."""
    source, query = exports.MESSAGES, request.GET.urlencode()
    form = ExportForm(request.POST or None, may_reveal=may(request.user, source.reveal_permission))
    if form.is_valid():
        wish = {"kind": source.name, "query": query, "language": request.LANGUAGE_CODE, **form.cleaned_data}
        try:
            request_export(tenant=request.tenant, user=request.user, **wish)
        except RuleViolation as refusal:
            form.add_error(refusal.field, refusal.message)
        else:
            messages.success(request, _("The export was started. Download the file here once it is ready."))
            return redirect("email:download_list")
    page, fragment = "email_service/send_details/export.html", "email_service/send_details/_export.html"
    context = {"form": form, "query": query}
    return render_page(request, page, fragment, context, status=422 if form.errors else 200)
