"""manage.py check_recipients: the verdict of the console, as JSON."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from email_service.models import Message, RecipientCheck, RejectedRow
from iam.models import Tenant
from tests.email_service.send_tasks.sending import make_sending_tenant, sheet
from tests.factories import make_tenant
from tests.factories_sending import make_suppression, make_version

pytestmark = pytest.mark.django_db
ROWS = (
    ("email", "name"), ("a@qq.com", "A"), ("A@qq.com", "A"), ("gone@qq.com", "B"), ("x", "C"), ("b@qq.com", ""),
    ("c@qq.com", "D"),
)  # fmt: skip


@pytest.fixture
def tenant() -> Tenant:
    return make_sending_tenant()


@pytest.fixture
def code(tenant: Tenant) -> str:
    make_suppression(tenant, "gone@qq.com")
    return make_version(tenant, body="{{name}}", parameters=["name"]).template.code


def ask(path: Path, *words: str) -> tuple[int, dict[str, Any]]:
    out = StringIO()
    try:
        call_command("check_recipients", str(path), *words, stdout=out)
    except SystemExit as end:
        return int(end.code or 0), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def written(folder: Path, *rows: tuple[object, ...]) -> Path:
    path = folder / "recipients.xlsx"
    path.write_bytes(sheet(*rows).read())
    return path


def test_the_verdict_names_every_kind_of_row_and_nothing_is_written(
    tmp_path: Path, tenant: Tenant, code: str
) -> None:
    status, found = ask(written(tmp_path, *ROWS), "--template", code, "--tenant", tenant.account)

    assert status == 0
    problems = found.pop("problems")
    assert found == {
        "rows": 6, "good": 2, "bad": {"bad_address": 1, "no_value": 1}, "duplicates": 1, "suppressed": 1,
    }  # fmt: skip
    assert problems[0] == {"row": 3, "value": "A@qq.com", "reason": "duplicate"}
    assert [problem["row"] for problem in problems] == [3, 4, 5, 6]
    assert not any(table.objects.exists() for table in (Message, RejectedRow, RecipientCheck))


def test_without_an_account_the_templates_own_counts(tmp_path: Path, code: str) -> None:
    assert ask(written(tmp_path, *ROWS), "--template", code)[1]["suppressed"] == 1


def test_what_cannot_be_answered_is_an_error(tmp_path: Path, tenant: Tenant, code: str) -> None:
    good = written(tmp_path, *ROWS)
    lacking = tmp_path / "lacking.xlsx"
    lacking.write_bytes(sheet(("email",), ("a@qq.com",)).read())
    text = tmp_path / "text.xlsx"
    text.write_bytes(b"email,name")
    stranger = make_tenant()

    for path, words in (
        (lacking, ["--template", code]),
        (text, ["--template", code]),
        (tmp_path / "none.xlsx", ["--template", code]),
        (good, ["--template", "M1"]),
        (good, ["--template", code, "--account", stranger.account]),
        (good, ["--template", code, "--tenant", "nobody"]),
    ):
        status, found = ask(path, *words)
        assert (status, list(found)) == (1, ["error"]), words
        assert found["error"]
