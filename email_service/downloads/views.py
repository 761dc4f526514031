"""下载中心: the exports one has asked for, their files, and what can be done with them."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from email_service.downloads import queries, services
from email_service.downloads.models import Export
from koomessage.common import uploads
from koomessage.common.errors import RuleViolation
from koomessage.common.htmx import STOP_POLLING, render_confirm, render_page
from koomessage.common.paging import paginate
from koomessage.common.permissions import OVERVIEW, requires
from koomessage.common.requests import ConsoleRequest
from koomessage.common.workbooks import download


def _export(request: ConsoleRequest, pk: int) -> Export:
    """Return one's own export, or of one's account's to its main user; any other is not there."""
    return get_object_or_404(Export.objects.visible_to(request.user), pk=pk)


@require_GET
@requires(OVERVIEW)
def download_list(request: ConsoleRequest) -> HttpResponse:
    rows = Export.objects.visible_to(request.user).select_related("created_by")
    page = paginate(request, rows, sorts={"created": "created_at"}, default="-created")
    is_polling = any(export.is_unfinished for export in page.rows)
    context = {"page": page, "lines": queries.lines(page.rows, request.user), "is_polling": is_polling}
    # Who asks again and again is told when nothing is left to wait for.
    status = STOP_POLLING if "poll" in request.GET and not is_polling else 200
    page_name, fragment = "email_service/downloads/list.html", "email_service/downloads/_list.html"
    return render_page(request, page_name, fragment, context, status=status)


@never_cache
@require_GET
@requires(OVERVIEW)
def download_file(request: ConsoleRequest, pk: int) -> HttpResponseBase:
    export = _export(request, pk)
    if not export.is_ready:
        raise Http404
    if not queries.may_download(export, request.user):
        raise PermissionDenied
    try:
        file = uploads.opened(export.file)
    except (FileNotFoundError, uploads.StorageSilent):
        messages.error(
            request, _("The file cannot be had now. Try again in a few minutes, or create it again.")
        )
        return redirect("email:download_list")
    return download(file, queries.file_name(export))


@require_POST
@requires(OVERVIEW)
def download_again(request: ConsoleRequest, pk: int) -> HttpResponse:
    try:
        services.repeat_export(_export(request, pk), user=request.user, language=request.LANGUAGE_CODE)
    except RuleViolation as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("The export was started. It stands on top of this list."))
    return redirect("email:download_list")


@require_http_methods(["GET", "POST"])
@requires(OVERVIEW)
def download_delete(request: ConsoleRequest, pk: int) -> HttpResponse:
    export = _export(request, pk)
    if request.method == "POST":
        services.delete_export(export, user=request.user)
        messages.success(request, _("The export was deleted."))
        return redirect("email:download_list")
    return render_confirm(
        request,
        title=_("Delete the export"),
        question=_("Delete “%(name)s”?") % {"name": queries.file_name(export)},
        note=_("One in the making stops; a file that you have downloaded stays with you."),
        action_url=reverse("email:download_delete", args=[export.pk]),
        back_url=reverse("email:download_list"),
    )
