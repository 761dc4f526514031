"""What a picture of a business licence or another paper may be; judged by what is in the file, never by its name."""

import warnings
from typing import IO

from django.core.files.base import File
from django.utils.translation import gettext as _
from PIL import Image

from koomessage.common.errors import RuleViolation

MAX_BYTES = 5 * 2**20
MAX_PIXELS = 60_000_000
CONTENT_TYPES = {"jpg": "image/jpeg", "png": "image/png", "pdf": "application/pdf"}
_KINDS = {"JPEG": "jpg", "PNG": "png"}


def judge_licence(file: File, *, field: str = "licence") -> str:
    """Return "jpg", "png" or "pdf"; RuleViolation for the field where it is too large or holds something else."""
    if file.size > MAX_BYTES:
        raise RuleViolation(_("The file is larger than 5 MB; choose a smaller one."), field=field)
    file.seek(0)
    head = file.read(5)
    file.seek(max(0, file.size - 1024))
    tail = file.read()
    file.seek(0)
    if head == b"%PDF-" and b"%%EOF" in tail:
        return "pdf"
    kind = _picture_kind(file)
    file.seek(0)
    if not kind:
        raise RuleViolation(
            _("Choose a JPG or PNG picture or a PDF file; this file holds something else."), field=field
        )
    return kind


def _picture_kind(file: IO[bytes] | File) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(file, formats=list(_KINDS))
            width, height = picture.size
            picture.verify()
    except Exception:  # Pillow's readers raise nearly anything on a file made to break them
        return ""
    return _KINDS[picture.format or ""] if width * height <= MAX_PIXELS else ""
