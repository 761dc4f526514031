"""A recipient file as a spreadsheet program would write it: shared strings, one mail address a row."""

import random
import zipfile
from collections.abc import Iterator
from pathlib import Path

HEADER = ("email", "name", "order", "city", "coupon", "due")
NAMES = ("王伟", "李娜", "张敏", "刘洋", "陈静", "杨磊", "赵婷", "黄强", "周杰", "吴芳")
CITIES = ("上海", "北京", "深圳", "杭州", "成都", "广州", "武汉", "西安", "Hong Kong", "Singapore")
HOSTS = ("qq.com", "163.com", "gmail.com", "outlook.com", "126.com", "shop.example", "mail.example.cn")
_PARTS = {
    "[Content_Types].xml": (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        '<Override PartName="/xl/workbook.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
        '<Override PartName="/xl/worksheets/sheet1.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
        '<Override PartName="/xl/sharedStrings.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/></Types>'
    ),
    "_rels/.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
        'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
        '<sheets><sheet name="Recipients" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" '
        'Target="worksheets/sheet1.xml"/><Relationship Id="rId2" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" '
        'Target="sharedStrings.xml"/></Relationships>'
    ),
}  # fmt: skip
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def build(path: Path, rows: int, *, columns: int = 6) -> tuple[dict[str, int], str]:
    """Write so many rows below the header; return how many of them are good, and what the others are, and the
    address of the last one, which stands there once."""
    chance = random.Random(20)
    strings: dict[str, int] = {}
    counts, last = {"good": 0, "bad": 0, "duplicate": 0}, ""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, content in _PARTS.items():
            archive.writestr(name, content)
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write(f"<worksheet {_MAIN}><sheetData>".encode())
            buffer = [_row(1, HEADER[:columns], strings)]
            for number, cells in enumerate(_rows(rows, chance, counts), start=2):
                buffer.append(_row(number, cells[:columns], strings))
                last = str(cells[0])
                if len(buffer) >= 5000:
                    sheet.write("".join(buffer).encode())
                    buffer.clear()
            buffer.append("</sheetData></worksheet>")
            sheet.write("".join(buffer).encode())
        with archive.open("xl/sharedStrings.xml", "w", force_zip64=True) as table:
            table.write(f"<sst {_MAIN}>".encode())
            table.write("".join(f"<si><t>{text}</t></si>" for text in strings).encode())
            table.write(b"</sst>")
    return counts, last


def _rows(rows: int, chance: random.Random, counts: dict[str, int]) -> Iterator[tuple[str | int, ...]]:
    seen: list[str] = []
    for number in range(rows):
        kind = "bad" if number % 200 == 150 else "duplicate" if number % 100 == 99 else "good"
        kind = "good" if number == rows - 1 else kind
        counts[kind] += 1
        address = f"{chance.choice(('wei', 'na', 'Li.Ming', 'office'))}.{number:07x}@{chance.choice(HOSTS)}"
        if kind == "bad":
            address = address.replace("@", " at ")
        elif kind == "duplicate":
            address = chance.choice(seen).upper()
        elif len(seen) < 1000:
            seen.append(address)
        else:
            seen[chance.randrange(1000)] = address
        order = chance.randrange(10**9, 10**10)
        coupon = f"{chance.getrandbits(256):064X}"
        due = f"2026-{1 + number % 12:02}-{1 + number % 28:02}"
        yield address, chance.choice(NAMES), order, chance.choice(CITIES), coupon, due


def _row(number: int, cells: tuple[str | int, ...], strings: dict[str, int]) -> str:
    text = "".join(
        f'<c r="{letter}{number}"><v>{cell}</v></c>'
        if isinstance(cell, int)
        else f'<c r="{letter}{number}" t="s"><v>{strings.setdefault(cell, len(strings))}</v></c>'
        for letter, cell in zip("ABCDEF", cells, strict=False)
    )
    return f'<row r="{number}">{text}</row>'
