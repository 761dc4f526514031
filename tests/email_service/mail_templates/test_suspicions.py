"""Automatic checks of the review: each finds what it is for, and leaves honest mail alone."""

import time

import pytest

from email_service.mail_templates.link_hosts import host_shown_in, is_ip_address, is_lookalike, target_of
from email_service.mail_templates.markup import read_html, read_text
from email_service.mail_templates.suspicions import CHECKS, Subject, suspicions_about

LONG = (
    "<p>" + "An order that you placed with us is on its way and arrives within the next days. " * 3 + "</p>"
)


def found(body: str, *, title: str = "Order shipped", can_unsubscribe: bool = True) -> dict[str, list[str]]:
    """The checks that found something, with their marks."""
    subject = Subject(title, read_html(body), can_unsubscribe)
    return {each.key: [mark.found for mark in each.marks] for each in suspicions_about(subject)}


def test_an_honest_mail_raises_no_suspicion():
    body = (
        '<table bgcolor="#ffffff"><tr><td style="font-size:0;background:#0b7a75">'
        '<h1 style="font-size:24px;color:#ffffff">Acme</h1></td></tr></table>'
        f'{LONG}<p><a href="https://shop.example/orders/{{{{number}}}}">www.shop.example</a> '
        '<a href="mailto:care@shop.example">care@shop.example</a> <a href="tel:+8612345">call</a> '
        '<a href="https://files.example/report.pdf">report.pdf</a></p>'
    )

    assert found(body) == {}


@pytest.mark.parametrize(
    ("words", "address"),
    [
        ("https://bank.example/login", "https://evil.example/login"),
        ("www.bank.example", "https://bank.example.evil.test/"),
        ("bank.example", "https://evil.example/"),
        ("中国银行 www.bank.example", "https://evil.example"),
        ("log in", "https://bank.example@evil.example/"),
    ],
)
def test_a_link_that_shows_one_site_and_leads_to_another(words: str, address: str):
    assert "other_host" in found(f'{LONG}<a href="{address}">{words}</a>')


@pytest.mark.parametrize(
    ("words", "address"),
    [
        ("https://bank.example", "https://click.bank.example/x?u=1"),
        ("bank.example/orders", "https://www.bank.example/orders"),
        ("例子.公益", "https://xn--fsqu00a.xn--55qw42g/"),
        ("me@bank.example", "mailto:me@bank.example"),
        ("report.pdf", "https://files.example/r"),
        ("Read more.", "https://files.example/r"),
    ],
)
def test_links_that_agree_with_their_words(words: str, address: str):
    assert "other_host" not in found(f'{LONG}<a href="{address}">{words}</a>')


@pytest.mark.parametrize(
    ("key", "address"),
    [
        ("ip_address", "https://203.0.113.7/pay"),
        ("ip_address", "https://[2001:db8::1]/"),
        ("ip_address", "https://3405803783/"),
        ("ip_address", "https://0xcb.0.0x71.7/"),
        ("lookalike", "https://аpple.example/"),
        ("lookalike", "https://xn--pple-43d.example/"),
        ("lookalike", "https://xn--e1awd7f.example/"),
        ("lookalike", "https://xn--a.example/"),
        ("shortener", "https://bit.ly/abc"),
        ("shortener", "https://t.cn/abc"),
        ("insecure", "http://shop.example/"),
        ("parameter_link", "{{link}}"),
        ("parameter_link", "{{ link }}?from=mail"),
        ("parameter_link", "https://{{host}}/x"),
        ("odd_scheme", "data:text/html;base64,xx"),
        ("odd_scheme", "java\tscript:alert(1)"),
        ("odd_scheme", "file:///etc/passwd"),
    ],
)
def test_a_suspicious_address(key: str, address: str):
    assert list(found(f'{LONG}<a href="{address}">here</a>')) == [key]


def test_names_in_one_script_are_no_lookalikes():
    for host in ("xn--fsqu00a.xn--55qw42g", "münchen.example", "shop-一二三.example", "shop.example"):
        assert not is_lookalike(target_of(f"https://{host}/").host)


def test_a_picture_that_is_loaded_without_https():
    assert found(f'{LONG}<img src="http://shop.example/a.png">') == {
        "insecure": ["http://shop.example/a.png"]
    }


@pytest.mark.parametrize(
    "markup",
    [
        '<span style="display:none">casinos</span>',
        '<p style="font-size:0">xyz</p>',
        '<p style="font-size: 1px"><b>xyz</b></p>',
        '<p style="font: 1px/1 Arial">xyz</p>',
        '<p style="color:#fff">xyz</p>',
        '<p style="color:#fefefe;background:#fff">xyz</p>',
        '<div bgcolor="#112233"><font color="#112233">xyz</font></div>',
        '<div style="background-color:rgb(20,20,20)"><p style="color:#141414">xyz</p></div>',
        '<p style="visibility:hidden">xyz</p>',
        '<p style="opacity:0">xyz</p>',
        '<div style="max-height:0;overflow:hidden">xyz</div>',
        '<p style="text-indent:-9999px">xyz</p>',
    ],
)
def test_text_that_nobody_sees(markup: str):
    assert len(found(LONG + markup)["hidden_text"]) == 1


@pytest.mark.parametrize(
    "markup",
    [
        '<div style="font-size:0"><p style="font-size:14px">xyz</p></div>',
        '<div style="background:#000"><p style="color:#fff">xyz</p></div>',
        '<div style="background:url(https://x.example/a.png)"><p style="color:#fff">xyz</p></div>',
        '<div background="https://x.example/a.png"><p style="color:#fff">xyz</p></div>',
        '<div style="visibility:hidden"><p style="visibility:visible">xyz</p></div>',
        '<span style="display:none">&zwnj;&nbsp;&#847;</span>',
        '<p style="font-size:0.9em">xyz</p>',
        '<p style="font-size:large;color:rgba(255,255,255,.2)">xyz</p>',
        '<p style="color:nonsense;font-size:huge">xyz</p>',
    ],
)
def test_text_that_is_seen_after_all(markup: str):
    assert "hidden_text" not in found(LONG + markup)


def test_one_short_preview_line_at_the_top_is_usual_and_read_as_text():
    line = '<div style="display:none">Your order is on its way.</div>'

    assert found(line + LONG) == {}
    assert "hidden_text" in found(line + line + LONG)
    assert "hidden_text" in found(LONG + line)
    assert "hidden_text" in found(line.replace("Your", "Your long " * 20) + LONG)
    assert "spam_words" in found(line.replace("order", "prize") + LONG)


def test_words_of_spam_in_both_languages_are_named_with_their_place():
    subject = Subject("恭喜中奖", read_html(f"{LONG}<p>免 费 领 取! Act now, act NOW. Cure.</p>"), True)

    marks = {mark.found: mark.where for each in suspicions_about(subject) for mark in each.marks}

    assert [where for text, where in marks.items() if "中奖" in text] != [
        where for text, where in marks.items() if "act now" in text
    ]
    assert any("免费领取" in text for text in marks)
    assert any("act now" in text and "2" in text for text in marks)


def test_parts_of_longer_english_words_are_no_spam():
    assert found(f"{LONG}<p>Secure pictures; obscure furniture; betterment.</p>") == {}


def test_invisible_characters_inside_words_are_shown():
    assert found(f"{LONG}<p>pass\u200bword and 密\u200b码</p>")["split_words"] == ["pass|word", "密|码"]


def test_shouting():
    assert "shouting" in found(LONG, title="READ THIS NOW")
    assert "shouting" in found(f"{LONG}<p>Great!!!</p>")
    assert "shouting" in found(f"{LONG}<p>太好了！！</p>")
    assert "shouting" in found("<p>" + "READ THIS VERY LOUD MAIL NOW " * 9 + "</p>")
    assert "shouting" not in found(f"{LONG}<p>Thank you! Your HTML and IBAN. {{{{NAME}}}}</p>")


def test_many_pictures_and_little_text():
    picture = '<a href="https://shop.example/"><img src="https://shop.example/a.png" alt="Sale"></a>'

    assert "pictures" in found(picture * 3)
    assert "pictures" not in found(picture + LONG)
    assert "pictures" not in found(picture + "<p>" + "您的订单已经发货，请注意查收。" * 6 + "</p>")


def test_advertising_needs_a_way_out():
    assert found(LONG, title="双十一优惠", can_unsubscribe=False)["no_unsubscribe"]
    assert found(f"{LONG}<p>20% off, free shipping</p>", can_unsubscribe=False)["no_unsubscribe"]
    assert found(LONG, title="双十一优惠") == {}
    assert found(LONG, can_unsubscribe=False) == {}


def test_plain_text_is_read_too():
    reading = read_text("See http://203.0.113.7/x，or www.shop.example. data:text/html,x")

    assert [link.address for link in reading.links][:1] == ["http://203.0.113.7/x"]
    keys = [each.key for each in suspicions_about(Subject("T", reading, True))]
    assert keys == ["ip_address", "odd_scheme", "insecure"]


def test_a_check_shows_the_first_marks_and_counts_the_rest():
    links = "".join(f'<a href="http://shop{number}.example/">x</a>' for number in range(20))

    (suspicion,) = suspicions_about(Subject("T", read_html(LONG + links), True))

    assert (len(suspicion.marks), suspicion.more) == (8, 12)


def test_every_check_says_why():
    assert all(str(check.title) and str(check.why) for check in CHECKS)
    assert len({check.key for check in CHECKS}) == len(CHECKS)


def test_what_is_no_address_is_taken_for_none():
    for address in ("", "#top", "https://", "https://[::1", "mailto:a@b.example", "://x", "https://%%%"):
        target_of(address)
    assert target_of("https://[::1").host == ""
    assert host_shown_in("") == host_shown_in("v1.2.3") == host_shown_in("node.js") == ""
    assert not is_ip_address("shop.example")


def test_a_large_body_is_read_quickly():
    body = '<div style="color:#fff"><a href="http://x.example">中 奖 act now</a>' * 150 + "<p>x " * 60_000
    started = time.perf_counter()

    assert found(body)
    assert found("<p>" + "优" * 80_000 + "\u200b惠</p>")
    assert found("<p>" + "!" * 200_000 + "</p>")
    assert not found(f'<a href="https://x.example/">{"a." * 50_000}</a>')

    assert time.perf_counter() - started < 10


def test_words_of_a_link_that_are_made_to_be_slow_take_no_reviewers_minute():
    started = time.monotonic()

    assert host_shown_in("www.1" * 50_000) == ""

    assert time.monotonic() - started < 5
