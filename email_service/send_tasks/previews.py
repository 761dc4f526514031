"""The mail of a task that is being written, as its first reader would see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from email_service.addresses.models import Address
from email_service.mail_templates import rendering
from email_service.mail_templates.models import Template, TemplateVersion
from email_service.mail_templates.parameters import fill
from email_service.mail_templates.remote_pictures import has_remote_pictures
from email_service.send_tasks import judging
from koomessage.common.errors import RuleViolation

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise

VALUE_PREFIX = "value-"
# Servers take no longer line; what is typed beyond it reaches the frame by a form.
LONGEST_QUERY = 3_000


@dataclass(frozen=True, slots=True)
class Sample:
    """A parameter, what was typed for it, and what stands where nothing was."""

    name: str
    value: str
    sample: str


@dataclass(frozen=True, slots=True)
class MailPreview:
    """What the panel beside the form shows."""

    template: Template | None
    address: Address | None
    subject: str
    problem: "str | StrPromise"
    samples: tuple[Sample, ...]
    frame_query: str
    is_cut: bool  # the values are too long for the query
    has_remote_pictures: bool

    @property
    def needs_file(self) -> bool:
        return bool(self.samples)


def mail_preview(
    *, template: Template | None, address: Address | None, subject: str, values: Mapping[str, str]
) -> MailPreview:
    """Fill in what is chosen so far; a subject that breaks a rule is shown as typed, with the refusal."""
    version = template.version if template else None
    if template is None or version is None:
        return MailPreview(None, address, subject, "", (), "", False, False)
    known = with_samples(version, values)
    standard = rendering.samples(version)
    problem: str | StrPromise = ""
    try:
        judging.judge_subject(subject, version)
    except RuleViolation as refusal:
        problem = refusal.message
    typed = {VALUE_PREFIX + name: value for name, value in known.items() if value != standard[name]}
    query = urlencode({"template": template.pk, **typed})
    is_cut = len(query) > LONGEST_QUERY
    return MailPreview(
        template=template,
        address=address,
        subject=" ".join(fill(subject, known).split()),
        problem=problem,
        samples=tuple(Sample(name, known[name], standard[name]) for name in version.parameters),
        frame_query=urlencode({"template": template.pk}) if is_cut else query,
        is_cut=is_cut,
        has_remote_pictures=has_remote_pictures(version.body),
    )


def with_samples(version: TemplateVersion, values: Mapping[str, str]) -> dict[str, str]:
    """Return a value for each parameter: what was typed, or the sample."""
    return {name: values.get(name) or sample for name, sample in rendering.samples(version).items()}
