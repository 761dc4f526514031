"""权限管理: the account's users."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from iam import queries, services_users
from iam.filters import UserFilter
from iam.forms_members import UserAddForm, UserEditForm
from iam.models import User
from koomessage.common.errors import RuleViolation
from koomessage.common.htmx import render_confirm, render_page
from koomessage.common.paging import paginate
from koomessage.common.permissions import requires
from koomessage.common.requests import ConsoleRequest

SORTS = {"name": "name", "created": "created_at"}


@require_GET
@requires("iam.list_user")
def user_list(request: ConsoleRequest) -> HttpResponse:
    filters = UserFilter(request.GET)
    rows = filters.narrow(queries.user_rows(request.tenant))
    page = paginate(request, rows, sorts=SORTS, default="created")
    context = {"filter": filters, "page": page, "tab": "users"}
    return render_page(request, "iam/user_list.html", "iam/_user_list.html", context)


@require_GET
@requires("iam.view_user", on=User)
def user_detail(request: ConsoleRequest, member: User) -> HttpResponse:
    context = {
        "member": member,
        "groups": queries.groups_of(member),
        "policies": member.policies.order_by("name"),
    }
    return render_page(request, "iam/user_detail.html", "iam/_user_detail.html", context)


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("password", "password_again")
@requires("iam.add_user")
def user_add(request: ConsoleRequest) -> HttpResponse:
    tenant = request.tenant
    form = UserAddForm(
        request.POST if request.method == "POST" else None,
        groups=queries.group_choices(tenant),
        policies=queries.policy_choices(tenant),
    )
    if form.is_valid():
        try:
            member = services_users.create_user(tenant=tenant, user=request.user, **form.cleaned_data)
        except RuleViolation as refusal:
            form.add_error(refusal.field, str(refusal.message))
        else:
            messages.success(
                request,
                _("The user has been created and can sign in as %(login)s.") % {"login": member.login},
            )
            return redirect("iam:home")
    context = {"form": form}
    status = 422 if form.errors else 200
    return render_page(request, "iam/user_add.html", "iam/_user_add.html", context, status=status)


@require_http_methods(["GET", "POST"])
@requires("iam.change_user", on=User)
def user_edit(request: ConsoleRequest, member: User) -> HttpResponse:
    tenant = request.tenant
    form = UserEditForm(
        request.POST if request.method == "POST" else None,
        initial=queries.bindings_of(member),
        groups=queries.group_choices(tenant),
        policies=queries.policy_choices(tenant),
    )
    if form.is_valid():
        try:
            services_users.change_user(tenant=tenant, user=request.user, member=member, **form.cleaned_data)
        except RuleViolation as refusal:
            form.add_error(refusal.field, str(refusal.message))
        else:
            messages.success(request, _("The user has been changed."))
            return redirect("iam:user_detail", member.pk)
    context = {"form": form, "member": member}
    status = 422 if form.errors else 200
    return render_page(request, "iam/user_edit.html", "iam/_user_edit.html", context, status=status)


@require_http_methods(["GET", "POST"])
@requires("iam.change_user", on=User)
def user_disable(request: ConsoleRequest, member: User) -> HttpResponse:
    refusal = ""
    if request.method == "POST":
        try:
            services_users.disable_user(tenant=request.tenant, user=request.user, member=member)
            messages.success(request, _("The user can no longer sign in."))
            return redirect("iam:home")
        except RuleViolation as violation:
            refusal = str(violation.message)
    return render_confirm(
        request,
        title=_("Disable user"),
        question=_("Disable %(login)s? Every session of this user ends at once.") % {"login": member.login},
        action_url=request.path,
        back_url=reverse("iam:home"),
        refusal=refusal,
    )


@require_http_methods(["GET", "POST"])
@requires("iam.change_user", on=User)
def user_enable(request: ConsoleRequest, member: User) -> HttpResponse:
    refusal = ""
    if request.method == "POST":
        try:
            services_users.enable_user(tenant=request.tenant, user=request.user, member=member)
            messages.success(request, _("The user can sign in again."))
            return redirect("iam:home")
        except RuleViolation as violation:
            refusal = str(violation.message)
    return render_confirm(
        request,
        title=_("Enable user"),
        question=_("Let %(login)s sign in again?") % {"login": member.login},
        action_url=request.path,
        back_url=reverse("iam:home"),
        is_danger=False,
        refusal=refusal,
    )
