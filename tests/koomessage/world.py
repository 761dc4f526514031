"""One account with a row of everything, and which of its rows every address names."""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import models, transaction
from django.http import HttpResponseNotAllowed
from django.test import RequestFactory
from django.urls import URLPattern, resolve, reverse
from django.utils import timezone

from email_service.downloads.models import Export
from email_service.feedback.links import read_unsubscribe_token, unsubscribe_url
from email_service.send_details.models import Attempt, DirtyHour, Event, Message
from email_service.send_tasks.models import Attachment, RejectedRow, Task
from email_service.send_tasks.models_check import CheckAttachment
from iam import audit, links
from iam.agreements import AGREEMENTS
from iam.models import Tenant
from tests.architecture.source import routes
from tests.factories import make_email_service, make_tenant, make_user
from tests.factories_billing import give_money, make_order, make_package
from tests.factories_domains import make_address, make_domain
from tests.factories_iam import make_application, make_group, make_policy, png
from tests.factories_sending import make_check, make_message, make_report, make_suppression, make_task
from tests.factories_templates import PICTURE_FILE, make_draft, make_picture, make_template, picture_bytes

LICENCE = "licences/sample.png"


@dataclass
class World:
    """An account's rows by noun."""

    tenant: Tenant
    rows: dict[str, models.Model] = field(default_factory=dict)

    def __getattr__(self, noun: str) -> Any:
        try:
            return self.rows[noun]
        except KeyError:
            raise AttributeError(noun) from None


def make_world(tenant: Tenant, *, body: str = "<p>Hello {{name}}</p>") -> World:
    member = make_user(tenant, name=f"member-{tenant.account}")
    policy = make_policy(tenant)
    domain = make_domain(tenant)
    address = make_address(make_domain(tenant, verified=True))
    template = make_template(tenant, user=member, body=body)
    make_template(tenant, user=member, body=body, body_type="plain")
    task = make_task(tenant, address=address, template_version=template.version)
    ended = make_task(tenant, address=address, template_version=template.version, status=Task.Status.FINISHED)
    message = make_message(task)
    check = make_check(tenant, address=address, template_version=template.version)
    CheckAttachment.objects.create(
        check_of=check, file="a", name="a.pdf", content_type="application/pdf", size=1
    )
    failed = make_message(ended, status=Message.Status.FAILED)
    now = timezone.now()
    for row in (message, failed):
        times = {"started_at": now, "finished_at": now}
        Attempt.objects.create(message=row, number=1, verdict="failed", host="mx.qq.com", text="No.", **times)
        for kind in Event.Kind:
            Event.objects.create(message=row, tenant=tenant, kind=kind, at=now)
    hour = now.replace(minute=0, second=0, microsecond=0)
    make_report(ended, hour - timedelta(hours=1), failed=1)
    DirtyHour.objects.create(tenant=tenant, task=task, hour=hour, marked_at=now)
    Attachment.objects.create(task=task, file="a", name="list.pdf", content_type="application/pdf", size=1)
    RejectedRow.objects.create(task=task, row_number=7, value="nobody", reason="bad_address")
    give_money(tenant, "1000.00")
    audit.record(tenant=tenant, user=member, action="iam:user:create", target="someone")
    rows: dict[str, models.Model] = {
        "application": make_application(tenant, licence=LICENCE),
        "member": member,
        "policy": policy,
        "group": make_group(tenant, policies=[policy], users=[member]),
        "domain": domain,
        "address": address,
        "template": template,
        "picture": make_picture(tenant),
        "draft": make_draft(tenant, user=member, body=body),
        "task": task,
        "ended": ended,
        "check": check,
        "message": failed,
        "suppression": make_suppression(tenant),
        "export": Export.objects.create(
            tenant=tenant,
            created_by=member,
            kind="messages",
            format="csv",
            language="en",
            time_zone="Asia/Shanghai",
            status=Export.Status.DONE,
            file="a",
            expires_at=now + timedelta(days=1),
        ),
        "order": make_order(tenant, user=member),
        "package": make_package(tenant),
    }
    return World(tenant, rows)


@contextmanager
def kept(blocker: Any) -> Iterator[None]:
    """Keep rows for all tests of a file: each test is rolled back to them, and they at the end."""
    with blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


def make_known_world(account: str, **options: Any) -> World:
    """An account that may send, with a row of everything."""
    tenant = make_tenant(account=account, name=account.title())
    make_email_service(tenant)
    return make_world(tenant, **options)


def lay_down_files(folder: Path) -> None:
    """Put files where the world's rows say they are; media belong to one test only."""
    for name, content in ((LICENCE, png().read()), (PICTURE_FILE, picture_bytes()), ("a", b"a")):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


# URL name -> the row it names. A new address with a pk fails the tests until it stands here.
ROWS = {
    "iam:verification_licence": "application",
    "iam:licence_review": "application",
    "iam:user_detail": "member",
    "iam:user_edit": "member",
    "iam:user_disable": "member",
    "iam:user_enable": "member",
    "iam:group_edit": "group",
    "iam:group_delete": "group",
    "iam:policy_detail": "policy",
    "iam:policy_edit": "policy",
    "iam:policy_delete": "policy",
    "billing:order_detail": "order",
    "billing:order_pay": "order",
    "billing:order_paid": "order",
    "billing:order_cancel": "order",
    "billing:order_waiting": "order",
    "billing:payment_check": "order",
    "email:domain_detail": "domain",
    "email:domain_edit": "domain",
    "email:domain_delete": "domain",
    "email:domain_check": "domain",
    "email:domain_status": "domain",
    "email:domain_rotate": "domain",
    "email:domain_rotation_cancel": "domain",
    "email:address_delete": "address",
    "email:address_test": "address",
    "email:template_detail": "template",
    "email:template_edit": "template",
    "email:template_copy": "template",
    "email:template_delete": "template",
    "email:template_preview": "template",
    "email:template_frame": "template",
    "email:template_restore": "template",
    "email:draft_detail": "draft",
    "email:draft_frame": "draft",
    "email:picture_delete": "picture",
    "email:template_public_copy": "public_template",
    "email:template_public_preview": "public_template",
    "email:template_public_frame": "public_template",
    "email:check_detail": "check",
    "email:check_progress": "check",
    "email:check_submit": "check",
    "email:check_rows": "check",
    "email:check_frame": "check",
    "email:task_detail": "task",
    "email:task_progress": "task",
    "email:task_rows": "task",
    "email:task_cancel": "task",
    "email:task_cancel_rest": "task",
    "email:task_pause": "task",
    "email:task_resume": "task",
    "email:task_resend": "ended",
    "email:task_mail": "task",
    "email:task_attachment": "task",
    "email:task_recipients": "task",
    "email:message_detail": "message",
    "email:message_frame": "message",
    "email:message_reveal": "message",
    "email:message_source": "message",
    "email:suppression_delete": "suppression",
    "email:download_file": "export",
    "email:download_again": "export",
    "email:download_delete": "export",
    "email:engine_decide": "message",
}


def _reset_words(world: World) -> dict[str, str]:
    uid, token = links.reset_link(world.member).rstrip("/").rsplit("/", 2)[-2:]
    return {"uid": uid, "token": token}


def _unsubscribe_words(world: World) -> dict[str, str]:
    token = unsubscribe_url(world.message.pk).rstrip("/").rpartition("/")[2]
    assert read_unsubscribe_token(token) == world.message.pk
    return {"token": token}


# URL name -> the other words in the address.
WORDS: dict[str, Callable[[World], dict[str, str]]] = {
    "iam:signup_confirm": lambda world: {
        "token": links.confirmation_link(world.member).rstrip("/").rpartition("/")[2]
    },
    "iam:password_reset": _reset_words,
    "iam:agreement": lambda world: {"slug": next(iter(AGREEMENTS))},
    "email:template_restore": lambda world: {"number": "1"},
    "email:engine_decide": lambda world: {"decision": "resend"},
    "email:task_attachment": lambda world: {"number": str(world.task.attachments.get().pk)},
    "public:unsubscribe": _unsubscribe_words,
    "public:picture": lambda world: {"token": world.picture.token, "kind": world.picture.kind},
}


@dataclass(frozen=True)
class Route:
    """An address, as the tests speak of it."""

    name: str
    pattern: URLPattern = field(repr=False)
    methods: tuple[str, ...]

    @property
    def permission(self) -> str:
        return str(self.pattern.callback.permission)  # type: ignore[attr-defined]

    @property
    def takes(self) -> set[str]:
        return set(self.pattern.pattern.converters)

    def path(self, world: World, *, public: models.Model | None = None) -> str:
        """Return the address with the account's own row in it; `public` stands for a public template."""
        words: dict[str, Any] = dict(WORDS[self.name](world)) if self.name in WORDS else {}
        if "pk" in self.takes:
            noun = ROWS[self.name]
            words["pk"] = ((public or world.template) if noun == "public_template" else world.rows[noun]).pk
        return reverse(self.name, kwargs=words)


def _methods(pattern: URLPattern) -> tuple[str, ...]:
    """Ask the view itself: it refuses OPTIONS before it looks at anything else."""
    logging.disable(logging.WARNING)
    answer = pattern.callback(RequestFactory().options("/"))  # type: ignore[misc]
    logging.disable(logging.NOTSET)
    assert isinstance(answer, HttpResponseNotAllowed), f"{pattern} does not name its methods."
    return tuple(sorted(set(answer["Allow"].split(", ")) - {"HEAD"}))


def all_routes() -> list[Route]:
    """Every address of the console, without Django's own admin; a second spelling of one is left out."""
    found = {}
    for address, pattern in routes():
        if pattern.name is not None:
            name = resolve("/" + re.sub(r"<(int:)?.*?>", lambda m: "1" if m[1] else "a", address)).view_name
            found[name] = Route(name, pattern, _methods(pattern))
    return list(found.values())


ROUTES = all_routes()
