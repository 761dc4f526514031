"""The first rows of an xlsx file, read without loading it: quick enough for a form."""

import zipfile
from xml.parsers import expat

from koomessage.common.spreadsheets import DAMAGED, FOREIGN_PARTS, UNREADABLE, BadSpreadsheet

CHUNK = 2**16
# Strings of the first rows stand first in every file a spreadsheet program wrote.
MOST_READ = 32 * 2**20


class _Enough(Exception):
    """All that was wanted has been read."""


class _Reader:
    """Feeds one part of the archive to expat; subclasses collect, and raise _Enough when they have it all."""

    def __init__(self) -> None:
        self.text = ""

    def open(self, name: str, attributes: dict[str, str]) -> None: ...

    def close(self, name: str) -> None: ...

    def read(self, archive: zipfile.ZipFile, name: str) -> None:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler = lambda tag, attributes: self.open(tag.rpartition(" ")[2], attributes)
        parser.EndElementHandler = lambda tag: self.close(tag.rpartition(" ")[2])
        parser.CharacterDataHandler = self._add
        try:
            with archive.open(name) as part:
                for _ in range(MOST_READ // CHUNK):
                    chunk = part.read(CHUNK)
                    parser.Parse(chunk, not chunk)
                    if not chunk:
                        return
        except _Enough:
            return
        except (expat.ExpatError, KeyError, *UNREADABLE) as error:
            raise BadSpreadsheet(DAMAGED) from error

    def _refuse(self, *args: object) -> None:
        raise BadSpreadsheet(FOREIGN_PARTS)

    def _add(self, text: str) -> None:
        self.text += text


class _Attributes(_Reader):
    """The attributes of all elements of one name."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.found: list[dict[str, str]] = []

    def open(self, name: str, attributes: dict[str, str]) -> None:
        if name == self.name:
            self.found.append({key.rpartition(" ")[2]: value for key, value in attributes.items()})


class _Rows(_Reader):
    """The first rows that hold anything; a shared string stands as its number."""

    def __init__(self, wanted: int) -> None:
        super().__init__()
        self.wanted = wanted
        self.rows: list[dict[int, str | int]] = []
        self._row: dict[int, str | int] = {}
        self._kind = ""
        self._column = -1

    def open(self, name: str, attributes: dict[str, str]) -> None:
        if name == "row":
            self._row = {}
            self._column = -1
        elif name == "c":
            self._kind = attributes.get("t", "")
            self._column = _column_of(attributes.get("r", "")) if attributes.get("r") else self._column + 1
        elif name in ("v", "t"):
            self.text = ""

    def close(self, name: str) -> None:
        if name == "v" and self._kind == "s":
            self._row[self._column] = int(self.text) if self.text.strip().isdigit() else ""
        elif name == "v" or (name == "t" and self._kind == "inlineStr"):
            self._row[self._column] = f"{self._row.get(self._column, '')}{self.text}"
        elif name == "row" and any(value != "" for value in self._row.values()):
            self.rows.append(self._row)
            if len(self.rows) >= self.wanted:
                raise _Enough
        if name in ("v", "t"):
            self.text = ""


class _Strings(_Reader):
    """The shared strings with these numbers."""

    def __init__(self, numbers: set[int]) -> None:
        super().__init__()
        self.numbers = numbers
        self.found: dict[int, str] = {}
        self._number = -1
        self._phonetic = False

    def open(self, name: str, attributes: dict[str, str]) -> None:
        if name == "si":
            self._number += 1
            if self._number > max(self.numbers):
                raise _Enough
        elif name == "t":
            self.text = ""
        elif name == "rPh":
            self._phonetic = True

    def close(self, name: str) -> None:
        if name == "t" and self._number in self.numbers and not self._phonetic:
            self.found[self._number] = self.found.get(self._number, "") + self.text
        elif name == "rPh":
            self._phonetic = False
        self.text = ""


def first_rows(archive: zipfile.ZipFile, wanted: int = 2) -> list[list[str]]:
    """Return the first sheet's first rows that hold anything, each cell as text."""
    reader = _Rows(wanted)
    reader.read(archive, _first_sheet(archive))
    numbers = {value for row in reader.rows for value in row.values() if isinstance(value, int)}
    strings = _Strings(numbers)
    if numbers:
        strings.read(archive, "xl/sharedStrings.xml")
    found = []
    for row in reader.rows:
        cells = [row.get(column, "") for column in range(max(row) + 1)]
        found.append(
            [(strings.found.get(cell, "") if isinstance(cell, int) else cell).strip() for cell in cells]
        )
    return found


def _first_sheet(archive: zipfile.ZipFile) -> str:
    sheets = _Attributes("sheet")
    sheets.read(archive, "xl/workbook.xml")
    links = _Attributes("Relationship")
    links.read(archive, "xl/_rels/workbook.xml.rels")
    targets = {link.get("Id"): link.get("Target", "") for link in links.found}
    target = targets.get(sheets.found[0].get("id"), "") if sheets.found else ""
    if not target:
        raise BadSpreadsheet(DAMAGED)
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _column_of(reference: str) -> int:
    """Return 0 for "A1", 27 for "AB7"; columns beyond what a sheet can have are refused."""
    number = 0
    for letter in reference.rstrip("0123456789"):
        number = number * 26 + ord(letter.upper()) - 64
    if not 0 < number <= 16_384:
        raise BadSpreadsheet(DAMAGED)
    return number - 1
