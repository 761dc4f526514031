"""Recipient files as people make them."""

import io
from collections.abc import Sequence
from typing import Any

from openpyxl import Workbook

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def recipient_file(*rows: Sequence[str], name: str = "收件人.xlsx") -> Any:
    """Return the file as a browser's file input takes it."""
    book = Workbook()
    for row in rows:
        book.active.append(list(row))
    written = io.BytesIO()
    book.save(written)
    return {"name": name, "mimeType": XLSX, "buffer": written.getvalue()}
