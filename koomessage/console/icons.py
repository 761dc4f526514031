"""The tag `lucide`, as its package has it, each drawing kept: its package draws an icon anew wherever it stands."""

from functools import lru_cache

from django import template
from lucide.templatetags.lucide import lucide as drawn

register = template.Library()


@register.simple_tag
def lucide(name: str, *, size: int | None = 24, **attributes: str) -> str:
    return _kept(name, size, tuple(sorted(attributes.items())))


@lru_cache(maxsize=512)
def _kept(name: str, size: int | None, attributes: tuple[tuple[str, str], ...]) -> str:
    return drawn(name, size=size, **dict(attributes))
