"""Uploaded pictures: judged by what is in them, encoded anew, so that nothing else travels along."""

import io
import warnings
from dataclasses import dataclass
from typing import IO, Any

from django.template.defaultfilters import filesizeformat
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps, ImageSequence

from koomessage.common.errors import RuleViolation

MAX_UPLOAD = 5 * 2**20
MAX_STORED = 2 * 2**20
MAX_PIXELS = 16_000_000
MAX_PHOTO_PIXELS = 40_000_000  # JPEG takes a quarter of the memory that the others take
MAX_WIDTH = 1600  # a mail is some 600 wide; twice that is sharp on every screen
MAX_FRAMES = 200
READABLE = ("JPEG", "PNG", "GIF", "WEBP", "BMP")


@dataclass(frozen=True, slots=True)
class Encoded:
    """A picture as it is stored: PNG, JPG or GIF, which every mail program shows."""

    content: bytes
    kind: str
    width: int
    height: int


def encode(file: IO[bytes]) -> Encoded:
    """Return the picture encoded anew: upright, at most 1600 pixels wide, without data about camera or place.

    Raises RuleViolation (field "picture") for what is no picture, and for one that is too large.
    """
    content = file.read(MAX_UPLOAD + 1)
    if len(content) > MAX_UPLOAD:
        raise _refusal(
            _("The picture is larger than {most}. Save it smaller and upload it again."), MAX_UPLOAD
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            encoded = _encode(content)
    except RuleViolation:
        raise
    except Exception as error:  # Pillow's readers raise nearly anything on a file made to break them
        raise RuleViolation(
            _("Choose a JPG, PNG, GIF or WebP picture; this file holds something else."), field="picture"
        ) from error
    if len(encoded.content) > MAX_STORED:
        raise _refusal(
            _("The picture still takes more than {most}. Save it with fewer pixels or frames."), MAX_STORED
        )
    return encoded


def _encode(content: bytes) -> Encoded:
    picture = Image.open(io.BytesIO(content), formats=READABLE)
    most = MAX_PHOTO_PIXELS if picture.format == "JPEG" else MAX_PIXELS
    if picture.width * picture.height > most:
        sentence = _("The picture has more than {most} million pixels. Save it smaller and upload it again.")
        raise RuleViolation(format_lazy(sentence, most=most // 1_000_000), field="picture")
    if getattr(picture, "n_frames", 1) > 1 and picture.format == "GIF":
        return _moving(picture)
    still = ImageOps.exif_transpose(picture)
    is_photo = picture.format == "JPEG" or (picture.format == "WEBP" and not _has_alpha(still))
    still = _narrowed(still.convert("RGB") if is_photo else _with_simple_colours(still))
    if is_photo:
        return _saved(still, "jpg", format="JPEG", quality=85, optimize=True, progressive=True)
    return _saved(still, "png", format="PNG", optimize=True)


def _moving(picture: Image.Image) -> Encoded:
    frames: list[Image.Image] = []
    pauses: list[Any] = []
    for frame in ImageSequence.Iterator(picture):
        if len(frames) == MAX_FRAMES or len(frames) * picture.width * picture.height > MAX_PIXELS:
            raise RuleViolation(
                _("The animation has too many frames. Save it with fewer and upload it again."),
                field="picture",
            )
        pauses.append(frame.info.get("duration", 100))
        frames.append(_narrowed(frame.convert("RGBA")))
    first, *others = frames
    return _saved(
        first, "gif", format="GIF", save_all=True, append_images=others, duration=pauses, disposal=2,
        loop=picture.info.get("loop", 1),
    )  # fmt: skip


def _has_alpha(picture: Image.Image) -> bool:
    return picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info


def _with_simple_colours(picture: Image.Image) -> Image.Image:
    if picture.mode in ("1", "L", "LA", "RGB", "RGBA"):
        return picture
    return picture.convert("RGBA" if _has_alpha(picture) else "RGB")


def _narrowed(picture: Image.Image) -> Image.Image:
    if picture.width <= MAX_WIDTH:
        return picture
    height = max(1, round(picture.height * MAX_WIDTH / picture.width))
    return picture.resize((MAX_WIDTH, height), Image.Resampling.LANCZOS)


def _saved(picture: Image.Image, kind: str, **options: Any) -> Encoded:
    # A copy of the pixels alone: comments, profiles and positions stay behind.
    picture.info = {}
    target = io.BytesIO()
    picture.save(target, **options)
    return Encoded(target.getvalue(), kind, picture.width, picture.height)


def _refusal(sentence: Any, most: int) -> RuleViolation:
    return RuleViolation(format_lazy(sentence, most=filesizeformat(most)), field="picture")
