"""SPF records that receivers give up on: counted as RFC 7208 says, against a real name server."""

from collections.abc import Mapping

import pytest
from django.utils import timezone

from email_service.domains import spf, verification
from email_service.domains.models import Domain
from tests.factories_domains import make_domain

OURS = "spf.koomessage.example"
ZONE = {
    ("ip.example", "TXT"): ("v=spf1 ip4:192.0.2.1 -all",),
    ("two.example", "TXT"): ("v=spf1 include:ip.example include:ip.example -all",),
    ("host.example", "A"): ("192.0.2.1",),
    ("six.example", "AAAA"): ("2001:db8::1",),
    ("mail.example", "MX"): ("a.example", "b.example"),
    ("farm.example", "MX"): tuple(f"mx{number}.example" for number in range(11)),
    ("twice.example", "TXT"): ("v=spf1 -all", "v=spf1 ~all"),
    ("circle.example", "TXT"): ("v=spf1 include:round.example -all",),
    ("round.example", "TXT"): ("v=spf1 include:circle.example -all",),
}


def cost_of(text: str, zone: Mapping[tuple[str, str], tuple[str, ...] | None] = ZONE) -> spf.Cost:
    counting = spf.count("shop.example", text, trusted=OURS)
    answer: tuple[str, ...] | None = None
    try:
        question = next(counting)
        while True:
            answer = zone.get((question.name, question.kind), ())
            question = counting.send(answer)
    except StopIteration as end:
        return end.value


@pytest.mark.parametrize(
    ("text", "lookups", "voids"),
    [
        ("v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all", 0, 0),
        ("v=spf1 include:ip.example ~all", 1, 0),
        ("v=spf1 include:two.example ?all", 3, 0),
        ("v=spf1 a:host.example/24 a:six.example mx:mail.example//64 -all", 3, 0),
        ("v=spf1 A:HOST.example. +mx:mail.example", 2, 0),
        ("v=spf1 ptr exists:%{i}.spf.example include:%{d}.spf.example -all", 3, 0),
        ("v=spf1 a mx -all", 2, 2),
        ("v=spf1 include:ip.example -all include:two.example", 1, 0),
        ("v=spf1 redirect=two.example", 3, 0),
        ("v=spf1 redirect=two.example -all", 0, 0),
        ("v=spf1 allow arc:x exp=explain.example -all", 0, 0),
        (f"v=spf1 include:{OURS} ~all", 1, 0),
        ("v=spf1 exists:gone.example a:gone.example mx:gone.example include:gone.example", 4, 4),
    ],
)
def test_terms_cost_what_the_standard_says(text, lookups, voids):
    cost = cost_of(text)

    assert (cost.lookups, len(cost.voids)) == (lookups, voids)


def test_a_circle_is_named():
    assert cost_of("v=spf1 include:circle.example -all").circle == (
        "circle.example",
        "round.example",
        "circle.example",
    )
    assert cost_of("v=spf1 include:shop.example -all").circle == ("shop.example", "shop.example")


def test_an_include_without_exactly_one_record_is_named():
    assert cost_of("v=spf1 include:gone.example -all").missing == "gone.example"
    assert cost_of("v=spf1 redirect=twice.example").missing == "twice.example"
    assert cost_of("v=spf1 mx:farm.example").crowded == "farm.example"


def test_an_endless_record_is_counted_only_so_far():
    wide = {
        (f"w{number}.example", "TXT"): (
            "v=spf1 " + " ".join(f"include:w{other}.example" for other in range(number + 1, number + 9)),
        )
        for number in range(60)
    }

    assert spf.MAX_LOOKUPS < cost_of("v=spf1 include:w0.example", wide).lookups < 300


def test_no_answer_is_no_void():
    cost = cost_of(
        "v=spf1 include:a.example a:b.example", {("a.example", "TXT"): None, ("b.example", "A"): None}
    )

    assert (cost.lookups, cost.voids, cost.missing, cost.is_partial) == (2, [], "", True)


@pytest.mark.parametrize(
    ("policies", "wanted"),
    [
        (["v=spf1 mx -all"], f"v=spf1 mx include:{OURS} -all"),
        (["v=spf1 mx ~all", "v=spf1 ip4:192.0.2.1 mx -all"], f"v=spf1 mx ip4:192.0.2.1 include:{OURS} ~all"),
        ([f"v=spf1 ~all include:{OURS}"], f"v=spf1 include:{OURS} ~all"),
        (["v=spf1 redirect=ip.example"], f"v=spf1 include:ip.example include:{OURS} ~all"),
    ],
)
def test_one_record_is_made_of_what_is_there(policies, wanted):
    assert spf.corrected(policies, OURS) == wanted


def check(domain: Domain) -> tuple[str, str, dict]:
    verification.check_domain(domain.pk)
    row = domain.records.get(purpose="spf")
    return row.status, row.reason, row.reason_values


def with_policy(zone, text: str, **overrides) -> Domain:
    domain = make_domain(**overrides)
    zone.publish(domain).drop(domain.name, "TXT").add(domain.name, "TXT", text)
    return domain


@pytest.mark.django_db
def test_a_chain_of_more_than_ten_lookups_fails_and_the_page_says_how_many(zone, acme, as_owner):
    domain = with_policy(zone, f"v=spf1 include:{OURS} include:c1.example ~all", tenant=acme)
    for number in range(1, 12):
        zone.add(f"c{number}.example", "TXT", f"v=spf1 include:c{number + 1}.example -all")
    zone.add("c12.example", "TXT", "v=spf1 ip4:192.0.2.1 -all")

    assert check(domain) == ("failed", "spf_too_many", {"count": 13, "most": 10})
    domain.refresh_from_db()
    assert not domain.is_verified
    as_owner.cookies["django_language"] = "en"
    page = as_owner.get(domain.get_absolute_url()).content.decode()
    assert "costs 13 DNS look-ups; receivers stop at 10 and answer permerror" in page


@pytest.mark.django_db
def test_ten_lookups_are_fine(zone):
    includes = " ".join(f"include:i{number}.example" for number in range(9))
    domain = with_policy(zone, f"v=spf1 {includes} include:{OURS} ~all")
    for number in range(9):
        zone.add(f"i{number}.example", "TXT", "v=spf1 ip4:192.0.2.1 -all")

    assert check(domain) == ("ok", "", {})


@pytest.mark.django_db
def test_three_names_that_lead_nowhere_fail_and_two_do_not(zone):
    three = with_policy(
        zone, f"v=spf1 a:x.gone.example mx:y.gone.example exists:z.gone.example include:{OURS} ~all"
    )
    two = with_policy(zone, f"v=spf1 a:x.gone.example mx:y.gone.example include:{OURS} ~all")

    assert check(three) == (
        "failed",
        "spf_void",
        {"count": 3, "most": 2, "names": "x.gone.example, y.gone.example, z.gone.example"},
    )
    assert check(two)[0] == "ok"


@pytest.mark.django_db
def test_a_circle_of_includes_fails(zone):
    domain = with_policy(zone, f"v=spf1 include:{OURS} include:a.example ~all")
    zone.add("a.example", "TXT", "v=spf1 include:b.example -all")
    zone.add("b.example", "TXT", "v=spf1 include:a.example -all")

    status, reason, values = check(domain)

    assert (status, reason) == ("failed", "spf_circle")
    assert values["path"] == "a.example → b.example → a.example"


@pytest.mark.django_db
@pytest.mark.parametrize("how", ["SERVFAIL", "silence"])
def test_what_does_not_answer_behind_the_record_fails_nobody_within_the_time(zone, settings, how):
    settings.DNS_TIMEOUT_SECONDS = 0.6
    domain = with_policy(zone, f"v=spf1 include:{OURS} include:dead.example ~all")
    zone.refuse("dead.example", "TXT", how)
    started = timezone.now()

    assert check(domain)[0] == "ok"
    assert (timezone.now() - started).total_seconds() < 2


@pytest.mark.django_db
def test_a_known_fault_stays_while_its_servers_are_silent(zone):
    domain = with_policy(zone, f"v=spf1 include:{OURS} include:a.example ~all")
    zone.add("a.example", "TXT", "v=spf1 include:a.example -all")
    assert check(domain)[1] == "spf_circle"

    zone.refuse("a.example", "TXT", "SERVFAIL")

    assert check(domain)[:2] == ("failed", "spf_circle")


@pytest.mark.django_db
def test_the_platforms_own_missing_record_is_not_the_tenants_fault(zone):
    domain = make_domain()
    zone.publish(domain)

    assert check(domain)[0] == "ok"
