"""The page of one version under review: checks, links, and what changed."""

import pytest
from django.test import Client

from email_service.mail_templates.services import approve_version
from iam.models import Tenant, User
from tests.email_service.mail_templates.conftest import edit, page_of
from tests.factories_templates import make_template

pytestmark = pytest.mark.django_db


def test_the_page_shows_checks_links_and_that_it_is_the_first_version(
    sensitive: Tenant, owner: User, as_reviewer: Client
):
    body = '<p>Hello {{name}} <a href="http://203.0.113.7/">www.bank.example</a></p>'
    version = make_template(sensitive, user=owner, body=body).version

    page = as_reviewer.get(page_of(version)).content.decode()

    assert "The words show www.bank.example, the address leads to 203.0.113.7." in page
    assert "A link leads to an IP address" in page
    assert "<code>http://203.0.113.7/</code>" in page
    assert "This is the first version" in page
    assert 'href="http://203.0.113.7/"' not in page


def test_the_page_compares_with_the_last_approved_version(
    sensitive: Tenant, owner: User, reviewer: User, as_reviewer: Client
):
    lines = "".join(f"<p>Line {number}</p>" for number in range(12))
    first = make_template(sensitive, user=owner, title="Old title", body=f"<p>Hello Ann</p>{lines}").version
    approve_version(first, by=reviewer)
    edit(first, owner, title="Rejected title", body="<p>Rejected</p>")
    third = edit(first, owner, title="New title", body=f"<p>Hello Bob</p>{lines}", can_unsubscribe=True)

    page = as_reviewer.get(page_of(third)).content.decode()

    assert "Compared with version 1" in page
    assert "<del>Old title</del>" in page and "<ins>New title</ins>" in page
    assert "Hello <del>Ann</del>" in page and "Hello <ins>Bob</ins>" in page
    assert "Added:" in page and "Removed:" in page
    assert "unchanged lines" in page
    assert "Changes of the source" in page
    assert page_of(first) in page


def test_what_only_the_source_shows_is_compared_too(
    sensitive: Tenant, owner: User, reviewer: User, as_reviewer: Client
):
    first = make_template(sensitive, user=owner, title="T", body="<p>Hello</p><p>More</p>").version
    approve_version(first, by=reviewer)
    second = edit(first, owner, title="T", body='<p>Hello</p><p style="color:#ffffff">More</p>')

    page = as_reviewer.get(page_of(second)).content.decode()

    assert "The text is the same." in page
    assert "lines added: 1, removed: 1" in page
