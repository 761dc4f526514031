"""CSV files: what was written can be read, and nothing in them is calculated."""

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from koomessage.common.csv_files import safe_cell, write_csv

TRIGGERS = "=+-@\t\r\n＝＋－＠"
COVER = " \"'|\u3000\ufeff\u200b"


def written(*rows: list[object], headings: tuple[str, ...] = ("a", "b")) -> bytes:
    file = io.BytesIO()
    write_csv(file, headings, rows)
    return file.getvalue()


def read(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@given(st.text(st.sampled_from(TRIGGERS + COVER + "a1(!,;中"), max_size=9))
@example('=HYPERLINK("http://x","y")')
@example("=cmd|'/C calc'!A0")
@example('"=1+1')
@example("|@SUM(A1)")
@example("\u3000＝1")
def test_no_cell_begins_like_a_formula_and_the_rest_stays_as_it_is(text: str) -> None:
    cell = safe_cell(text)

    assert cell in (text, f"'{text}")
    assert cell[:1] not in TRIGGERS or not cell
    if cell == text:
        assert text.lstrip(COVER)[:1] not in TRIGGERS or not text.lstrip(COVER)


@given(
    st.lists(
        st.lists(
            st.text(st.sampled_from(TRIGGERS + COVER + "a1,;\\中😀"), max_size=9), min_size=2, max_size=2
        ),
        max_size=5,
    )
)
def test_every_row_is_read_back_as_it_was_written(rows: list[list[str]]) -> None:
    found = read(written(*rows))

    assert found == [["a", "b"], *([safe_cell(text) for text in row] for row in rows)]


def test_the_file_has_a_mark_and_lines_as_the_rfc_wants_them() -> None:
    content = written(['say "hi", all', "two\r\nlines"], [7, None], headings=("名称", "-b"))

    assert content == '\ufeff"名称","\'-b"\r\n"say ""hi"", all","two\r\nlines"\r\n"7",""\r\n'.encode()


@pytest.mark.parametrize("value", [-5, 0, 12])
def test_a_number_is_no_formula(value: int) -> None:
    assert safe_cell(value) == str(value)


def test_half_a_character_breaks_nothing() -> None:
    assert read(written(["\ud800x\0", "y"]))[1] == ["?x", "y"]
