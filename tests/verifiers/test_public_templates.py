"""Mail of every public template, judged by what is none of ours: dkimpy, opendkim and SpamAssassin."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.dns_server import Zone
from tests.email_service.mail_templates.mails import FILES, TEMPLATES
from tests.verifiers import judges
from tests.verifiers.inbound import Arrived
from tests.verifiers.reading import assert_signed, assert_sound, parse
from tests.verifiers.world import BOUNCE_HOST, STRANGERS_IP, as_stored

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]
Mails = dict[str, Arrived]
MOST = 2.0
PROVEN = {"SPF_PASS", "SPF_HELO_PASS", "DKIM_SIGNED", "DKIM_VALID", "DKIM_VALID_AU", "DMARC_PASS"}


def changed(mail: Arrived) -> Arrived:
    return replace(mail, content=mail.content.replace(b"\r\nSubject: ", b"\r\nSubject: Re: ", 1))


def unsigned(mail: Arrived) -> Arrived:
    assert mail.content.startswith(b"DKIM-Signature: ")
    return replace(mail, content=mail.content[mail.content.index(b"\r\nFrom: ") + 2 :])


def test_each_is_sound_and_signed(mails: Mails, zone: Zone) -> None:
    assert sorted(mails) == FILES

    for file, mail in mails.items():
        assert_sound(mail, unsubscribes=TEMPLATES[file].can_unsubscribe)
        assert_signed(mail, zone)
        kinds = [part.get_content_type() for part in parse(mail.content).walk()]
        assert kinds == ["multipart/alternative", "text/plain", "text/html"]
    assert len({parse(mail.content)["Message-ID"] for mail in mails.values()}) == len(mails)
    assert len({mail.sender for mail in mails.values()}) == len(mails)


def test_opendkim_verifies_each_and_refuses_what_was_changed(
    mails: Mails, zone: Zone, tmp_path: Path
) -> None:
    forged = changed(mails["welcome.en.html"])

    results = judges.opendkim(
        [*(mail.content for mail in mails.values()), forged.content], zone=zone, folder=tmp_path
    )

    assert dict(zip(mails, results, strict=False)) == dict.fromkeys(mails, "pass")
    assert results[-1] == "fail"


def test_spamassassin_finds_each_proven_and_harmless(mails: Mails, zone: Zone, tmp_path: Path) -> None:
    one = mails["welcome.en.html"]
    forged = as_stored(changed(one), ip=STRANGERS_IP)
    by_spf = as_stored(unsigned(one))
    by_dkim = as_stored(replace(one, sender=f"b+x@{BOUNCE_HOST}"))

    *scores, forged_score, spf_score, dkim_score = judges.spamassassin(
        [*map(as_stored, mails.values()), forged, by_spf, by_dkim], zone=zone, folder=tmp_path
    )

    table = "\n".join(f"{file}: {score}" for file, score in zip(mails, scores, strict=True))
    assert all(score.points <= MOST for score in scores), table
    assert all(score.rules.keys() >= PROVEN for score in scores), table
    # Each proof carries DMARC by itself, and none is given to whoever changes a mail on a host of his own.
    assert {"SPF_PASS", "DMARC_PASS"} <= spf_score.rules.keys(), spf_score
    assert "DKIM_SIGNED" not in spf_score.rules
    assert {"DKIM_VALID_AU", "DMARC_PASS", "HEADER_FROM_DIFFERENT_DOMAINS"} <= dkim_score.rules.keys(), (
        dkim_score
    )
    assert dkim_score.points <= MOST, dkim_score
    assert {"SPF_SOFTFAIL", "DKIM_INVALID", "DMARC_REJECT"} <= forged_score.rules.keys(), forged_score
    assert forged_score.points > MOST, forged_score
