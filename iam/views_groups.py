"""权限管理: user groups."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from iam import queries, services_policies
from iam.filters import NameFilter
from iam.forms_members import GroupForm
from iam.models import UserGroup
from koomessage.common.errors import RuleViolation
from koomessage.common.htmx import render_confirm, render_page
from koomessage.common.paging import paginate
from koomessage.common.permissions import requires
from koomessage.common.requests import ConsoleRequest

SORTS = {"name": "name", "created": "created_at"}


@require_GET
@requires("iam.list_usergroup")
def group_list(request: ConsoleRequest) -> HttpResponse:
    filters = NameFilter(request.GET)
    rows = filters.narrow(queries.group_rows(request.tenant))
    page = paginate(request, rows, sorts=SORTS, default="created")
    context = {"filter": filters, "page": page, "tab": "groups"}
    return render_page(request, "iam/group_list.html", "iam/_group_list.html", context)


@require_http_methods(["GET", "POST"])
@requires("iam.add_usergroup")
def group_add(request: ConsoleRequest) -> HttpResponse:
    tenant = request.tenant
    form = GroupForm(
        request.POST if request.method == "POST" else None,
        policies=queries.policy_choices(tenant),
        members=queries.member_choices(tenant),
    )
    if form.is_valid():
        try:
            services_policies.create_group(tenant=tenant, user=request.user, **form.cleaned_data)
        except RuleViolation as refusal:
            form.add_error(refusal.field, str(refusal.message))
        else:
            messages.success(request, _("The group has been created."))
            return redirect("iam:group_list")
    context = {"form": form, "action_url": request.path, "heading": _("Create user group")}
    status = 422 if form.errors else 200
    return render_page(request, "iam/group_edit.html", "iam/_group_edit.html", context, status=status)


@require_http_methods(["GET", "POST"])
@requires("iam.change_usergroup", on=UserGroup)
def group_edit(request: ConsoleRequest, group: UserGroup) -> HttpResponse:
    tenant = request.tenant
    form = GroupForm(
        request.POST if request.method == "POST" else None,
        initial=queries.contents_of(group),
        policies=queries.policy_choices(tenant),
        members=queries.member_choices(tenant),
    )
    if form.is_valid():
        try:
            services_policies.change_group(tenant=tenant, user=request.user, group=group, **form.cleaned_data)
        except RuleViolation as refusal:
            form.add_error(refusal.field, str(refusal.message))
        else:
            messages.success(request, _("The group has been changed."))
            return redirect("iam:group_list")
    context = {"form": form, "action_url": request.path, "heading": _("Edit user group")}
    status = 422 if form.errors else 200
    return render_page(request, "iam/group_edit.html", "iam/_group_edit.html", context, status=status)


@require_http_methods(["GET", "POST"])
@requires("iam.delete_usergroup", on=UserGroup)
def group_delete(request: ConsoleRequest, group: UserGroup) -> HttpResponse:
    refusal = ""
    if request.method == "POST":
        try:
            services_policies.delete_group(tenant=request.tenant, user=request.user, group=group)
            messages.success(request, _("The group has been deleted."))
            return redirect("iam:group_list")
        except RuleViolation as violation:
            refusal = str(violation.message)
    return render_confirm(
        request,
        title=_("Delete user group"),
        question=_("Delete the group “%(name)s”?") % {"name": group.name},
        note=_("Its users stay, and lose the policies they had from it."),
        action_url=request.path,
        back_url=reverse("iam:group_list"),
        refusal=refusal,
    )
