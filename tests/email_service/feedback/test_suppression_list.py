"""抑制名单: list, search, add by hand, delete, export."""

import io
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from python_calamine import CalamineWorkbook

from email_service.feedback.models import Suppression
from iam.models import AuditEntry, Tenant
from tests.conftest import FRAGMENT
from tests.factories_sending import make_message, make_suppression

pytestmark = pytest.mark.django_db
LIST, ADD, EXPORT = "/email/suppression/", "/email/suppression/add/", "/email/suppression/export/"


def delete_url(row: Suppression) -> str:
    return reverse("email:suppression_delete", args=[row.pk])


def test_the_list_shows_the_accounts_own_addresses(as_owner: Client, acme: Tenant, globex: Tenant) -> None:
    make_suppression(acme, "gone@qq.com")
    make_suppression(globex, "secret@qq.com")

    page = as_owner.get(LIST).content.decode()

    assert "gone@qq.com" in page
    assert "secret@qq.com" not in page


def test_search_reason_and_like_signs_narrow(as_owner: Client, acme: Tenant) -> None:
    make_suppression(acme, "a_b@qq.com")
    make_suppression(acme, "axb@qq.com", reason="unsubscribe")

    assert "axb@qq.com" not in as_owner.get(LIST, {"address": "A_B"}).content.decode()
    page = as_owner.get(LIST, {"reason": "unsubscribe"}).content.decode()
    assert "axb@qq.com" in page
    assert "a_b@qq.com" not in page
    assert "a_b@qq.com" not in as_owner.get(LIST, {"address": "%"}).content.decode()


def test_the_fragment_is_the_list_alone(as_owner: Client, acme: Tenant) -> None:
    make_suppression(acme)

    content = as_owner.get(LIST, **FRAGMENT).content.decode()

    assert content.lstrip().startswith('<div id="suppression-list"')


def test_the_list_takes_few_queries(as_owner: Client, acme: Tenant, django_assert_num_queries: Any) -> None:
    for number in range(15):
        make_suppression(acme, f"gone{number}@qq.com")

    # Session, user, account, its Email service, the page.
    with django_assert_num_queries(5):
        as_owner.get(LIST, **FRAGMENT)


def test_adding_by_hand_rejects_what_waits_and_is_logged(as_owner: Client, acme: Tenant) -> None:
    waiting = make_message(tenant=acme, recipient="Gone@qq.com")

    response = as_owner.post(ADD, {"address": " gone@QQ.com ", "note": "asked by phone"})

    assert response.status_code == 302
    waiting.refresh_from_db()
    assert waiting.status == "rejected"
    row = Suppression.objects.get()
    assert (row.address_key, row.reason, row.note) == ("gone@qq.com", "manual", "asked by phone")
    assert AuditEntry.objects.get().action == "kooMessage:suppression:create"


@pytest.mark.parametrize("address", ["", "nonsense", "a@b@c.com", "gone@qq.com"])
def test_what_cannot_be_added_is_refused_with_what_was_typed(
    as_owner: Client, acme: Tenant, address: str
) -> None:
    make_suppression(acme, "gone@qq.com")

    response = as_owner.post(ADD, {"address": address, "note": "kept words"}, **FRAGMENT)

    assert response.status_code == 422
    assert "kept words" in response.content.decode()
    assert Suppression.objects.count() == 1


def test_deleting_asks_first(as_owner: Client, acme: Tenant) -> None:
    row = make_suppression(acme)

    assert as_owner.get(delete_url(row)).status_code == 200
    assert Suppression.objects.exists()
    assert as_owner.post(delete_url(row)).status_code == 302
    assert not Suppression.objects.exists()
    assert AuditEntry.objects.get().action == "kooMessage:suppression:delete"


def test_the_export_holds_what_the_filter_lets_through(as_owner: Client, acme: Tenant) -> None:
    make_suppression(acme, "a@qq.com", note="=HYPERLINK(1)")
    make_suppression(acme, "b@163.com")

    response = as_owner.get(EXPORT, {"address": "qq.com"})

    book = CalamineWorkbook.from_filelike(io.BytesIO(b"".join(response.streaming_content)))
    rows = book.get_sheet_by_index(0).to_python()
    assert len(rows) == 2
    assert (rows[1][0], rows[1][2]) == ("a@qq.com", "=HYPERLINK(1)")


def test_a_reader_looks_and_changes_nothing(as_reader: Client, acme: Tenant) -> None:
    row = make_suppression(acme)

    assert as_reader.get(LIST).status_code == 200
    assert as_reader.post(ADD, {"address": "x@qq.com"}).status_code == 403
    assert as_reader.post(delete_url(row)).status_code == 403


def test_without_rights_everything_is_forbidden(as_newcomer: Client, acme: Tenant) -> None:
    row = make_suppression(acme)

    assert [as_newcomer.get(url).status_code for url in (LIST, ADD, EXPORT, delete_url(row))] == [403] * 4


def test_a_strangers_row_is_not_found(as_stranger: Client, acme: Tenant) -> None:
    row = make_suppression(acme)

    assert as_stranger.get(delete_url(row)).status_code == 404
    assert as_stranger.post(delete_url(row)).status_code == 404
    assert Suppression.objects.exists()
