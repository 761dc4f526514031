"""Detail, preview and frames: a mail is shown and can do nothing."""

import pytest

from email_service.mail_templates.models import Template, TemplateDraft, TemplateVersion
from tests.conftest import FRAGMENT
from tests.factories_templates import make_template

pytestmark = pytest.mark.django_db


def policy_of(answer):
    return dict(part.strip().partition(" ")[::2] for part in answer["Content-Security-Policy"].split(";"))


def test_the_frame_has_a_policy_of_its_own(as_owner, acme, settings):
    answer = as_owner.get(f"/email/templates/{make_template(acme).pk}/frame/")

    policy = policy_of(answer)
    assert policy["default-src"] == "'none'"
    assert policy["sandbox"] == ""
    assert policy["img-src"] == f"'self' data: {settings.PUBLIC_URL}"
    assert policy["frame-ancestors"] == "'self'"
    assert "script-src" not in policy
    assert answer["X-Frame-Options"] == "SAMEORIGIN"


def test_even_a_row_that_was_never_sanitised_runs_nothing(as_owner, acme):
    template = make_template(acme)
    TemplateVersion.objects.filter(pk=template.version_id).update(body="<script>alert(1)</script>{{name}}")

    answer = as_owner.get(f"/email/templates/{template.pk}/frame/", {"value-name": "<img onerror=alert(1)>"})

    assert "sandbox" in policy_of(answer)
    assert "&lt;img onerror=alert(1)&gt;" in answer.content.decode()


def test_typed_values_the_text_part_and_older_versions_can_be_shown(as_owner, acme, owner):
    template = make_template(acme, user=owner, body="<p>First {{name}}</p>")
    as_owner.post(
        f"/email/templates/{template.pk}/edit/", {"title": "T", "body_type": "rich", "body": "<p>Second</p>"}
    )
    url = f"/email/templates/{template.pk}/frame/"

    assert "Second" in as_owner.get(url).content.decode()
    assert "<p>First Ann</p>" in as_owner.get(url, {"version": "1", "value-name": "Ann"}).content.decode()
    assert "<pre" in as_owner.get(url, {"part": "text"}).content.decode()
    assert as_owner.get(url, {"version": "7"}).status_code == 404


def test_the_preview_is_a_dialog_and_a_page(as_owner, acme):
    template = make_template(acme)
    public = make_template()

    for url in (f"/email/templates/{template.pk}/preview/", f"/email/templates/public/{public.pk}/preview/"):
        fragment = as_owner.get(url, **FRAGMENT).content.decode()
        page = as_owner.get(url).content.decode()
        assert (
            '<iframe class="template-frame template-frame-main" name="template-frame" sandbox=""' in fragment
        )
        assert "<html" not in fragment
        assert "<html" in page
    assert as_owner.get(f"/email/templates/public/{template.pk}/frame/").status_code == 404


def test_the_detail_page_shows_state_reason_and_history(as_owner, acme):
    template = make_template(acme)
    Template.objects.filter(pk=template.pk).update(status="rejected")
    TemplateVersion.objects.filter(pk=template.version_id).update(
        status="rejected", reason="Name <the> sender."
    )

    page = as_owner.get(f"/email/templates/{template.pk}/").content.decode()

    assert "Name &lt;the&gt; sender." in page
    assert template.code in page
    assert f"/email/templates/{template.pk}/frame/?version=1" in page


def test_a_draft_is_previewed_in_both_widths_and_not_stored(as_owner):
    typed = {"title": "Soon", "body_type": "rich", "body": "<p>Code {{code}}</p><script>1</script>"}

    answer = as_owner.post("/email/templates/draft/", {**typed, "can_unsubscribe": "on"}, follow=True)

    page = answer.content.decode()
    assert "&lt;script&gt;" in page
    assert 'name="value-code"' in page
    assert 'id="view-phone"' in page
    url = answer.context["frame_url"]
    frame = as_owner.get(url)
    assert "Code 628419" in frame.content.decode()
    assert "<script" not in frame.content.decode()
    assert 'href="#"' in frame.content.decode()
    assert "sandbox" in policy_of(frame)
    assert "Code 77" in as_owner.get(url, {"value-code": "77"}).content.decode()
    assert "<pre" in as_owner.get(url, {"part": "text"}).content.decode()
    assert not Template.objects.exists()


def test_looking_again_keeps_only_the_newest_draft(as_owner, as_reader):
    typed = {"body_type": "plain", "body": "Hello"}
    for client in (as_owner, as_owner, as_reader):
        client.post("/email/templates/draft/", typed)

    assert TemplateDraft.objects.count() == 2


@pytest.mark.parametrize("body", ["", "{{<i>x</i>}}", "<div>" * 4000])
def test_a_draft_that_cannot_be_shown_says_why(as_owner, body):
    answer = as_owner.post("/email/templates/draft/", {"body_type": "rich", "body": body})

    assert answer.status_code == 422
    assert "<i>" not in answer.content.decode()
    assert "sandbox" in policy_of(answer)


def test_previews_are_for_those_who_may_look(as_newcomer, as_reader, acme):
    template = make_template(acme)

    for name in ("", "preview/", "frame/"):
        assert as_newcomer.get(f"/email/templates/{template.pk}/{name}").status_code == 403
        assert as_reader.get(f"/email/templates/{template.pk}/{name}").status_code == 200
    assert as_newcomer.post("/email/templates/draft/", {}).status_code == 403


@pytest.mark.parametrize("name", ["", "preview/", "frame/"])
def test_pages_of_one_template_cost_a_fixed_number_of_queries(
    as_owner, acme, name, django_assert_max_num_queries
):
    template = make_template(acme)

    with django_assert_max_num_queries(10):
        as_owner.get(f"/email/templates/{template.pk}/{name}")


@pytest.mark.parametrize(("body_type", "frames"), [("rich", 2), ("plain", 1)])
def test_plain_text_is_shown_once(as_owner, acme, body_type, frames):
    template = make_template(acme, body_type=body_type, body="Hello")

    page = as_owner.get(f"/email/templates/{template.pk}/preview/").content.decode()

    assert page.count("<iframe") == frames
    assert page.count('name="template-view"') == frames + 1
