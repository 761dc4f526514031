"""Pictures of templates: the list, bringing one (from the editor, too), deleting, and the public address."""

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from email_service.mail_templates import queries, services_pictures
from email_service.mail_templates.models import Picture
from koomessage.common.errors import RuleViolation
from koomessage.common.htmx import render_confirm, render_page
from koomessage.common.paging import paginate
from koomessage.common.permissions import public, requires
from koomessage.common.requests import ConsoleRequest

TYPES = {"png": "image/png", "jpg": "image/jpeg", "gif": "image/gif"}
FOLDER = "email_service/mail_templates"


@require_GET
@requires("email_service.list_template")
def picture_list(request: ConsoleRequest) -> HttpResponse:
    return _list(request)


def _list(request: ConsoleRequest, error: str = "") -> HttpResponse:
    rows = Picture.objects.for_tenant(request.tenant)
    page = paginate(request, rows, sorts={"created": "created_at"}, default="-created")
    context = {"page": page, "room": queries.picture_room(request.tenant), "upload_error": error}
    pages = f"{FOLDER}/pictures.html", f"{FOLDER}/_pictures.html"
    return render_page(request, *pages, context, status=422 if error else 200)


@require_POST
@requires("email_service.add_template")
def picture_add(request: ConsoleRequest) -> HttpResponse:
    """Store an uploaded picture: a redirect for the page, JSON (`address`, `width`, `height`) for the editor."""
    is_editor = request.headers.get("Accept", "").startswith("application/json")
    try:
        upload = request.FILES.get("picture")
        if upload is None:
            raise RuleViolation(gettext_lazy("Choose a picture first."), field="picture")
        picture = services_pictures.add_picture(tenant=request.tenant, user=request.user, upload=upload)
    except RuleViolation as refusal:
        if is_editor:
            return JsonResponse({"error": str(refusal.message)}, status=422)
        return _list(request, error=str(refusal.message))
    if is_editor:
        return JsonResponse({"address": picture.address, "width": picture.width, "height": picture.height})
    messages.success(request, _("The picture %(name)s was stored.") % {"name": picture.name})
    return redirect("email:picture_list")


@require_http_methods(["GET", "POST"])
@requires("email_service.delete_template", on=Picture)
def picture_delete(request: ConsoleRequest, picture: Picture) -> HttpResponse:
    refusal: RuleViolation | str = ""
    if request.method == "POST":
        try:
            services_pictures.delete_picture(picture, user=request.user)
        except RuleViolation as violation:
            refusal = violation
        else:
            messages.success(request, _("The picture %(name)s was deleted.") % {"name": picture.name})
            return redirect("email:picture_list")
    return render_confirm(
        request,
        title=_("Delete the picture"),
        question=_("Delete the picture %(name)s?") % {"name": picture.name},
        note=_("Mails that were sent with it no longer show it."),
        action_url=reverse("email:picture_delete", args=[picture.pk]),
        back_url=reverse("email:picture_list"),
        refusal=refusal,
    )


@require_safe
@public
def picture(request: HttpRequest, token: str, kind: str) -> HttpResponseBase:
    """Hand the picture to whoever knows its address: recipients, who never sign in."""
    found = queries.picture_at(token, kind)
    try:
        response = FileResponse(found.file.open("rb"), content_type=TYPES[found.kind])
    except OSError as error:
        raise Http404 from error
    # The address changes with the picture, so it may be kept for good.
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    response["X-Content-Type-Options"] = "nosniff"
    return response
