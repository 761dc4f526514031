"""A task of an account whose transport delivers directly, from the form's service to the recipients' own servers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from email_service.delivery.routing import Direct, Relay
from email_service.send_details.models import Attempt, Message
from email_service.send_tasks import dispatch
from email_service.send_tasks.transports import way_of
from tests.email_service.delivery.internet import Internet, internet_in
from tests.email_service.send_tasks.sending import deliver_all, submit
from tests.factories import make_email_service, make_tenant, make_transport

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def internet(tmp_path: Path, settings: Any) -> Iterator[Internet]:
    with internet_in(tmp_path) as made:
        settings.DNS_NAMESERVERS = [("127.0.0.1", made.zone.port)]
        settings.DNS_TIMEOUT_SECONDS = 1.0
        settings.DIRECT_PORT = made.port
        settings.DIRECT_ALLOWED_NETWORKS = ["127.0.0.0/8"]
        yield made
        dispatch.shut_down(1.0)


def direct_tenant() -> Any:
    tenant = make_tenant()
    make_email_service(tenant, transport=make_transport(kind="direct", host=""))
    return tenant


def test_each_recipients_own_server_gets_the_mail(internet: Internet) -> None:
    qq = internet.server("mx1.qq.example", "127.0.0.2")
    netease = internet.server("mx.163.example", "127.0.0.3")
    internet.domain("qq.example", "mx1.qq.example")
    internet.domain("163.example", "mx.163.example")
    internet.domain("null.example", (0, "."))
    task = submit(direct_tenant(), "a@qq.example", "b@163.example", "c@qq.example", "d@null.example")

    deliver_all()

    task.refresh_from_db()
    assert task.status == "finished"
    assert qq.recipients == ["a@qq.example", "c@qq.example"]
    assert netease.recipients == ["b@163.example"]
    assert dict(Message.objects.values_list("recipient", "status")) == {
        "a@qq.example": "delivered",
        "b@163.example": "delivered",
        "c@qq.example": "delivered",
        "d@null.example": "failed",
    }
    told = dict(Attempt.objects.values_list("message__recipient", "host"))
    assert told["a@qq.example"] == "mx1.qq.example [127.0.0.2]"
    assert "null" in Attempt.objects.get(message__recipient="d@null.example").text
    assert b"DKIM-Signature" in qq.mails[0]


def test_where_a_private_network_is_not_allowed_nothing_connects_to_it(
    internet: Internet, settings: Any
) -> None:
    settings.DIRECT_ALLOWED_NETWORKS = []
    server = internet.server("mx.qq.example", "127.0.0.2")
    internet.domain("qq.example", "mx.qq.example")
    submit(direct_tenant(), "a@qq.example")

    deliver_all()

    assert server.connections == 0
    assert Message.objects.get().status == "failed"


def test_accounts_with_equal_transports_share_connections_and_others_do_not(internet: Internet) -> None:
    direct, twin = make_transport(kind="direct", host=""), make_transport(kind="direct", host="")
    relay = make_transport()

    assert way_of(direct) == way_of(twin)
    assert isinstance(way_of(direct), Direct)
    assert isinstance(way_of(relay), Relay)
