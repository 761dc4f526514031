"""发送测试邮件: one mail to oneself, by the way that every mail takes."""

import uuid
from email import message_from_bytes, policy
from io import BytesIO
from typing import Any

import dkim
import pytest
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from billing.models import UnitEntry
from email_service.addresses.models import Address
from email_service.downloads.models import Export
from email_service.mail_templates.models import Template, TemplateVersion
from email_service.send_details.models import Message
from email_service.send_tasks import progress
from email_service.send_tasks.models import Task
from email_service.setup.models import EmailService
from iam.models import Tenant, User
from koomessage.common import uploads
from tests.conftest import FRAGMENT
from tests.email_service.delivery.peer import Peer
from tests.email_service.send_tasks.sending import deliver_all
from tests.factories import make_transport, make_user
from tests.factories_domains import make_address, make_domain
from tests.factories_sending import make_suppression

LIST = "/email/addresses/"


@pytest.fixture
def address(acme: Tenant) -> Address:
    return make_address(make_domain(acme, name="shop.example", verified=True), prefix="news", alias="云消息")


def url(address: Address) -> str:
    return reverse("email:address_test", args=[address.pk])


def post(client: Client, address: Address, headers: dict[str, Any] | None = None, **fields: Any) -> Any:
    data = {"submission_key": uuid.uuid4(), "subject": "", **fields}
    return client.post(url(address), data, **(headers or {}))


def login(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="iam.backends.StaffBackend")
    return client


def only_tasks(*operations: str) -> dict[str, Any]:
    actions = [f"kooMessage:emailSendTask:{operation}" for operation in operations]
    return {"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": actions}]}


def test_the_dialog_says_from_where_to_where(as_owner: Client, owner: User, address: Address) -> None:
    row = as_owner.get(LIST, **FRAGMENT).content.decode()
    dialog = as_owner.get(url(address), **FRAGMENT)
    page = as_owner.get(url(address)).content.decode()

    assert "发送测试邮件" in row
    assert url(address) in row
    for text in ("发送测试邮件", "云消息", "&lt;news@shop.example&gt;", owner.email, "提交"):
        assert text in dialog.content.decode(), text
        assert text in page, text
    assert "<html" not in dialog.content.decode()
    assert not Task.objects.exists()


def test_it_is_an_ordinary_task_of_one_mail_that_can_be_watched(
    as_owner: Client, owner: User, address: Address
) -> None:
    answer = post(as_owner, address)

    assert answer["Location"] == LIST
    task = Task.objects.get()
    assert (task.name, task.subject, task.template) == ("测试邮件", "来自控制台的测试邮件", None)
    assert (task.sender, task.sender_alias, task.created_by) == (address.address, "云消息", owner)
    message = Message.objects.get(task=task)
    assert message.recipient == owner.email
    assert f'href="{message.get_absolute_url()}"' in as_owner.get(LIST).content.decode()
    detail = as_owner.get(message.get_absolute_url()).content.decode()
    assert "TEST-ZH" in detail
    assert "测试邮件" in detail


def test_the_dialog_is_answered_by_leading_to_the_list(as_owner: Client, address: Address) -> None:
    answer = post(as_owner, address, FRAGMENT, subject="看看效果")

    assert answer.headers["HX-Redirect"] == LIST
    assert Task.objects.get().subject == "看看效果"


def test_it_arrives_signed_and_costs_one_unit(
    as_owner: Client, owner: User, acme: Tenant, peer: Peer
) -> None:
    EmailService.objects.filter(tenant=acme).update(transport=make_transport(port=peer.port))
    domain = make_domain(acme, name="shop.example", verified=True)
    address = make_address(domain, prefix="news", alias="云消息")
    key = domain.dkim_keys.get()

    post(as_owner, address)
    deliver_all()

    (mail,) = peer.mails
    record = f"v=DKIM1; k=rsa; p={key.public_key}".encode()
    assert dkim.verify(mail, dnsfunc=lambda name, timeout=5: record)
    parsed = message_from_bytes(mail, policy=policy.default)
    assert (parsed["From"].addresses[0].addr_spec, parsed["To"]) == (address.address, owner.email)
    html, text = parsed.get_body(("html",)), parsed.get_body(("plain",))
    assert html is not None and text is not None
    assert "测试邮件" in html.get_content()
    assert "测试邮件" in text.get_content()
    message = Message.objects.get()
    assert message.status == Message.Status.DELIVERED
    progress.refresh(message.task_id)
    consumed = UnitEntry.objects.filter(reference=message.task.code, kind=UnitEntry.Kind.CONSUME)
    assert [abs(entry.units) for entry in consumed] == [1]
    assert "已送达" in as_owner.get(message.get_absolute_url()).content.decode()


def test_an_english_reader_gets_an_english_text(as_owner: Client, address: Address) -> None:
    as_owner.cookies["django_language"] = "en"

    post(as_owner, address)

    version = Task.objects.get().template_version
    assert (version.title, version.template.code) == ("Test mail", "TEST-EN")
    assert "You sent this test mail to yourself" in version.body


def test_the_same_text_is_stored_once(as_owner: Client, address: Address) -> None:
    post(as_owner, address)
    post(as_owner, address)

    assert TemplateVersion.objects.count() == 1
    assert Task.objects.count() == 2


def test_a_double_click_sends_one(as_owner: Client, address: Address) -> None:
    key = uuid.uuid4()

    answers = [post(as_owner, address, submission_key=key).status_code for _ in range(2)]

    assert answers == [302, 302]
    assert Message.objects.count() == 1


def test_more_than_so_many_an_hour_are_refused(as_owner: Client, address: Address, settings: Any) -> None:
    settings.TEST_MAILS_AN_HOUR = 2
    key = uuid.uuid4()
    post(as_owner, address)
    post(as_owner, address, submission_key=key)

    answer = post(as_owner, address, FRAGMENT)
    again = post(as_owner, address, submission_key=key)

    assert answer.status_code == 422
    assert "每小时" in answer.content.decode()
    assert again.status_code == 302  # the second one, sent before, posted once more
    assert Task.objects.count() == 2
    colleague = make_user(address.tenant, name="colleague", policies=[only_tasks("*")])
    assert post(login(colleague), address).status_code == 302


def test_an_address_whose_domain_is_not_verified_sends_none(as_owner: Client, acme: Tenant) -> None:
    domain = make_domain(acme)
    address = make_address(domain)

    shown = as_owner.get(url(address), **FRAGMENT)
    answer = post(as_owner, address, FRAGMENT)

    assert (shown.status_code, answer.status_code) == (200, 422)
    for found in (shown, answer):
        assert f'href="{domain.get_absolute_url()}"' in found.content.decode()
        assert 'name="subject"' not in found.content.decode()
    assert not Task.objects.exists()


def test_without_a_mailbox_the_dialog_says_who_can_enter_it(acme: Tenant, address: Address) -> None:
    user = make_user(acme, name="silent", email="", policies=[only_tasks("create")])
    client = login(user)

    shown = client.get(url(address), **FRAGMENT).content.decode()

    assert "邮箱" in shown
    assert 'type="submit"' not in shown
    edit = reverse("iam:user_edit", args=[user.pk])
    assert edit not in shown
    assert post(client, address, FRAGMENT).status_code == 422
    manager = {"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["iam:user:*"]}]}
    user = make_user(acme, name="manager", email="", policies=[only_tasks("create"), manager])
    assert reverse("iam:user_edit", args=[user.pk]) in login(user).get(url(address)).content.decode()
    assert not Task.objects.exists()


def test_the_rules_of_sending_hold(as_owner: Client, owner: User, acme: Tenant, address: Address) -> None:
    make_suppression(acme, owner.email)
    assert post(as_owner, address).status_code == 422
    acme.pay_as_you_go = False
    acme.save(update_fields=["pay_as_you_go"])
    assert post(as_owner, address).status_code == 422
    EmailService.objects.filter(tenant=acme).update(paused=True)
    refused = post(as_owner, address, FRAGMENT)

    assert refused.status_code == 422
    assert 'role="alert"' in refused.content.decode()
    assert not Task.objects.exists()
    assert not Message.objects.exists()


def test_an_odd_subject_is_refused_at_its_field(as_owner: Client, address: Address) -> None:
    for subject in ("Hello {{name}}", "two\nlines", "x" * 201):
        answer = post(as_owner, address, FRAGMENT, subject=subject)
        assert answer.status_code == 422, subject
        assert 'id="id_subject_error"' in answer.content.decode(), subject
    assert not Task.objects.exists()


def test_it_takes_the_right_to_create_tasks_and_nothing_else(
    as_reader: Client, as_stranger: Client, acme: Tenant, address: Address
) -> None:
    assert post(as_reader, address).status_code == 403
    assert url(address) not in as_reader.get(LIST).content.decode()
    assert post(as_stranger, address).status_code == 404
    client = login(make_user(acme, name="sender", policies=[only_tasks("create")]))

    answer = post(client, address)

    assert answer["Location"] == "/"
    page = client.get("/").content.decode()
    assert "已发出" in page
    assert Message.objects.get().get_absolute_url() not in page


def test_its_text_is_in_no_list_and_cannot_be_chosen(
    as_owner: Client, acme: Tenant, address: Address
) -> None:
    post(as_owner, address)
    template = Template.objects.get()

    assert template.tenant is None
    for path in ("/email/templates/", "/email/templates/public/", "/email/tasks/add/"):
        page = as_owner.get(path).content.decode()
        assert template.code not in page, path
    choices = as_owner.get("/email/tasks/add/").context["form"].fields["template"].queryset
    assert list(choices) == []
    assert not Template.objects.public().exists()
    assert not Template.objects.sendable_by(acme).exists()
    assert "没有" in as_owner.get("/email/templates/public/").content.decode()
    for name in ("template_public_preview", "template_public_copy", "template_public_frame"):
        assert as_owner.get(reverse(f"email:{name}", args=[template.pk])).status_code == 404
    for path in ("/email/tasks/preview/", "/email/tasks/test/"):
        answer = as_owner.post(path, {"template": template.pk}, **FRAGMENT).content.decode()
        assert template.title not in answer, path
    assert as_owner.get("/email/tasks/frame/", {"template": template.pk}).status_code == 404
    data = {
        "name": "Spring", "subject": "Hello", "template": template.pk, "address": address.pk,
        "send_type": "now", "source": "manual", "recipients": "a@qq.com", "submission_key": uuid.uuid4(),
    }  # fmt: skip
    assert as_owner.post("/email/tasks/add/", data).status_code == 422
    assert Task.objects.count() == 1


def test_the_administration_lists_no_hidden_text(
    as_owner: Client, as_operator: Client, address: Address
) -> None:
    post(as_owner, address)

    for name in ("template", "templateversion"):
        page = as_operator.get(
            reverse(f"admin:email_service_{name}_changelist"), {"status": "all"}, follow=True
        )
        assert page.status_code == 200
        assert "TEST-ZH" not in page.content.decode()


def test_the_export_of_details_holds_the_mail_by_its_name_alone(
    as_owner: Client, address: Address, django_capture_on_commit_callbacks: Any
) -> None:
    post(as_owner, address)

    with django_capture_on_commit_callbacks(execute=True):
        as_owner.post(reverse("email:message_export"), {"format": "xlsx"})

    rows = list(
        load_workbook(BytesIO(uploads.read(Export.objects.get().file))).active.iter_rows(values_only=True)
    )  # type: ignore[union-attr]
    assert len(rows) == 2
    assert "测试邮件" in str(rows[1])
