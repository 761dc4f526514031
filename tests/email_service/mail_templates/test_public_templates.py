"""The built-in templates: every kind in both languages, parameters with samples, and words a company would send."""

import email
import email.policy
import re
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from django.utils import translation
from lxml import html

from email_service.delivery.compose import Parts, PersonalLinks, Recipient, compile_mail
from email_service.mail_templates.catalogue import FOLDER, BuiltIn, built_in
from email_service.mail_templates.parameters import fill
from email_service.mail_templates.rendering import link_parameters, parts_of, preview, tidy_body
from email_service.mail_templates.samples import SAMPLES, sample_values
from email_service.mail_templates.text_part import text_from
from tests.email_service.mail_templates.mails import (
    FILES,
    TEMPLATES,
    is_hidden,
    kind_of,
    language_of,
    looks_of,
    style_of,
    texts_of,
)  # fmt: skip

TRANSACTIONAL = {
    "invoice", "order-confirmation", "password-reset", "service-notice", "shipping-notice", "verification-code",
    "welcome",
}  # fmt: skip
MARKETING = {"event-invitation", "holiday-greeting", "newsletter", "promotion", "survey"}
LANGUAGES = {"zh": "zh-hans", "en": "en"}
CLIPPED_BY_GMAIL = 102 * 1024
# Filters count against such words, and China's advertising law forbids superlatives.
SHOUTED = re.compile(
    r"(?i:\bfree\b|100 ?%|act now|click here|buy now|limited time|risk[- ]free|guarantee|winner|urgent!|cash bonus)|"
    r"!!|！！|[A-Z]{4,} [A-Z]{4,}|免费|点击这里|点击此处|抢购|秒杀|疯抢|中奖|最低|最佳|最好|最优|第一|顶级|绝对|稳赚"
)
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(params=FILES)
def built(request: pytest.FixtureRequest) -> BuiltIn:
    return TEMPLATES[request.param]


def test_every_kind_is_there_in_both_languages():
    expected = {f"{kind}.{language}.html" for kind in TRANSACTIONAL | MARKETING for language in LANGUAGES}

    assert set(FILES) == expected
    assert {path.name for path in FOLDER.glob("*.html")} == expected


def test_codes_are_unique_and_those_that_were_shipped_stay():
    codes = {entry.code: entry.file for entry in built_in()}

    assert len(codes) == len(FILES)
    assert all(re.fullmatch(r"M00000\d{3}", code) for code in codes)
    # A different code would leave the old row behind in every installation.
    assert [codes[f"M{number:08}"] for number in (101, 104, 107, 112, 201, 206, 212)] == [
        "welcome.zh.html", "shipping-notice.zh.html", "password-reset.zh.html", "holiday-greeting.zh.html",
        "welcome.en.html", "service-notice.en.html", "holiday-greeting.en.html",
    ]  # fmt: skip


def test_the_mail_is_in_the_language_of_its_file(built: BuiltIn):
    root = html.fragment_fromstring(built.body)
    is_chinese = language_of(built) == "zh"

    assert root.get("lang") == ("zh-CN" if is_chinese else "en")
    assert bool(CHINESE.search(built.body)) == bool(CHINESE.search(built.title)) == is_chinese
    for element, text in texts_of(built.body):
        fonts = looks_of(element, "font-family")
        assert "Menlo" in fonts or fonts.startswith('"PingFang SC"' if is_chinese else '"Segoe UI"'), text
        assert "Microsoft YaHei" in fonts or "Menlo" in fonts


def test_marketing_can_be_unsubscribed_from_and_nothing_else(built: BuiltIn):
    assert built.can_unsubscribe == (kind_of(built) in MARKETING)
    if kind_of(built) in MARKETING:
        assert "{{company_address}}" in built.body, "marketing mail says where its sender is"


def test_the_preheader_says_something_of_its_own_and_stays_hidden(built: BuiltIn):
    root = html.fragment_fromstring(built.body)
    preheader = root[0]
    words = preheader.text_content()

    assert is_hidden(preheader)
    assert style_of(preheader)["mso-hide"] == "all"
    shown = fill(words, {name: str(value) for name, value in SAMPLES.items()})
    assert (15 if language_of(built) == "zh" else 40) <= len(shown) <= 110
    assert words not in text_from(built.body)


def test_parameters_are_few_and_have_names_that_explain_themselves(built: BuiltIn):
    names = tidy_body(body_type="rich", body=built.body).parameters

    assert 5 <= len(names) <= 15
    assert {"company_name", "user_name"} <= set(names)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*(_\d)?|quantity|discount|reward", name) for name in names)
    assert {name for name in names if "_url" in name} == set(link_parameters(built.body))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_parameter_has_a_sample_in_the_language_of_the_mail(language: str):
    with translation.override(LANGUAGES[language]):
        for file in FILES:
            names = tidy_body(body_type="rich", body=TEMPLATES[file].body).parameters
            for name, value in sample_values(names).items():
                assert name in SAMPLES, name
                assert value and "[" not in value
                is_address = value.startswith("https://")
                assert is_address == ("_url" in name)
                # A run of English words is a text that somebody forgot to translate.
                is_english = re.search(r"[a-z]{2,} [a-z]{2,}", value) is not None
                assert language == "en" or not is_english, (name, value)
                assert language == "zh" or not CHINESE.search(value), (name, value)


def test_samples_are_used_and_sums_add_up():
    used = {
        name
        for entry in TEMPLATES.values()
        for name in tidy_body(body_type="rich", body=entry.body).parameters
    }
    assert used == set(SAMPLES)

    for language in LANGUAGES.values():
        with translation.override(language):
            money = {name: float(re.sub(r"[^\d.]", "", value)) for name, value in sample_values(
                ["product_amount", "shipping_fee", "discount_amount", "total_amount", "net_amount", "tax_amount"]
            ).items()}  # fmt: skip
        order = money["product_amount"] + money["shipping_fee"] - money["discount_amount"]
        assert order == pytest.approx(money["total_amount"])
        assert money["net_amount"] + money["tax_amount"] == pytest.approx(money["total_amount"])


def test_a_preview_reads_like_a_mail(built: BuiltIn):
    draft = tidy_body(body_type="rich", body=built.body, can_unsubscribe=built.can_unsubscribe)

    page, text = preview(draft), preview(draft, as_text=True)

    for shown in (page, text):
        assert "{{" not in shown
        assert ("示例科技" if language_of(built) == "zh" else "Example Ltd") in shown
        words = {"zh": "退订", "en": "Unsubscribe"}[language_of(built)]
        assert (words in shown) == built.can_unsubscribe


def test_the_text_part_holds_every_word_and_link(built: BuiltIn):
    text = text_from(built.body)
    flat = " ".join(text.split())

    for _element, words in texts_of(built.body):
        assert words in flat, words
    for link in html.fragment_fromstring(built.body).iter("a"):
        words, address = link.text_content(), link.get("href")
        assert (address if words == address else f"{words} ({address})") in flat
    lines = text.splitlines()
    assert all(line == line.strip() for line in lines)
    assert all(one or other for one, other in pairwise(lines)), "never two blank lines"


def test_the_mail_that_leaves_is_whole_and_not_clipped(built: BuiltIn):
    # Copies may turn unsubscribing on, so that even those without must have room for it.
    draft = tidy_body(body_type="rich", body=built.body, can_unsubscribe=True)
    text, page = parts_of(draft)
    with translation.override(LANGUAGES[language_of(built)]):
        values = sample_values(draft.parameters)
    mail = compile_mail(
        Parts(subject=built.title, text=text, html=page, from_address="news@example.com"),
        parameters=draft.parameters,
    )

    content = mail.render(
        Recipient(
            1,
            "reader@example.com",
            datetime(2026, 1, 1, tzinfo=UTC),
            tuple(values[name] for name in draft.parameters),
            PersonalLinks("https://example.com/u/1"),
        )
    )

    message = email.message_from_bytes(content, policy=email.policy.default)
    rich = message.get_body(("html",)).get_content()
    plain = message.get_body(("plain",)).get_content()
    assert len(rich.encode()) < CLIPPED_BY_GMAIL // 4
    for part in (rich, plain):
        assert "{{" not in part
        assert "https://example.com/u/1" in part
        assert all(values[name] in part or "'" in values[name] for name in draft.parameters if name in text)


def test_nobody_is_shouted_at(built: BuiltIn):
    spoken = built.title + text_from(built.body) + html.fragment_fromstring(built.body)[0].text_content()

    found = SHOUTED.search(spoken)

    assert found is None, found
    assert spoken.count("!") + spoken.count("！") <= 2


def test_a_chinese_name_stands_in_its_sentence_without_blanks():
    for file in FILES:
        if file.endswith(".zh.html"):
            text = " ".join(words for _element, words in texts_of(TEMPLATES[file].body))
            assert not re.search(
                r"[\u4e00-\u9fff] \{\{(?:company|user|carrier)_name\}\}[\u4e00-\u9fff]", text
            ), file
            assert not re.search(r"[\u4e00-\u9fff][,;:?!]", text), "Chinese takes its own punctuation"
