"""The demo's DNS server answers what the zone file holds, at once."""

from pathlib import Path

import pytest
from dnslib import QTYPE, RCODE, DNSRecord

from koomessage.demo import zone
from koomessage.demo.zone import ZoneRecord


def ask(server: tuple[str, int], name: str, kind: str, *, tcp: bool = False) -> DNSRecord:
    return DNSRecord.parse(DNSRecord.question(name, kind).send(*server, tcp=tcp, timeout=5))


def answers(reply: DNSRecord) -> list[tuple[str, str]]:
    return [(QTYPE[row.rtype], str(row.rdata)) for row in reply.rr]


@pytest.mark.parametrize("tcp", [False, True])
def test_a_record_entered_later_is_answered_over_udp_and_tcp(
    name_server: tuple[str, int], zone_file: Path, tcp: bool
):
    assert ask(name_server, "shop.example", "TXT", tcp=tcp).header.rcode == RCODE.NXDOMAIN

    zone.add(zone_file, ZoneRecord("TXT", "Shop.Example.", "v=spf1 -all"))

    assert answers(ask(name_server, "SHOP.example", "TXT", tcp=tcp)) == [("TXT", '"v=spf1 -all"')]


def test_a_long_text_comes_in_several_strings_that_join_to_it(name_server: tuple[str, int], zone_file: Path):
    text = "v=DKIM1; k=rsa; p=" + "A" * 400
    zone.add(zone_file, ZoneRecord("TXT", "koo1._domainkey.shop.example", text))

    (row,) = ask(name_server, "koo1._domainkey.shop.example", "TXT", tcp=True).rr

    assert len(row.rdata.data) == 2
    assert b"".join(row.rdata.data).decode() == text


def test_an_alias_is_followed_to_what_it_names(name_server: tuple[str, int], zone_file: Path):
    zone.add(zone_file, ZoneRecord("CNAME", "_dmarc.shop.example", "_dmarc.koomessage.example"))

    found = answers(ask(name_server, "_dmarc.shop.example", "TXT"))

    assert [kind for kind, _ in found] == ["CNAME", "TXT"]
    assert "v=DMARC1" in found[1][1]


def test_any_name_below_the_tracking_host_exists(name_server: tuple[str, int]):
    assert answers(ask(name_server, "token.track.koomessage.example", "A")) == [("A", "127.0.0.1")]


def test_a_name_without_the_asked_type_exists_all_the_same(name_server: tuple[str, int], zone_file: Path):
    zone.add(zone_file, ZoneRecord("TXT", "a.shop.example", "x"))

    of_another_type = ask(name_server, "a.shop.example", "MX")
    between = ask(name_server, "shop.example", "MX")

    assert of_another_type.header.rcode == between.header.rcode == RCODE.NOERROR
    assert QTYPE[of_another_type.auth[0].rtype] == "SOA"


def test_aliases_in_a_circle_end(name_server: tuple[str, int], zone_file: Path):
    zone.add(zone_file, ZoneRecord("CNAME", "a.example", "b.example"))
    zone.add(zone_file, ZoneRecord("CNAME", "b.example", "a.example"))

    assert ask(name_server, "a.example", "TXT").header.rcode == RCODE.NOERROR


def test_publishing_replaces_what_would_contradict_and_keeps_the_rest(zone_file: Path):
    zone.put_platform(zone_file, [ZoneRecord("A", "koomessage.example", "127.0.0.1", "platform")])
    zone.add(zone_file, ZoneRecord("TXT", "shop.example", "v=spf1 -all"))
    zone.add(zone_file, ZoneRecord("TXT", "shop.example", "site-check=1"))
    wanted = [ZoneRecord("TXT", "shop.example", "v=spf1 include:x ~all", "domain")]

    assert zone.publish(zone_file, wanted) == 1
    assert zone.publish(zone_file, wanted) == 0

    assert [row.value for row in zone.load(zone_file)] == [
        "127.0.0.1",
        "site-check=1",
        "v=spf1 include:x ~all",
    ]
