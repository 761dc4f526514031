"""The built-in templates: one HTML file each, named in catalogue.json."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).with_name("public")


@dataclass(frozen=True, slots=True)
class BuiltIn:
    code: str  # fixed for good, so that loading again finds the row
    title: str
    file: str  # kind.language.html
    body: str
    can_unsubscribe: bool


def built_in() -> Iterator[BuiltIn]:
    """Yield what `manage.py load_public_templates` stores."""
    for entry in json.loads((FOLDER / "catalogue.json").read_text(encoding="utf-8")):
        body = (FOLDER / entry["file"]).read_text(encoding="utf-8")
        yield BuiltIn(entry["code"], entry["title"], entry["file"], body, entry["can_unsubscribe"])
