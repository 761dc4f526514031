"""Review: one decision for one version, by staff, never by the author; and the public templates."""

import json

import pytest
from django.contrib.auth.models import Permission
from django.core.management import call_command

from email_service.mail_templates.models import Template, TemplateVersion
from email_service.mail_templates.services import (
    approve_version,
    delete_template,
    reject_version,
    save_template,
)
from email_service.setup.models import EmailService
from iam.models import AuditEntry
from koomessage.common.errors import RuleViolation
from tests.conftest import _client
from tests.factories import make_staff
from tests.factories_templates import make_template

pytestmark = pytest.mark.django_db
QUEUE = "/admin/email_service/templateversion/"


@pytest.fixture
def pending(acme, owner):
    EmailService.objects.filter(tenant=acme).update(sensitive=True)
    return make_template(acme, user=owner, body="<p>Hello {{name}}</p>").version


@pytest.fixture
def reviewer(db):
    staff = make_staff(login="reviewer", is_superuser=False)
    staff.user_permissions.set(
        Permission.objects.filter(codename__in=["view_templateversion", "change_templateversion"])
    )
    return staff


def test_approving_lets_the_template_be_sent(pending, reviewer, acme):
    approve_version(pending, by=reviewer)

    pending.refresh_from_db()
    assert (pending.status, pending.decided_by) == ("approved", reviewer)
    assert Template.objects.sendable_by(acme).filter(pk=pending.template_id).exists()
    assert AuditEntry.objects.filter(action="kooMessage:emailTemplate:approve", user=reviewer).exists()


def test_rejecting_needs_a_reason_and_shows_it(pending, reviewer, as_owner):
    with pytest.raises(RuleViolation):
        reject_version(pending, by=reviewer, reason="  ")

    reject_version(pending, by=reviewer, reason="Name the sender.")

    assert "Name the sender." in as_owner.get(f"/email/templates/{pending.template_id}/").content.decode()


def test_a_version_is_decided_about_once(pending, reviewer):
    approve_version(pending, by=reviewer)

    with pytest.raises(RuleViolation):
        reject_version(pending, by=reviewer, reason="Too late.")


def test_the_author_does_not_decide(pending, owner):
    with pytest.raises(RuleViolation):
        approve_version(pending, by=owner)


def test_an_edit_overtakes_the_review_of_the_version_before(pending, reviewer, acme, owner):
    saved = save_template(
        tenant=acme,
        user=owner,
        title="T",
        body_type="plain",
        body="New",
        can_unsubscribe=False,
        template=pending.template,
    )

    with pytest.raises(RuleViolation):
        approve_version(pending, by=reviewer)
    approve_version(saved.template.version, by=reviewer)


def test_a_deleted_template_is_not_decided_about_nor_edited(pending, reviewer, acme, owner):
    delete_template(pending.template, user=owner)

    with pytest.raises(RuleViolation):
        approve_version(pending, by=reviewer)
    with pytest.raises(RuleViolation):
        save_template(
            tenant=acme,
            user=owner,
            title="T",
            body_type="plain",
            body="N",
            can_unsubscribe=False,
            template=pending.template,
        )


def test_the_queue_shows_what_waits_and_the_page_the_mail(pending, reviewer):
    client = _client(reviewer)

    queue = client.get(QUEUE).content.decode()
    page = client.get(f"{QUEUE}{pending.pk}/change/").content.decode()
    frame = client.get(f"{QUEUE}{pending.pk}/frame/")

    assert pending.template.code in queue
    assert 'sandbox="" title=' in page
    assert "sandbox" in frame["Content-Security-Policy"]
    assert frame["X-Frame-Options"] == "SAMEORIGIN"


def test_reviewers_decide_on_the_page(pending, reviewer):
    client = _client(reviewer)
    url = f"{QUEUE}{pending.pk}/decide/"

    refused = client.post(url, {"decision": "reject", "reason": ""})
    assert refused.status_code == 422
    assert client.get(url).status_code == 403
    assert client.post(url, {"decision": "approve"}).status_code == 302
    assert client.post(url, {"decision": "reject", "reason": "Late <b>"}).status_code == 422

    pending.refresh_from_db()
    assert pending.status == "approved"
    assert pending.template.code not in client.get(QUEUE).content.decode()


def test_only_staff_with_the_right_come_near(pending, as_owner):
    staff = _client(make_staff(login="clerk", is_superuser=False))
    url = f"{QUEUE}{pending.pk}/"

    for client in (as_owner, staff):
        for path in ("change/", "frame/", "decide/"):
            assert client.post(url + path, {"decision": "approve"}).status_code in (302, 403)
    pending.refresh_from_db()
    assert pending.status == "pending"


def test_operators_write_public_templates_in_the_admin(as_operator):
    url = "/admin/email_service/template/"
    fields = {"title": "Holiday", "body_type": "rich", "body": "<p>Hello {{name}}</p><script>1</script>"}

    assert as_operator.post(f"{url}add/", {**fields, "body": "{{a.b}}"}).status_code == 200
    assert as_operator.post(f"{url}add/", fields).status_code == 302
    template = Template.objects.get()
    assert as_operator.post(f"{url}{template.pk}/change/", {**fields, "title": "Holidays"}).status_code == 302
    template.refresh_from_db()
    assert (template.tenant, template.title, template.version.number) == (None, "Holidays", 2)
    assert template.version.body == "<p>Hello {{name}}</p>"
    assert as_operator.post(f"{url}{template.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Template.objects.public().exists()


def test_loading_the_public_templates_twice_changes_nothing(capsys):
    call_command("load_public_templates")
    first = list(TemplateVersion.objects.order_by("pk").values_list("pk", "body"))
    call_command("load_public_templates")

    assert len(first) >= 12
    assert list(TemplateVersion.objects.order_by("pk").values_list("pk", "body")) == first
    assert "unchanged" in capsys.readouterr().out


def test_loading_again_brings_a_changed_template_up_to_date():
    call_command("load_public_templates")
    template = Template.objects.public().order_by("code").first()
    TemplateVersion.objects.filter(pk=template.version_id).update(body="<p>old</p>")

    call_command("load_public_templates")

    template.refresh_from_db()
    assert template.version.number == 2


def test_the_public_templates_obey_the_rules_of_mail(db):
    call_command("load_public_templates")

    for version in TemplateVersion.objects.all():
        assert len(version.body.encode()) < 102 * 1024
        assert 0 < len(version.parameters) <= 15
        assert "<table" in version.body


def test_check_template_prints_what_the_form_would_do(tmp_path, capsys):
    page = tmp_path / "mail.html"
    page.write_text('<p>Hi {{name}} <a href="https://x.example/">x</a></p><script>1</script>')

    call_command("check_template", str(page))

    report = json.loads(capsys.readouterr().out)
    assert report == {
        "parameters": ["name"],
        "problems": [],
        "removed": ["<script>"],
        "html": '<p>Hi {{name}} <a href="https://x.example/">x</a></p>',
        "text": "Hi {{name}} x (https://x.example/)",
    }


@pytest.mark.parametrize("name", ["mail.html", "mail.txt"])
def test_check_template_names_problems(tmp_path, capsys, name):
    page = tmp_path / name
    page.write_text("<p>{{a.b}} {{c d}}</p>")

    call_command("check_template", str(page), "--text") if name == "mail.txt" else call_command(
        "check_template", str(page)
    )

    assert len(json.loads(capsys.readouterr().out)["problems"]) == 2
