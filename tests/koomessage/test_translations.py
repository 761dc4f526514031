"""English msgids, Simplified Chinese complete."""

from pathlib import Path

import polib
import pytest
from django.core.management import CommandError, call_command

from koomessage.console import catalogue


def test_every_text_is_translated_and_none_is_fuzzy():
    assert catalogue.problems() == []


def test_an_untranslated_a_fuzzy_and_a_broken_text_are_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "django.po"
    monkeypatch.setattr(catalogue, "CATALOGUE", path)
    monkeypatch.setattr(
        catalogue,
        "texts",
        lambda: {(None, "One"): None, (None, "Two"): None, (None, "%(n)s x"): None, (None, "New"): None},
    )
    made = polib.POFile()
    made.append(polib.POEntry(msgid="One", msgstr=""))
    made.append(polib.POEntry(msgid="Two", msgstr="二", flags=["fuzzy"]))
    made.append(polib.POEntry(msgid="%(n)s x", msgstr="少了"))
    made.append(polib.POEntry(msgid="Old", msgstr="旧"))
    made.save(str(path))

    found = "\n".join(catalogue.problems())

    for part in (
        "not translated: 'One'",
        "fuzzy: 'Two'",
        "placeholders differ",
        "not in the catalogue: 'New'",
        "no longer in the source: 'Old'",
    ):
        assert part in found
    with pytest.raises(CommandError):
        call_command("translations", "--check")


def test_templates_and_code_are_both_read():
    found = catalogue.texts()

    assert (None, "Skip to the content") in found
    assert (None, "Sending domains") in found


def test_the_catalogue_compiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    copy = tmp_path / "django.po"
    copy.write_bytes(catalogue.CATALOGUE.read_bytes())
    monkeypatch.setattr(catalogue, "CATALOGUE", copy)

    call_command("translations", "--compile")

    assert copy.with_suffix(".mo").stat().st_size > 100
