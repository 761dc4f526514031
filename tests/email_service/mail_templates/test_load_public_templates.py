"""The command that loads the public templates: safe to run again, and never over an operator's words."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from email_service.mail_templates import catalogue
from email_service.mail_templates.models import Template, TemplateVersion

pytestmark = pytest.mark.django_db
CODE = "M00000101"


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A release with two small templates in place of the real ones; call it for the words of the next."""

    def ship(body: str, title: str = "Welcome") -> None:
        entries = [
            {"code": CODE, "file": "a.html", "title": title, "can_unsubscribe": False},
            {"code": "M00000102", "file": "b.html", "title": "Code", "can_unsubscribe": False},
        ]
        (tmp_path / "catalogue.json").write_text(json.dumps(entries), encoding="utf-8")
        (tmp_path / "a.html").write_text(body, encoding="utf-8")
        (tmp_path / "b.html").write_text("<p>{{code}}</p>", encoding="utf-8")

    monkeypatch.setattr(catalogue, "FOLDER", tmp_path)
    ship("<p>Hello {{user_name}}</p>")
    return ship


def load(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    call_command("load_public_templates", *arguments)
    return capsys.readouterr().out.splitlines()


def template() -> Template:
    return Template.objects.select_related("version").get(code=CODE)


def edit(as_operator: Client, **overrides: str) -> None:
    fields = {"title": "Welcome", "body_type": "rich", "body": "<p>Our own {{user_name}}</p>", **overrides}
    url = f"/admin/email_service/template/{template().pk}/change/"
    assert as_operator.post(url, fields).status_code == 302


def test_it_says_what_it_did(shipped, capsys):
    first = load(capsys)
    second = load(capsys)
    shipped("<p>Good morning {{user_name}}</p>")
    third = load(capsys)

    assert first == [f"{CODE} Welcome: created", "M00000102 Code: created", "2 created"]
    assert second == [f"{CODE} Welcome: unchanged", "M00000102 Code: unchanged", "2 unchanged"]
    assert third == [f"{CODE} Welcome: updated", "M00000102 Code: unchanged", "1 updated, 1 unchanged"]


def test_unchanged_words_make_no_new_version(shipped, capsys):
    load(capsys)
    load(capsys)
    assert TemplateVersion.objects.count() == 2

    shipped("<p>Hello {{user_name}}</p>", title="Welcome aboard")
    load(capsys)

    assert template().title == "Welcome aboard"
    assert template().version.number == 2
    assert TemplateVersion.objects.filter(author=None).count() == 3


def test_what_an_operator_edited_is_left_alone(shipped, capsys, as_operator):
    load(capsys)
    edit(as_operator)
    shipped("<p>New words {{user_name}}</p>")

    lines = load(capsys)

    assert lines[0] == f"{CODE} Welcome: edited by an operator, left alone"
    assert lines[-1] == "1 edited by an operator, left alone, 1 unchanged"
    assert template().version.body == "<p>Our own {{user_name}}</p>"


def test_force_loads_over_an_edit_and_keeps_it_in_the_history(shipped, capsys, as_operator):
    load(capsys)
    edit(as_operator)

    forced = load(capsys, "--force")
    again = load(capsys)

    assert forced[0] == f"{CODE} Welcome: updated"
    assert again[0] == f"{CODE} Welcome: unchanged"
    assert template().version.body == "<p>Hello {{user_name}}</p>"
    assert list(template().versions.order_by("number").values_list("body", flat=True))[1] == (
        "<p>Our own {{user_name}}</p>"
    )


def test_saving_in_the_admin_without_a_change_is_no_edit(shipped, capsys, as_operator):
    load(capsys)
    edit(as_operator, body="<p>Hello {{user_name}}</p>")
    shipped("<p>New words {{user_name}}</p>")

    assert load(capsys)[0] == f"{CODE} Welcome: updated"


@pytest.mark.parametrize("arguments", [(), ("--force",)])
def test_what_an_operator_deleted_does_not_come_back(shipped, capsys, as_operator, arguments):
    load(capsys)
    as_operator.post(f"/admin/email_service/template/{template().pk}/delete/", {"post": "yes"})

    lines = load(capsys, *arguments)

    assert lines[0] == f"{CODE} Welcome: deleted by an operator, left alone"
    assert not Template.objects.public().filter(code=CODE).exists()


def test_the_real_ones_are_offered_to_every_account(capsys, as_owner):
    lines = load(capsys)

    assert lines[-1] == "24 created"
    page = as_owner.get("/email/templates/public/").content.decode()
    assert "欢迎加入" in page
    for row in Template.objects.public().select_related("version"):
        assert (row.status, row.version.author, row.body_type) == ("approved", None, "rich")
        copy = as_owner.get(f"/email/templates/public/{row.pk}/copy/")
        assert copy.status_code == 200, row.title
