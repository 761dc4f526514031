"""The catalogue of translations: which texts the source holds, and what each is in Simplified Chinese."""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polib
from django.conf import settings
from django.utils.translation.template import templatize

CATALOGUE = settings.BASE_DIR / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
FOLDERS = ("koomessage", "iam", "billing", "email_service", "templates")
KEYWORDS: dict[str, Any] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
}
HEADER = {
    "Content-Type": "text/plain; charset=UTF-8",
    "Content-Transfer-Encoding": "8bit",
    "Language": "zh_Hans",
    "MIME-Version": "1.0",
    "Plural-Forms": "nplurals=1; plural=0;",
}
Key = tuple[str | None, str]


def texts() -> dict[Key, str | None]:
    """Return every (context, msgid) of the source, with its plural where it has one."""
    found: dict[Key, str | None] = {}
    for path in sorted(_sources()):
        for message, context in _extract(path):
            singular, plural = message if isinstance(message, tuple) else (message, None)
            if singular:
                key = (context, singular)
                found[key] = plural or found.get(key)
    return found


def _sources() -> Iterator[Path]:
    for folder in FOLDERS:
        for suffix in ("*.py", "*.html", "*.txt"):
            for path in (settings.BASE_DIR / folder).rglob(suffix):
                if "migrations" not in path.parts:
                    yield path


def _extract(path: Path) -> Iterator[tuple[str | tuple[str, str], str | None]]:
    # Babel is a tool of developers: installations compile the catalogue without it.
    from babel.messages.extract import extract  # noqa: PLC0415

    source = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        if "{%" not in source:
            return
        source = templatize(source, origin=str(path))
        # Templates hold their texts one under the other, which Python's grammar would not allow.
        source = "\n".join(re.findall(r"(?:p|n)?gettext\(.*?\)(?= |$)", source, re.MULTILINE | re.DOTALL))
    options = {"encoding": "utf-8"}
    stream = io.BytesIO(source.encode())
    for _line, message, _comments, context in extract("python", stream, keywords=KEYWORDS, options=options):
        yield (tuple(message[:2]) if isinstance(message, tuple) else message), context  # type: ignore[misc]


def read() -> polib.POFile:
    if CATALOGUE.is_file():
        return polib.pofile(str(CATALOGUE), wrapwidth=110)
    return polib.POFile(wrapwidth=110)


def update(translations: list[dict[str, Any]]) -> None:
    """Write the catalogue anew: all texts of the source, sorted, with the translations known or given."""
    known = {(entry.msgctxt, entry.msgid): entry for entry in read()}
    given = {msgid: text for source in translations for msgid, text in source.items()}
    catalogue = polib.POFile(wrapwidth=110)
    catalogue.metadata = HEADER
    for (context, msgid), plural in sorted(texts().items(), key=lambda item: (item[0][1], item[0][0] or "")):
        entry = polib.POEntry(msgctxt=context, msgid=msgid)
        old = known.get((context, msgid))
        text = given.get(f"{context}|{msgid}" if context else msgid)
        text = text[0] if isinstance(text, list) else text
        if text is None and old is not None:
            text = old.msgstr_plural.get(0, "") or old.msgstr
        if plural:
            entry.msgid_plural, entry.msgstr_plural = plural, {0: text or ""}
        else:
            entry.msgstr = text or ""
        if "%(" in msgid or "%s" in msgid:
            entry.flags.append("python-format")
        catalogue.append(entry)
    CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
    catalogue.save(str(CATALOGUE))


def problems() -> list[str]:
    """Return a line for each text that is missing, untranslated, fuzzy or loses a placeholder."""
    entries = {(entry.msgctxt, entry.msgid): entry for entry in read()}
    wanted = texts()
    found = [
        f"not in the catalogue: {msgid!r}" for context, msgid in wanted if (context, msgid) not in entries
    ]
    found += [
        f"no longer in the source: {msgid!r}" for context, msgid in entries if (context, msgid) not in wanted
    ]
    for entry in entries.values():
        text = entry.msgstr_plural.get(0, "") or entry.msgstr
        if not text:
            found.append(f"not translated: {entry.msgid!r}")
        elif "fuzzy" in entry.flags:
            found.append(f"fuzzy: {entry.msgid!r}")
        elif not _names(text) <= _names(entry.msgid) | _names(entry.msgid_plural) or (
            not entry.msgid_plural and _names(text) != _names(entry.msgid)
        ):
            found.append(f"placeholders differ: {entry.msgid!r} -> {text!r}")
    return found


def _names(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)[sd]|\{\w*\}", text or ""))


def compile_catalogue() -> None:
    """Make the .mo file; needs nothing but the catalogue."""
    read().save_as_mofile(str(CATALOGUE.with_suffix(".mo")))
