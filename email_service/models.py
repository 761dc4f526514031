"""Where Django looks for models: re-exports only."""

from email_service.addresses.models import Address
from email_service.domains.models import DkimKey, Domain, DomainRecord
from email_service.downloads.models import Export
from email_service.feedback.models import FullMailbox, Suppression
from email_service.mail_templates.models import Picture, Template, TemplateDraft, TemplateVersion
from email_service.reports.models import HourTotal, Report
from email_service.send_details.models import (
    Addressee,
    Attempt,
    ClosedCount,
    ClosedEvent,
    ColumnChoice,
    DirtyHour,
    Event,
    Message,
    UnknownAddressees,
)
from email_service.send_tasks.models import Attachment, Claim, ClaimCounter, Meter, RejectedRow, Task
from email_service.send_tasks.models_check import CheckAttachment, CheckedBlock, RecipientCheck
from email_service.send_tasks.models_events import TaskEvent
from email_service.send_tasks.models_workers import Heartbeat, Pace, Tally, Worker
from email_service.setup.models import (
    DestinationLimit,
    EmailService,
    PlatformSending,
    SenderLimit,
    Transport,
)

__all__ = [
    "Address",
    "Addressee",
    "Attachment",
    "Attempt",
    "CheckAttachment",
    "CheckedBlock",
    "Claim",
    "ClaimCounter",
    "ClosedCount",
    "ClosedEvent",
    "ColumnChoice",
    "DestinationLimit",
    "DirtyHour",
    "DkimKey",
    "Domain",
    "DomainRecord",
    "EmailService",
    "Event",
    "Export",
    "FullMailbox",
    "Heartbeat",
    "HourTotal",
    "Message",
    "Meter",
    "Pace",
    "Picture",
    "PlatformSending",
    "RecipientCheck",
    "RejectedRow",
    "Report",
    "SenderLimit",
    "Suppression",
    "Tally",
    "Task",
    "TaskEvent",
    "Template",
    "TemplateDraft",
    "TemplateVersion",
    "Transport",
    "UnknownAddressees",
    "Worker",
]
