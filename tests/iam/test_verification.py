"""企业实名认证: handing papers in, seeing where they stand, and deciding."""

from typing import Any

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from iam.models import AuditEntry, EnterpriseApplication, Tenant, User
from tests.factories import make_staff, make_tenant, make_user
from tests.factories_iam import NUMBER, make_application, png

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


@pytest.fixture
def initech(db: Any) -> Tenant:
    return make_tenant(account="initech", name="Initech", verification="unverified", activated_at=None)


@pytest.fixture
def as_boss(initech: Tenant) -> Client:
    client = Client()
    client.force_login(make_user(initech, name="boss", is_main=True), backend="iam.backends.StaffBackend")
    return client


@pytest.fixture
def as_clerk(initech: Tenant, as_boss: Client) -> Client:
    client = Client()
    client.force_login(make_user(initech, name="clerk"), backend="iam.backends.StaffBackend")
    return client


def form(**overrides: Any) -> dict[str, Any]:
    fields = {
        "company_name": "英尼科技有限公司",
        "registration_number": NUMBER,
        "licence": png("../../营业执照.png"),
        "contact_name": "韩梅梅",
        "contact_phone": "+86 10 8888 8888",
    }
    return {**fields, **overrides}


def test_papers_are_handed_in_and_wait(as_boss: Client, initech: Tenant):
    answer = as_boss.post("/verification/", form())

    application = EnterpriseApplication.objects.get(tenant=initech)
    initech.refresh_from_db()
    assert answer["Location"] == "/verification/"
    assert initech.verification == "pending"
    assert application.licence.name.startswith("licences/")
    assert "营业执照" not in application.licence.name
    assert AuditEntry.objects.filter(tenant=initech, action="iam:verification:create").exists()
    page = as_boss.get("/verification/").content.decode()
    assert NUMBER in page
    assert "verification-form" not in page


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"registration_number": "91440300192203821"}, "registration_number"),
        ({"registration_number": "914403001922038210"}, "registration_number"),
        ({"company_name": ""}, "company_name"),
        ({"contact_phone": "call me"}, "contact_phone"),
        ({"licence": ""}, "licence"),
        ({"licence": SimpleUploadedFile("a.png", b"<svg onload=alert(1)>", "image/png")}, "licence"),
        ({"licence": SimpleUploadedFile("a.pdf", b"%PDF-", "application/pdf")}, "licence"),
        ({"licence": SimpleUploadedFile("a.png", b"\x89PNG\r\n\x1a\n" + b"0" * 50, "image/png")}, "licence"),
        ({"licence": SimpleUploadedFile("a.pdf", PDF + b" " * (5 * 2**20), "application/pdf")}, "licence"),
    ],
)
def test_bad_papers_are_refused_at_their_field(
    as_boss: Client, initech: Tenant, values: dict[str, Any], field: str
):
    answer = as_boss.post("/verification/", form(**values))

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert "韩梅梅" in answer.content.decode()
    assert not EnterpriseApplication.objects.exists()


def test_a_second_application_waits_for_the_first(as_boss: Client, initech: Tenant):
    as_boss.post("/verification/", form())

    assert as_boss.post("/verification/", form()).status_code == 422
    assert EnterpriseApplication.objects.count() == 1


def test_only_the_main_account_applies_and_others_learn_who(as_clerk: Client):
    assert as_clerk.post("/verification/", form()).status_code == 403
    page = as_clerk.get("/verification/")
    assert "initech/boss" in page.content.decode()
    assert "verification-form" not in page.content.decode()


def test_approval_verifies_and_tells_by_mail(
    as_operator: Client,
    operator: User,
    initech: Tenant,
    as_boss: Client,
    django_capture_on_commit_callbacks: Any,
):
    application = make_application(initech, company_name="英尼科技有限公司")
    url = "/admin/iam/enterpriseapplication/"

    with django_capture_on_commit_callbacks(execute=True):
        answer = as_operator.post(
            url, {"action": "approve", "_selected_action": [application.pk]}, follow=True
        )

    application.refresh_from_db()
    initech.refresh_from_db()
    assert answer.status_code == 200
    assert (application.status, application.decided_by) == ("approved", operator)
    assert (initech.verification, initech.name) == ("verified", "英尼科技有限公司")
    assert [message.to for message in mail.outbox] == [[initech.email]]
    assert "/activate/" in mail.outbox[0].body
    assert AuditEntry.objects.filter(user=operator, action="iam:verification:approve").exists()


def test_a_rejection_needs_a_reason_which_the_applicant_reads_and_answers(
    as_operator: Client, initech: Tenant, as_boss: Client, django_capture_on_commit_callbacks: Any
):
    as_boss.post("/verification/", form())
    application = EnterpriseApplication.objects.get()
    url, chosen = (
        "/admin/iam/enterpriseapplication/",
        {"action": "reject", "_selected_action": [application.pk]},
    )

    asked = as_operator.post(url, chosen)
    unsaid = as_operator.post(url, {**chosen, "reason": "  "})
    application.refresh_from_db()
    waiting = application.status
    with django_capture_on_commit_callbacks(execute=True):
        as_operator.post(url, {**chosen, "reason": "The picture is not readable."})

    application.refresh_from_db()
    initech.refresh_from_db()
    assert b'name="reason"' in asked.content
    assert unsaid.status_code == 200
    assert waiting == "pending"
    assert (application.status, initech.verification) == ("rejected", "rejected")
    assert "The picture is not readable." in mail.outbox[0].body
    page = as_boss.get("/verification/").content.decode()
    assert "The picture is not readable." in page
    assert "verification-form" in page
    assert as_boss.post("/verification/", form()).status_code == 302
    assert EnterpriseApplication.objects.count() == 2


def test_a_decision_is_made_once(as_operator: Client, initech: Tenant):
    application = make_application(initech, status="rejected", reason="No.")
    chosen = {"action": "approve", "_selected_action": [application.pk]}

    as_operator.post("/admin/iam/enterpriseapplication/", chosen)

    initech.refresh_from_db()
    assert initech.verification == "unverified"


def test_the_licence_is_for_staff_and_the_accounts_main_user(
    as_boss: Client, as_clerk: Client, as_stranger: Client, as_operator: Client, initech: Tenant
):
    client = Client()
    application = make_application(initech)
    own, review = f"/verification/{application.pk}/licence/", f"/verification/{application.pk}/review/"

    for answer in (as_boss.get(own), as_operator.get(review)):
        assert answer.status_code == 200
        assert answer["Content-Type"] == "image/png"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Disposition"].startswith("inline")
        assert "private" in answer["Cache-Control"]
    assert as_clerk.get(own).status_code == 403
    assert as_stranger.get(own).status_code == 404
    assert as_boss.get(review).status_code == 403
    assert as_operator.get(own).status_code == 403
    assert client.get(own).status_code == 302
    assert client.get(review).status_code == 302


def test_staff_without_the_right_see_no_licence_and_cannot_decide(initech: Tenant):
    application = make_application(initech)
    client = Client()
    client.force_login(make_staff(is_superuser=False), backend="iam.backends.StaffBackend")

    client.post(
        "/admin/iam/enterpriseapplication/", {"action": "approve", "_selected_action": [application.pk]}
    )

    application.refresh_from_db()
    assert client.get(f"/verification/{application.pk}/review/").status_code == 403
    assert application.status == "pending"


def test_a_pdf_is_downloaded_and_never_opened(as_boss: Client, initech: Tenant):
    as_boss.post("/verification/", form(licence=SimpleUploadedFile("a.exe", PDF)))
    application = EnterpriseApplication.objects.get()

    answer = as_boss.get(f"/verification/{application.pk}/licence/")

    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer.content == PDF
