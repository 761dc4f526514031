"""Messages (one row per recipient of a task), their attempts, and the events of their timeline."""

from typing import Self

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from koomessage.common.models import TenantQuerySet


def mask(address: str) -> str:
    """Show an address as everybody may see it: ***@qq.com."""
    return f"***@{address.rpartition('@')[2]}"


def is_whole_address(text: str) -> bool:
    """Say whether a search means one address, rather than a part of several."""
    name, at, domain = text.partition("@")
    return bool(name and at and "." in domain.strip("."))


class MessageQuerySet(TenantQuerySet):
    def unfinished(self) -> Self:
        return self.filter(status__in=[Message.Status.PENDING, Message.Status.HELD])

    def to_recipient(self, text: str) -> Self:
        """Keep the messages to an address, or to addresses that hold the text, without regard to case."""
        key = text.strip().lower()
        if is_whole_address(key):
            return self.filter(recipient_key=key)
        return self.filter(recipient_key__contains=key)


class Message(models.Model):
    """One task's mail to one recipient. Its status is written by `send_details.outcomes` alone."""

    class Status(models.TextChoices):
        PENDING = "pending", _("Pending")
        HELD = "held", _("State unknown")
        DELIVERED = "delivered", _("Delivered")
        FAILED = "failed", pgettext_lazy("message", "Failed")
        REJECTED = "rejected", pgettext_lazy("message", "Rejected")
        EXPIRED = "expired", _("Expired")
        CANCELLED = "cancelled", _("Cancelled")

    # In the order of the index that finds them.
    UNSUCCESSFUL = (Status.FAILED, Status.REJECTED, Status.EXPIRED)
    # Every other state is unfinished, those of a later version, too.
    ENDED = (Status.DELIVERED, Status.FAILED, Status.REJECTED, Status.EXPIRED, Status.CANCELLED)

    class EndReason(models.TextChoices):
        """Who ended it, where it was not a server's reply or the time that ran out: nobody pays for these."""

        SUPPRESSED = "suppressed", _("The recipient is on the suppression list.")
        PLATFORM = "platform", _("The platform could not send it.")
        CANCELLED = "cancelled", _("The task was cancelled.")

    tenant = models.ForeignKey("iam.Tenant", on_delete=models.PROTECT, related_name="+", db_index=False)
    task = models.ForeignKey(
        "email_service.Task", on_delete=models.PROTECT, related_name="messages", db_index=False
    )
    recipient = models.CharField(_("recipient"), max_length=320)
    recipient_key = models.CharField(max_length=320)  # lower case: what makes two spellings one recipient
    domain = models.CharField(max_length=255)  # destination, A-label
    params = models.JSONField(default=list)  # values in the order of the template version's parameters
    row_number = models.PositiveIntegerField(default=0)  # of the recipient file, 0 for typed ones
    status = models.CharField(_("sending status"), max_length=10, choices=Status, default=Status.PENDING)
    accepted_at = models.DateTimeField(_("created"))
    finished_at = models.DateTimeField(_("received"), null=True)
    end_reason = models.CharField(max_length=10, choices=EndReason, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)  # null once it has an end, and while it is parked
    # Since when it waits for its destination's limit, out of the index of due messages: claims that
    # look for what may go now must not meet it again and again.
    parked_since = models.DateTimeField(null=True)
    lease_token = models.BigIntegerField(null=True)  # the claim that holds it
    crashes = models.PositiveSmallIntegerField(default=0)
    in_doubt = models.BooleanField(default=False)  # at least one attempt may have left a copy

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        default_permissions = ("list", "view", "export", "reveal")
        constraints = [
            models.UniqueConstraint(fields=["task", "recipient_key"], name="recipient_once_a_task")
        ]
        indexes = [
            models.Index(fields=["tenant", "-accepted_at", "-id"], name="message_by_time"),
            # With the time, so that SQLite has no reason to walk the times instead.
            models.Index(
                fields=["tenant", "recipient_key", "-accepted_at", "-id"], name="message_by_recipient"
            ),
            models.Index(
                fields=["task", "next_attempt_at"],
                condition=models.Q(status="pending", lease_token=None),
                name="message_due",
            ),
            models.Index(
                fields=["domain", "task", "parked_since", "id"],
                condition=models.Q(status="pending", lease_token=None, parked_since__isnull=False),
                name="message_parked",
            ),
            # With the time, so that an hour of a task is counted from the index alone, and its newest are found.
            models.Index(fields=["task", "status", "-accepted_at", "-id"], name="message_by_task"),
            # Among millions that were delivered the few others are found without walking; sending never writes
            # to it for what is delivered.
            models.Index(
                fields=["tenant", "status", "-accepted_at", "-id"],
                condition=models.Q(status__in=["failed", "rejected", "expired", "held", "cancelled"]),
                name="message_by_end",
            ),
            models.Index(
                fields=["lease_token"], condition=models.Q(lease_token__isnull=False), name="message_claimed"
            ),
            models.Index(fields=["id"], condition=models.Q(status="held"), name="message_held"),
            # Few of many: the newest failures are read without walking what was delivered.
            models.Index(
                fields=["tenant", "-accepted_at", "-id"],
                condition=models.Q(status__in=["failed", "rejected", "expired"]),
                name="message_unsuccessful",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    def get_absolute_url(self) -> str:
        return reverse("email:message_detail", args=[self.pk])

    @property
    def is_unfinished(self) -> bool:
        return self.status not in self.ENDED

    @property
    def masked_recipient(self) -> str:
        return mask(self.recipient)


class Addressee(models.Model):
    """An address that an account has written to, once: where a part of an address is looked for.

    Messages are many times as many, and rewritten at each step of sending; an index of parts of addresses on
    them would be written anew each time.
    """

    tenant = models.ForeignKey("iam.Tenant", on_delete=models.PROTECT, related_name="+", db_index=False)
    address_key = models.CharField(max_length=320)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["tenant", "address_key"], name="addressee_once_a_tenant")
        ]

    def __str__(self) -> str:
        return self.address_key


class UnknownAddressees(models.Model):
    """A task whose addresses the search by parts is to know yet: all those after this one."""

    task = models.OneToOneField("email_service.Task", on_delete=models.CASCADE, related_name="+")
    after = models.CharField(max_length=320, blank=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.task_id)


class ColumnChoice(models.Model):
    """Which columns of 发送明细 a user wants to see; without a row, all of them."""

    user = models.OneToOneField("iam.User", on_delete=models.CASCADE, related_name="+")
    columns = models.JSONField(default=list)  # names, of send_details.columns

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.user_id}"


class Attempt(models.Model):
    """One try to hand a message over, with the server's own words."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="attempt_rows")
    number = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    verdict = models.CharField(max_length=10)  # of delivery.replies.Verdict
    host = models.CharField(max_length=255, blank=True)
    tls = models.CharField(max_length=64, blank=True)
    code = models.PositiveSmallIntegerField(null=True)
    enhanced = models.CharField(max_length=12, blank=True)
    text = models.CharField(max_length=500, blank=True)
    in_doubt = models.BooleanField(default=False)

    class Meta:
        ordering = ["number", "pk"]

    def __str__(self) -> str:
        return f"{self.message_id} #{self.number}"


class Event(models.Model):
    """Something that happened to a message later, or was decided about it; append-only."""

    class Kind(models.TextChoices):
        ACCEPTED = "accepted", _("Accepted")
        ENDED = "ended", _("Ended")
        UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")
        REVEALED = "revealed", _("Address shown")
        DECIDED = "decided", _("Decided by the platform")
        SUPPRESSED = "suppressed", _("Address suppressed")

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="events")
    tenant = models.ForeignKey("iam.Tenant", on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=12, choices=Kind)
    at = models.DateTimeField()
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ["at", "pk"]
        indexes = [models.Index(fields=["tenant", "id"], name="event_by_tenant")]

    def __str__(self) -> str:
        return f"{self.message_id} {self.kind}"


class DirtyHour(models.Model):
    """An hour of a task whose counts must be made anew: written with every outcome, cleared by reports."""

    tenant = models.ForeignKey("iam.Tenant", on_delete=models.PROTECT, related_name="+")
    task = models.ForeignKey("email_service.Task", on_delete=models.CASCADE, related_name="+")
    hour = models.DateTimeField()  # UTC, in which the messages were accepted
    marked_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "hour"], name="dirty_hour_once")]

    def __str__(self) -> str:
        return f"{self.task_id} {self.hour:%Y-%m-%d %H}"


class ClosedCount(models.Model):
    """How many messages of a task's hour had ended so and were removed since: what the rows no longer say."""

    tenant = models.ForeignKey("iam.Tenant", on_delete=models.PROTECT, related_name="+")
    task = models.ForeignKey("email_service.Task", on_delete=models.PROTECT, related_name="+", db_index=False)
    hour = models.DateTimeField()  # as DirtyHour.hour
    status = models.CharField(max_length=10, choices=Message.Status)
    end_reason = models.CharField(max_length=10, choices=Message.EndReason, blank=True)
    number = models.PositiveBigIntegerField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["task", "hour", "status", "end_reason"], name="closed_count_once")
        ]

    def __str__(self) -> str:
        return f"{self.task_id} {self.hour:%Y-%m-%d %H} {self.status}"


class ClosedEvent(models.Model):
    """How many of the removed messages' events happened in an hour: what reports show of receiving."""

    class Kind(models.TextChoices):
        DELIVERED = "delivered", _("Delivered")
        UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")

    tenant = models.ForeignKey("iam.Tenant", on_delete=models.PROTECT, related_name="+", db_index=False)
    task = models.ForeignKey("email_service.Task", on_delete=models.PROTECT, related_name="+", db_index=False)
    hour = models.DateTimeField()  # UTC, in which it happened
    kind = models.CharField(max_length=12, choices=Kind)
    number = models.PositiveBigIntegerField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["task", "hour", "kind"], name="closed_event_once")]
        indexes = [models.Index(fields=["tenant", "hour"], name="closed_event_by_hour")]

    def __str__(self) -> str:
        return f"{self.task_id} {self.hour:%Y-%m-%d %H} {self.kind}"
