"""Automatic checks for reviewers: what in a mail deserves a second look, where, and why. They never decide."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from email_service.mail_templates import link_hosts
from email_service.mail_templates.link_hosts import Target, target_of
from email_service.mail_templates.markup import Link, Reading, visible
from email_service.mail_templates.spam_words import (
    HAN,
    MARKETING,
    SHORTENERS,
    SPAM_WORDS,
    UNSEEN,
    words_in,
)

MARKS_AT_MOST = 8
FEW_WORDS = 120  # a Chinese character counts as two letters
_PARAMETER = re.compile(r"\{\{.*?\}\}")
_MARKS = re.compile(r"(?:[!！][\s]*){2,}|[?？][!！]|[!！][?？]")
_WORD = re.compile(r"[A-Za-z]{4,}")
_USUAL_SCHEMES = frozenset({"http", "https", "mailto", "tel", ""})


@dataclass(frozen=True, slots=True)
class Subject:
    title: str
    reading: Reading
    can_unsubscribe: bool

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """Where words stand, and the words."""
        return ((_("title"), self.title), (_("body"), self.reading.text))


@dataclass(frozen=True, slots=True)
class Mark:
    found: str
    where: str


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What one check found: the first few marks, how many more there are, and why it matters."""

    key: str
    title: str | Promise
    why: str | Promise
    is_grave: bool  # it deceives, rather than only annoys
    marks: tuple[Mark, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Check:
    key: str
    title: str | Promise
    why: str | Promise
    find: Callable[[Subject], Iterator[Mark]]
    is_grave: bool = False


def suspicions_about(subject: Subject) -> list[Suspicion]:
    """Run every check; what deceives stands before what annoys."""
    found = []
    for check in CHECKS:
        marks = tuple(dict.fromkeys(check.find(subject)))
        if marks:
            more = max(0, len(marks) - MARKS_AT_MOST)
            found.append(
                Suspicion(check.key, check.title, check.why, check.is_grave, marks[:MARKS_AT_MOST], more)
            )
    return sorted(found, key=lambda suspicion: not suspicion.is_grave)


def _other_hosts(subject: Subject) -> Iterator[Mark]:
    for link in subject.reading.links:
        target, shown = target_of(link.address), link_hosts.host_shown_in(link.text)
        if target.host and shown and not link_hosts.are_one_site(shown, target.host):
            sentence = _("The words show %(shown)s, the address leads to %(host)s.")
            yield _at(link, sentence % {"shown": shown, "host": target.shown_host})
        elif target.has_login:
            sentence = _("What stands before the @ is no host: %(address)s")
            yield _at(link, sentence % {"address": _short(link.address)})


def _links(test: Callable[[str], bool]) -> Callable[[Subject], Iterator[Mark]]:
    """Make a check of each link's host."""

    def find(subject: Subject) -> Iterator[Mark]:
        for link in subject.reading.links:
            target = target_of(link.address)
            if target.host and test(target.host):
                yield _at(link, target.shown_host)

    return find


def _is_shortener(host: str) -> bool:
    return host.removeprefix("www.") in SHORTENERS


def _insecure(subject: Subject) -> Iterator[Mark]:
    for link in subject.reading.links:
        if target_of(link.address).scheme in ("http", "ftp"):
            yield _at(link, _short(link.address))
    for address in subject.reading.pictures:
        if target_of(address).scheme == "http":
            yield Mark(_short(address), _("a picture"))


def _addresses(test: Callable[[Target], bool]) -> Callable[[Subject], Iterator[Mark]]:
    """Make a check of each link's whole address."""

    def find(subject: Subject) -> Iterator[Mark]:
        for link in subject.reading.links:
            if test(target_of(link.address)):
                yield _at(link, _short(link.address))

    return find


_HOW = {
    "size": gettext_lazy("letters too small to read"),
    "colour": gettext_lazy("the colour of its background"),
    "display": gettext_lazy("switched off by its style"),
}


def _hidden(subject: Subject) -> Iterator[Mark]:
    for hidden in subject.reading.hidden:
        yield Mark(_short(hidden.text), str(_HOW[hidden.how]))


def _split_words(subject: Subject) -> Iterator[Mark]:
    for where, text in subject.places:
        end = 0
        for found in UNSEEN.finditer(text):
            if found.start() >= end:
                before = re.split(r"\s", text[max(0, found.start() - 20) : found.start()])[-1]
                after = re.split(r"\s", text[found.end() :][:20])[0]
                end = found.end() + len(after)
                yield Mark(UNSEEN.sub("|", before + found[0] + after), where)


def _spam_words(subject: Subject) -> Iterator[Mark]:
    once, often = _("“%(word)s” (%(kind)s)"), _("“%(word)s” (%(kind)s), %(times)s times")
    for group in SPAM_WORDS:
        for where, text in subject.places:
            for word, times in words_in(group, text):
                sentence = often if times > 1 else once
                yield Mark(sentence % {"word": word, "kind": group.label, "times": times}, where)


def _shouting(subject: Subject) -> Iterator[Mark]:
    for where, text in subject.places:
        bare = _PARAMETER.sub(" ", text)
        words = _WORD.findall(bare)
        loud = [word for word in words if word.isupper()]
        letters = sum(map(len, loud))
        if (len(loud) >= 4 or (where == subject.places[0][0] and letters >= 8)) and len(loud) * 3 >= len(
            words
        ):
            yield Mark(_short(" ".join(loud)), where)
        for found in _MARKS.finditer(bare):
            yield Mark(_short(bare[max(0, found.start() - 16) : found.end()].strip()), where)


def _pictures(subject: Subject) -> Iterator[Mark]:
    text = visible(subject.reading.text)
    weight = sum(2 if re.match(rf"[{HAN}]", char) else 1 for char in text)
    if subject.reading.pictures and weight < FEW_WORDS:
        pictures = len(subject.reading.pictures)
        sentence = ngettext(
            "%(pictures)s picture, %(letters)s letters of text",
            "%(pictures)s pictures, %(letters)s letters of text",
            pictures,
        )
        yield Mark(sentence % {"pictures": pictures, "letters": len(text)}, _("body"))


def _no_unsubscribe(subject: Subject) -> Iterator[Mark]:
    if subject.can_unsubscribe:
        return
    title = [word for word, _times in words_in(MARKETING, subject.title)]
    words = [
        *title,
        *(word for word, _times in words_in(MARKETING, subject.reading.text) if word not in title),
    ]
    if title or len(words) >= 2:
        yield Mark(", ".join(f"“{word}”" for word in words[:6]), _("title") if title else _("body"))


CHECKS = (
    Check(
        "other_host",
        gettext_lazy("A link shows one site and leads to another"),
        gettext_lazy("This is how phishing works: readers trust the address they see."),
        _other_hosts,
        is_grave=True,
    ),
    Check(
        "lookalike",
        gettext_lazy("A host looks like another one"),
        gettext_lazy("Letters of several alphabets in one name imitate a well-known name."),
        _links(link_hosts.is_lookalike),
        is_grave=True,
    ),
    Check(
        "ip_address",
        gettext_lazy("A link leads to an IP address"),
        gettext_lazy("Honest senders have a domain; an address in numbers hides whose server it is."),
        _links(link_hosts.is_ip_address),
        is_grave=True,
    ),
    Check(
        "odd_scheme",
        gettext_lazy("A link is no web, mail or telephone link"),
        gettext_lazy("Such addresses can carry a page or a program inside themselves."),
        _addresses(lambda target: not target.is_parameter and target.scheme not in _USUAL_SCHEMES),
        is_grave=True,
    ),
    Check(
        "hidden_text",
        gettext_lazy("Text that readers cannot see"),
        gettext_lazy(
            "Hidden words are meant for spam filters. A short preview line at the top is usual and not counted."
        ),
        _hidden,
        is_grave=True,
    ),
    Check(
        "split_words",
        gettext_lazy("Invisible characters inside words"),
        gettext_lazy("They keep filters from recognising the words; | stands where they are."),
        _split_words,
        is_grave=True,
    ),
    Check(
        "shortener",
        gettext_lazy("A shortened link"),
        gettext_lazy("Where it leads cannot be seen, and can change after the approval."),
        _links(_is_shortener),
    ),
    Check(
        "parameter_link",
        gettext_lazy("A parameter decides where a link leads"),
        gettext_lazy("The address comes with each recipient, so nobody has reviewed it."),
        _addresses(lambda target: target.is_parameter),
    ),
    Check(
        "insecure",
        gettext_lazy("Addresses without https"),
        gettext_lazy("What is loaded can be read and changed on its way; mail programs warn about it."),
        _insecure,
    ),
    Check(
        "spam_words",
        gettext_lazy("Words that spam likes"),
        gettext_lazy("One alone means little; many of them, or those of another trade, do."),
        _spam_words,
    ),
    Check(
        "shouting",
        gettext_lazy("Capitals and exclamation marks"),
        gettext_lazy("Filters and readers take shouting for spam."),
        _shouting,
    ),
    Check(
        "pictures",
        gettext_lazy("Many pictures, little text"),
        gettext_lazy("Words inside pictures escape this review, filters and readers who cannot see them."),
        _pictures,
    ),
    Check(
        "no_unsubscribe",
        gettext_lazy("Advertising without unsubscribing"),
        gettext_lazy("Marketing mail must offer a way out; without one, large mailbox providers reject it."),
        _no_unsubscribe,
    ),
)


def _at(link: Link, found: str) -> Mark:
    words = _short(link.text)
    if link.is_picture:
        return Mark(found, _("picture link “%(words)s”") % {"words": words} if words else _("picture link"))
    return Mark(found, _("link “%(words)s”") % {"words": words} if words else _("a link without words"))


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"
