"""发送测试邮件 on the form 新建发送任务: the mail as it is chosen now, to oneself."""

import uuid
from email import message_from_bytes, policy
from typing import Any

import pytest
from django.test import Client

from billing.models import UnitEntry
from email_service.addresses.models import Address
from email_service.mail_templates.models import BodyType, Template, TemplateVersion
from email_service.send_details.models import Message
from email_service.send_tasks.models import Task
from email_service.setup.models import EmailService
from iam.models import Tenant, User
from tests.conftest import FRAGMENT
from tests.email_service.delivery.peer import Peer
from tests.email_service.send_tasks.sending import deliver_all
from tests.factories import make_transport
from tests.factories_domains import make_address, make_domain
from tests.factories_sending import make_sender, make_suppression, make_version

URL = "/email/tasks/test/"


@pytest.fixture
def address(acme: Tenant) -> Address:
    return make_address(make_domain(acme, name="shop.example", verified=True), prefix="news", alias="云消息")


@pytest.fixture
def version(acme: Tenant) -> TemplateVersion:
    return make_version(acme, body="Dear {{name}}, code {{code}}.", parameters=["name", "code"])


@pytest.fixture
def chosen(address: Address, version: TemplateVersion) -> dict[str, Any]:
    return {"template": version.template.pk, "address": address.pk, "subject": "For {{name}}"}


def post(client: Client, fields: dict[str, Any], **more: Any) -> Any:
    return client.post(URL, {"test_key": uuid.uuid4(), **fields, **more}, **FRAGMENT)


def test_it_arrives_with_the_values_that_were_typed_and_samples_for_the_others(
    as_owner: Client, owner: User, acme: Tenant, peer: Peer
) -> None:
    EmailService.objects.filter(tenant=acme).update(transport=make_transport(port=peer.port))
    address = make_address(
        make_domain(acme, name="shop.example", verified=True), prefix="news", alias="云消息"
    )
    version = make_version(acme, body="Dear {{name}}, code {{code}}.", parameters=["name", "code"])
    chosen = {"template": version.template.pk, "address": address.pk, "subject": "For {{name}}"}

    answer = post(as_owner, chosen, name="Spring", **{"value-name": "王小明", "value-code": ""})
    deliver_all()

    assert answer.status_code == 200
    (raw,) = peer.mails
    mail = message_from_bytes(raw, policy=policy.default)
    assert (mail["To"], mail["Subject"]) == (owner.email, "For 王小明")
    assert "news@shop.example" in mail["From"] and "云消息" in mail["From"]
    body = mail.get_body(("plain",))
    assert body is not None and "Dear 王小明, code 628419." in body.get_content()
    assert Message.objects.get().status == Message.Status.DELIVERED


def test_it_is_an_ordinary_task_and_its_message_is_linked(
    as_owner: Client, owner: User, version: TemplateVersion, chosen: dict[str, Any]
) -> None:
    answer = post(as_owner, chosen)

    task, message = Task.objects.get(), Message.objects.get()
    page = answer.content.decode()
    assert f'href="{message.get_absolute_url()}"' in page and owner.email in page
    assert "<form" not in page
    assert (task.method, task.template, task.created_by, task.is_test) == (
        "console", version.template, owner, True
    )  # fmt: skip
    assert version.title in task.name
    assert message.params == ["Li Na", "628419"]
    assert UnitEntry.objects.filter(reference=task.code, kind=UnitEntry.Kind.RESERVE).count() == 1
    assert not task.attachments.exists()


def test_a_double_click_sends_one_and_the_next_press_another(
    as_owner: Client, chosen: dict[str, Any]
) -> None:
    key = str(uuid.uuid4())
    pages = [post(as_owner, chosen, test_key=key).content.decode() for _ in range(2)]

    assert Task.objects.count() == 1
    following = pages[1].partition('name="test_key" value="')[2].partition('"')[0]
    assert following != key

    post(as_owner, chosen, test_key=following)
    assert Task.objects.count() == 2


def test_the_limit_of_an_hour_is_shared_with_the_test_mails_of_addresses(
    as_owner: Client, address: Address, chosen: dict[str, Any], settings: Any
) -> None:
    settings.TEST_MAILS_AN_HOUR = 2
    of_address = f"/email/addresses/{address.pk}/test/"
    assert as_owner.post(of_address, {"submission_key": uuid.uuid4()}).status_code == 302
    assert post(as_owner, chosen).status_code == 200

    refused = post(as_owner, chosen)

    assert refused.status_code == 422
    assert "每小时" in refused.content.decode()
    assert as_owner.post(of_address, {"submission_key": uuid.uuid4()}).status_code == 422
    assert Task.objects.count() == 2


def test_ordinary_tasks_do_not_count_as_test_mails(
    as_owner: Client, acme: Tenant, chosen: dict[str, Any], settings: Any
) -> None:
    settings.TEST_MAILS_AN_HOUR = 1
    task = {
        "name": "Spring", "subject": "Hello", "template": make_version(acme).template.pk, "send_type": "now",
        "address": chosen["address"], "source": "manual", "recipients": "a@qq.com", "submission_key": uuid.uuid4(),
    }  # fmt: skip
    assert as_owner.post("/email/tasks/add/", task).status_code == 302

    assert post(as_owner, chosen).status_code == 200
    assert [task.is_test for task in Task.objects.order_by("pk")] == [False, True]


def test_what_is_missing_or_odd_is_said_and_nothing_is_sent(as_owner: Client, chosen: dict[str, Any]) -> None:
    odd = ({"template": ""}, {"address": ""}, {"subject": ""}, {"subject": "{{nobody}}"}, {"test_key": "x"})
    for fields in odd:
        answer = post(as_owner, {**chosen, **fields})
        assert answer.status_code == 422, fields
        assert "alert-danger" in answer.content.decode(), fields
    assert not Task.objects.exists()


def test_a_value_that_begins_a_link_must_be_an_address_of_the_web(
    as_owner: Client, acme: Tenant, chosen: dict[str, Any]
) -> None:
    body = '<p>Hello</p><a href="{{shop_url}}">shop</a>'
    version = make_version(acme, body_type=BodyType.RICH, body=body, parameters=["shop_url"])
    fields = {**chosen, "template": version.template.pk, "subject": "Hello"}

    refused = post(as_owner, fields, **{"value-shop_url": "shop.example"})

    assert refused.status_code == 422
    assert "shop_url" in refused.content.decode()
    assert not Task.objects.exists()
    assert post(as_owner, fields, **{"value-shop_url": "https://shop.example/"}).status_code == 200


def test_the_obstacles_are_those_of_every_test_mail(
    as_owner: Client, owner: User, acme: Tenant, chosen: dict[str, Any]
) -> None:
    make_suppression(acme, owner.email)
    assert post(as_owner, chosen).status_code == 422
    owner.email = ""
    owner.save(update_fields=["email"])
    assert "邮箱" in post(as_owner, chosen).content.decode()
    EmailService.objects.filter(tenant=acme).update(paused=True)
    assert post(as_owner, chosen).status_code == 422

    assert not Task.objects.exists() and not Message.objects.exists()


def test_strangers_templates_and_addresses_cannot_be_tested(
    as_owner: Client, globex: Tenant, chosen: dict[str, Any]
) -> None:
    foreign = make_version(globex, body="Secret")

    for fields in ({"template": foreign.template.pk}, {"address": make_sender(globex).pk}):
        answer = post(as_owner, {**chosen, **fields})
        assert answer.status_code == 422
        assert foreign.title not in answer.content.decode()
    Template.objects.filter(pk=chosen["template"]).update(is_deleted=True)
    assert post(as_owner, chosen).status_code == 422
    assert not Task.objects.exists()


def test_without_scripts_the_page_comes_back_with_the_form_as_it_was(
    as_owner: Client, chosen: dict[str, Any]
) -> None:
    fields = {
        **chosen,
        "test_key": uuid.uuid4(),
        "name": "Spring",
        "recipients": "a@qq.com",
        "value-code": "0042",
    }

    answer = as_owner.post(URL, fields)

    page = answer.content.decode()
    assert answer.status_code == 200
    for text in ("<html", 'value="Spring"', "a@qq.com</textarea>", 'value="0042"', "alert-success"):
        assert text in page, text
    assert Message.objects.get().get_absolute_url() in page
