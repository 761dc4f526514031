"""What the page 下载中心 shows of exports."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.functional import Promise

from email_service.downloads.models import Export
from email_service.downloads.sources import source_of
from iam.models import User
from koomessage.common.permissions import may


@dataclass(frozen=True)
class Line:
    export: Export
    label: str | Promise
    may_download: bool
    may_repeat: bool


def lines(exports: Iterable[Export], user: User) -> list[Line]:
    """Return the exports with what this user may do with each now: a right that was withdrawn counts."""
    return [_line(export, user) for export in exports]


def may_download(export: Export, user: User) -> bool:
    source = source_of(export.kind)
    return may(user, source.permission) and (not export.is_revealed or may(user, source.reveal_permission))


def file_name(export: Export) -> str:
    return f"{source_of(export.kind).label} {export.created_at:%Y-%m-%d} {export.pk}.{export.format}"


def _line(export: Export, user: User) -> Line:
    allowed = may_download(export, user)
    return Line(
        export,
        source_of(export.kind).label,
        allowed and export.is_ready,
        allowed and not export.is_unfinished,
    )
