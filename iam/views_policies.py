"""权限管理: system policies to read, custom policies to write."""

import json

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from iam import queries, services_policies
from iam.filters import NameFilter
from iam.forms_members import PolicyForm
from iam.models import Policy
from iam.policies import FULL_ACCESS
from koomessage.common.errors import RuleViolation
from koomessage.common.htmx import render_confirm, render_page
from koomessage.common.paging import paginate
from koomessage.common.permissions import requires
from koomessage.common.requests import ConsoleRequest

SORTS = {"name": "name", "created": "created_at"}


def _text(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


@require_GET
@requires("iam.list_policy")
def policy_list(request: ConsoleRequest) -> HttpResponse:
    filters = NameFilter(request.GET)
    rows = filters.narrow(queries.policy_rows(request.tenant))
    page = paginate(request, rows, sorts=SORTS, default="created")
    context = {"filter": filters, "page": page, "tab": "policies"}
    return render_page(request, "iam/policy_list.html", "iam/_policy_list.html", context)


@require_GET
@requires("iam.view_policy")
def policy_detail(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Show a policy of the account, or a system policy, which every account may read."""
    policy = get_object_or_404(queries.usable_policies(request.tenant), pk=pk)
    context = {"policy": policy, "document": _text(policy.document)}
    return render_page(request, "iam/policy_detail.html", "iam/_policy_detail.html", context)


@require_http_methods(["GET", "POST"])
@requires("iam.add_policy")
def policy_add(request: ConsoleRequest) -> HttpResponse:
    form = PolicyForm(
        request.POST if request.method == "POST" else None, initial={"document": _text(FULL_ACCESS)}
    )
    if form.is_valid():
        try:
            services_policies.create_policy(tenant=request.tenant, user=request.user, **form.cleaned_data)
        except RuleViolation as refusal:
            form.add_error(refusal.field, str(refusal.message))
        else:
            messages.success(
                request, _("The policy has been created. Give it to users or groups to make it count.")
            )
            return redirect("iam:policy_list")
    context = {"form": form, "action_url": request.path, "heading": _("Create custom policy")}
    status = 422 if form.errors else 200
    return render_page(request, "iam/policy_edit.html", "iam/_policy_edit.html", context, status=status)


@require_http_methods(["GET", "POST"])
@requires("iam.change_policy", on=Policy)
def policy_edit(request: ConsoleRequest, policy: Policy) -> HttpResponse:
    initial = {"name": policy.name, "description": policy.description, "document": _text(policy.document)}
    form = PolicyForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        try:
            services_policies.change_policy(
                tenant=request.tenant, user=request.user, policy=policy, **form.cleaned_data
            )
        except RuleViolation as refusal:
            form.add_error(refusal.field, str(refusal.message))
        else:
            messages.success(request, _("The policy has been changed."))
            return redirect("iam:policy_list")
    context = {"form": form, "action_url": request.path, "heading": _("Edit custom policy")}
    status = 422 if form.errors else 200
    return render_page(request, "iam/policy_edit.html", "iam/_policy_edit.html", context, status=status)


@require_http_methods(["GET", "POST"])
@requires("iam.delete_policy", on=Policy)
def policy_delete(request: ConsoleRequest, policy: Policy) -> HttpResponse:
    refusal = ""
    if request.method == "POST":
        try:
            services_policies.delete_policy(tenant=request.tenant, user=request.user, policy=policy)
            messages.success(request, _("The policy has been deleted."))
            return redirect("iam:policy_list")
        except RuleViolation as violation:
            refusal = str(violation.message)
    return render_confirm(
        request,
        title=_("Delete custom policy"),
        question=_("Delete the policy “%(name)s”?") % {"name": policy.name},
        action_url=request.path,
        back_url=reverse("iam:policy_list"),
        refusal=refusal,
    )
