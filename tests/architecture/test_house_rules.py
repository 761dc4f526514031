"""What imports cannot say. Each rule is shown to catch a breach, then held against the source."""

import re

import pytest

from tests.architecture import source as house


def test_a_long_view_a_class_view_a_write_and_an_inner_import_are_caught():
    long_view = "def page(request):\n" + "    x = 1\n" * 30
    writing = "def page(request):\n    Domain.objects.create(name='x')\n    rows.update(status='y')\n"
    inner = "def page(request):\n    from iam import models\n"

    assert house.long_views(long_view) == ["page"]
    assert house.class_views("class DomainView(View):\n    pass\n") == ["DomainView"]
    assert len(house.writes(writing)) == 2
    assert house.inner_imports(inner) == [2]


def test_what_views_may_do_is_not_caught():
    fine = "def page(request):\n    services.create(name='x')\n    context.update({'a': 1})\n    form.add_error(None)\n"

    assert house.writes(fine) == []
    assert house.long_views(fine) == []


def test_no_file_is_longer_than_it_may_be():
    generated = ("package-lock.json", "_initial.py")
    long = {
        str(path.relative_to(house.ROOT)): lines
        for path in house.tracked(".py", ".html", ".css", ".js")
        if not path.name.endswith(generated)
        and (lines := len(path.read_text(encoding="utf-8").splitlines())) > house.MOST_LINES
    }

    assert long == {}


def test_views_are_short_functions():
    breaches = {
        str(path.relative_to(house.ROOT)): found
        for path in house.modules("views")
        if (found := house.long_views(text := path.read_text()) + house.class_views(text))
    }

    assert breaches == {}


def test_views_forms_and_the_admin_write_nothing():
    breaches = {
        str(path.relative_to(house.ROOT)): found
        for path in house.modules("views", "forms", "filters", "admin", "resources")
        if (found := house.writes(path.read_text()))
    }

    assert breaches == {}


def test_imports_stand_at_the_top():
    breaches = {
        str(path.relative_to(house.ROOT)): lines
        for path in house.tracked(".py")
        if path.relative_to(house.ROOT).parts[0] in house.APPS
        # Models are not loaded before ready(); Babel is there for developers only.
        and path.name not in ("apps.py", "catalogue.py")
        and "migrations" not in path.parts
        and (lines := house.inner_imports(path.read_text()))
    }

    assert breaches == {}


def test_every_address_declares_its_right_or_that_it_is_public():
    undeclared = [
        address for address, pattern in house.routes() if not hasattr(pattern.callback, "permission")
    ]

    assert undeclared == []


def test_every_command_has_a_test():
    tests = "\n".join(path.read_text() for path in house.tracked(".py") if "tests" in path.parts)
    commands = [
        path.stem for path in house.tracked(".py") if "commands" in path.parts and path.stem != "__init__"
    ]

    assert commands
    assert [name for name in commands if f'"{name}"' not in tests] == []


@pytest.mark.parametrize(
    "pattern",
    [
        r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")[^>]*>",
        r"\sstyle=",
        r"\son[a-z]+=\"",
        "<style",
        "hx-on",
    ],
)
def test_no_page_of_ours_holds_inline_script_or_style(pattern: str):
    # Mails are not pages: their styles must be inline. They live beside the code that loads them.
    pages = [path for path in house.tracked(".html") if path.relative_to(house.ROOT).parts[0] == "templates"]
    allowed = re.compile(r"preview_document|mail_body")

    breaches = [
        str(path.relative_to(house.ROOT))
        for path in pages
        if not allowed.search(path.name) and re.search(pattern, path.read_text(encoding="utf-8"))
    ]

    assert breaches == []


def test_lock_files_hold_no_addresses():
    locks = [
        path
        for path in house.tracked(".txt", "package-lock.json")
        if "requirements" in path.parts or path.name == "package-lock.json"
    ]

    assert len(locks) >= 3
    assert [path.name for path in locks if "://" in path.read_text()] == []
    assert [path.name for path in locks if path.suffix == ".txt" and "--hash=" not in path.read_text()] == []


def test_every_test_that_is_named_for_a_fault_exists():
    tests = house.ROOT / "tests"
    page = (tests / "faults" / "README.md").read_text()
    named = re.findall(r"`([\w/]+\.py)(?:::(test_\w+))?`", page)
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (tests / path).is_file() or (name and f"def {name}(" not in (tests / path).read_text())
    ]

    assert missing == []
    rows = re.findall(r"^\| F-(\d\d) \|", page, re.MULTILINE)
    assert rows == sorted(set(rows)) and len(rows) == 51
