"""Zones as people really publish them, from a real name server to the verdict on the page."""

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from email_service.domains import verification
from email_service.domains.models import Domain
from tests.factories_domains import PUBLIC_KEY, make_domain

pytestmark = pytest.mark.django_db
KEY = f"v=DKIM1; k=rsa; p={PUBLIC_KEY}"
SPF = "v=spf1 include:spf.koomessage.example ~all"


def parts(text: str, size: int = 200) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def long_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=4096).public_key()
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def verdict(zone: Any, purpose: str, *published: Any, **overrides: Any) -> tuple[str, str]:
    """Publish all records right but one, check, and return what is said of that one."""
    domain = make_domain(**overrides)
    row = domain.records.get(purpose=purpose)
    zone.publish(domain).drop(row.name, row.kind).add(row.name, row.kind, *published)

    verification.check_domain(domain.pk)

    domain.refresh_from_db()
    row.refresh_from_db()
    assert domain.is_verified == (row.status == "ok")
    return row.status, row.reason


@pytest.mark.parametrize(
    ("published", "outcome"),
    [
        ([parts(KEY)], ("ok", "")),
        ([parts(KEY, 37)], ("ok", "")),  # split in the middle of the key
        ([parts(f"  V = DKIM1 ;; k=RSA ;  p = {PUBLIC_KEY[:90]} {PUBLIC_KEY[90:]} ; ")], ("ok", "")),
        ([parts(f"p={PUBLIC_KEY}")], ("ok", "")),
        ([parts(KEY), "google-site-verification=x"], ("ok", "")),
        ([parts(KEY), "v=DKIM1; k=rsa; p=AAAA"], ("failed", "two_dkim")),
        ([parts(KEY), parts(f"{KEY};")], ("failed", "two_dkim")),
        (["v=DKIM1; k=rsa; p="], ("failed", "dkim_revoked")),
        ([parts(f"v=DKIM1; k=rsa; p={PUBLIC_KEY.lower()}")], ("failed", "dkim_differs")),
        ([parts(KEY[:-60])], ("failed", "dkim_differs")),
        ([parts(f'"{KEY}"')], ("failed", "quoted")),
        (["hello"], ("failed", "not_dkim")),
    ],
)
def test_dkim_keys(zone, published, outcome):
    assert verdict(zone, "dkim", *published) == outcome


@pytest.mark.parametrize("purpose", ["spf", "dkim"])
@pytest.mark.parametrize(
    "text", ["a\x00b", "v=spf1 include:\x00.example include:spf.koomessage.example ~all"]
)
def test_texts_with_octets_of_zero_are_read_and_stored(zone, purpose, text):
    assert verdict(zone, purpose, text)[0] == "failed"


def test_a_key_of_4096_bits_under_our_selector_is_another_key(zone):
    assert verdict(zone, "dkim", parts(f"v=DKIM1; k=rsa; p={long_key()}")) == ("failed", "dkim_differs")


@pytest.mark.parametrize(
    ("published", "outcome"),
    [
        ([["v=spf1 include:spf.koome", "ssage.example ~all"]], ("ok", "")),
        (["V=SPF1  Include:SPF.KooMessage.Example.  -ALL"], ("ok", "")),
        ([SPF, "hello"], ("ok", "")),
        ([SPF, f"{SPF} "], ("failed", "two_spf")),
        ([SPF, "v=spf1 -all"], ("failed", "two_spf")),
        ([f'"{SPF}"'], ("failed", "quoted")),
        ([f"“{SPF}”"], ("failed", "quoted")),
    ],
)
def test_spf_records(zone, published, outcome):
    assert verdict(zone, "spf", *published) == outcome


@pytest.mark.parametrize(
    ("published", "outcome"),
    [
        ("MINE.Track.KooMessage.EXAMPLE.", ("ok", "")),
        ("other.track.koomessage.example", ("failed", "differs")),
        ("mine.track.koomessage.example.shop.example", ("failed", "value_doubled")),
    ],
)
def test_hosts(zone, published, outcome):
    assert verdict(zone, "tracking", published, name="shop.example", token="mine") == outcome


@pytest.mark.parametrize(
    "name", ["xn--fsqu00a.xn--fiqs8s", "a-b.c-d.example", f"{'a' * 58}.example", "mail.shop.co.uk"]
)
def test_names_of_every_kind_are_verified(zone, name):
    domain = make_domain(name=name)
    zone.publish(domain)

    verification.check_domain(domain.pk)

    domain.refresh_from_db()
    assert domain.is_verified


def test_a_server_that_answers_in_capitals_is_understood(zone):
    domain = make_domain(name="shop.example")
    for row in domain.records.all():
        value = row.expected if row.kind == "TXT" else f"{row.expected.upper()}."
        zone.add(row.name.upper(), row.kind, parts(value) if row.kind == "TXT" else value)

    verification.check_domain(domain.pk)

    assert Domain.objects.verified().filter(pk=domain.pk).exists()


@pytest.mark.parametrize(
    ("how", "status"), [("NXDOMAIN", "failed"), ("SERVFAIL", "unknown"), ("silence", "unknown")]
)
def test_only_an_answer_fails_a_record(zone, settings, how, status):
    settings.DNS_TIMEOUT_SECONDS = 0.3
    domain = make_domain(verified=True)
    zone.publish(domain).refuse(domain.name, "TXT", how)

    verification.check_domain(domain.pk)

    domain.refresh_from_db()
    assert domain.records.get(purpose="spf").status == status
    assert domain.is_at_risk == (status == "failed")
    assert domain.is_verified
