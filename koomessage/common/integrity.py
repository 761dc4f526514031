"""What a section says of its own books, for `manage.py check_integrity`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One thing that must be true, how many rows it was held against, and where it is not."""

    title: str
    figure: int
    problems: tuple[str, ...] = ()
