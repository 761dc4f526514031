"""Large bodies are cleaned by a job, and their author sees how far that has come."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from email_service.mail_templates import drafts, jobs
from email_service.mail_templates.models import Template, TemplateDraft
from email_service.setup.models import EmailService
from tests.conftest import FRAGMENT
from tests.factories_templates import make_draft, make_template

pytestmark = pytest.mark.django_db
ADD = "/email/templates/add/"
HEAVY = "<p>Hello <b>{{name}}</b></p>\n" * 2000 + "<p onclick='x'>end</p>"
FIELDS = {"title": "Large", "body_type": "rich", "body": HEAVY, "can_unsubscribe": "on"}


def page_of(draft: TemplateDraft) -> str:
    return f"/email/templates/drafts/{draft.pk}/"


def test_a_heavy_body_is_kept_at_once_and_stored_by_a_job(
    as_owner, owner, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks() as callbacks:
        answer = as_owner.post(ADD, FIELDS)

    draft = TemplateDraft.objects.get()
    assert answer["Location"] == page_of(draft)
    assert not Template.objects.exists()
    waiting = as_owner.get(page_of(draft))
    assert waiting["Refresh"] == "2"
    assert 'hx-trigger="every 1s"' in waiting.content.decode()

    for callback in callbacks:
        callback()

    template = Template.objects.get()
    assert (template.title, template.status, template.version.author) == ("Large", "approved", owner)
    assert template.version.parameters == ["name"]
    assert "onclick" not in template.version.body
    ended = as_owner.get(page_of(draft), **FRAGMENT).content.decode()
    assert "hx-trigger" not in ended
    assert "onclick" in ended
    assert template.get_absolute_url() in ended


def test_plain_text_needs_no_cleaning_however_many_brackets_it_holds(as_owner):
    as_owner.post(ADD, {**FIELDS, "body_type": "plain"})

    assert Template.objects.get().version.body.strip() == HEAVY
    assert not TemplateDraft.objects.exists()


def test_in_a_sensitive_industry_it_waits_for_review_too(acme, owner):
    EmailService.objects.filter(tenant=acme).update(sensitive=True)

    drafts.carry_out(make_draft(acme, user=owner).pk)

    assert Template.objects.get().status == "pending"


def test_a_refusal_leads_back_to_the_form_with_everything_in_it(as_owner, acme, owner):
    draft = make_draft(acme, user=owner, body="<p>{{参数}}</p>", can_unsubscribe=True)

    drafts.carry_out(draft.pk)

    draft.refresh_from_db()
    assert draft.stage == "refused"
    assert "{{参数}}" in draft.refusal
    page = as_owner.get(page_of(draft)).content.decode()
    assert f"{ADD}?draft={draft.pk}" in page
    form = as_owner.get(f"{ADD}?draft={draft.pk}").context["form"]
    assert [form[name].value() for name in ("title", "body", "can_unsubscribe")] == [
        "Large",
        "<p>{{参数}}</p>",
        True,
    ]


def test_a_large_file_fills_the_form_once_it_is_clean(as_owner, django_capture_on_commit_callbacks):
    upload = SimpleUploadedFile("mail.html", HEAVY.encode())

    with django_capture_on_commit_callbacks(execute=True):
        as_owner.post(ADD, {**FIELDS, "body": "old", "action": "upload", "html_file": upload})

    draft = TemplateDraft.objects.get()
    answer = as_owner.get(page_of(draft), follow=True)
    form = answer.context["form"]
    assert form["title"].value() == "Large"
    assert form["body"].value().endswith("<p>end</p>")
    assert "onclick" in answer.context["left_out"]
    assert not Template.objects.exists()


def test_a_large_file_that_is_refused_leaves_what_was_typed(as_owner, django_capture_on_commit_callbacks):
    upload = SimpleUploadedFile("mail.html", b"<div>" * 6000)
    typed = {**FIELDS, "title": "x" * 70, "body": "<p>mine</p>"}

    with django_capture_on_commit_callbacks(execute=True):
        as_owner.post(ADD, {**typed, "action": "upload", "html_file": upload})

    draft = TemplateDraft.objects.get()
    answer = as_owner.get(f"{ADD}?draft={draft.pk}")
    assert draft.stage == "refused"
    assert answer.status_code == 422
    assert answer.context["upload_error"] == draft.refusal
    assert [answer.context["form"][name].value() for name in ("title", "body")] == ["x" * 70, "<p>mine</p>"]


def test_a_large_preview_waits_for_the_job_and_then_shows_the_mail(
    as_owner, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        answer = as_owner.post("/email/templates/draft/", FIELDS)

    page = as_owner.get(answer["Location"])
    frame = as_owner.get(page.context["frame_url"])
    assert "sandbox" in frame["Content-Security-Policy"]
    assert "<p>end</p>" in frame.content.decode()
    assert not Template.objects.exists()


def test_a_preview_that_is_not_ready_leads_to_its_progress(as_owner, acme, owner):
    draft = make_draft(acme, user=owner, purpose="view")

    assert as_owner.get(f"{page_of(draft)}frame/")["Location"] == page_of(draft)


def test_carried_out_twice_it_is_stored_once(acme, owner):
    draft = make_draft(acme, user=owner)

    for _ in range(3):
        jobs.tidy_draft(draft.pk)
    jobs.tidy_draft(draft.pk + 1)

    assert Template.objects.get().versions.count() == 1


def test_an_edit_becomes_the_next_version_unless_the_template_is_gone(acme, owner):
    template = make_template(acme, user=owner)
    gone = make_template(acme, user=owner)
    Template.objects.filter(pk=gone.pk).update(is_deleted=True)

    for edited in (template, gone):
        drafts.carry_out(make_draft(acme, user=owner, template=edited).pk)

    template.refresh_from_db()
    assert template.version.number == 2
    assert gone.versions.count() == 1
    assert TemplateDraft.objects.get(template=gone).stage == "refused"


def test_a_draft_whose_job_was_lost_is_taken_up_and_an_old_one_dropped(acme, owner):
    lost, fresh, old = (make_draft(acme, user=owner, title=title) for title in ("lost", "fresh", "old"))
    now = timezone.now()
    TemplateDraft.objects.filter(pk=lost.pk).update(created_at=now - 2 * drafts.STUCK_AFTER, stage="cleaning")
    TemplateDraft.objects.filter(pk=old.pk).update(created_at=now - timedelta(days=8), stage="done")

    jobs.tidy_drafts()

    assert list(Template.objects.values_list("title", flat=True)) == ["lost"]
    assert set(TemplateDraft.objects.values_list("title", flat=True)) == {"lost", "fresh"}
    fresh.refresh_from_db()
    assert fresh.is_open


def test_a_body_that_ends_its_worker_is_refused_after_three_attempts_and_keeps_nobody_waiting(
    as_owner, acme, owner, monkeypatch
):
    poison = make_draft(acme, user=owner, title="poison")
    lost = make_draft(acme, user=owner, title="lost")
    tidy = drafts.tidy_body

    def die(**options):
        if TemplateDraft.objects.get(pk=poison.pk).stage == "cleaning":
            raise SystemExit  # as when the kernel ends a process that takes too much memory
        return tidy(**options)

    monkeypatch.setattr(drafts, "tidy_body", die)
    for _attempt in range(3):
        with pytest.raises(SystemExit):
            jobs.tidy_draft(poison.pk)
    assert poison.pk not in drafts.stuck()  # the last attempt may still be under way
    long_ago = timezone.now() - 2 * drafts.STUCK_AFTER
    TemplateDraft.objects.update(created_at=long_ago)
    TemplateDraft.objects.filter(pk=poison.pk).update(tried_at=long_ago)

    jobs.tidy_drafts()

    assert Template.objects.get().title == "lost"
    lost.refresh_from_db()
    poison.refresh_from_db()
    assert (lost.stage, poison.stage) == ("done", "refused")
    assert "3 attempts" in poison.refusal
    assert as_owner.get(f"{ADD}?draft={poison.pk}").context["form"]["body"].value() == poison.body


def test_a_body_of_many_entities_is_cleaned_by_a_job_too():
    assert drafts.is_heavy("&" * 6000)


def test_the_stages_are_told_as_they_come(acme, owner, monkeypatch):
    seen = []
    tidy = drafts.tidy_body

    def watch(**options):
        def before_check():
            options_check()
            seen.append(TemplateDraft.objects.get().get_stage_display())

        options_check = options["before_check"]
        seen.append(TemplateDraft.objects.get().percent)
        return tidy(**{**options, "before_check": before_check})

    monkeypatch.setattr(drafts, "tidy_body", watch)
    drafts.carry_out(make_draft(acme, user=owner).pk)

    assert len(seen) == 2
    assert seen[0] == 30
    assert TemplateDraft.objects.get().percent == 100


def test_drafts_are_for_their_own_account(as_stranger, acme, owner):
    draft = make_draft(acme, user=owner)

    for path in (page_of(draft), f"{page_of(draft)}frame/", f"{ADD}?draft={draft.pk}", f"{ADD}?draft=x"):
        assert as_stranger.get(path).status_code == 404
