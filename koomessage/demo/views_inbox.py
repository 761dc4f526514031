"""收件箱: the mails that the demo's mail server took, as their recipients see them."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET

from koomessage.common.htmx import render_page
from koomessage.common.permissions import public
from koomessage.demo.authentication import judge
from koomessage.demo.inbox import Entry, Inbox
from koomessage.demo.mails import FRAME_POLICY, ReceivedMail

PAGE = 50
TABS = ("html", "text", "headers", "source")


def _mail(pk: int) -> tuple[Entry, ReceivedMail]:
    inbox = Inbox(settings.DEMO_INBOX_DIR)
    entry = inbox.get(pk)
    if entry is None:
        raise Http404
    return entry, ReceivedMail(inbox.content(entry))


@require_GET
@public
def mail_list(request: HttpRequest) -> HttpResponse:
    inbox = Inbox(settings.DEMO_INBOX_DIR)
    search, before = request.GET.get("search", ""), request.GET.get("before", "")
    start = int(before) if before.isdigit() and len(before) < 16 else None
    found = inbox.newest(PAGE + 1, before=start, matching=search)
    context = {
        "demo_page": "inbox",
        "entries": found[:PAGE],
        "search": search,
        "is_first_page": start is None,
        "older": found[PAGE - 1].pk if len(found) > PAGE else None,
        "count": inbox.count(),
    }
    return render_page(request, "demo/inbox.html", "demo/_mails.html", context)


@require_GET
@public
def mail_detail(request: HttpRequest, pk: int) -> HttpResponse:
    entry, mail = _mail(pk)
    asked = request.GET.get("tab", "")
    tabs = [tab for tab in TABS if tab != "html" or mail.html]
    findings = judge(mail.content, sender=entry.sender, client=entry.client, from_header=mail.header("from"))
    context = {
        "demo_page": "inbox",
        "entry": entry,
        "mail": mail,
        "to_header": mail.header("to"),
        "date_header": mail.header("date"),
        "unsubscribe_header": mail.header("list-unsubscribe"),
        "findings": findings,
        "tabs": tabs,
        "tab": asked if asked in tabs else tabs[0],
    }
    return render(request, "demo/mail.html", context)


@require_GET
@public
@xframe_options_sameorigin
def mail_body(request: HttpRequest, pk: int) -> HttpResponse:
    response = HttpResponse(_mail(pk)[1].html)
    response["Content-Security-Policy"] = FRAME_POLICY
    return response


@require_GET
@public
def mail_source(request: HttpRequest, pk: int) -> HttpResponse:
    return _download(_mail(pk)[1].content, "message/rfc822", f"{pk}.eml")


@require_GET
@public
def mail_part(request: HttpRequest, pk: int, position: int) -> HttpResponse:
    for part in _mail(pk)[1].attachments:
        if part.position == position:
            return _download(part.content, part.content_type, part.name)
    raise Http404


def _download(content: bytes, content_type: str, name: str) -> HttpResponse:
    disposition = content_disposition_header(True, name) or "attachment"
    return HttpResponse(content, content_type=content_type, headers={"Content-Disposition": disposition})
