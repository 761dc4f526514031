"""Sending directly: TLS where it can be had, whatever its certificate, and a record of what was had (F-31)."""

import ssl

import pytest

from email_service.delivery.replies import Verdict
from tests.email_service.delivery.certificates import Authority
from tests.email_service.delivery.internet import Internet
from tests.email_service.delivery.peer import Cut, Say
from tests.email_service.delivery.senders import deliver

NAME = "mx.example.org"


@pytest.fixture
def authority(tmp_path) -> Authority:
    return Authority(tmp_path)


@pytest.mark.parametrize("fault", ["none", "expired", "self-signed", "wrong name"])
def test_tls_is_used_with_whatever_certificate_and_recorded(internet: Internet, authority: Authority, fault):
    name = "other.example.net" if fault == "wrong name" else NAME
    tls = authority.server(name, is_expired=fault == "expired", is_own=fault == "self-signed")
    server = internet.server(NAME, "127.0.0.2", tls=tls)
    internet.domain("example.org", NAME)

    with internet.engine() as engine:
        outcomes = deliver(engine, 10)

    assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.DELIVERED}
    assert all(outcome.tls.startswith("TLSv1.3 TLS_") for outcome in outcomes.values())
    assert all(outcome.tls.endswith(" unverified") for outcome in outcomes.values())
    assert server.commands[:3] == ["EHLO sender.example.com", "STARTTLS", "EHLO sender.example.com"]


def test_old_tls_is_better_than_none(internet: Internet, authority: Authority):
    tls = authority.server(NAME)
    tls.minimum_version = tls.maximum_version = ssl.TLSVersion.TLSv1
    tls.set_ciphers("DEFAULT:@SECLEVEL=0")
    internet.server(NAME, "127.0.0.2", tls=tls)
    internet.domain("example.org", NAME)

    with internet.engine() as engine:
        [outcome] = deliver(engine, 1).values()

    assert outcome.verdict == Verdict.DELIVERED
    assert outcome.tls.startswith("TLSv1 ")


def test_mail_goes_in_the_clear_where_no_tls_is_offered_and_the_record_says_so(internet: Internet):
    internet.server(NAME, "127.0.0.2")
    internet.domain("example.org", NAME)

    with internet.engine() as engine:
        [outcome] = deliver(engine, 1).values()

    assert (outcome.verdict, outcome.tls) == (Verdict.DELIVERED, "")


@pytest.mark.parametrize(
    "answer", [Say("454 4.7.0 not now"), Say("502 what?"), Cut(), Say("220 no TLS here")]
)
def test_mail_goes_in_the_clear_where_the_handshake_fails(internet: Internet, authority: Authority, answer):
    tls = authority.server(NAME)
    if answer == Say("220 no TLS here"):
        tls.set_alpn_protocols(["smtp"])
        tls.minimum_version = tls.maximum_version = ssl.TLSVersion.TLSv1_2
        tls.set_ciphers("ECDHE-RSA-AES128-SHA")  # not with its kind of key: no cipher is left
    server = internet.server(
        NAME, "127.0.0.2", lambda session, stage, argument: answer if stage == "starttls" else None, tls=tls
    )
    internet.domain("example.org", NAME)

    with internet.engine(connections=1) as engine:
        outcomes = deliver(engine, 3)

    assert {(outcome.verdict, outcome.tls) for outcome in outcomes.values()} == {(Verdict.DELIVERED, "")}
    assert server.connections == 2


def test_what_was_injected_in_the_clear_is_not_taken_for_the_servers_word(
    internet: Internet, authority: Authority
):
    injected = Say("220 go on\r\n250-injected\r\n250 SIZE 1")
    internet.server(
        NAME,
        "127.0.0.2",
        lambda session, stage, argument: injected if stage == "starttls" else None,
        tls=authority.server(NAME),
    )
    internet.domain("example.org", NAME)

    with internet.engine() as engine:
        [outcome] = deliver(engine, 1).values()

    # A size of one octet would have failed it.
    assert outcome.verdict == Verdict.DELIVERED
    assert outcome.tls.startswith("TLSv1.3")


def test_sizes_and_features_are_each_servers_own(internet: Internet):
    """F-33: what the server cannot take fails before DATA, with the reason."""
    small = internet.server(NAME, "127.0.0.2", features=("SIZE 10",))
    internet.domain("example.org", NAME)

    with internet.engine() as engine:
        [outcome] = deliver(engine, 1).values()

    assert (outcome.verdict, outcome.enhanced) == (Verdict.FAILED, "5.3.4")
    assert "10" in outcome.text
    assert not any(command.startswith("MAIL") for command in small.commands)
