"""The source of a message, made once more: byte for byte what was sent, but for the signature."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from email_service.send_details.models import Event, Message
from email_service.send_tasks import recipients
from email_service.send_tasks.models import Task
from email_service.setup.models import EmailService
from iam.models import AuditEntry, Tenant
from koomessage.common import uploads
from tests.email_service.delivery.peer import Peer
from tests.email_service.send_tasks.sending import deliver_all, sheet, submit
from tests.factories import make_transport
from tests.factories_sending import make_version

SIGNATURE = b"DKIM-Signature:"


def without_signature(mail: bytes) -> bytes:
    """Take away the folded header in front."""
    assert mail.startswith(SIGNATURE)
    lines = mail.split(b"\r\n")
    end = next(number for number, line in enumerate(lines) if number and not line.startswith((b" ", b"\t")))
    return b"\r\n".join(lines[end:])


def test_the_source_is_what_the_server_got(acme: Tenant, as_owner: Client, peer: Peer) -> None:
    EmailService.objects.filter(tenant=acme).update(transport=make_transport(port=peer.port))
    version = make_version(
        acme,
        body_type="rich",
        body="<p>尊敬的 {{name}}</p>",
        parameters=["name"],
        can_unsubscribe=True,
    )
    task = submit(
        acme,
        version=version,
        subject="{{name}}，您好",
        source=Task.Source.FILE,
        file=sheet(("email", "name"), ("ada@qq.com", "Ada & <Co>")),
        attachments=[SimpleUploadedFile("条款.pdf", b"%PDF-1.4 terms", "application/pdf")],
    )
    recipients.read(task.pk)
    deliver_all()
    message = Message.objects.get()

    answer = as_owner.post(f"/email/details/{message.pk}/source/")

    (mail,) = peer.mails
    assert message.status == Message.Status.DELIVERED
    assert b"List-Unsubscribe: <" in answer.content
    assert answer.content == without_signature(mail)
    assert answer["Content-Type"] == "message/rfc822"
    assert answer["Content-Disposition"] == f'attachment; filename="{message.pk}.eml"'
    assert "no-cache" in answer["Cache-Control"]
    # What is made later must not depend on what has changed since.
    acme.refresh_from_db()
    assert as_owner.post(f"/email/details/{message.pk}/source/").content == answer.content


def test_an_attachment_that_cannot_be_read_is_said_and_nothing_is_on_record(
    acme: Tenant, as_owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = submit(acme, "ada@qq.com", attachments=[SimpleUploadedFile("a.pdf", b"%PDF-1.4")])
    message = Message.objects.get(task=task)
    before = AuditEntry.objects.count()

    def silent(_file: object) -> bytes:
        raise uploads.StorageSilent("no answer")

    monkeypatch.setattr(uploads, "read", silent)
    answer = as_owner.post(f"/email/details/{message.pk}/source/", follow=True)

    assert answer.redirect_chain == [(message.get_absolute_url(), 302)]
    assert 'class="toast-note toast-error"' in answer.content.decode()
    assert AuditEntry.objects.count() == before
    assert not Event.objects.filter(kind=Event.Kind.REVEALED).exists()
