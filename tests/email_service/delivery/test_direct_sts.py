"""Sending directly: a domain's MTA-STS policy is fetched, kept and obeyed (RFC 8461; F-31)."""

import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from email_service.delivery.replies import Verdict
from email_service.delivery.sts import Policy, read_policy, read_record
from tests.email_service.delivery.certificates import Authority
from tests.email_service.delivery.internet import Internet
from tests.email_service.delivery.peer import Cut, Say
from tests.email_service.delivery.senders import deliver

MX = "mx.example.org"
ENFORCE = (
    "version: STSv1\r\nmode: enforce\r\nmx: mx.example.org\r\nmx: *.mail.example.net\r\nmax_age: 86400\r\n"
)


class Site:
    """The web server of `mta-sts.example.org`: what it answers, and how often it was asked."""

    def __init__(self) -> None:
        self.body = ENFORCE
        self.status = "200 OK"
        self.kind = "text/plain"
        self.more = ""
        self.drips = False
        self.asked: list[str] = []
        self.port = 0

    def answer(self) -> bytes:
        head = f"HTTP/1.1 {self.status}\r\nContent-Type: {self.kind}\r\n{self.more}\r\n"
        return (head + self.body).encode()


@contextmanager
def web(site: Site, context) -> Iterator[Site]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            try:
                self.request = context.wrap_socket(self.request, server_side=True)
                site.asked.append(self.request.recv(4096).decode().split("\r\n")[0])
                if site.drips:
                    for _ in range(200):
                        self.request.sendall(b"H")
                        time.sleep(0.05)
                self.request.sendall(site.answer())
            except OSError:
                pass
            finally:
                self.request.close()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        site.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield site
        server.shutdown()


@pytest.fixture
def authority(tmp_path, monkeypatch) -> Authority:
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.file))
    return made


@pytest.fixture
def site(internet: Internet, authority: Authority) -> Iterator[Site]:
    internet.zone.add("_mta-sts.example.org", "TXT", "v=STSv1; id=20260101")
    internet.zone.add("mta-sts.example.org", "A", "127.0.0.1")
    internet.domain("example.org", MX)
    with web(Site(), authority.server("mta-sts.example.org")) as made:
        yield made


def test_a_server_that_keeps_the_promise_gets_the_mail_over_verified_tls(internet, authority, site):
    internet.server(MX, "127.0.0.2", tls=authority.server(MX))

    with internet.engine(policy_port=site.port) as engine:
        outcomes = deliver(engine, 10)

    assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.DELIVERED}
    assert all(outcome.tls.startswith("TLSv1.3") for outcome in outcomes.values())
    assert not any("unverified" in outcome.tls for outcome in outcomes.values())
    assert site.asked == ["GET /.well-known/mta-sts.txt HTTP/1.1"]


@pytest.mark.parametrize(
    "fault", ["expired", "self-signed", "wrong name", "stripped", "refused", "cut", "other host"]
)
def test_where_the_promise_is_broken_nothing_is_sent_and_all_waits(internet, authority, site, fault):
    name = "other.example.org" if fault == "wrong name" else MX
    tls = authority.server(name, is_expired=fault == "expired", is_own=fault == "self-signed")
    if fault == "stripped":
        tls = None
    if fault == "other host":
        site.body = ENFORCE.replace("mx: mx.example.org", "mx: elsewhere.example.org")
    say = {"refused": Say("454 4.7.0 no"), "cut": Cut()}.get(fault)
    server = internet.server(
        MX, "127.0.0.2", lambda session, stage, argument: say if stage == "starttls" else None, tls=tls
    )

    with internet.engine(policy_port=site.port) as engine:
        outcomes = deliver(engine, 5)

    assert {outcome.verdict for outcome in outcomes.values()} <= {Verdict.DEFERRED, Verdict.THROTTLED}
    assert server.received == []
    assert not any(command.startswith("MAIL") for command in server.commands)


def test_only_the_servers_that_the_policy_names_are_tried(internet, authority, site):
    internet.server("rogue.example.net", "127.0.0.3", tls=authority.server("rogue.example.net"))
    good = internet.server(MX, "127.0.0.2", tls=authority.server(MX))
    internet.zone.drop("example.org", "MX")
    internet.domain("example.org", "rogue.example.net", MX)

    with internet.engine(policy_port=site.port) as engine:
        outcomes = deliver(engine, 3)

    assert {outcome.host for outcome in outcomes.values()} == {f"{MX} [127.0.0.2]"}
    assert len(good.received) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"body": ENFORCE.replace("enforce", "testing")},
        {"body": ENFORCE.replace("enforce", "none")},
        {"body": "<html>not a policy</html>"},
        {"body": ENFORCE + "x" * 100_000},
        {"status": "404 Not Found"},
        {"status": "302 Found", "more": "Location: https://elsewhere.example.net/\r\n"},
        {"kind": "text/html"},
    ],
)
def test_without_a_policy_that_is_enforced_tls_stays_opportunistic(internet, authority, site, change):
    for name, value in change.items():
        setattr(site, name, value)
    internet.server(MX, "127.0.0.2", tls=authority.server(MX, is_own=True))

    with internet.engine(policy_port=site.port) as engine:
        [outcome] = deliver(engine, 1).values()

    assert outcome.verdict == Verdict.DELIVERED
    assert outcome.tls.endswith(" unverified")


def test_a_policy_of_a_site_without_a_valid_certificate_is_none(internet, authority):
    internet.zone.add("_mta-sts.example.org", "TXT", "v=STSv1; id=1")
    internet.zone.add("mta-sts.example.org", "A", "127.0.0.1")
    internet.domain("example.org", MX)
    internet.server(MX, "127.0.0.2")

    with web(Site(), authority.server("mta-sts.example.org", is_own=True)) as site:
        with internet.engine(policy_port=site.port) as engine:
            [outcome] = deliver(engine, 1).values()

    assert (outcome.verdict, outcome.tls) == (Verdict.DELIVERED, "")
    assert site.asked == []


def test_a_site_that_drips_is_not_waited_for(internet, authority, site, monkeypatch):
    monkeypatch.setattr("email_service.delivery.engine.policies._SECONDS", 0.5)
    site.drips = True
    internet.server(MX, "127.0.0.2")

    with internet.engine(policy_port=site.port) as engine:
        began = time.monotonic()
        [outcome] = deliver(engine, 1).values()

    assert outcome.verdict == Verdict.DELIVERED
    assert time.monotonic() - began < 3


def test_a_site_on_a_private_network_is_not_asked(internet, authority, site):
    """The mail server is allowed for the test; the site is on an address that is not."""
    internet.server(MX, "127.0.0.2")

    with internet.engine(policy_port=site.port, allowed_networks=("127.0.0.2/32",)) as engine:
        [outcome] = deliver(engine, 1).values()

    assert outcome.verdict == Verdict.DELIVERED
    assert site.asked == []


def test_a_policy_is_kept_though_its_record_and_site_are_gone_and_fetched_anew_under_a_new_id(
    internet, authority, site, monkeypatch
):
    monkeypatch.setattr("email_service.delivery.engine.lookup.SHORTEST", 0.0)
    monkeypatch.setattr("email_service.delivery.engine.lookup.LONGEST", 0.0)
    server = internet.server(MX, "127.0.0.2")  # no TLS: only the policy keeps the mail back
    record = ("_mta-sts.example.org", "TXT")

    with internet.engine(policy_port=site.port) as engine:
        verdicts = [deliver(engine, 1)[1].verdict]
        internet.zone.drop(*record)
        verdicts.append(deliver(engine, 1, token=2)[1].verdict)
        internet.zone.add(*record, "v=STSv1; id=20260101")
        verdicts.append(deliver(engine, 1, token=3)[1].verdict)
        asked = len(site.asked)
        internet.zone.drop(*record).add(*record, "v=STSv1; id=20260202")
        site.body = "version: STSv1\nmode: none\nmax_age: 86400\n"
        verdicts.append(deliver(engine, 1, token=4)[1].verdict)

    assert verdicts == [Verdict.DEFERRED] * 3 + [Verdict.DELIVERED]
    assert (asked, len(site.asked)) == (1, 2)
    assert len(server.received) == 1


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["v=STSv1; id=20160831085700Z;"], "20160831085700Z"),
        (["v=STSv1;id=a"], "a"),
        (["v=spf1 -all", "v=STSv1; id=1"], "1"),
        (["v=STSv1; id=1", "v=STSv1; id=2"], ""),
        (["v=STSv1; id=not-good"], ""),
        (["v=STSv2; id=1"], ""),
        ([], ""),
    ],
)
def test_the_record_names_one_policy(texts, found):
    assert read_record(texts) == found


def test_a_policy_says_which_servers_and_a_star_is_one_label():
    policy = read_policy(ENFORCE)

    assert policy == Policy("enforce", ("mx.example.org", "*.mail.example.net"), 86400)
    assert policy.covers("MX.example.org.")
    assert policy.covers("a.mail.example.net")
    assert not policy.covers("a.b.mail.example.net")
    assert not policy.covers("mail.example.net")
    assert not policy.covers("example.org")


@pytest.mark.parametrize(
    "document",
    [
        "",
        ENFORCE.replace("STSv1", "STSv2"),
        ENFORCE.replace("enforce", "perhaps"),
        ENFORCE.replace("86400", "soon"),
        "version: STSv1\nmode: enforce\nmax_age: 1\n",
    ],
)
def test_what_is_no_policy_is_none(document):
    assert read_policy(document) is None
