"""A database that is not the one this host sent with: nothing goes out until an operator says so."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from email_service.send_tasks import dispatch, restored
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
