"""The reviewers' queue in the admin: what waits, one version beside the decision, and the way to the next."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from email_service.mail_templates import reviews, services
from email_service.mail_templates.forms_review import ReviewForm
from email_service.mail_templates.models import Template, TemplateVersion
from email_service.mail_templates.views_frame import show_version
from koomessage.common.errors import RuleViolation

NAME = "email_service_templateversion"


class QueueFilter(admin.SimpleListFilter):
    title = gettext_lazy("review status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*Template.Status.choices, ("all", gettext_lazy("All"))]

    def choices(self, changelist: Any) -> Any:
        for value, label in self.lookup_choices:
            shown = self.value() or Template.Status.PENDING
            query = changelist.get_query_string({self.parameter_name: value})
            yield {"selected": shown == value, "query_string": query, "display": label}

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        status = self.value() or Template.Status.PENDING
        if status == Template.Status.PENDING:
            return queryset.awaiting_review()  # type: ignore[attr-defined]
        return queryset if status == "all" else queryset.filter(status=status)


class WithoutBodies(ChangeList):
    """A page of the queue needs no bodies, which may be 256 KB each."""

    def get_queryset(self, *args: Any, **kwargs: Any) -> models.QuerySet[Any]:
        return super().get_queryset(*args, **kwargs).defer("body")


@admin.register(TemplateVersion)
class TemplateVersionAdmin(admin.ModelAdmin):
    """The queue: what waits longest stands first; the page of one version shows the mail beside the decision."""

    list_display = ("title", "code", "account", "author_name", "waiting", "status", "decision")
    list_filter = (QueueFilter, "body_type", "can_unsubscribe")
    search_fields = ("title", "template__code", "template__tenant__account", "author__login")
    change_list_template = "email_service/mail_templates/queue.html"
    change_form_template = "email_service/mail_templates/review.html"
    show_full_result_count = False
    actions = None

    @admin.display(description=gettext_lazy("template ID"))
    def code(self, version: TemplateVersion) -> str:
        return version.template.code

    @admin.display(description=gettext_lazy("account"))
    def account(self, version: TemplateVersion) -> str:
        return str(version.template.tenant or "")

    @admin.display(description=gettext_lazy("author"))
    def author_name(self, version: TemplateVersion) -> str:
        return str(version.author or "—")

    @admin.display(description=gettext_lazy("waiting"))
    def waiting(self, version: TemplateVersion) -> str:
        is_pending = version.status == Template.Status.PENDING
        return timesince(version.created_at, depth=1) if is_pending else "—"

    @admin.display(description=gettext_lazy("decided by"))
    def decision(self, version: TemplateVersion) -> str:
        if version.decided_at is None:
            return "—"
        who = _("automatically") if version.is_automatic else str(version.decided_by)
        return f"{who} · {timezone.localtime(version.decided_at):%Y-%m-%d %H:%M:%S}"

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        rows = super().get_queryset(request).filter(template__tenant__isnull=False)
        return rows.select_related("template__tenant", "author", "decided_by")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return WithoutBodies

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/frame/", wrap(self.frame_view), name=f"{NAME}_frame"),
            path("<int:pk>/decide/", wrap(self.decide_view), name=f"{NAME}_decide"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        context = {
            "title": capfirst(self.opts.verbose_name_plural),
            "place": reviews.place_of(request.user),  # type: ignore[arg-type]
        }
        return super().changelist_view(request, {**(extra_context or {}), **context})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the mail, who wrote it, and the decision; a POST here changes nothing."""
        version = self.get_object(request, object_id)
        if version is None or not self.has_view_permission(request, version):
            return super().change_view(request, object_id, form_url, extra_context)
        return self._page(request, version, ReviewForm())

    def _page(self, request: HttpRequest, version: Any, form: ReviewForm, status: int = 200) -> HttpResponse:
        obstacle = services.obstacle(version, by=request.user)  # type: ignore[arg-type]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": str(version),
            "version": version,
            "form": form,
            "sheet": reviews.sheet_of(version),
            "place": reviews.place_of(request.user, version),  # type: ignore[arg-type]
            "obstacle": obstacle,
            "can_decide": not obstacle and self.has_change_permission(request, version),
            "frame_url": reverse(f"admin:{NAME}_frame", args=[version.pk]),
        }
        return TemplateResponse(request, str(self.change_form_template), context, status=status)

    def frame_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        version = get_object_or_404(self.get_queryset(request), pk=pk)
        if not self.has_view_permission(request, version):
            raise PermissionDenied
        return show_version(request, version)

    def decide_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Approve, or reject with a reason, and go on to the next; what is refused is shown, nothing typed is lost."""
        version = get_object_or_404(self.get_queryset(request), pk=pk)
        if request.method != "POST" or not self.has_change_permission(request, version):
            raise PermissionDenied
        form = ReviewForm(request.POST)
        if request.POST.get("decision") not in ("approve", "reject"):
            form.add_error(None, _("Press Approve or Reject."))
        if not form.is_valid():
            return self._page(request, version, form, status=422)
        try:
            self._decide(request, version, form)
        except RuleViolation as refusal:
            form.add_error(refusal.field, refusal.message)
            version = get_object_or_404(self.get_queryset(request), pk=pk)
            return self._page(request, version, form, status=422)
        place = reviews.place_of(request.user, version)  # type: ignore[arg-type]
        self._say(request, version, place.waiting)
        return (
            redirect(f"admin:{NAME}_change", place.next)
            if place.next
            else redirect(f"admin:{NAME}_changelist")
        )

    def _decide(self, request: HttpRequest, version: TemplateVersion, form: ReviewForm) -> None:
        if request.POST.get("decision") == "approve":
            services.approve_version(version, by=request.user)  # type: ignore[arg-type]
        else:
            services.reject_version(version, by=request.user, **form.cleaned_data)  # type: ignore[arg-type]

    def _say(self, request: HttpRequest, version: TemplateVersion, left: int) -> None:
        """Name what was decided, with the way back to it, and how many are left."""
        is_approved = request.POST.get("decision") == "approve"
        sentence = _("Approved: {link}.") if is_approved else _("Rejected: {link}.")
        address = reverse(f"admin:{NAME}_change", args=[version.pk])
        link = format_html('<a href="{}">{}</a>', address, version)
        count = (
            ngettext("{left} left.", "{left} left.", left).format(left=left)
            if left
            else _("Nothing is left.")
        )
        messages.success(request, format_html("{} {}", format_html(sentence, link=link), count))
