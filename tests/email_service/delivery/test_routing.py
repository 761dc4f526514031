"""The rules of direct delivery that need no network: order of servers, null MX, who may be connected to."""

import ipaddress

import pytest

from email_service.delivery.networks import may_connect
from email_service.delivery.routing import MOST_HOSTS, in_order, is_null, ranked


def test_servers_stand_by_preference_and_a_name_told_twice_keeps_its_better_place():
    records = [(20, "b.example."), (10, "C.example."), (20, "a.example."), (30, "c.example.")]

    assert ranked(records) == (("c.example",), ("a.example", "b.example"))


def test_equal_servers_are_shuffled_and_others_are_not():
    ranks = (("a", "b"), ("c", "d"))

    assert in_order(ranks, list.reverse) == ("b", "a", "d", "c")
    assert {in_order(ranks)[:2] for _ in range(200)} == {("a", "b"), ("b", "a")}
    assert {frozenset(in_order(ranks)[2:]) for _ in range(50)} == {frozenset("cd")}


def test_not_more_servers_are_tried_than_is_reasonable():
    assert len(in_order([[f"mx{number}" for number in range(50)]])) == MOST_HOSTS == 10


@pytest.mark.parametrize(
    ("records", "verdict"),
    [
        ([(0, ".")], True),
        ([(10, ".")], True),
        ([(0, "."), (10, "mx.")], False),
        ([(0, "mx.")], False),
        ([], False),
    ],
)
def test_a_single_record_without_a_name_is_the_null_mx(records, verdict):
    assert is_null(records) is verdict


@pytest.mark.parametrize("address", ["8.8.8.8", "2a00:1450:4001::1", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_the_public_internet_may_be_connected_to(address):
    assert may_connect(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "fc00::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff0e::1",
        "mx.example.org",
        "",
    ],
)
def test_every_other_address_may_not(address):
    assert not may_connect(address)


def test_an_operator_allows_networks_of_his_own():
    allowed = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("fd00::/8"))

    assert may_connect("127.0.0.1", allowed)
    assert may_connect("::ffff:127.0.0.1", allowed)
    assert may_connect("fd00::7", allowed)
    assert not may_connect("10.0.0.1", allowed)
    assert not may_connect("::1", allowed)
