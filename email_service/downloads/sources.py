"""What can be exported, told by the sections that own it (email_service/apps.py)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from django.http import QueryDict
from django.utils.functional import Promise

from iam.models import Tenant


@dataclass(frozen=True)
class Sheet:
    """What one export holds: headings, rows in batches, each read when it is asked for, and about how many."""

    headings: Sequence[str]
    batches: Iterator[Sequence[Sequence[object]]]
    expected: int


@dataclass(frozen=True)
class Source:
    """A list that can be exported. `open` takes account, filters, and whether addresses are shown whole."""

    name: str
    label: str | Promise
    permission: str
    reveal_permission: str
    action: str  # of the audit log
    reveal_action: str
    open: Callable[[Tenant, QueryDict, bool], Sheet]


_sources: dict[str, Source] = {}


def add_source(source: Source) -> None:
    _sources[source.name] = source


def source_of(name: str) -> Source:
    return _sources[name]
