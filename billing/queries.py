"""Reads for the pages of billing."""

from typing import Any


def overview_packages(tenant: Any) -> list[Any]:
    return []
