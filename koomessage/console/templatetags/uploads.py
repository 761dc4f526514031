"""What a form field for files needs to be drawn as a button with the names beside it."""

from typing import Any

from django import forms, template

register = template.Library()


@register.filter
def is_file(bound: Any) -> bool:
    return isinstance(bound.field.widget, forms.FileInput)
