"""A message's page beside its timeline: the mail as it was sent, its source, other mails, its neighbours."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from email_service.send_details.models import Event, Message
from email_service.send_tasks.models import Attachment
from iam.models import AuditEntry, Tenant, User
from tests.conftest import FRAGMENT
from tests.factories_sending import make_message, make_task, make_version

pytestmark = pytest.mark.django_db
NOON = datetime(2024, 8, 16, 12, 0, tzinfo=UTC)


def url_of(message: Message, page: str = "") -> str:
    return f"/email/details/{message.pk}/{page}"


@pytest.fixture
def message(acme: Tenant) -> Message:
    version = make_version(
        acme,
        body_type="rich",
        body='<p>Dear {{name}}, write to {{mail}}</p><img src="https://x.example/a.png">',
        parameters=["name", "mail"],
        can_unsubscribe=True,
    )
    task = make_task(acme, subject="For {{name}}", template_version=version)
    Attachment.objects.create(
        task=task, file="a", name="terms.pdf", content_type="application/pdf", size=2048
    )
    values = ["Ada <b>", "ADA@qq.com"]
    return make_message(task, recipient="ada@qq.com", params=values, status="delivered", accepted_at=NOON)


def test_the_frame_shows_the_recipients_own_mail_without_its_secrets(
    as_owner: Client, message: Message
) -> None:
    answer = as_owner.get(url_of(message, "frame/"))
    text = as_owner.get(url_of(message, "frame/"), {"part": "text"}).content.decode()

    shown = answer.content.decode()
    assert "Dear Ada &lt;b&gt;, write to ***@qq.com" in shown
    assert 'href="#"' in shown
    assert "unsubscribe/" not in shown + text
    assert "ada@qq.com" not in (shown + text).lower()
    assert "x.example" not in shown
    assert "Dear Ada &lt;b&gt;" in text
    assert "sandbox" in answer["Content-Security-Policy"]


def test_the_page_names_what_was_sent(as_owner: Client, message: Message) -> None:
    page = as_owner.get(url_of(message)).content.decode()

    assert f'src="{url_of(message, "frame/")}"' in page
    assert f'src="{url_of(message, "frame/")}?part=text"' in page
    for text in ("For Ada &lt;b&gt;", "Acme News", "terms.pdf", url_of(message, "source/")):
        assert text in page
    assert "ada@qq.com" not in page
    # The part that refreshes itself leaves the mail alone.
    assert "iframe" not in as_owner.get(url_of(message), **FRAGMENT).content.decode()


def test_the_source_is_a_post_of_holders_of_the_right(
    as_owner: Client, as_reader: Client, as_stranger: Client, owner: User, message: Message
) -> None:
    assert as_owner.get(url_of(message, "source/")).status_code == 405
    assert as_reader.post(url_of(message, "source/")).status_code == 403
    assert as_stranger.post(url_of(message, "source/")).status_code == 404
    assert "source/" not in as_reader.get(url_of(message)).content.decode()
    assert not Event.objects.exists()

    Attachment.objects.all().delete()
    content = as_owner.post(url_of(message, "source/")).content

    assert b"To: <ada@qq.com>" in content
    assert Event.objects.get().detail == {"login": owner.login, "what": "source"}
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.detail) == ("kooMessage:emailSendDetail:reveal", {"what": "source"})
    moments = as_owner.get(url_of(message)).context["timeline"]
    assert [moment.icon for moment in moments] == ["inbox", "file-down"]


def test_the_frame_is_shown_to_those_who_may_look(
    as_reader: Client, as_newcomer: Client, as_stranger: Client, message: Message
) -> None:
    assert as_reader.get(url_of(message, "frame/")).status_code == 200
    assert as_newcomer.get(url_of(message, "frame/")).status_code == 403
    assert as_stranger.get(url_of(message, "frame/")).status_code == 404


def test_other_mails_to_the_recipient_are_this_accounts_latest_ten(
    as_owner: Client, acme: Tenant, globex: Tenant, message: Message
) -> None:
    others = [
        make_message(make_task(acme), recipient="Ada@qq.com", accepted_at=NOON + timedelta(days=day))
        for day in range(-6, 6)
    ]
    make_message(tenant=globex, recipient="ada@qq.com")
    make_message(message.task, recipient="bob@qq.com")

    answer = as_owner.get(url_of(message))

    shown = [line.message.pk for line in answer.context["related"]()]
    assert shown == [other.pk for other in reversed(others)][:10]
    assert others[-1].get_absolute_url() in answer.content.decode()
    assert "ada@qq.com" not in answer.content.decode().lower()


def test_the_page_leads_to_its_neighbours_in_the_task(as_owner: Client, message: Message) -> None:
    first = make_message(message.task, recipient="a@qq.com", accepted_at=NOON - timedelta(hours=1))
    last = make_message(message.task, recipient="z@qq.com", accepted_at=NOON, status="failed")

    page = as_owner.get(url_of(message)).content.decode()

    assert f'rel="prev" href="{first.get_absolute_url()}"' in page
    assert f'rel="next" href="{last.get_absolute_url()}"' in page
    assert 'rel="prev"' not in as_owner.get(url_of(first)).content.decode()


def test_kinds_of_events_that_only_a_later_version_knows_are_told(
    as_owner: Client, acme: Tenant, message: Message
) -> None:
    Event.objects.create(message=message, tenant=acme, kind="teleported", at=NOON, detail={"n": 1})

    answer = as_owner.get(url_of(message))

    assert "teleported" in answer.content.decode()
    assert [moment.icon for moment in answer.context["timeline"]] == ["inbox", "circle-dot"]


def test_the_page_takes_few_queries(
    as_owner: Client, acme: Tenant, message: Message, django_assert_num_queries: Any
) -> None:
    for _ in range(3):
        make_message(make_task(acme), recipient="ada@qq.com")

    # Session, user, account, its Email service, message, task, version, attempts, events; then attachments,
    # other mails, and for either neighbour its task's ids and the message; what the frame's page asks besides.
    with django_assert_num_queries(16):
        as_owner.get(url_of(message))
