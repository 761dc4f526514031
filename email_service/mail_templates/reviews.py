"""What a reviewer sees beside the mail: what looks suspicious, where links lead, what changed, what waits."""

from dataclasses import dataclass
from datetime import datetime

from django.db import models
from django.utils.translation import gettext as _

from email_service.mail_templates.differences import Difference, difference
from email_service.mail_templates.link_hosts import target_of
from email_service.mail_templates.markup import read_html, read_text
from email_service.mail_templates.models import BodyType, Template, TemplateVersion
from email_service.mail_templates.suspicions import Subject, Suspicion, suspicions_about
from email_service.mail_templates.text_part import text_from
from iam.models import User

LINKS_AT_MOST = 100


@dataclass(frozen=True, slots=True)
class LinkLine:
    text: str
    host: str
    address: str
    times: int


@dataclass(frozen=True, slots=True)
class FieldChange:
    label: str
    before: str
    now: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What is new since the version that was approved last."""

    since: TemplateVersion
    fields: tuple[FieldChange, ...]
    text: Difference
    source: Difference | None  # of rich text, where it says more than the text does


@dataclass(frozen=True, slots=True)
class Sheet:
    suspicions: list[Suspicion]
    links: list[LinkLine]
    more_links: int
    changes: Changes | None  # None: no version of the template was approved before


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reviewer stands in the queue."""

    waiting: int
    longest: datetime | None
    first: int | None
    previous: int | None
    next: int | None


def sheet_of(version: TemplateVersion) -> Sheet:
    is_rich = version.body_type == BodyType.RICH
    reading = read_html(version.body) if is_rich else read_text(version.body)
    subject = Subject(version.title, reading, version.can_unsubscribe)
    links: dict[tuple[str, str], int] = {}
    for link in reading.links:
        key = (link.text, link.address)
        links[key] = links.get(key, 0) + 1
    lines = [
        LinkLine(text, _host(address), address, times)
        for (text, address), times in list(links.items())[:LINKS_AT_MOST]
    ]
    return Sheet(suspicions_about(subject), lines, max(0, len(links) - LINKS_AT_MOST), _changes_of(version))


def place_of(user: User, version: TemplateVersion | None = None) -> Place:
    """Count what this reviewer may decide about; with a version, find its neighbours, the queue being a ring."""
    queue = TemplateVersion.objects.reviewable_by(user)
    facts = queue.order_by().aggregate(
        waiting=models.Count("pk"), longest=models.Min("created_at"), first=models.Min("pk")
    )
    if version is None:
        return Place(**facts, previous=None, next=None)
    others = queue.exclude(pk=version.pk).order_by()
    beside = others.aggregate(
        first=models.Min("pk"),
        last=models.Max("pk"),
        before=models.Max("pk", filter=models.Q(pk__lt=version.pk)),
        after=models.Min("pk", filter=models.Q(pk__gt=version.pk)),
    )
    return Place(
        **facts, previous=beside["before"] or beside["last"], next=beside["after"] or beside["first"]
    )


def _changes_of(version: TemplateVersion) -> Changes | None:
    earlier = TemplateVersion.objects.filter(template=version.template_id, number__lt=version.number)
    since = earlier.filter(status=Template.Status.APPROVED).order_by("-number").first()
    if since is None:
        return None
    source = None
    if BodyType.RICH in (since.body_type, version.body_type) and since.body != version.body:
        source = difference(_in_lines(since.body), _in_lines(version.body))
    return Changes(
        since, tuple(_field_changes(since, version)), difference(_text(since), _text(version)), source
    )


def _field_changes(since: TemplateVersion, version: TemplateVersion) -> list[FieldChange]:
    yes, no = _("Supported"), _("Not supported (transactional)")
    pairs = (
        (_("Template title"), since.title, version.title),
        (_("Body type"), since.get_body_type_display(), version.get_body_type_display()),
        (
            _("Unsubscribing"),
            yes if since.can_unsubscribe else no,
            yes if version.can_unsubscribe else no,
        ),
        (_("Parameters"), ", ".join(since.parameters), ", ".join(version.parameters)),
    )
    return [FieldChange(label, before, now) for label, before, now in pairs if before != now]


def _text(version: TemplateVersion) -> str:
    return text_from(version.body) if version.body_type == BodyType.RICH else version.body


def _in_lines(body: str) -> str:
    """Editors write whole mails in one line; a tag a line can be compared."""
    return body.replace("><", ">\n<")


def _host(address: str) -> str:
    target = target_of(address)
    if target.is_parameter:
        return _("decided by a parameter")
    return target.shown_host if target.host else target.scheme or "—"
