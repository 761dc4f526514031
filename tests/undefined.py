"""What stands for an undefined template variable while testing: it fails the test in templates of ours."""

import sys
from types import FrameType

from django.template.base import FilterExpression, Node
from django.template.defaultfilters import default

from koomessage.env import BASE_DIR

TEMPLATES = BASE_DIR / "templates"


class UndefinedVariable(AssertionError):
    """A template of ours names something its view does not give."""


class Undefined(str):
    """Empty, as Django's own; asked for by a template of ours, it raises.

    Django asks `if string_if_invalid` for `{{ name }}`, `{% with %}` and arguments of tags, and `"%s" in
    string_if_invalid` for names in `{% blocktranslate %}`. `{% if %}` and `{% for %}` never ask, and
    `{{ name|default:"…" }}` says what it means.
    """

    def __bool__(self) -> bool:
        _judge(sys._getframe(1))
        return False

    def __contains__(self, key: object) -> bool:
        _judge(sys._getframe(1))
        return False


def _judge(asking: FrameType) -> None:
    expression = asking.f_locals.get("self")
    name = asking.f_locals.get("key", "?")
    if isinstance(expression, FilterExpression):
        if asking.f_code is not FilterExpression.resolve.__code__:
            return
        if any(function is default for function, _ in expression.filters[:1]):
            return
        name = str(expression.var)
    elif asking.f_code.co_name != "render_value":
        return
    node = _node(asking)
    origin = str(getattr(getattr(node, "origin", None), "name", ""))
    if origin.startswith(f"{TEMPLATES}/") and not origin.startswith(f"{TEMPLATES}/admin/"):
        line = getattr(getattr(node, "token", None), "lineno", "?")
        raise UndefinedVariable(f"{origin}:{line}: “{name}” is not defined.")


def _node(frame: FrameType | None) -> Node | None:
    """Return the node that is being rendered: the nearest one that Django renders by `render_annotated`."""
    while frame is not None:
        if frame.f_code is Node.render_annotated.__code__:
            return frame.f_locals["self"]  # type: ignore[no-any-return]
        frame = frame.f_back
    return None
