"""新建模板: write, edit, copy, fill from a file; nothing typed is lost."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from email_service.mail_templates.models import Template, TemplateVersion
from email_service.setup.models import EmailService
from tests.factories_templates import make_template

pytestmark = pytest.mark.django_db
ADD = "/email/templates/add/"
FIELDS = {
    "title": "Order shipped",
    "body_type": "rich",
    "body": "<p>Hello {{name}}</p>",
    "can_unsubscribe": "on",
}


def test_a_new_template_is_stored_and_approved_at_once(as_owner, owner):
    answer = as_owner.post(ADD, FIELDS)

    version = Template.objects.get().version
    assert answer.status_code == 302
    assert (version.number, version.author, version.status) == (1, owner, "approved")
    assert (version.body, version.parameters, version.can_unsubscribe) == (FIELDS["body"], ["name"], True)


def test_in_a_sensitive_industry_it_waits_for_review(as_owner, acme):
    EmailService.objects.filter(tenant=acme).update(sensitive=True)

    as_owner.post(ADD, FIELDS)

    template = Template.objects.get()
    assert template.status == template.version.status == "pending"
    assert not Template.objects.sendable_by(acme).exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", "x" * 65),
        ("title", "a\u202eb"),
        ("title", "a\u0000b"),
        ("body_type", "other"),
        ("body", ""),
        ("body", "<p>{{参数名称}}</p>"),
        ("body", "<script>alert(1)</script>"),
        ("body", "x" * (256 * 1024 + 1)),
    ],
)
def test_bad_input_is_refused_and_nothing_typed_is_lost(as_owner, field, value):
    answer = as_owner.post(ADD, {**FIELDS, field: value})

    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert not Template.objects.exists()
    for name, typed in {**FIELDS, field: value}.items():
        assert answer.context["form"][name].value() in (typed, True)


def test_a_title_of_64_characters_is_taken(as_owner):
    assert as_owner.post(ADD, {**FIELDS, "title": "模" * 64}).status_code == 302


def test_what_the_sanitiser_removed_is_told(as_owner):
    answer = as_owner.post(ADD, {**FIELDS, "body": "<p onclick='x'>Hello</p><script>1</script>"}, follow=True)

    assert "&lt;script&gt;, onclick" in answer.content.decode()
    assert Template.objects.get().version.body == "<p>Hello</p>"


def test_editing_makes_a_new_version_and_keeps_the_old_one(as_owner, acme, owner):
    template = make_template(acme, user=owner)
    old = template.version

    page = as_owner.get(f"/email/templates/{template.pk}/edit/")
    answer = as_owner.post(
        f"/email/templates/{template.pk}/edit/", {**FIELDS, "title": "New", "body_type": "plain"}
    )

    assert "Hello {{name}}" in page.context["form"]["body"].value()
    assert answer.status_code == 302
    template.refresh_from_db()
    assert (template.title, template.version.number, template.body_type) == ("New", 2, "plain")
    old.refresh_from_db()
    assert (old.title, old.body) == ("Order shipped", "<p>Hello {{name}}</p>")


@pytest.mark.parametrize("is_public", [True, False])
def test_copying_opens_the_form_filled_in_and_stores_nothing(as_owner, acme, owner, is_public):
    template = make_template(None if is_public else acme, title="Original")
    part = "public/" if is_public else ""

    answer = as_owner.get(f"/email/templates/{part}{template.pk}/copy/")

    assert answer.context["form"]["title"].value() == "Original"
    assert answer.context["action_url"] == ADD
    assert Template.objects.count() == 1


def test_an_uploaded_file_fills_the_body_and_keeps_what_else_was_typed(as_owner):
    upload = SimpleUploadedFile(
        "mail.html", "<html><body><p>您好 {{name}}</p><script>1</script></body></html>".encode("gbk")
    )

    answer = as_owner.post(ADD, {**FIELDS, "action": "upload", "html_file": upload})

    form = answer.context["form"]
    assert answer.status_code == 200
    assert form["body"].value() == "<p>您好 {{name}}</p>"
    assert (form["title"].value(), form["can_unsubscribe"].value()) == (FIELDS["title"], True)
    assert not Template.objects.exists()


@pytest.mark.parametrize(
    "upload",
    [
        None,
        SimpleUploadedFile("mail.exe", b"<p>"),
        SimpleUploadedFile("mail.html", b"<p>" + b"x" * (2**20 + 5)),
    ],
)
def test_a_refused_file_leaves_the_typed_body(as_owner, upload):
    files = {"html_file": upload} if upload else {}

    answer = as_owner.post(ADD, {**FIELDS, "action": "upload", **files})

    assert answer.status_code == 422
    assert answer.context["upload_error"]
    assert answer.context["form"]["body"].value() == FIELDS["body"]


def test_forms_are_for_those_who_may_and_rows_for_their_owners(as_reader, as_newcomer, as_stranger, acme):
    template = make_template(acme)

    for client in (as_reader, as_newcomer):
        assert client.get(ADD).status_code == 403
        assert client.post(ADD, FIELDS).status_code == 403
        assert client.post(f"/email/templates/{template.pk}/edit/", FIELDS).status_code == 403
        assert client.get(f"/email/templates/{template.pk}/copy/").status_code == 403
    for name in ("", "edit/", "copy/", "delete/", "preview/", "frame/"):
        assert as_stranger.get(f"/email/templates/{template.pk}/{name}").status_code == 404
    assert TemplateVersion.objects.count() == 1


def test_nobody_edits_or_deletes_a_public_template_from_the_console(as_owner):
    template = make_template()

    for name in ("", "edit/", "delete/", "frame/"):
        assert as_owner.get(f"/email/templates/{template.pk}/{name}").status_code == 404


def test_deleting_asks_then_hides_and_keeps_the_version(as_owner, as_reader, acme, owner):
    template = make_template(acme, user=owner)
    url = f"/email/templates/{template.pk}/delete/"

    assert as_owner.get(url).status_code == 200
    assert as_reader.post(url).status_code == 403
    assert as_owner.post(url).status_code == 302

    template.refresh_from_db()
    assert template.is_deleted
    assert template.version is not None
    assert as_owner.get(f"/email/templates/{template.pk}/").status_code == 404


def test_an_earlier_version_becomes_the_newest_one_after_asking(as_owner, as_reader, acme, owner):
    template = make_template(acme, user=owner, title="First", body="<p>First {{name}}</p>")
    as_owner.post(f"/email/templates/{template.pk}/edit/", FIELDS)
    url = f"/email/templates/{template.pk}/restore/1/"

    assert as_owner.get(url).status_code == 200
    assert as_reader.post(url).status_code == 403
    assert as_owner.post(f"/email/templates/{template.pk}/restore/7/").status_code == 404
    assert as_owner.post(url).status_code == 302

    template.refresh_from_db()
    assert (template.title, template.version.number) == ("First", 3)
    assert template.version.body == "<p>First {{name}}</p>"
    assert template.versions.count() == 3


def test_a_restored_version_is_reviewed_anew(as_owner, acme, owner):
    template = make_template(acme, user=owner)
    as_owner.post(f"/email/templates/{template.pk}/edit/", FIELDS)
    EmailService.objects.filter(tenant=acme).update(sensitive=True)

    as_owner.post(f"/email/templates/{template.pk}/restore/1/")

    template.refresh_from_db()
    assert template.status == template.version.status == "pending"


def test_only_the_page_with_the_editor_lets_styles_be_set(as_owner, acme):
    template = make_template(acme)

    for path in (ADD, f"/email/templates/{template.pk}/edit/", f"/email/templates/{template.pk}/copy/"):
        assert "style-src 'self' 'unsafe-inline'" in as_owner.get(path)["Content-Security-Policy"]
        assert "script-src 'self';" in as_owner.get(path)["Content-Security-Policy"] + ";"
    for path in ("/email/templates/", f"/email/templates/{template.pk}/", "/email/templates/pictures/"):
        assert "unsafe" not in as_owner.get(path)["Content-Security-Policy"]


def test_a_file_that_was_chosen_but_not_uploaded_is_not_passed_over(as_owner):
    upload = SimpleUploadedFile("mail.html", b"<p>from the file</p>", "text/html")

    answer = as_owner.post(ADD, {**FIELDS, "html_file": upload})

    assert answer.status_code == 422
    assert "mail.html" in answer.context["upload_error"]
    assert answer.context["form"]["body"].value() == FIELDS["body"]
    assert not Template.objects.exists()
