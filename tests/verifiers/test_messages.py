"""Mails that are out of the ordinary, read by another server, another parser and another verifier."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from email_service.send_details.models import Message
from email_service.send_tasks import dispatch
from iam.models import Tenant
from tests.dns_server import Zone
from tests.email_service.send_tasks.sending import deliver_all, make_sending_tenant, submit
from tests.factories_domains import make_address, make_domain
from tests.factories_sending import make_version
from tests.verifiers.inbound import Inbound, serving
from tests.verifiers.reading import assert_signed, assert_sound, parse
from tests.verifiers.world import publish

pytestmark = pytest.mark.django_db(transaction=True)
FILE_NAMES = [
    "2026年第一季度产品报价与交货周期说明（最终确认版）.pdf",
    "报价.xlsx",
    "terms and conditions.txt",
]


def test_a_retry_has_the_same_bytes_and_files_keep_their_names(
    tenant: Tenant, inbound: Inbound, zone: Zone
) -> None:
    inbound.defers = 1
    files: Any = [SimpleUploadedFile(name, name.encode() * 500) for name in FILE_NAMES]
    submit(tenant, "li.na@example.org", subject="第一季度报价：" + "请查收" * 20, attachments=files)

    deliver_all()
    dispatch.shut_down(grace=1.0)  # the next attempt is another worker's
    Message.objects.update(next_attempt_at=timezone.now())
    deliver_all()

    first, second = inbound.arrived
    assert first.content == second.content
    assert first.sender == second.sender
    assert_sound(second)
    assert_signed(second, zone)
    attached = list(parse(second.content).iter_attachments())
    assert [part.get_filename() for part in attached] == FILE_NAMES
    assert [part.get_payload(decode=True) for part in attached] == [
        name.encode() * 500 for name in FILE_NAMES
    ]
    assert parse(second.content)["Subject"] == "第一季度报价：" + "请查收" * 20
    assert Message.objects.get().status == "delivered"


@pytest.mark.parametrize("can_unsubscribe", [True, False])
def test_one_click_is_offered_where_the_template_offers_it(
    tenant: Tenant, inbound: Inbound, zone: Zone, can_unsubscribe: bool
) -> None:
    version = make_version(tenant, body_type="rich", body="<p>好</p>", can_unsubscribe=can_unsubscribe)
    submit(tenant, "li.na@example.org", version=version)

    deliver_all()

    (mail,) = inbound.arrived
    assert_sound(mail, unsubscribes=can_unsubscribe)
    assert_signed(mail, zone)


def test_an_international_mailbox_is_reached_by_smtputf8_and_its_mail_verifies(
    tenant: Tenant, inbound: Inbound, zone: Zone
) -> None:
    submit(tenant, "用户@例子.广告", "ann@例子.广告")

    deliver_all()

    ascii_only, international = sorted(inbound.arrived, key=lambda mail: mail.recipient)
    assert (ascii_only.recipient, "SMTPUTF8" in ascii_only.options) == ("ann@xn--fsqu00a.xn--4rr70v", False)
    assert (international.recipient, "SMTPUTF8" in international.options) == (
        "用户@xn--fsqu00a.xn--4rr70v",
        True,
    )
    assert ascii_only.content.isascii()
    for mail in inbound.arrived:
        assert_sound(mail)
        assert_signed(mail, zone)


def test_an_international_mailbox_fails_where_the_server_cannot_take_it(zone: Zone, tenant: Tenant) -> None:
    with serving(smtputf8=False) as older:
        submit(make_sending_tenant(older), "用户@例子.广告", "ann@例子.广告")
        deliver_all()

    assert [mail.recipient for mail in older.arrived] == ["ann@xn--fsqu00a.xn--4rr70v"]
    assert Message.objects.get(recipient__startswith="用户").status == "failed"


def test_an_international_sending_domain_signs_as_its_a_label(inbound: Inbound, zone: Zone) -> None:
    tenant = make_sending_tenant(inbound)
    domain = make_domain(tenant, verified=True, name="xn--fsqu00a.xn--4rr70v", display_name="例子.广告")
    make_address(domain, prefix="news", alias="例子")
    publish(zone, domain)
    submit(tenant, "li.na@example.org")

    deliver_all()

    (mail,) = inbound.arrived
    assert_sound(mail)
    assert_signed(mail, zone)
    assert parse(mail.content)["From"].addresses[0].addr_spec == "news@xn--fsqu00a.xn--4rr70v"
