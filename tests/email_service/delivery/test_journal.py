import os
import resource
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from email_service.delivery.engine import Journal, JournalUnwritable, abandoned, high_water, replay
from email_service.delivery.envelopes import Claim, Outcome
from email_service.delivery.replies import Verdict
from tests.email_service.delivery.senders import make_envelope

MOMENT = datetime(2024, 8, 16, 9, 0, 0, tzinfo=UTC)


def make_outcome(message_id: int, **overrides) -> Outcome:
    fields = {
        "message_id": message_id,
        "claim_token": 7,
        "attempt": 2,
        "verdict": Verdict.DELIVERED,
        "code": 250,
        "enhanced": "2.0.0",
        "text": "Ok: 排队 \n queued",
        "host": "relay.example.com",
        "tls": "TLSv1.3 X",
        "started_at": MOMENT,
        "finished_at": MOMENT,
        "sent": True,
    }
    return Outcome(**{**fields, **overrides})


def mark(journal: Journal, message_id: int, token: int = 7) -> None:
    journal.mark(
        token, make_envelope(message_id, attempt=2), host="relay.example.com", tls="", started_at=MOMENT
    )


def write_some(journal: Journal) -> None:
    """Token 6 is closed; of token 7, 1 was replied to, 2 is in doubt, 3 was refused, 4 and 5 not begun."""
    journal.claimed(Claim(6, (90, 91)))
    mark(journal, 90, token=6)
    journal.close_batch(6)
    journal.claimed(Claim(7, (1, 2, 3, 4, 5)))
    mark(journal, 1)
    mark(journal, 2)
    journal.reply(make_outcome(1))
    journal.reply(make_outcome(3, verdict=Verdict.FAILED, code=550, enhanced="5.1.1", sent=False))
    mark(journal, 4)
    journal.unmark(7, 4)


def test_the_journal_tells_replied_in_doubt_and_untouched_apart(tmp_path):
    journal = Journal.open(tmp_path, "worker")
    write_some(journal)

    found = replay(journal)

    assert found.replies == (
        make_outcome(1),
        make_outcome(3, verdict=Verdict.FAILED, code=550, enhanced="5.1.1", sent=False),
    )
    assert [(doubt.message_id, doubt.claim_token, doubt.attempt, doubt.host) for doubt in found.in_doubt] == [
        (2, 7, 2, "relay.example.com")
    ]
    assert all(
        doubt.in_doubt and doubt.sent and doubt.verdict == Verdict.DEFERRED for doubt in found.in_doubt
    )
    assert [(one.claim_token, one.message_id) for one in found.untouched] == [(7, 4), (7, 5)]


def test_a_journal_torn_at_any_octet_tells_a_prefix_of_the_truth(tmp_path):
    journal = Journal.open(tmp_path / "whole", "worker")
    write_some(journal)
    whole = journal.path.read_bytes()
    records = list(journal.read())
    (tmp_path / "torn").mkdir()
    path = tmp_path / "torn" / "w.journal"

    for end in range(len(whole) + 1):
        path.write_bytes(whole[:end])
        (torn,) = abandoned(tmp_path / "torn")
        found = list(torn.read())
        assert found == records[: whole[:end].count(b"\n")]
        assert {one.message_id for one in replay(torn).replies} <= {1, 3, 90}
        torn.close()


def test_a_damaged_line_is_passed_over_and_those_after_it_count(tmp_path):
    journal = Journal.open(tmp_path / "whole", "worker")
    write_some(journal)
    whole = journal.path.read_bytes()
    (tmp_path / "damaged").mkdir()
    path = tmp_path / "damaged" / "w.journal"

    for place in range(0, len(whole), 3):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        (damaged,) = abandoned(tmp_path / "damaged")
        assert len(list(damaged.read())) >= len(whole.splitlines()) - 2
        damaged.close()


def test_a_journal_belongs_to_one_process_as_long_as_it_lives(tmp_path):
    journal = Journal.open(tmp_path, "worker")

    assert list(abandoned(tmp_path)) == []
    journal.close()
    (left,) = abandoned(tmp_path)
    assert left.path == journal.path
    assert list(abandoned(tmp_path)) == []
    left.remove()
    assert list(abandoned(tmp_path)) == []


def test_the_highest_token_is_kept_when_journals_go(tmp_path):
    assert high_water(tmp_path) == 0
    first, second = Journal.open(tmp_path, "a"), Journal.open(tmp_path, "b")
    first.claimed(Claim(12, (1,)))
    second.claimed(Claim(11, (2,)))

    assert high_water(tmp_path) == 12
    first.remove()
    assert high_water(tmp_path) == 12
    second.remove()
    assert high_water(tmp_path) == 12


def test_a_long_journal_forgets_closed_batches_but_not_the_highest_token(tmp_path, monkeypatch):
    monkeypatch.setattr("email_service.delivery.engine.journal._FULL", 10_000)
    journal = Journal.open(tmp_path, "worker")

    for token in range(1, 200):
        journal.claimed(Claim(token, (token,)))
        mark(journal, token, token)
        journal.close_batch(token)
        assert journal.path.stat().st_size < 10_500
    journal.claimed(Claim(500, (1, 2)))
    mark(journal, 1, 500)

    assert high_water(tmp_path) == 500
    assert [one.message_id for one in replay(journal).in_doubt] == [1]
    assert [one.message_id for one in replay(journal).untouched] == [2]


def test_a_worker_name_cannot_leave_the_folder(tmp_path):
    journal = Journal.open(tmp_path / "journal", "../../celery@host/1")

    assert journal.path.parent == tmp_path / "journal"
    journal.remove()


def test_a_disk_that_is_full_is_said_and_leaves_no_half_line(tmp_path):
    journal = Journal.open(tmp_path, "worker")
    journal.claimed(Claim(7, (1, 2)))
    size = journal.path.stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, before[1]))
    try:
        with pytest.raises(JournalUnwritable):
            mark(journal, 1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)

    assert journal.path.stat().st_size == size
    mark(journal, 2)
    assert [one.message_id for one in replay(journal).in_doubt] == [2]
    assert [one.message_id for one in replay(journal).untouched] == [1]


def test_replies_of_every_kind_come_back_as_they_were(tmp_path):
    journal = Journal.open(tmp_path, "worker")
    journal.claimed(Claim(7, (1, 2)))
    odd = make_outcome(
        1, text='\x00\ud800 \u2028 "quoted" \\', code=421, enhanced="", verdict=Verdict.DEFERRED
    )
    journal.reply(odd)
    journal.reply(replace(odd, message_id=2, text=""))

    assert replay(journal).replies == (odd, replace(odd, message_id=2, text=""))


def test_a_killed_process_leaves_the_truth_and_its_lock(tmp_path):
    program = """
        import os, signal, sys
        from pathlib import Path
        from tests.email_service.delivery.test_journal import write_some
        from email_service.delivery.engine import Journal
        journal = Journal.open(Path(sys.argv[1]), "worker")
        write_some(journal)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), str(tmp_path)],
        cwd=Path.cwd(),
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        check=False,
    )

    assert run.returncode == -signal.SIGKILL
    (left,) = abandoned(tmp_path)
    found = replay(left)
    assert [one.message_id for one in found.replies] == [1, 3]
    assert [one.message_id for one in found.in_doubt] == [2]
    assert [one.message_id for one in found.untouched] == [4, 5]
    left.remove()


def test_a_good_word_said_to_anything_but_the_dot_is_no_delivery_after_a_replay_either(tmp_path):
    journal = Journal.open(tmp_path, "worker")
    journal.claimed(Claim(7, (1,)))
    journal.reply(make_outcome(1, verdict=Verdict.DEFERRED, code=250, text="Ok to DATA", sent=False))

    found = replay(journal)

    assert [outcome.verdict for outcome in found.replies] == [Verdict.DEFERRED]
    journal.close()
