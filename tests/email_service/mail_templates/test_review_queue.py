"""The reviewers' queue: what waits, one decision after another, and nobody else."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone, translation

from email_service.mail_templates.models import Template, TemplateVersion
from email_service.mail_templates.reasons import REASONS
from email_service.mail_templates.services import approve_version, delete_template
from iam.models import Tenant, User
from koomessage.common.errors import RuleViolation
from tests.conftest import _client
from tests.email_service.mail_templates.conftest import QUEUE, edit, page_of
from tests.factories import make_staff
from tests.factories_templates import make_template

pytestmark = pytest.mark.django_db


def decide(client: Client, version: TemplateVersion, decision: str, **words: Any) -> Any:
    return client.post(f"{QUEUE}{version.pk}/decide/", {"decision": decision, **words})


def test_the_queue_shows_the_longest_waiting_first_with_account_author_and_time(
    waiting: list[TemplateVersion], as_reviewer: Client
):
    TemplateVersion.objects.filter(pk=waiting[0].pk).update(created_at=timezone.now() - timedelta(hours=5))

    answer = as_reviewer.get(QUEUE)

    page = answer.content.decode()
    assert [row.title for row in answer.context["cl"].result_list] == ["Mail 1", "Mail 2", "Mail 3"]
    assert "acme/owner" in page and "acme" in page
    assert "3 versions are waiting for you, the longest for 5\xa0hours." in " ".join(page.split(" ")).replace(
        "\n", " "
    )
    assert page_of(waiting[0]) in page


def test_after_a_decision_the_next_stands_there_with_a_way_back(
    waiting: list[TemplateVersion], as_reviewer: Client
):
    answer = decide(as_reviewer, waiting[1], "approve")

    assert answer["Location"] == page_of(waiting[2])
    page = as_reviewer.get(answer["Location"]).content.decode()
    assert f'<a href="{page_of(waiting[1])}">Mail 2 v1</a>' in page
    assert "2 left." in page
    # The queue is a ring: after the last comes the first.
    assert decide(as_reviewer, waiting[2], "approve")["Location"] == page_of(waiting[0])
    answer = as_reviewer.post(f"{QUEUE}{waiting[0].pk}/decide/", {"decision": "approve"}, follow=True)
    assert answer.redirect_chain == [(QUEUE, 302)]
    assert "Nothing is left." in answer.content.decode()
    assert "Nothing is waiting for you." in answer.content.decode()


def test_a_page_knows_its_neighbours(waiting: list[TemplateVersion], as_reviewer: Client):
    page = as_reviewer.get(page_of(waiting[1])).content.decode()

    assert f'data-key="k" href="{page_of(waiting[0])}"' in page
    assert f'data-key="j" href="{page_of(waiting[2])}"' in page
    assert "3 waiting" in page


def test_what_one_wrote_oneself_is_never_next_nor_ones_own_to_decide(
    waiting: list[TemplateVersion], reviewer: User, as_reviewer: Client
):
    """Staff who write for an account review nothing of it that is theirs."""
    own = edit(waiting[1], reviewer)

    assert decide(as_reviewer, waiting[0], "approve")["Location"] == page_of(waiting[2])
    refused = decide(as_reviewer, own, "approve")
    assert refused.status_code == 422
    assert "Nobody may decide about a template of their own." in refused.content.decode()
    assert 'value="approve"' not in as_reviewer.get(page_of(own)).content.decode()
    own.refresh_from_db()
    assert own.status == "pending"


def test_ready_sentences_and_words_of_ones_own_make_the_reason(
    waiting: list[TemplateVersion], as_reviewer: Client, as_owner: Client
):
    decide(as_reviewer, waiting[0], "reject", reasons=["links", "sender"], reason=" See the footer. ")

    waiting[0].refresh_from_db()
    assert waiting[0].reason.split("\n")[2] == "See the footer."
    assert waiting[0].status == Template.Status.REJECTED
    for language in ("zh-hans", "en"):
        as_owner.cookies["django_language"] = language
        page = as_owner.get(f"/email/templates/{waiting[0].template_id}/").content.decode()
        with translation.override(language):
            assert str(REASONS["sender"]) in page
        assert "See the footer." in page


def test_a_rejection_without_a_reason_comes_back_with_what_was_typed(
    waiting: list[TemplateVersion], as_reviewer: Client
):
    bare = decide(as_reviewer, waiting[0], "reject", reason="   ")
    long = decide(as_reviewer, waiting[0], "reject", reasons=["sender", "links"], reason="x" * 480)
    odd = decide(as_reviewer, waiting[0], "reject", reasons=["nonsense"], reason="Kept words")
    none = decide(as_reviewer, waiting[0], "", reasons=["sender"], reason="Kept words")

    assert [answer.status_code for answer in (bare, long, odd, none)] == [422] * 4
    assert "Choose or write a reason" in bare.content.decode()
    assert "x" * 480 in long.content.decode()
    assert 'value="sender" id="id_reasons_0" checked' in long.content.decode()
    assert "Kept words" in odd.content.decode()
    assert "Kept words" in none.content.decode()
    waiting[0].refresh_from_db()
    assert waiting[0].status == "pending"


def test_the_second_of_two_reviewers_is_told_and_loses_no_word(
    waiting: list[TemplateVersion], as_reviewer: Client
):
    approve_version(waiting[0], by=make_staff())

    late = decide(as_reviewer, waiting[0], "reject", reason="A long thought")

    page = late.content.decode()
    assert late.status_code == 422
    assert "This version has been decided about already." in page
    assert "A long thought" in page
    waiting[0].refresh_from_db()
    assert (waiting[0].status, waiting[0].reason) == ("approved", "")


def test_an_overtaken_version_leads_to_the_newest(
    waiting: list[TemplateVersion], as_reviewer: Client, owner: User
):
    newest = edit(waiting[0], owner)

    for answer in (as_reviewer.get(page_of(waiting[0])), decide(as_reviewer, waiting[0], "approve")):
        page = answer.content.decode()
        assert "edited in the meantime" in page
        assert page_of(newest) in page
        assert 'value="approve"' not in page
    waiting[0].refresh_from_db()
    assert waiting[0].status == "pending"


def test_a_deleted_template_is_not_decided_about(
    waiting: list[TemplateVersion], as_reviewer: Client, owner: User
):
    delete_template(waiting[0].template, user=owner)

    answer = decide(as_reviewer, waiting[0], "approve")

    assert answer.status_code == 422
    assert "The template was deleted" in answer.content.decode()


def test_an_approval_is_for_one_version(sensitive: Tenant, owner: User, reviewer: User):
    first = make_template(sensitive, user=owner).version
    approve_version(first, by=reviewer)

    second = edit(first, owner)

    assert second.status == "pending"
    assert not Template.objects.sendable_by(sensitive).exists()
    approve_version(second, by=reviewer)
    assert Template.objects.sendable_by(sensitive).exists()


def test_accounts_of_other_industries_do_not_wait_and_the_admin_says_so(acme: Tenant, as_reviewer: Client):
    version = make_template(acme).version

    assert (version.status, version.decided_by) == ("approved", None)
    assert version.decided_at is not None
    assert "automatically" in as_reviewer.get(f"{QUEUE}?status=approved").content.decode()
    assert "automatically" in as_reviewer.get(page_of(version)).content.decode()
    assert "Mail" not in as_reviewer.get(QUEUE).content.decode()


def test_only_staff_decide(waiting: list[TemplateVersion], reader: User):
    with pytest.raises(RuleViolation) as refusal:
        approve_version(waiting[0], by=reader)
    with translation.override("en"):
        assert "staff" in str(refusal.value.message)


def test_nobody_else_comes_near(
    waiting: list[TemplateVersion], as_owner: Client, as_stranger: Client, client: Client
):
    clerk = _client(make_staff(login="clerk", is_superuser=False))
    addresses = (QUEUE, page_of(waiting[0]), f"{QUEUE}{waiting[0].pk}/frame/")

    for address in addresses:
        for person in (client, as_owner, as_stranger):
            assert person.get(address).status_code == 302
        assert clerk.get(address).status_code == 403
    for person in (client, as_owner, as_stranger, clerk):
        assert decide(person, waiting[0], "approve").status_code in (302, 403)
    waiting[0].refresh_from_db()
    assert waiting[0].status == "pending"


def test_review_staff_see_templates_and_nothing_else(as_reviewer: Client):
    allowed = {"/admin/email_service/template/", QUEUE}

    page = as_reviewer.get("/admin/").content.decode()

    for address in allowed:
        assert f'href="{address}"' in page
    for table in (
        "iam/tenant",
        "iam/user",
        "email_service/domain",
        "email_service/address",
        "email_service/transport",
        "billing/order",
    ):
        assert as_reviewer.get(f"/admin/{table}/").status_code == 403
        assert f"/admin/{table}/" not in page
    assert as_reviewer.get("/admin/email_service/template/add/").status_code == 403


def test_who_may_only_look_has_no_buttons(
    waiting: list[TemplateVersion], reviewer: User, as_reviewer: Client
):
    group = reviewer.groups.get()
    group.permissions.remove(group.permissions.get(codename="change_templateversion"))

    page = as_reviewer.get(page_of(waiting[0])).content.decode()

    assert 'value="approve"' not in page
    assert "You may look at templates, but not decide about them." in page
    assert decide(as_reviewer, waiting[0], "approve").status_code == 403


def test_the_queue_and_the_page_cost_a_fixed_number_of_queries(
    waiting: list[TemplateVersion],
    as_reviewer: Client,
    sensitive: Tenant,
    owner: User,
    django_assert_num_queries: Any,
):
    with django_assert_num_queries(7):
        as_reviewer.get(QUEUE)
    with django_assert_num_queries(8):
        as_reviewer.get(page_of(waiting[0]))

    for number in range(5):
        make_template(sensitive, user=owner, title=f"More {number}")

    with django_assert_num_queries(7):
        as_reviewer.get(QUEUE)
    with django_assert_num_queries(8):
        as_reviewer.get(page_of(waiting[0]))


def test_enter_in_a_box_does_not_press_approve(waiting: list[TemplateVersion], as_reviewer: Client):
    """Browsers press the first button of the form that the box belongs to."""
    page = as_reviewer.get(page_of(waiting[0])).content.decode()

    form = next(part for part in page.split("<form") if 'name="reasons"' in part)
    assert 'value="reject"' in form.partition("</form>")[0]
    assert 'value="approve"' not in form.partition("</form>")[0]
