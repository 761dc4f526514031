"""What each answer of the DNS says about a record."""

import pytest

from email_service.domains.reasons import REASONS
from email_service.domains.records import LOOP, Found, Judgement, Platform, Purpose, Result, expected, proves
from email_service.domains.verdicts import judge

HOME = Platform("mx.home.example", "spf.home.example", "_dmarc.home.example", "track.home.example", "koo1")
RECORDS = {
    record.purpose: record
    for record in expected("shop.example", token="t0ken", public_key="AbC+/=", platform=HOME)
}
SPF = "v=spf1 include:spf.home.example ~all"
DKIM = "v=DKIM1; k=rsa; p=AbC+/="


def judged(purpose: Purpose, *values: str, **more: object) -> tuple[str, str]:
    judgement = judge(RECORDS[purpose], Found(values=values, **more), domain="shop.example")  # type: ignore[arg-type]
    assert not judgement.reason or judgement.reason in REASONS
    return str(judgement.status), judgement.reason


def test_five_records_are_expected():
    assert [(record.kind, record.name, record.value) for record in RECORDS.values()] == [
        ("CNAME", "_dmarc.shop.example", "_dmarc.home.example"),
        ("CNAME", "tracking.shop.example", "t0ken.track.home.example"),
        ("MX", "shop.example", "mx.home.example"),
        ("TXT", "shop.example", SPF),
        ("TXT", "koo1._domainkey.shop.example", DKIM),
    ]


@pytest.mark.parametrize(
    ("purpose", "values", "outcome"),
    [
        (Purpose.TRACKING, ["T0ken.Track.Home.Example."], ("ok", "")),
        (Purpose.TRACKING, ["alias.shop.example", "t0ken.track.home.example"], ("ok", "")),
        (Purpose.TRACKING, [], ("failed", "not_found")),
        (Purpose.TRACKING, ["other.track.home.example"], ("failed", "differs")),
        (Purpose.TRACKING, ["t0ken.track.home.example.shop.example"], ("failed", "value_doubled")),
        (Purpose.TRACKING, ["t0ken.track.home.example.example"], ("failed", "value_doubled")),
        (Purpose.TRACKING, ['\\"t0ken.track.home.example\\"'], ("failed", "quoted")),
        (Purpose.TRACKING, ["a.shop.example", "b.shop.example", LOOP], ("failed", "loop")),
        (Purpose.MX, ["other.example", "MX.home.example"], ("ok", "")),
        (Purpose.MX, ["other.example"], ("failed", "differs")),
        (Purpose.SPF, [SPF], ("ok", "")),
        (Purpose.SPF, ["google-site-verification=x", SPF], ("ok", "")),
        (Purpose.SPF, ["v=spf1 mx include:other.example include:SPF.home.example -all"], ("ok", "")),
        (Purpose.SPF, ["V=SPF1 +include:spf.home.example. ?all"], ("ok", "")),
        (Purpose.SPF, ["v=spf1 redirect=spf.home.example"], ("ok", "")),
        (Purpose.SPF, [SPF, "v=spf1 mx -all"], ("failed", "two_spf")),
        (Purpose.SPF, ["v=spf1 mx -all"], ("failed", "spf_without_include")),
        (Purpose.SPF, ["v=spf1 -include:spf.home.example ~all"], ("failed", "spf_without_include")),
        (
            Purpose.SPF,
            ["v=spf1 include:spf.home.example.evil.example ~all"],
            ("failed", "spf_without_include"),
        ),
        (Purpose.SPF, ["v=spf1 ~all include:spf.home.example"], ("failed", "spf_include_too_late")),
        (Purpose.SPF, ["v=spf10 include:spf.home.example ~all"], ("failed", "not_spf")),
        (Purpose.SPF, [f'"{SPF}"'], ("failed", "quoted")),
        (Purpose.SPF, [f"“{SPF}”"], ("failed", "quoted")),
        (Purpose.SPF, ["hello"], ("failed", "not_spf")),
        (Purpose.DKIM, [DKIM], ("ok", "")),
        (Purpose.DKIM, ["p=AbC+/="], ("ok", "")),
        (Purpose.DKIM, ["v = DKIM1 ;k=RSA;;  p = Ab C+\t/= ;"], ("ok", "")),
        (Purpose.DKIM, ["v=DKIM1; k=rsa; s=email; h=sha1:sha256; t=s; p=AbC+/="], ("ok", "")),
        (Purpose.DKIM, ["v=DKIM1; k=rsa; p=abc+/="], ("failed", "dkim_differs")),
        (Purpose.DKIM, ["v=DKIM1; k=ed25519; p=AbC+/="], ("failed", "dkim_differs")),
        (Purpose.DKIM, ["v=DKIM1; k=rsa; p="], ("failed", "dkim_revoked")),
        (Purpose.DKIM, ["v=DKIM1; h=sha1; p=AbC+/="], ("failed", "dkim_limited")),
        (Purpose.DKIM, ["v=DKIM2; p=AbC+/="], ("failed", "not_dkim")),
        (Purpose.DKIM, [DKIM, "v=DKIM1; p=other"], ("failed", "two_dkim")),
        (Purpose.DKIM, [f'"{DKIM}"'], ("failed", "quoted")),
        (Purpose.DKIM, ["hello"], ("failed", "not_dkim")),
        (Purpose.DMARC, ["_dmarc.home.example"], ("ok", "")),
        (Purpose.DMARC, ["_dmarc.elsewhere.example"], ("failed", "differs")),
    ],
)
def test_an_answer_is_judged(purpose, values, outcome):
    assert judged(purpose, *values) == outcome


@pytest.mark.parametrize(
    ("texts", "outcome"),
    [
        (("v=DMARC1; p=reject; rua=mailto:d@shop.example",), ("ok", "dmarc_direct")),
        (("V=dmarc1;p=None",), ("ok", "dmarc_direct")),
        (("v=DMARC1; p=none", "v=DMARC1; p=reject"), ("failed", "two_dmarc")),
        (("v=DMARC1; rua=mailto:d@shop.example",), ("failed", "differs")),
        (('"v=DMARC1; p=none"',), ("failed", "quoted")),
        (("hello",), ("failed", "differs")),
    ],
)
def test_a_policy_of_ones_own_replaces_the_cname(texts, outcome):
    assert judged(Purpose.DMARC, texts=texts) == outcome


def test_silence_is_unknown_whatever_else_was_seen():
    assert judged(Purpose.SPF, is_silent=True) == ("unknown", "no_answer")
    assert judged(Purpose.DMARC, "_dmarc.elsewhere.example", is_silent=True) == ("unknown", "no_answer")


def test_a_name_entered_twice_is_said():
    assert judged(Purpose.SPF, is_doubled=True) == ("failed", "name_doubled")


@pytest.mark.parametrize(
    ("results", "was_verified", "outcome"),
    [
        (["ok", "ok", "failed", "ok", "ok"], False, True),
        (["ok", "ok", "ok", "ok", "failed"], False, False),
        (["ok", "ok", "ok", "ok", "failed"], True, False),
        (["ok", "ok", "ok", "unknown", "ok"], False, False),
        (["unknown"] * 5, True, True),
    ],
)
def test_every_cname_and_txt_is_needed(results, was_verified, outcome):
    judgements = {
        purpose: Judgement(Result(result)) for purpose, result in zip(Purpose, results, strict=False)
    }

    assert proves(judgements, was_verified=was_verified) is outcome
