"""A database that is not the one this host sent with: nothing goes out until an operator says so."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import F
from django.utils import timezone

from email_service.send_details.models import Message
from email_service.send_tasks import dispatch, restored
from email_service.send_tasks.models import Task
from tests.email_service.delivery.peer import Peer
from tests.email_service.send_tasks.sending import deliver_all, make_sending_tenant, submit

pytestmark = pytest.mark.django_db(transaction=True)
on_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="a copy of an SQLite file is like its original"
)


@pytest.fixture
def another(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """From here on the server says that it is another, or a later self."""
    monkeypatch.setattr(restored, "identity", lambda: "7712034463615502442/2/16384")
    yield


@pytest.mark.parametrize("known", ["1/1/16384", "7712034463615502442/1/16384", "7712034463615502442/2/5"])
def test_another_server_timeline_or_database_sends_nothing(
    peer: Peer, settings: Any, another: None, known: str
) -> None:
    submit(make_sending_tenant(peer), "a@qq.com")
    settings.JOURNAL_DIR.mkdir(parents=True)
    (settings.JOURNAL_DIR / "database").write_text(known)

    for _ in range(2):
        with pytest.raises(restored.DatabaseIsBehind, match="another"):
            dispatch.deliver_batch()
    assert peer.recipients == []

    call_command("resume_dispatch", "--after-restore")
    deliver_all()
    assert peer.recipients == ["a@qq.com"]
    assert (settings.JOURNAL_DIR / "database").read_text() == "7712034463615502442/2/16384"


@on_postgresql
def test_a_host_remembers_its_database_with_the_first_batch(peer: Peer, settings: Any) -> None:
    submit(make_sending_tenant(peer), "a@qq.com")

    deliver_all()

    system, timeline, number = (settings.JOURNAL_DIR / "database").read_text().split("/")
    assert int(system) > 1_000_000 and int(timeline) >= 1 and int(number) > 0
    dispatch.shut_down()
    submit(make_sending_tenant(peer), "b@qq.com")
    deliver_all()
    assert peer.recipients == ["a@qq.com", "b@qq.com"]


@on_postgresql
def test_a_user_without_any_right_may_ask_who_the_database_is(db: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE koo_nobody")
        try:
            cursor.execute("SET ROLE koo_nobody")
            assert restored.identity().count("/") == 2
        finally:
            cursor.execute("RESET ROLE")
            cursor.execute("DROP ROLE koo_nobody")


def test_what_a_restored_database_has_lost_the_journal_gives_back(peer: Peer, settings: Any) -> None:
    """A replica that lagged, or yesterday's copy, knows neither the outcome nor the claim of what was sent."""
    task = submit(make_sending_tenant(peer), "a@qq.com", "b@qq.com")
    dispatch.deliver_batch()
    journal = next(settings.JOURNAL_DIR.glob("*.journal"))
    kept = journal.read_bytes()
    dispatch.shut_down(grace=1.0)
    journal.write_bytes(kept)  # as if the worker had been killed
    as_before = {"status": "pending", "lease_token": None, "attempts": 0, "finished_at": None}
    Message.objects.update(**as_before, next_attempt_at=F("accepted_at"))
    Task.objects.update(status="sending", finished_at=None)
    # A message of the same id that came only after the restore is not the one that was sent.
    later = Message.objects.get(recipient="b@qq.com")
    Message.objects.filter(pk=later.pk).update(accepted_at=timezone.now(), recipient="new@qq.com")

    call_command("resume_dispatch", "--after-restore")

    assert dict(Message.objects.values_list("recipient", "status")) == {
        "a@qq.com": "delivered",
        "new@qq.com": "pending",
    }
    deliver_all()
    assert peer.recipients == ["a@qq.com", "b@qq.com", "new@qq.com"]
    task.refresh_from_db()
    assert task.status == "finished"
