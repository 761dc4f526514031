"""发送明细: the list, a message's timeline, the address on demand, the export."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from email_service.downloads.forms import ExportForm
from email_service.downloads.services import request_export
from email_service.send_details import exports, queries, services
from email_service.send_details.filters import MessageFilter
from email_service.send_details.models import Message
from koomessage.common.errors import RuleViolation
from koomessage.common.htmx import render_page
from koomessage.common.paging import paginate
from koomessage.common.permissions import may, requires
from koomessage.common.requests import ConsoleRequest

SORTS = {"created": "accepted_at"}


@require_GET
@requires("email_service.list_message")
def message_list(request: ConsoleRequest) -> HttpResponse:
    filter_form = MessageFilter(request.GET)
    rows = filter_form.narrow_for(Message.objects.for_tenant(request.tenant), request.tenant)
    page = paginate(request, queries.listed(rows), sorts=SORTS, default="-created")
    context = {
        "page": page,
        "lines": list(queries.lines(page.rows)),
        "filter": filter_form,
        # Only the first page changes by itself under the reader's eyes.
        "retention_days": settings.RETENTION_DAYS,
        "is_polling": not page.previous_query and any(row.is_unfinished for row in page.rows),
    }
    page_name, fragment = "email_service/send_details/list.html", "email_service/send_details/_list.html"
    return render_page(request, page_name, fragment, context)


@require_GET
@requires("email_service.view_message", on=Message)
def message_detail(request: ConsoleRequest, message: Message) -> HttpResponse:
    context = {
        "message": message,
        "line": queries.line_of(message),
        "timeline": queries.timeline(message),
    }
    page, fragment = "email_service/send_details/detail.html", "email_service/send_details/_detail.html"
    return render_page(request, page, fragment, context)


@never_cache
@require_POST
@requires("email_service.reveal_message", on=Message)
def message_reveal(request: ConsoleRequest, message: Message) -> HttpResponse:
    """Show the recipient's whole address; a POST, since it is written down that somebody looked."""
    address = services.reveal_recipient(message, user=request.user)
    return render_page(
        request,
        "email_service/send_details/revealed.html",
        "email_service/send_details/_revealed.html",
        {"message": message, "address": address},
    )


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
