"""`manage.py smtp_peer`: a scripted server by hand, which writes down before it answers."""

import json
import signal
import smtplib
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from koomessage.console.smtp_peer import Cut, Drip, KeepAndCut, Say, Session, Wait
from koomessage.console.smtp_script import BadScript, JsonScript, read_script
from tests.email_service.delivery.peer import Peer

EXAMPLE = Path("docs/smtp_peer.json")
MAIL = "Message-ID: <1@x>\r\n\r\n.dot\r\n"


def asked(script: JsonScript, stage: str, recipient: str = "ann@qq.com", sender: str = "s@x.cn") -> Any:
    session = Session(1, None)  # type: ignore[arg-type]
    session.sender, session.recipient = sender, recipient
    return script(session, stage, f"RCPT TO:<{recipient}>" if stage == "rcpt" else "")


def rules(*rows: dict[str, Any], **named: Any) -> JsonScript:
    return JsonScript({"rules": list(rows)}, **named)


@pytest.mark.parametrize(
    ("rule", "action"),
    [
        ({"do": "accept"}, None),
        ({"do": "reply", "reply": "550 no"}, Say("550 no")),
        ({"do": "delay", "seconds": 2}, Wait(2)),
        ({"do": "tarpit", "seconds": 0.5}, Drip(0.5)),
        ({"do": "cut"}, Cut()),
        ({"do": "cut", "after": 3}, Cut(3)),
        ({"do": "keep_and_cut", "after": 7}, KeepAndCut(7)),
    ],
)
def test_each_deed_is_an_action_at_its_stage_alone(rule: dict[str, Any], action: object) -> None:
    script = rules({"at": "dot", **rule})

    assert asked(script, "dot") == action
    assert asked(script, "rcpt") is None


def test_the_first_rule_that_fits_decides() -> None:
    script = rules(
        {"at": "rcpt", "recipient": "ann@*", "do": "accept"},
        {"at": "rcpt", "recipient": "*@QQ.com", "sender": "s@*", "do": "reply", "reply": "550 b"},
        {"at": "rcpt", "do": "reply", "reply": "550 c"},
    )

    assert asked(script, "rcpt", "ann@qq.com") is None
    assert asked(script, "rcpt", "bob@qq.com") == Say("550 b")
    assert asked(script, "rcpt", "bob@qq.com", sender="t@x") == Say("550 c")


def test_rules_count_their_turns_and_take_their_chance() -> None:
    first = rules({"at": "mail", "do": "cut", "first": 2})
    every = rules({"at": "mail", "do": "cut", "every": 3})
    chance = rules({"at": "mail", "do": "cut", "chance": 0.3})

    assert [asked(first, "mail") for _ in range(3)] == [Cut(), Cut(), None]
    assert [asked(every, "mail") for _ in range(6)] == [None, None, Cut(), None, None, Cut()]
    assert 200 < sum(asked(chance, "mail") == Cut() for _ in range(1000)) < 400


def test_greylisting_and_throttling_look_at_the_clock() -> None:
    now = [0.0]
    grey = rules({"at": "rcpt", "do": "greylist", "seconds": 300}, clock=lambda: now[0])
    slow = rules({"at": "rcpt", "do": "throttle", "per_minute": 2, "reply": "550 slow"}, clock=lambda: now[0])

    refused = asked(grey, "rcpt")
    turns = [asked(slow, "rcpt") for _ in range(3)]
    now[0] = 299.0
    assert refused.line.startswith("451") and asked(grey, "rcpt") == refused
    assert turns == [None, None, Say("550 slow")]
    now[0] = 301.0
    assert asked(grey, "rcpt") is None and asked(slow, "rcpt") is None
    assert asked(grey, "rcpt", "other@qq.com") == refused


@pytest.mark.parametrize(
    "content",
    [
        {"rule": []},
        {"features": "PIPELINING"},
        {"rules": ["cut"]},
        {"rules": [{"at": "nowhere", "do": "cut"}]},
        {"rules": [{"at": "dot", "do": "explode"}]},
        {"rules": [{"at": "dot", "do": "delay"}]},
        {"rules": [{"at": "dot", "do": "delay", "seconds": "2"}]},
        {"rules": [{"at": "dot", "do": "delay", "seconds": -2}]},
        {"rules": [{"at": "dot", "do": "cut", "first": True}]},
        {"rules": [{"at": "dot", "do": "cut", "every": 0}]},
        {"rules": [{"at": "dot", "do": "reply", "reply": "550 no", "after": 2}]},
        {"rules": [{"at": "body", "do": "keep_and_cut"}]},
    ],
)
def test_a_script_that_is_none_is_refused_with_what_is_wrong(content: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "script.json"
    path.write_text(json.dumps(content))

    with pytest.raises(BadScript, match=r"\."):
        read_script(path)
    with pytest.raises(CommandError, match=r"\."):
        call_command("smtp_peer", "--script", str(path))


def test_a_reply_is_cut_after_any_octet_and_what_was_kept_is_written_down_first(tmp_path: Path) -> None:
    script = rules({"at": "dot", "do": "keep_and_cut", "after": 6})
    with Peer(tmp_path / "log", script) as peer, smtplib.SMTP(peer.host, peer.port, timeout=5) as client:
        client.ehlo()
        client.mail("s@x.cn")
        client.rcpt("ann@qq.com")
        client.putcmd("data")
        client.getreply()
        client.send(MAIL + ".\r\n")
        assert client.file.read() == b"250 2."  # type: ignore[union-attr]
        client.close()

        assert peer.received == [("<1@x>", "ann@qq.com")]


def test_a_body_is_cut_where_the_script_says(tmp_path: Path) -> None:
    script = rules({"at": "body", "do": "cut", "after": 18})
    with Peer(tmp_path / "log", script) as peer:
        with pytest.raises(smtplib.SMTPServerDisconnected), smtplib.SMTP(peer.host, peer.port) as client:
            client.sendmail("s@x.cn", ["ann@qq.com"], MAIL * 1000)
        assert (peer.dots, peer.received) == (0, [])


@contextmanager
def running(*arguments: str) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "smtp_peer", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline()  # type: ignore[union-attr]
        yield process, int(line.split(";")[0].rpartition(":")[2])
    finally:
        process.kill()
        process.communicate()


def test_it_serves_by_hand_until_it_is_told_to_end(tmp_path: Path) -> None:
    log = tmp_path / "received.log"
    with running("--script", str(EXAMPLE), "--log", str(log)) as (process, port):
        with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
            client.starttls(context=ssl._create_unverified_context())
            client.ehlo()
            assert client.esmtp_features["size"] == "10485760"
            refused = client.sendmail("s@x.cn", ["ann@gmail.com"], MAIL)
            with pytest.raises(smtplib.SMTPRecipientsRefused, match=r"5\.1\.1"):
                client.sendmail("s@x.cn", ["nobody@gmail.com"], MAIL)
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=10)

    summary = json.loads(said.splitlines()[-1])
    assert refused == {} and log.read_text() == "<1@x>\tann@gmail.com\n"
    assert (process.returncode, summary["accepted"], summary["connections"]) == (0, 1, 1)
    assert summary["rules"]["2 rcpt reply"] == 1
