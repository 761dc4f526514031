import base64
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from email_service.delivery.replies import Verdict
from tests.email_service.delivery.peer import Peer, Say
from tests.email_service.delivery.senders import deliver, make_engine


@pytest.fixture(scope="module")
def self_signed(tmp_path_factory) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "peer.example.com")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "peer.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def test_starttls_with_an_unknown_certificate_goes_on_where_that_is_allowed(tmp_path, self_signed):
    with Peer(tmp_path / "log", tls=self_signed) as peer:
        with make_engine(tmp_path, peer, security="starttls", verify=False) as engine:
            outcomes = deliver(engine, 50)

        assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.DELIVERED}
        assert all(outcome.tls.startswith("TLSv1.") for outcome in outcomes.values())
        assert all(outcome.tls.endswith(" unverified") for outcome in outcomes.values())
        assert peer.commands[:3] == ["EHLO sender.example.com", "STARTTLS", "EHLO sender.example.com"]
        assert len(peer.received) == 50


def test_starttls_with_an_unknown_certificate_sends_nothing_where_it_must_be_known(tmp_path, self_signed):
    with Peer(tmp_path / "log", tls=self_signed) as peer:
        with make_engine(tmp_path, peer, security="starttls") as engine:
            outcomes = deliver(engine, 3)

        assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.DEFERRED}
        assert all("certificate" in outcome.text for outcome in outcomes.values())
        assert not any(command.startswith("MAIL") for command in peer.commands)


@pytest.mark.parametrize("line", ["502 not here", "454 4.7.0 not now"])
def test_nothing_is_sent_in_the_clear_when_starttls_fails(tmp_path, self_signed, line):
    def script(session, stage, argument):
        return Say(line) if stage == "starttls" else None

    with Peer(tmp_path / "log", script, tls=self_signed) as peer:
        with make_engine(tmp_path, peer, security="starttls", verify=False) as engine:
            outcomes = deliver(engine, 3)

        assert all(outcome.verdict in (Verdict.DEFERRED, Verdict.THROTTLED) for outcome in outcomes.values())
        assert peer.received == []


def test_nothing_is_sent_in_the_clear_when_starttls_was_stripped(tmp_path):
    with Peer(tmp_path / "log") as peer:
        with make_engine(tmp_path, peer, security="starttls", verify=False) as engine:
            outcomes = deliver(engine, 3)

        assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.DEFERRED}
        assert all("STARTTLS" in outcome.text for outcome in outcomes.values())
        assert not any(command.startswith("MAIL") for command in peer.commands)


def test_answers_injected_in_the_clear_are_not_taken_for_the_servers(tmp_path, self_signed):
    def script(session, stage, argument):
        if stage == "starttls":
            return Say("220 go on\r\n250-injected\r\n250-AUTH PLAIN\r\n250 SIZE 1")
        return None

    with Peer(tmp_path / "log", script, tls=self_signed) as peer:
        with make_engine(tmp_path, peer, security="starttls", verify=False) as engine:
            outcomes = deliver(engine, 3)

        # A size of one octet would have failed every message.
        assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.DELIVERED}


def test_tls_from_the_first_octet(tmp_path, self_signed):
    with Peer(tmp_path / "log", tls=self_signed, implicit_tls=True) as peer:
        with make_engine(tmp_path, peer, security="tls", verify=False) as engine:
            outcomes = deliver(engine, 10)

        assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.DELIVERED}
        assert all(outcome.tls for outcome in outcomes.values())


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_the_relay_is_told_who_we_are(tmp_path, mechanism):
    def script(session, stage, argument):
        return Say("334 go on") if argument == "AUTH LOGIN" else None

    answers = iter(["334 and now", "235 2.7.0 welcome"])

    def script_login(session, stage, argument):
        if stage == "other":
            return Say(next(answers))
        return script(session, stage, argument)

    features = ("PIPELINING", f"AUTH {mechanism} XOAUTH2")
    with Peer(tmp_path / "log", script_login, features=features) as peer:
        with make_engine(tmp_path, peer, username="ann", password="sécret", connections=1) as engine:
            outcomes = deliver(engine, 2)

        assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.DELIVERED}
        if mechanism == "PLAIN":
            assert "AUTH PLAIN " + base64.b64encode("\0ann\0sécret".encode()).decode() in peer.commands
        else:
            assert peer.commands[1:4] == ["AUTH LOGIN", "YW5u", base64.b64encode("sécret".encode()).decode()]
        assert "sécret" not in repr(engine.relay)


def test_wrong_credentials_fail_no_message(tmp_path):
    def script(session, stage, argument):
        return Say("535 5.7.8 wrong") if stage == "auth" else None

    features = ("PIPELINING", "AUTH PLAIN")
    with Peer(tmp_path / "log", script, features=features) as peer:
        with make_engine(tmp_path, peer, username="ann", password="x") as engine:
            outcomes = deliver(engine, 3)

        assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.DEFERRED}
        assert all(outcome.code == 535 for outcome in outcomes.values())


def test_a_server_without_ehlo_is_greeted_the_old_way(tmp_path):
    def script(session, stage, argument):
        return Say("502 what?") if argument.startswith("EHLO") else None

    with Peer(tmp_path / "log", script, features=()) as peer, make_engine(tmp_path, peer) as engine:
        outcomes = deliver(engine, 3)

        assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.DELIVERED}
        assert "HELO sender.example.com" in peer.commands
