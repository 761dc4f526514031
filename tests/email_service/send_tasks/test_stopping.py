"""A worker that is told to end while it sends."""

import os
import threading

import pytest

from email_service.send_details.models import Message
from email_service.send_tasks import dispatch, stopping
from tests.email_service.delivery.peer import Action, Peer, Session, Wait
from tests.email_service.send_tasks.sending import deliver_all, make_sending_tenant, submit

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_child_whose_worker_ends_gives_back_what_it_has_not_begun(peer: Peer) -> None:
    begun = threading.Event()

    def script(session: Session, stage: str, argument: str) -> Action:
        if stage != "dot":
            return None
        begun.set()
        return Wait(1.0)

    peer.script = script
    submit(make_sending_tenant(peer), *[f"r{number}@qq.com" for number in range(10)])
    reading, writing = os.pipe()
    listener = threading.Thread(target=stopping._wait, args=(reading,))
    listener.start()

    def end() -> None:
        begun.wait(10)
        os.close(writing)

    worker = threading.Thread(target=end)
    worker.start()
    assert dispatch.deliver_batch()
    worker.join()
    listener.join()
    os.close(reading)

    sent = len(peer.received)
    assert 0 < sent < 10
    assert Message.objects.filter(status="delivered").count() == sent, "bodies in flight were waited for"
    assert Message.objects.filter(status="pending", lease_token=None).count() == 10 - sent
    assert not dispatch.deliver_batch(), "nothing is begun any more"
    dispatch.shut_down()
    peer.script = lambda session, stage, argument: None
    deliver_all()
    assert len(peer.received) == 10
