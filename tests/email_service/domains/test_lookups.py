"""What the DNS is asked, and how odd zones are read."""

import time

import pytest

from email_service.domains.examination import examine
from email_service.domains.lookups import (
    MAX_AUTHORITIES,
    MAX_CHAIN,
    MAX_LENGTH,
    NoAnswerError,
    Sources,
    authorities,
    find,
    find_policy,
    sources_for,
)
from email_service.domains.records import LOOP
from email_service.domains.verification import expected_of_nobody

NAME = "shop.example"


@pytest.fixture
def sources(zone) -> Sources:
    return sources_for(NAME, asks_owner=True)


def soon() -> float:
    return time.monotonic() + 1


def outcome(findings, purpose: str) -> tuple[str, str]:
    judgement = next(finding.judgement for finding in findings if finding.record.purpose == purpose)
    return str(judgement.status), judgement.reason


def test_the_strings_of_a_txt_are_joined(zone, sources):
    zone.add(NAME, "TXT", ["v=spf1 include:spf.", "koomessage.example ~all"])

    assert find(NAME, "TXT", sources, soon()).values == ("v=spf1 include:spf.koomessage.example ~all",)


def test_an_answer_too_long_for_a_datagram_comes_by_tcp(zone, sources):
    zone.add(NAME, "TXT", *[["x" * 250, str(number)] for number in range(10)])

    assert len(find(NAME, "TXT", sources, soon()).values) == 10


def test_names_are_compared_without_regard_to_case(zone, sources):
    zone.add(NAME, "MX", "MX.Home.Example")

    assert find("SHOP.Example", "MX", sources, soon()).values == ("MX.Home.Example",)


def test_a_chain_of_cnames_is_followed_to_the_text(zone, sources):
    zone.add("koo1._domainkey.shop.example", "CNAME", "key.provider.example")
    zone.add("key.provider.example", "TXT", "v=DKIM1; p=x")

    assert find("koo1._domainkey.shop.example", "TXT", sources, soon()).values == ("v=DKIM1; p=x",)


def test_a_circle_of_cnames_ends(zone, sources):
    zone.add("a.shop.example", "CNAME", "b.shop.example").add("b.shop.example", "CNAME", "a.shop.example")

    assert find("a.shop.example", "CNAME", sources, soon()).values == (
        "b.shop.example",
        "a.shop.example",
        LOOP,
    )
    assert find("a.shop.example", "TXT", sources, soon()).values == (LOOP,)


def test_an_endless_chain_ends(zone, sources):
    for number in range(30):
        zone.add(f"a{number}.shop.example", "CNAME", f"a{number + 1}.shop.example")

    found = find("a0.shop.example", "CNAME", sources, soon()).values

    assert len(found) == MAX_CHAIN + 1
    assert found[-1] == LOOP


def test_nothing_behind_the_expected_target_is_asked(zone, sources):
    zone.add("tracking.shop.example", "CNAME", "t.track.example")

    find("tracking.shop.example", "CNAME", sources, soon(), stop_at="T.track.example")

    assert zone.asked == [("tracking.shop.example", "CNAME")]


def test_a_policy_behind_a_strange_cname_is_read(zone, sources):
    zone.add("_dmarc.shop.example", "CNAME", "_dmarc.elsewhere.example")
    zone.add("_dmarc.elsewhere.example", "TXT", "v=DMARC1; p=none")

    found = find_policy("_dmarc.shop.example", sources, soon(), stop_at="_dmarc.home.example")

    assert found.texts == ("v=DMARC1; p=none",)


@pytest.mark.parametrize("how", ["SERVFAIL", "REFUSED", "silence"])
def test_servers_that_say_nothing_leave_it_unknown(zone, sources, how):
    zone.refuse(NAME, "TXT", how)

    assert find(NAME, "TXT", sources, time.monotonic() + 0.3).is_silent


def test_the_second_name_server_is_asked_when_the_first_is_dead(zone):
    zone.add(NAME, "TXT", "hello")
    dead = ("127.0.0.1", 1)
    sources = Sources((), (dead, ("127.0.0.1", zone.port)), 1.0)

    assert find(NAME, "TXT", sources, soon()).values == ("hello",)


def test_authoritative_servers_are_found_and_private_ones_left_out(zone):
    zone.add(NAME, "NS", "ns1.dns.example", "ns2.dns.example")
    zone.add("ns1.dns.example", "A", "8.8.4.4")
    zone.add("ns2.dns.example", "A", "127.0.0.1", "10.0.0.1", "224.0.0.251", "100.64.0.1")
    zone.add("ns2.dns.example", "AAAA", "::1", "::7f00:1", "::ffff:a00:1", "64:ff9b::7f00:1", "2002:7f00:1::")
    zone.add("ns2.dns.example", "AAAA", "fe80::1", "fc00::1", "fec0::1", "ff02::fb")

    servers = authorities(f"mail.{NAME}", (("127.0.0.1", zone.port),), soon())

    assert servers == (("8.8.4.4", 53),)


def test_no_domain_sends_us_to_more_than_a_few_servers(zone):
    zone.add(NAME, "NS", "ns1.dns.example")
    zone.add("ns1.dns.example", "A", *[f"8.8.4.{number}" for number in range(1, 200)])

    assert len(authorities(NAME, (("127.0.0.1", zone.port),), soon())) == MAX_AUTHORITIES


def test_what_no_page_and_no_database_can_show_is_replaced_and_cut(zone, sources):
    zone.add(NAME, "TXT", "a\x00b", ["x" * 250] * 40)

    assert find(NAME, "TXT", sources, soon()).values == ("a\ufffdb", "x" * MAX_LENGTH)


def test_where_no_resolver_answers_nothing_is_known():
    with pytest.raises(NoAnswerError):
        authorities(NAME, (), soon())


def test_own_servers_are_asked_first_and_the_resolvers_when_they_are_silent(zone):
    zone.add(NAME, "TXT", "fresh")
    own = Sources((("127.0.0.1", zone.port),), (), 1.0)
    silent = Sources((("127.0.0.1", 1),), (("127.0.0.1", zone.port),), 1.0)

    assert find(NAME, "TXT", own, soon()).values == ("fresh",)
    assert find(NAME, "TXT", silent, soon()).values == ("fresh",)


def test_a_record_entered_with_the_domain_twice_is_found(zone):
    zone.add(f"_dmarc.mail.{NAME}.{NAME}", "CNAME", "_dmarc.koomessage.example")
    zone.add(f"{NAME}.{NAME}", "MX", "mx.koomessage.example")

    assert outcome(examine(f"mail.{NAME}", expected_of_nobody(f"mail.{NAME}")), "dmarc") == (
        "failed",
        "name_doubled",
    )
    assert outcome(examine(NAME, expected_of_nobody(NAME)), "mx") == ("failed", "name_doubled")


def test_a_wildcard_is_not_taken_for_a_name_entered_twice(zone):
    zone.add(f"{NAME}.{NAME}", "TXT", "anything")

    assert outcome(examine(NAME, expected_of_nobody(NAME)), "spf") == ("failed", "not_found")


def test_a_name_too_long_for_dns_is_not_found(zone, sources):
    assert find(".".join(["a" * 60] * 5), "TXT", sources, soon()).values == ()
