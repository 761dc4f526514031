"""Uploads in a storage whose files have no path: licences, pictures, and what an object store is told."""

import gc
import io
import os
import tempfile
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client

from email_service.mail_templates.models import Picture
from iam.models import EnterpriseApplication
from koomessage.common import uploads
from tests.architecture.source import ROOT
from tests.factories import make_tenant, make_user
from tests.factories_iam import make_application, png
from tests.factories_templates import picture_bytes
from tests.iam.test_verification import form

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("far_storage")
def test_a_licence_comes_back_to_those_who_may_see_it_and_to_nobody_else(
    as_stranger: Client, as_operator: Client
) -> None:
    tenant = make_tenant(account="initech", verification="unverified", activated_at=None)
    boss = Client()
    boss.force_login(make_user(tenant, name="boss", is_main=True), backend="iam.backends.StaffBackend")
    content = png().read()

    assert boss.post("/verification/", form(licence=png())).status_code == 302

    application = EnterpriseApplication.objects.get()
    own, review = f"/verification/{application.pk}/licence/", f"/verification/{application.pk}/review/"
    assert (boss.get(own).content, as_operator.get(review).content) == (content, content)
    assert as_stranger.get(own).status_code == 404
    assert Client().get(own).status_code == 302


@pytest.mark.usefixtures("far_storage")
def test_a_picture_is_shown_by_our_own_page_and_goes_when_it_is_deleted(
    as_owner: Client, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    upload = ContentFile(picture_bytes(), "logo.png")
    answer = as_owner.post(
        "/email/templates/pictures/add/", {"picture": upload}, HTTP_ACCEPT="application/json"
    )
    address = answer.json()["address"]
    picture = Picture.objects.get()

    shown = Client().get(address.removeprefix(settings.PUBLIC_URL))

    assert address.startswith(f"{settings.PUBLIC_URL}/pictures/")
    assert shown.status_code == 200
    assert len(b"".join(shown.streaming_content)) == picture.size == int(shown["Content-Length"])
    with django_capture_on_commit_callbacks(execute=True):
        as_owner.post(f"/email/templates/pictures/{picture.pk}/delete/")
    assert not default_storage.exists(picture.file.name)
    assert Client().get(address.removeprefix(settings.PUBLIC_URL)).status_code == 404


@pytest.mark.usefixtures("far_storage")
def test_a_licence_that_is_gone_is_not_found() -> None:
    tenant = make_tenant(account="initech", verification="unverified", activated_at=None)
    boss = Client()
    boss.force_login(make_user(tenant, name="boss", is_main=True), backend="iam.backends.StaffBackend")
    application = make_application(tenant)
    default_storage.delete(application.licence.name)

    assert boss.get(f"/verification/{application.pk}/licence/").status_code == 404


def large(size: int) -> Any:
    application = EnterpriseApplication()
    application.licence.name = default_storage.save("large.bin", ContentFile(os.urandom(size)))
    return application.licence


@pytest.mark.usefixtures("far_storage")
def test_a_large_file_is_copied_piece_by_piece_and_nothing_is_left_behind(
    far_storage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    stored = large(24 * 2**20)
    gc.collect()
    before = set(Path("/dev/fd").iterdir())
    tracemalloc.start()
    with uploads.local_copy(stored) as path:
        most = tracemalloc.get_traced_memory()[1]
        assert path.stat().st_size == 24 * 2**20
        assert path.read_bytes()[:64] == uploads.read(stored)[:64]
    tracemalloc.stop()

    assert list(tmp_path.iterdir()) == []
    gc.collect()
    assert len(set(Path("/dev/fd").iterdir())) <= len(before) + 2
    assert far_storage == "memory" or most < 16 * 2**20


@pytest.mark.parametrize("far_storage", [pytest.param("s3", marks=pytest.mark.services)], indirect=True)
def test_what_an_object_store_keeps_is_private_and_under_the_prefix(far_storage: str) -> None:
    stored = default_storage.save("licences/a.pdf", io.BytesIO(b"%PDF-"))

    bucket = default_storage.bucket
    assert [entry.key for entry in bucket.objects.all()] == ["koomessage/licences/a.pdf"]
    grants = bucket.Object("koomessage/licences/a.pdf").Acl().grants
    assert [grant["Permission"] for grant in grants] == ["FULL_CONTROL"]
    assert "AllUsers" not in str(grants)
    assert "Signature=" in default_storage.url(stored)
    assert default_storage.save("licences/a.pdf", io.BytesIO(b"another")) != stored


def test_only_the_storage_knows_where_files_are() -> None:
    """No code of ours asks a stored file for its path or address, or looks into MEDIA_ROOT."""
    asked = (
        ".file.path",
        ".file.url",
        "licence.path",
        "licence.url",
        "_file.path",
        "_file.url",
        "MEDIA_ROOT",
    )
    settings_file = ROOT / "koomessage" / "settings.py"
    paths = [
        path
        for folder in ("koomessage", "iam", "billing", "email_service", "templates")
        for kind in ("*.py", "*.html")
        for path in (ROOT / folder).rglob(kind)
        if path != settings_file
    ]

    assert len(paths) > 200
    assert [str(path) for path in paths if any(word in path.read_text() for word in asked)] == []
