"""What operators make of messages in doubt: one by one, or many alike."""

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from email_service.operations import doubts, services
from email_service.operations.filters import HeldFilter
from email_service.operations.forms import ChoiceForm
from email_service.operations.views import DECIDE, LOOK, SORTS, needs
from email_service.send_details.models import Message
from koomessage.common.errors import RuleViolation
from koomessage.common.htmx import render_confirm, render_page
from koomessage.common.paging import paginate
from koomessage.common.permissions import STAFF, requires
from koomessage.common.requests import ConsoleRequest

QUESTIONS: dict[str, tuple[str | Promise, str | Promise, str | Promise]] = {
    "resend": (
        _("Send again"),
        _("Send message %(id)s to %(recipient)s again?"),
        _(
            "It has the same message ID. If the first one came after all, the recipient may get a second copy."
        ),
    ),
    "delivered": (
        _("Mark as delivered"),
        _("Mark message %(id)s to %(recipient)s as delivered?"),
        _(
            "It is not sent again, and the account pays for it. Do so when the receiving server's log shows it."
        ),
    ),
    "failed": (
        _("Mark as failed"),
        _("Mark message %(id)s to %(recipient)s as failed?"),
        _("It is not sent again, and the account pays nothing for it."),
    ),
}
QUESTIONS_ABOUT_MANY = {
    "resend": ngettext_lazy("Send %(number)s message again?", "Send %(number)s messages again?", "number"),
    "delivered": ngettext_lazy(
        "Mark %(number)s message as delivered?", "Mark %(number)s messages as delivered?", "number"
    ),
    "failed": ngettext_lazy(
        "Mark %(number)s message as failed?", "Mark %(number)s messages as failed?", "number"
    ),
}
NOTES_ABOUT_MANY = {
    "resend": _(
        "Each has its same message ID; where the first one came after all, the recipient may get a second copy. Of "
        "cancelled tasks nothing is sent again."
    ),
    "delivered": _(
        "They are not sent again, and the accounts pay for them. Do so when the receiving server's log shows them."
    ),
    "failed": _("They are not sent again, and the accounts pay nothing for them."),
}


@require_http_methods(["GET", "POST"])
@requires(STAFF)
def engine_decide(request: ConsoleRequest, pk: int, decision: str) -> HttpResponse:
    """Ask, then carry out, what becomes of a message in doubt."""
    needs(request, DECIDE)
    if decision not in QUESTIONS:
        raise Http404
    message = get_object_or_404(Message.objects.select_related("tenant"), pk=pk)
    refusal: RuleViolation | str = ""
    if request.method == "POST":
        try:
            is_new = services.decide_held(message, decision=decision, user=request.user)
        except RuleViolation as found:
            refusal = found
        else:
            done = gettext("Decided.") if is_new else gettext("It had been decided so already.")
            messages.success(request, done)
            return redirect("email:engine")
    return _ask(request, message, decision, refusal)


def _ask(
    request: ConsoleRequest, message: Message, decision: str, refusal: RuleViolation | str
) -> HttpResponse:
    title, question, note = QUESTIONS[decision]
    return render_confirm(
        request,
        title=title,
        question=question % {"id": message.pk, "recipient": message.masked_recipient},
        note=note,
        action_url=reverse("email:engine_decide", args=[message.pk, decision]),
        back_url=reverse("email:engine"),
        confirm_label=title,
        is_danger=decision != "delivered",
        refusal=refusal,
    )


@require_GET
@requires(STAFF)
def held_list(request: ConsoleRequest) -> HttpResponse:
    """All messages in doubt, to be narrowed, ticked and decided together."""
    needs(request, LOOK)
    filter_form = HeldFilter(request.GET)
    rows = filter_form.narrow(doubts.held())
    known = doubts.newest_attempt()
    page = paginate(request, rows, sorts=SORTS, default="id")
    context = {
        "page": page,
        "doubts": doubts.doubts(page.rows),
        "filter": filter_form,
        "known": known,
        "number": doubts.count(rows),
        "most": doubts.MOST_AT_ONCE,
        "may_decide": request.user.has_perm(DECIDE),
    }
    page_name, fragment = "email_service/operations/held.html", "email_service/operations/_held.html"
    return render_page(request, page_name, fragment, context)


@require_http_methods(["GET", "POST"])
@requires(STAFF)
def held_decide(request: ConsoleRequest) -> HttpResponse:
    """Ask, then carry out, what becomes of the chosen messages; the address says which they are."""
    needs(request, DECIDE)
    choice = ChoiceForm(request.GET)
    if not choice.is_valid():
        return _nothing_chosen(request)
    decision = choice.cleaned_data["decision"]
    rows = doubts.decidable(_chosen(request, choice), decision)
    if request.method == "POST":
        number = services.decide_all(rows, decision=decision, user=request.user)
        _tell(request, number, choice.cleaned_data["asked"] or number, doubts.count(rows))
        return redirect("email:held_list")
    number = min(doubts.count(rows), doubts.MOST_AT_ONCE)
    if not number:
        return _nothing_chosen(request)
    return _ask_about_many(request, decision, number)


def _nothing_chosen(request: ConsoleRequest) -> HttpResponse:
    messages.error(request, gettext("None of the chosen messages can be decided so."))
    return redirect("email:held_list")


def _chosen(request: ConsoleRequest, choice: ChoiceForm) -> QuerySet[Message]:
    if not choice.cleaned_data["all"]:
        return doubts.held().filter(pk__in=choice.cleaned_data["id"])
    rows = HeldFilter(request.GET).narrow(doubts.held())
    return doubts.known_by(rows, choice.cleaned_data["known"] or 0)


def _ask_about_many(request: ConsoleRequest, decision: str, number: int) -> HttpResponse:
    query = request.GET.copy()
    query["asked"] = str(number)
    return render_confirm(
        request,
        title=QUESTIONS[decision][0],
        question=QUESTIONS_ABOUT_MANY[decision] % {"number": number},
        note=NOTES_ABOUT_MANY[decision],
        action_url=f"{reverse('email:held_decide')}?{query.urlencode()}",
        back_url=reverse("email:held_list"),
        confirm_label=QUESTIONS[decision][0],
        is_danger=decision != "delivered",
    )


def _tell(request: ConsoleRequest, number: int, asked: int, waiting: int) -> None:
    texts = [ngettext("%(number)s message is decided.", "%(number)s messages are decided.", number)]
    numbers = [number, waiting or asked - number]
    if waiting:
        texts.append(
            ngettext(
                "%(number)s waits still; decide about it once more.",
                "%(number)s wait still; decide about them once more.",
                waiting,
            )
        )
    elif asked > number:
        texts.append(
            ngettext(
                "%(number)s was left alone: somebody had decided it meanwhile, or its task was cancelled.",
                "%(number)s were left alone: somebody had decided them meanwhile, or their tasks were cancelled.",
                asked - number,
            )
        )
    said = " ".join(text % {"number": count} for text, count in zip(texts, numbers, strict=False))
    (messages.success if number else messages.warning)(request, said)
