"""Files that say they are recipient files and mean harm, and some that do not.

As a program it judges one under limits of time and memory, as the console's process would, and says what that took.
"""

import io
import json
import resource
import struct
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

from koomessage.common import spreadsheet_head, spreadsheets

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
PARTS = {
    "[Content_Types].xml": (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" '
        'ContentType="application/xml"/><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{RELATIONS}"><Relationship Id="rId1" Type="{OFFICE}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'<workbook {MAIN} xmlns:r="{OFFICE}"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{RELATIONS}"><Relationship Id="rId1" Type="{OFFICE}/worksheet" '
        'Target="worksheets/sheet1.xml"/></Relationships>'
    ),
    "xl/worksheets/sheet1.xml": (
        f'<worksheet {MAIN}><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>email</t></is></c></row>'
        '<row r="2"><c r="A2" t="inlineStr"><is><t>a@qq.com</t></is></c></row></sheetData></worksheet>'
    ),
}  # fmt: skip
SHEET = "xl/worksheets/sheet1.xml"
LAUGHS = '<!DOCTYPE l [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {chr(98 + step)} "{f"&{chr(97 + step)};" * 10}">' for step in range(9)
) + "]>"  # fmt: skip


def workbook(**changed: str | bytes) -> bytes:
    """A small workbook with parts put in or replaced; `__` stands for a slash, `_dot_` for a dot."""
    target = io.BytesIO()
    parts: dict[str, str | bytes] = {**PARTS}
    parts |= {name.replace("__", "/").replace("_dot_", "."): content for name, content in changed.items()}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return target.getvalue()


def _with_sheet(before: str, cell: str = "a@qq.com") -> bytes:
    return workbook(**{SHEET: before + PARTS[SHEET].replace("a@qq.com", cell)})


def _relation(kind: str, target: str) -> bytes:
    name = "xl/worksheets/_rels/sheet1.xml.rels"
    return workbook(**{
        name: f'<Relationships xmlns="{RELATIONS}"><Relationship Id="rId1" Type="{OFFICE}/{kind}" '
        f'Target="{target}" TargetMode="External"/></Relationships>'
    })  # fmt: skip


def _zeros(megabytes: int, *, entry: str = "xl/sharedStrings.xml") -> bytes:
    target = io.BytesIO(workbook())
    with zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open(entry, "w", force_zip64=True) as part:
            for _ in range(megabytes):
                part.write(b" " * 2**20)
    return target.getvalue()


def _lying(megabytes: int) -> bytes:
    """A bomb whose directory says that its part holds a thousand bytes."""
    content = bytearray(_zeros(megabytes))
    place = content.rindex(b"PK\x01\x02")
    # Sizes inflated: in the directory's last entry, and where zip64's own are read first.
    struct.pack_into("<L", content, place + 24, 1000)
    return bytes(content)


def _many() -> bytes:
    return workbook(**{f"xl/extra{number}.xml": "<x/>" for number in range(200)})


HOSTILE: dict[str, Callable[[], bytes]] = {
    "bomb of shared strings, 1.5 GB": lambda: _zeros(1500),
    "bomb under 800 MB by its ratio": lambda: _zeros(60),
    "bomb with a directory that lies": lambda: _lying(900),
    "more than two hundred parts": _many,
    "billion laughs": lambda: _with_sheet(LAUGHS, "&j;"),
    "entity from a file": lambda: _with_sheet('<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "&x;"),
    "entity from the network": lambda: _with_sheet('<!DOCTYPE s [<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]>', "&x;"),
    "document type alone": lambda: _with_sheet('<!DOCTYPE s SYSTEM "http://127.0.0.1:9/s.dtd">'),
    "document type in UTF-16": lambda: workbook(
        **{SHEET: ('<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE s []>' + PARTS[SHEET]).encode("utf-16")}
    ),
    "link to another workbook": lambda: workbook(**{"xl/externalLinks/externalLink1.xml": "<externalLink/>"}),
    "template from the network": lambda: _relation("attachedTemplate", "http://127.0.0.1:9/t.dotm"),
    "picture from the network": lambda: _relation("image", "http://127.0.0.1:9/i.png"),
    "csv": lambda: b"email\na@qq.com\n",
    "html": lambda: b"<html><table><tr><td>email</td></tr></table></html>",
    "old xls": lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4096),
    "png": lambda: b"\x89PNG\r\n\x1a\n" + bytes(4096),
    "png and workbook in one": lambda: b"\x89PNG\r\n\x1a\n" + bytes(64) + workbook(),
    "document with macros": lambda: _other("word/document.xml"),
    "binary workbook": lambda: _other("xl/workbook.bin"),
    "cut off": lambda: workbook()[:-200],
    "a sheet that is not there": lambda: workbook(**{"xl/_rels/workbook.xml.rels": "<Relationships/>"}),
    "no XML at all": lambda: workbook(**{SHEET: b"\x00\x01\x02"}),
}  # fmt: skip
HONEST: dict[str, Callable[[], bytes]] = {
    "small": workbook,
    "with a link that a reader may click": lambda: _relation("hyperlink", "https://shop.example/"),
}


def _other(part: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(part, b"x")
    return target.getvalue()


def judge(content: bytes) -> bool:
    """Judge as the form does, then as the reader does; say whether it was refused."""
    file = io.BytesIO(content)
    try:
        spreadsheet_head.first_rows(spreadsheets.check_directory(file))
        spreadsheets.check_content(file)
        list(spreadsheets.rows(file))
    except spreadsheets.BadSpreadsheet:
        return True
    return False


def main(path: str) -> None:
    content = Path(path).read_bytes()
    before = resource.getrusage(resource.RUSAGE_SELF)
    refused = judge(content)
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    status = Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]
    sys.stdout.write(json.dumps({"refused": refused, "cpu": cpu, "peak_mb": int(status) / 1024}))


if __name__ == "__main__":
    main(sys.argv[1])
