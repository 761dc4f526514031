"""Tags of the console's building blocks; they format, they do not decide."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django import forms, template
from django.template.loader_tags import BLOCK_CONTEXT_KEY
from django.utils import timezone
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from koomessage.common.paging import Page

register = template.Library()

# Colour beside the word, never instead of it: one table for all states of the product.
TONES = {
    "ok": "success", "verified": "success", "approved": "success", "finished": "success", "delivered": "success",
    "active": "success", "paid": "success", "succeeded": "success",
    "failed": "danger", "rejected": "danger", "refused": "danger", "blocked": "danger", "bounce": "danger",
    "unverified": "warning", "pending": "warning", "paused": "warning", "quota_paused": "warning",
    "at_risk": "warning", "held": "warning", "unpaid": "warning", "transfer": "warning", "full": "warning",
    "done": "success", "running": "info",
    "checking": "info", "waiting": "info", "preparing": "info", "scheduled": "info", "sending": "info",
    "reserved": "info",
}  # fmt: skip


@register.simple_tag(takes_context=True)
def block_text(context: template.Context, name: str) -> str:
    """Return what a block of this page says, so that a heading can stand in <title> too. Empty: no such block."""
    blocks = context.render_context.get(BLOCK_CONTEXT_KEY)
    block = blocks.get_block(name) if blocks else None
    return mark_safe(block.nodelist.render(context).strip()) if block else ""  # noqa: S308  rendered by Django


@register.simple_tag
def local_time(value: datetime | None, empty: str = "—") -> SafeString | str:
    """Show a moment as 2024-08-16 17:00:00 in the account's zone; the zone and UTC stand in its title."""
    if value is None:
        return empty
    local = timezone.localtime(value)
    offset = local.strftime("%z")
    zone = f"UTC{offset[:3]}:{offset[3:]}"
    title = f"{timezone.get_current_timezone_name()} ({zone}) · {value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return format_html(
        '<time class="text-nowrap tabular" datetime="{}" title="{}">{}</time>',
        value.isoformat(),
        title,
        local.strftime("%Y-%m-%d %H:%M:%S"),
    )


@register.inclusion_tag("components/_badge.html")
def status_badge(status: str, label: str = "") -> dict[str, str]:
    return {"tone": TONES.get(str(status), "secondary"), "label": label or str(status)}


@register.inclusion_tag("components/_copy_button.html")
def copy_button(text: str, label: str = "") -> dict[str, str]:
    """A button that copies the text; it says so, and nothing shows where scripts do not run."""
    return {"text": text, "label": label or _("Copy")}


@register.inclusion_tag("components/_sort_header.html")
def sort_header(page: Page, name: str, label: str) -> dict[str, Any]:
    """A column head that sorts: first ascending, then the other way round."""
    is_sorted = page.sort.removeprefix("-") == name
    descending = is_sorted and page.sort.startswith("-")
    target = name if descending else f"-{name}" if is_sorted else name
    return {
        "label": label,
        "is_sorted": is_sorted,
        "descending": descending,
        "query": page.query_with(sort=target),
    }


@register.inclusion_tag("components/_field.html")
def field(bound: Any, hint: str = "") -> dict[str, Any]:
    """A form field with label, hint and error, tied together for screen readers."""
    return {"field": bound, "hint": hint or bound.help_text}


@register.simple_tag
def control(bound: Any, hint: str = "") -> SafeString:
    """The field's control with the look's classes, and the hint and error that are shown tied to it."""
    widget = bound.field.widget
    kind = getattr(widget, "input_type", "")
    css = {"select": "form-select", "checkbox": "form-check-input", "radio": "form-check-input"}.get(
        kind, "form-control"
    )
    described = [f"{bound.auto_id}_hint"] * bool(hint) + [f"{bound.auto_id}_error"] * bool(bound.errors)
    attrs = {"class": f"{widget.attrs.get('class', '')} {css}{' is-invalid' if bound.errors else ''}".strip()}
    if described:
        attrs["aria-describedby"] = " ".join(described)
    if bound.errors:
        attrs["aria-invalid"] = "true"
    return bound.as_widget(attrs=attrs)


@register.simple_tag
def number_cells(label: str, figures: Sequence[tuple[str | int, str]], target: str = "") -> SafeString:
    """Write a row's head and numbers, each a link where it has a query: in one go, for a thousand rows."""
    cells = [f'<th scope="row" class="tabular">{escape(label)}</th>']
    for figure, query in figures:
        shown = f"{figure:,}" if isinstance(figure, int) else escape(figure)
        if query and target:
            shown = f'<a class="figure-link" href="{escape(target)}?{escape(query)}">{shown}</a>'
        cells.append(f'<td class="number">{shown}</td>')
    return mark_safe("".join(cells))  # noqa: S308  escaped


@register.filter
def breakable(text: str) -> SafeString:
    """Let a host name or a record's value break where it is read in parts, rather than anywhere."""
    return mark_safe(re.sub(r"([.:])(?=[^\s])", r"\1<wbr>", escape(text)))  # noqa: S308  escaped


@register.filter
def percent_of(part: int, whole: int) -> int:
    """How many whole percent the part is, 0 of nothing: for progress bars."""
    return round(100 * part / whole) if whole else 0


@register.filter
def is_checkbox(bound: Any) -> bool:
    return isinstance(bound.field.widget, forms.CheckboxInput)


@register.filter
def is_choice(bound: Any) -> bool:
    """True for radio buttons and lists of check boxes, which want a legend instead of a label."""
    return isinstance(bound.field.widget, forms.RadioSelect | forms.CheckboxSelectMultiple)


@register.simple_tag
def search_control(bound: Any) -> SafeString:
    return bound.as_widget(
        attrs={"class": "form-control", "type": "search", "placeholder": bound.label, "autocomplete": "off"}
    )


@register.simple_tag
def page_query(page: Page, **changes: Any) -> str:
    """The list's query from its first row, with some parameters changed."""
    return page.query_with(**{name: str(value) for name, value in changes.items()})
