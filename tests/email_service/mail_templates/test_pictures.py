"""Pictures of templates: encoded anew, limited, served to everybody under addresses nobody guesses."""

import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from email_service.mail_templates import pictures
from email_service.mail_templates.models import Picture
from email_service.mail_templates.services_pictures import add_picture
from iam.models import AuditEntry
from koomessage.common.errors import RuleViolation
from tests.conftest import FRAGMENT
from tests.factories_sending import make_task
from tests.factories_templates import make_picture, make_template, picture_bytes

pytestmark = pytest.mark.django_db
ADD = "/email/templates/pictures/add/"
LIST = "/email/templates/pictures/"
EDITOR = {"HTTP_ACCEPT": "application/json"}


def upload(content: bytes | None = None, name: str = "logo.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, picture_bytes() if content is None else content)


def encode(content: bytes) -> pictures.Encoded:
    return pictures.encode(io.BytesIO(content))


def path_of(address: str, settings) -> str:
    return address.removeprefix(settings.PUBLIC_URL)


def test_a_picture_from_the_editor_is_stored_and_shown_to_anybody(as_owner, acme, settings):
    answer = as_owner.post(ADD, {"picture": upload()}, **EDITOR)

    found = answer.json()
    assert (answer.status_code, found["width"], found["height"]) == (200, 40, 30)
    assert re.fullmatch(rf"{settings.PUBLIC_URL}/pictures/[\w-]{{43}}\.png", found["address"])
    shown = Client().get(path_of(found["address"], settings))
    assert shown.status_code == 200
    assert shown["Content-Type"] == "image/png"
    assert "immutable" in shown["Cache-Control"]
    assert shown["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "Set-Cookie" not in shown
    assert Image.open(io.BytesIO(b"".join(shown.streaming_content))).size == (40, 30)
    assert AuditEntry.objects.filter(tenant=acme, target="logo.png").exists()


def test_on_the_page_an_upload_leads_back_to_the_list(as_owner):
    answer = as_owner.post(ADD, {"picture": upload(name="图标.png")}, follow=True)

    page = answer.content.decode()
    assert "图标.png" in page
    assert "40 × 30" in page


def test_the_same_picture_again_is_the_same_row(as_owner):
    first, second = (as_owner.post(ADD, {"picture": upload()}, **EDITOR).json() for _ in range(2))

    assert first == second
    assert Picture.objects.count() == 1


def test_two_accounts_with_one_picture_have_two_addresses(as_owner, as_stranger):
    first, second = (c.post(ADD, {"picture": upload()}, **EDITOR).json() for c in (as_owner, as_stranger))

    assert first["address"] != second["address"]


def test_camera_and_place_stay_behind_and_the_picture_stands_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    exif[0x010F] = "Camera of Somebody"
    content = picture_bytes((80, 40), kind="JPEG", exif=exif, comment=b"a secret comment")

    encoded = encode(content)

    assert (encoded.kind, encoded.width, encoded.height) == ("jpg", 40, 80)
    assert b"Camera" not in encoded.content
    assert b"secret" not in encoded.content
    assert not Image.open(io.BytesIO(encoded.content)).getexif()


def test_what_is_hidden_behind_a_picture_does_not_travel_along():
    for kind in ("PNG", "JPEG", "GIF"):
        encoded = encode(picture_bytes(kind=kind) + b"<script>alert(1)</script>")

        assert b"script" not in encoded.content


@pytest.mark.parametrize(
    ("kind", "mode", "stored"),
    [("WEBP", "RGB", "jpg"), ("WEBP", "RGBA", "png"), ("BMP", "RGB", "png"), ("GIF", "P", "png")],
)
def test_kinds_that_mail_programs_do_not_show_become_others(kind, mode, stored):
    target = io.BytesIO()
    Image.new(mode, (20, 10)).save(target, kind)

    encoded = encode(target.getvalue())

    assert encoded.kind == stored
    assert (Image.open(io.BytesIO(encoded.content)).mode == "RGBA") == (mode == "RGBA")


def test_a_wide_picture_is_made_as_wide_as_mails_need():
    assert (encode(picture_bytes((3200, 200))).width, encode(picture_bytes((1600, 10))).width) == (1600, 1600)


def test_an_animation_keeps_moving():
    frames = [Image.new("RGB", (30, 30), colour) for colour in ("red", "green", "blue")]
    target = io.BytesIO()
    frames[0].save(target, "GIF", save_all=True, append_images=frames[1:], duration=[100, 200, 300], loop=0)

    encoded = encode(target.getvalue())

    moving = Image.open(io.BytesIO(encoded.content))
    assert (encoded.kind, moving.n_frames, moving.info["loop"]) == ("gif", 3, 0)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"GIF89a<script>alert(1)</script>",
        b"\x89PNG\r\n\x1a\n" + b"x" * 100,
        picture_bytes(kind="TIFF"),
        b"%PDF-1.7",
        picture_bytes()[:60],
    ],
)
def test_what_is_no_picture_is_refused(content):
    with pytest.raises(RuleViolation) as refusal:
        encode(content)

    assert refusal.value.field == "picture"


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF"])
def test_photos_may_have_more_pixels_than_kinds_that_take_more_memory(kind):
    assert encode(picture_bytes((4001, 4001), kind="JPEG")).width == 1600
    with pytest.raises(RuleViolation, match="16"):
        encode(picture_bytes((4001, 4001), kind=kind))


def test_large_files_pictures_and_animations_are_refused(monkeypatch):
    for content in (b"x" * (pictures.MAX_UPLOAD + 1), picture_bytes((20_000, 2_001))):
        with pytest.raises(RuleViolation):
            encode(content)
    frames = [Image.new("L", (9, 9), number % 250) for number in range(pictures.MAX_FRAMES + 1)]
    target = io.BytesIO()
    frames[0].save(target, "GIF", save_all=True, append_images=frames[1:])
    with pytest.raises(RuleViolation):
        encode(target.getvalue())


def test_a_refusal_reaches_the_editor_as_json_and_the_page_as_a_sentence(as_owner):
    for files in ({}, {"picture": upload(b"nothing")}):
        answer = as_owner.post(ADD, files, **EDITOR)
        page = as_owner.post(ADD, files)

        assert (answer.status_code, page.status_code) == (422, 422)
        assert answer.json()["error"] in page.content.decode()
    assert not Picture.objects.exists()


def test_an_account_has_room_for_so_many(acme, owner, settings):
    settings.PICTURES_MB = 1
    make_picture(acme, size=2**20 - 50)

    with pytest.raises(RuleViolation, match="1 MB"):
        add_picture(tenant=acme, user=owner, upload=upload())


def test_deleting_asks_and_takes_the_file_along(as_owner, settings, django_capture_on_commit_callbacks):
    address = as_owner.post(ADD, {"picture": upload()}, **EDITOR).json()["address"]
    url = f"{LIST}{Picture.objects.get().pk}/delete/"

    assert as_owner.get(url, **FRAGMENT).status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        assert as_owner.post(url).status_code == 302

    assert not Picture.objects.exists()
    assert Client().get(path_of(address, settings)).status_code == 404
    assert not [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()]


def test_a_picture_that_a_template_shows_is_not_deleted(as_owner, acme):
    picture = make_picture(acme)
    template = make_template(acme, body=f'<img src="{picture.address}" alt="Logo">')

    answer = as_owner.post(f"{LIST}{picture.pk}/delete/", **FRAGMENT)

    assert answer.status_code == 422
    assert template.code in answer.content.decode()
    assert Picture.objects.exists()


def test_who_may_only_look_brings_and_deletes_nothing(as_reader, as_newcomer, as_stranger, acme):
    picture = make_picture(acme)

    assert as_reader.get(LIST).status_code == 200
    assert as_reader.post(ADD, {"picture": upload()}).status_code == 403
    assert as_reader.post(f"{LIST}{picture.pk}/delete/").status_code == 403
    assert as_newcomer.get(LIST).status_code == 403
    assert as_stranger.get(f"{LIST}{picture.pk}/delete/").status_code == 404
    assert picture.name not in as_stranger.get(LIST).content.decode()


@pytest.mark.parametrize(
    "path", ["x.png", "../../etc/passwd.png", "a" * 43 + ".png", "{token}.gif", "{token}.svg"]
)
def test_an_address_that_was_guessed_is_404(acme, path):
    token = make_picture(acme).token

    assert Client().get(f"/pictures/{path.format(token=token)}").status_code == 404


def test_the_list_costs_a_fixed_number_of_queries(as_owner, acme, django_assert_max_num_queries):
    for _ in range(25):
        make_picture(acme)

    with django_assert_max_num_queries(9):
        page = as_owner.get(LIST)
    assert len(page.context["page"].rows) == 20


@pytest.mark.parametrize(("status", "code"), [("scheduled", 422), ("sending", 422), ("finished", 302)])
def test_a_picture_stays_while_a_task_still_sends_an_earlier_version_that_shows_it(
    as_owner, acme, status, code
):
    picture = make_picture(acme)
    template = make_template(acme, body=f'<img src="{picture.address}" alt="x">')
    task = make_task(acme, template_version=template.version, status=status)
    other = make_template(acme, body="<p>without</p>").version
    template.versions.update(number=7)
    type(template).objects.filter(pk=template.pk).update(version=other)

    answer = as_owner.post(f"{LIST}{picture.pk}/delete/")

    assert answer.status_code == code
    assert (task.name in answer.content.decode()) == (code == 422)


def test_a_refused_row_leaves_no_file_behind(acme, owner, monkeypatch, settings):
    def refuse(**_values):
        raise RuntimeError

    monkeypatch.setattr("iam.audit.record", refuse)
    with pytest.raises(RuntimeError):
        add_picture(tenant=acme, user=owner, upload=upload())

    assert not [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()]
