"""One message of 发送明细: its timeline, the mail as it was sent, its address and source on demand."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from email_service.mail_templates.remote_pictures import has_remote_pictures
from email_service.mail_templates.views_frame import frame
from email_service.send_details import queries, services
from email_service.send_details.models import Message
from koomessage.common.errors import RuleViolation
from koomessage.common.htmx import render_page
from koomessage.common.permissions import requires
from koomessage.common.requests import ConsoleRequest

FOLDER = "email_service/send_details"


@require_GET
@requires("email_service.view_message", on=Message)
def message_detail(request: ConsoleRequest, message: Message) -> HttpResponse:
    version = message.task.template_version
    context = {
        "message": message,
        "line": queries.line_of(message),
        "timeline": queries.timeline(message),
        "version": version,
        "has_remote_pictures": has_remote_pictures(version.body),
        # Asked by the page alone, not by the part that refreshes itself.
        "related": lambda: list(queries.lines(queries.related(message))),
        "next": lambda: queries.beside(message, later=True),
        "previous": lambda: queries.beside(message, later=False),
    }
    return render_page(request, f"{FOLDER}/detail.html", f"{FOLDER}/_detail.html", context)


@require_GET
@requires("email_service.view_message", on=Message)
def message_frame(request: ConsoleRequest, message: Message) -> HttpResponse:
    """The mail itself, for the sandboxed frame; with ?part=text its text part."""
    return frame(queries.sent_document(message, as_text=request.GET.get("part") == "text"))


@never_cache
@require_POST
@requires("email_service.reveal_message", on=Message)
def message_reveal(request: ConsoleRequest, message: Message) -> HttpResponse:
    """Show the recipient's whole address; a POST, since it is written down that somebody looked."""
    address = services.reveal_recipient(message, user=request.user)
    context = {"message": message, "address": address}
    return render_page(request, f"{FOLDER}/revealed.html", f"{FOLDER}/_revealed.html", context)


@never_cache
@require_POST
@requires("email_service.reveal_message", on=Message)
def message_source(request: ConsoleRequest, message: Message) -> HttpResponse:
    """Hand out the mail as a file; a POST, since it holds the whole address and that is written down."""
    try:
        content = services.reveal_source(message, user=request.user)
    except RuleViolation as refusal:
        messages.error(request, refusal.message)
        return redirect(message)
    response = HttpResponse(content, content_type="message/rfc822")
    response["Content-Disposition"] = f'attachment; filename="{message.pk}.eml"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
