"""Templates in the admin's table: who is shown, and what goes out and comes in by a file."""

import csv
from io import StringIO
from typing import Any

import pytest
from django.test import Client

from email_service.mail_templates.models import Template, TemplateVersion
from email_service.setup.models import EmailService
from iam.models import Tenant, User
from tests.exchange import XLSX, address, confirm, export, preview
from tests.factories_templates import make_template

pytestmark = pytest.mark.django_db
LIST = address(Template)
HEADING = "account,code,title,body_type,can_unsubscribe,body\n"


@pytest.fixture(autouse=True)
def _english(as_operator: Client) -> None:
    as_operator.cookies["django_language"] = "en"


def test_public_templates_are_shown_first_and_those_of_accounts_on_demand(as_operator: Client, acme: Tenant):
    make_template(title="Public one")
    make_template(acme, title="Their own")
    deleted = make_template(acme, title="Deleted")
    Template.objects.filter(pk=deleted.pk).update(is_deleted=True)

    def shown(query: str) -> set[str]:
        return {row.title for row in as_operator.get(LIST + query).context["cl"].result_list}

    assert shown("") == {"Public one"}
    assert shown("?owner=accounts") == {"Their own"}
    assert shown("?owner=all") == {"Public one", "Their own"}


def test_review_staff_read_public_templates(as_reviewer: Client):
    template = make_template(body="<p>Hello {{name}}</p>")

    page = as_reviewer.get(f"{LIST}{template.pk}/change/").content.decode()

    assert "&lt;p&gt;Hello {{name}}&lt;/p&gt;" in page
    assert 'name="body"' not in page
    assert as_reviewer.post(f"{LIST}export/").status_code == 403


def test_a_template_of_an_account_leads_to_its_review_and_is_not_edited(as_operator: Client, acme: Tenant):
    template = make_template(acme)
    fields = {"title": "Ours now", "body_type": "rich", "body": "<p>Ours</p>"}

    answer = as_operator.get(f"{LIST}{template.pk}/change/")
    as_operator.post(f"{LIST}{template.pk}/change/", fields)

    assert answer["Location"] == f"/admin/email_service/templateversion/{template.version_id}/change/"
    assert as_operator.post(f"{LIST}{template.pk}/delete/", {"post": "yes"}).status_code == 403
    template.refresh_from_db()
    assert (template.title, template.is_deleted, template.versions.count()) == ("Order shipped", False, 1)


def test_bodies_go_out_and_come_in_unchanged(as_operator: Client, acme: Tenant):
    make_template(acme, title="=1+1", body='<p>Hello {{name}},</p>\n<p>“quoted”, "twice"</p>')
    make_template(acme, body_type="plain", body="-- \nline\n\nline")

    for kind in ("0", XLSX):
        out = export(as_operator, Template, kind=kind, resource=1, query="?owner=accounts")
        page = preview(as_operator, Template, out.content, kind=kind).content.decode()

        assert page.count("Passed over") == 2

    assert TemplateVersion.objects.count() == 2


def test_a_body_that_fits_no_cell_goes_out_as_csv_only(as_operator: Client, acme: Tenant):
    make_template(acme, body_type="plain", body="x" * 40_000)

    refused = export(as_operator, Template, kind=XLSX, resource=1, query="?owner=accounts")
    written = export(as_operator, Template, resource=1, query="?owner=accounts")

    assert "Choose CSV" in refused.content.decode()
    rows = list(csv.reader(StringIO(written.content.decode("utf-8-sig"), newline="")))
    assert rows[1][5] == "x" * 40_000


def test_rows_become_templates_and_versions_as_if_the_account_had_typed_them(
    as_operator: Client, acme: Tenant, operator: User
):
    EmailService.objects.filter(tenant=acme).update(sensitive=True)
    known = make_template(acme, title="Known")
    public = make_template(title="Public")
    file = HEADING + (
        f"acme,{known.code},Known,rich,1,<p>Changed</p><script>x</script>\n"
        "acme,,New one,plain,0,Hello {{name}}\n"
        f",{public.code},Public,rich,,<p>Better</p>\n"
    )

    shown = preview(as_operator, Template, file)
    assert TemplateVersion.objects.count() == 2
    confirm(as_operator, Template, shown)

    known.refresh_from_db()
    assert known.version is not None
    assert (known.version.number, known.version.body, known.version.can_unsubscribe) == (
        2,
        "<p>Changed</p>",
        True,
    )
    assert (known.status, known.version.author) == ("pending", operator)
    new = Template.objects.get(title="New one")
    assert (new.tenant, new.status, new.version and new.version.parameters) == (acme, "pending", ["name"])
    public.refresh_from_db()
    assert (public.status, public.version and public.version.body) == ("approved", "<p>Better</p>")


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("nobody,,T,rich,1,<p>x</p>", "There is no account of this name."),
        ("acme,M00000000,T,rich,1,<p>x</p>", "There is no template with this ID in the account."),
        ("globex,KNOWN,T,rich,1,<p>x</p>", "There is no template with this ID in the account."),
        ("acme,,,rich,1,<p>x</p>", "Enter a title."),
        ("acme,,T,sms,1,<p>x</p>", "Select a valid choice."),
        ("acme,,T,rich,maybe,<p>x</p>", "Write 1 or 0."),
        ("acme,,T,rich,1,", "Write the mail body"),
        ("acme,,T,rich,1,{{a b}}", "is no parameter"),
        ("acme,,T\u202ex,rich,1,x", "invisible control characters"),
    ],
)
def test_a_refused_row_is_named_and_nothing_comes_in(
    as_operator: Client, acme: Tenant, globex: Tenant, row: str, sentence: str
):
    known = make_template(acme)

    shown = preview(
        as_operator, Template, f"{HEADING}acme,,Good,plain,0,x\n{row.replace('KNOWN', known.code)}\n"
    )

    assert sentence in shown.content.decode()
    assert "confirm_form" not in shown.context
    assert Template.objects.count() == 1


def test_the_list_and_the_file_cost_a_fixed_number_of_queries(
    as_operator: Client, acme: Tenant, globex: Tenant, django_assert_num_queries: Any
):
    for number in range(2):
        [make_template(globex) for _more in range(1 + 5 * number)]
        make_template(acme)
        with django_assert_num_queries(4):
            as_operator.get(f"{LIST}?owner=all")
        with django_assert_num_queries(4):
            export(as_operator, Template, resource=1, query="?owner=all")
