"""What is marked where a published value is not the expected one."""

import re

import pytest

from email_service.domains.differences import mark
from koomessage.console.templatetags.ui import breakable
from tests.factories_domains import PUBLIC_KEY, make_domain

KEY, OTHER = "MIIBIj" + "A" * 300 + "QAB", "MIIBIj" + "B" * 300 + "QAB"


def written(expected: str, current: str, **how: bool) -> str:
    signs = {"same": "{}", "extra": "[-{}-]", "missing": "[+{}+]"}
    return "".join(signs[piece.kind].format(piece.text) for piece in mark(expected, current, **how))


@pytest.mark.parametrize(
    ("expected", "current", "outcome"),
    [
        ("t0ken.track.example", "t1ken.track.example", "[-t1ken-][+t0ken+].track.example"),
        ("t.track.example", "t.track.example.shop.example", "t.track.example[-.shop.example-]"),
        ("v=DKIM1; p=x", '"v=DKIM1; p=x"', '[-"-]v=DKIM1; p=x[-"-]'),
        ("a b", "a b", "a b"),
        ("a", "", "[+a+]"),
    ],
)
def test_tokens_are_compared(expected, current, outcome):
    assert written(expected, current) == outcome


def test_hosts_are_compared_without_regard_to_case():
    assert written("mx.home.example", "MX.Home.other", ignores_case=True) == "MX.Home.[-other-][+example+]"


def test_keys_are_marked_where_they_part_and_stay_readable():
    outcome = written(f"v=DKIM1; k=rsa; p={KEY}", f"v=DKIM1; k=rsa; p={OTHER}")

    assert outcome.startswith("v=DKIM1; k=rsa; p=MIIBIj[-BBB") or "…" in outcome.split("[-")[0]
    assert outcome.endswith("+]QAB")
    assert len(outcome) < 220


def test_a_key_that_was_cut_off_shows_what_is_missing():
    outcome = written(f"v=DKIM1; p={KEY}", f"v=DKIM1; p={KEY[:200]}")

    assert "[-" not in outcome
    assert outcome.count("[+") == 1


def test_names_break_between_their_parts_and_stay_escaped():
    assert breakable("a.b:<i>. c") == "a.<wbr>b:<wbr>&lt;i&gt;. c"


@pytest.mark.django_db
def test_the_page_marks_the_difference_with_words_beside_the_colour(as_owner, acme):
    domain = make_domain(acme)
    domain.records.filter(purpose="dkim").update(
        status="failed", reason="dkim_differs", current=f"v=DKIM1; k=rsa; p={PUBLIC_KEY[:-40]}"
    )
    domain.records.filter(purpose="tracking").update(
        status="failed", reason="differs", current="old.track.koomessage.example"
    )
    as_owner.cookies["django_language"] = "en"

    page = as_owner.get(domain.get_absolute_url()).content.decode()

    assert re.search(r"<del><span class=\"visually-hidden\">\[not expected: </span>old<", page)
    assert re.search(rf"<ins><span class=\"visually-hidden\">\[missing: </span>{domain.token}<", page)
    assert "struck out" in page
    assert f'data-copy="v=DKIM1; k=rsa; p={PUBLIC_KEY[:-40]}"' in page
    assert f'data-copy="v=DKIM1; k=rsa; p={PUBLIC_KEY}"' in page


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("reason", "current", "suggestion"),
    [
        ("spf_without_include", "v=spf1 mx -all", "v=spf1 mx include:spf.koomessage.example -all"),
        ("two_spf", "v=spf1 a\nv=spf1 mx ~all", "v=spf1 a mx include:spf.koomessage.example ~all"),
    ],
)
def test_an_spf_record_of_ones_own_is_completed_and_not_replaced(as_owner, acme, reason, current, suggestion):
    domain = make_domain(acme)
    domain.records.filter(purpose="spf").update(status="failed", reason=reason, current=current)

    page = as_owner.get(domain.get_absolute_url()).content.decode()

    assert f'data-copy="{suggestion}"' in page
    assert "<del><span" not in page


@pytest.mark.django_db
def test_what_succeeded_or_is_missing_is_not_marked(as_owner, acme):
    page = as_owner.get(make_domain(acme, verified=True).get_absolute_url()).content.decode()

    assert "<del>" not in page
    assert "<ins>" not in page
