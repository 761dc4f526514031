"""发送测试邮件: a mail to oneself from an address, asked for in its row."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from email_service.addresses.models import Address
from email_service.send_tasks import services_test_mail
from email_service.send_tasks.forms import MailToSelfForm
from email_service.send_tasks.models import Task
from koomessage.common.errors import RuleViolation
from koomessage.common.htmx import link_of, render_page
from koomessage.common.permissions import may, requires
from koomessage.common.requests import ConsoleRequest


@require_http_methods(["GET", "POST"])
@requires("email_service.add_task", on=Address)
def address_test(request: ConsoleRequest, address: Address) -> HttpResponse:
    form = MailToSelfForm(request.POST or None)
    obstacle = services_test_mail.find_obstacle(address, request.user)
    refusal = obstacle
    if form.is_valid() and not obstacle:
        try:
            task = services_test_mail.send_test_mail(
                tenant=request.tenant, user=request.user, address=address, **form.cleaned_data
            )
        except RuleViolation as violation:
            refusal = _place(violation, form)
        else:
            messages.success(request, sent_notice(request, task))
            return redirect(_back(request))
    return render_page(
        request,
        "email_service/send_tasks/test_mail.html",
        "email_service/send_tasks/_test_mail.html",
        _context(request, address, form, refusal, obstacle is None),
        status=422 if form.errors or (refusal and request.method == "POST") else 200,
    )


def _place(refusal: RuleViolation, form: MailToSelfForm) -> RuleViolation | None:
    """Put the refusal at its field; return it where the dialog has no such field."""
    if refusal.field not in form.fields:
        return refusal
    form.add_error(refusal.field, refusal.message)
    return None


def _context(
    request: ConsoleRequest,
    address: Address,
    form: MailToSelfForm,
    refusal: RuleViolation | None,
    can_send: bool,
) -> dict[str, object]:
    return {
        "address": address,
        "form": form,
        "refusal": refusal,
        "refusal_link": link_of(refusal, request) if refusal else None,
        "can_send": can_send,
        "back_url": _back(request),
    }


def sent_notice(request: ConsoleRequest, task: Task) -> str:
    """Say that it is on its way, with a link to where that can be watched."""
    sentence = _("The test mail to %(address)s is on its way.") % {"address": request.user.email}
    message = task.messages.first() if may(request.user, "email_service.view_message") else None
    if message is not None:
        url = message.get_absolute_url()
    elif may(request.user, "email_service.view_task", task):
        url = task.get_absolute_url()
    else:
        return sentence
    return format_html('{} <a href="{}">{}</a>', sentence, url, _("Watch its delivery"))


def _back(request: ConsoleRequest) -> str:
    """Return the list of addresses, or the start page for those who may not see it."""
    may_list = may(request.user, "email_service.list_address")
    return reverse("email:address_list" if may_list else "console:overview")
