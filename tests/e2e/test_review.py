"""The reviewer's page in a browser: keys move the focus, and only Enter on the button decides."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from koomessage.demo.people import OPERATOR, OWNER, REVIEWER, Person
from tests.e2e.inspection import faults
from tests.e2e.visitor import Visitor

pytestmark = pytest.mark.e2e


def enter_admin(visitor: Visitor, person: Person) -> Page:
    page = visitor.page
    page.goto("/admin/")
    page.locator("#id_username").fill(person.login)
    page.locator("#id_password").fill(person.password)
    page.locator("#login-form input[type=submit]").click()
    expect(page.locator("#user-tools")).to_be_visible()
    return page


def make_sensitive(page: Page, is_sensitive: bool) -> None:
    page.goto("/admin/email_service/emailservice/?q=acme")
    page.locator("#result_list tbody th a").first.click()
    page.locator("#id_sensitive").set_checked(is_sensitive)
    page.locator("input[name=_save]").click()
    expect(page.locator(".messagelist .success")).to_be_visible()


@pytest.fixture
def waiting(visit: Callable[..., Visitor]) -> Iterator[None]:
    """Three templates that wait for review; afterwards the account is as it was."""
    operator = enter_admin(visit(), OPERATOR)
    make_sensitive(operator, True)
    owner = visit(OWNER, java_script_enabled=False).page
    for number in range(3):
        owner.goto("/email/templates/add/")
        owner.locator("[name=title]").fill(f"Review {number}")
        owner.locator("[name=body_type][value=plain]").check()
        owner.locator("[name=body]").fill("Hello {{name}}, see https://www.shop.example/")
        owner.locator(".form-actions [type=submit]").last.click()
        expect(owner).not_to_have_url("**/add/")
    make_sensitive(operator, False)
    yield


def test_keys_lead_through_the_queue_and_decide_nothing(visit: Callable[..., Visitor], waiting: None) -> None:
    visitor = visit()
    page = enter_admin(visitor, REVIEWER)
    page.goto("/admin/email_service/templateversion/")
    page.locator(".review-summary a").click()
    heading = page.locator("#content h1")
    expect(heading).to_have_text("Review 0 v1")
    assert list(faults(page)) == []

    page.keyboard.press("j")
    expect(heading).to_have_text("Review 1 v1")
    page.keyboard.press("k")
    expect(heading).to_have_text("Review 0 v1")
    page.keyboard.press("?")
    expect(page.locator("#keys dl")).to_be_visible()
    page.keyboard.press("r")
    expect(page.locator("#id_reason")).to_be_focused()
    page.keyboard.type("jka?")
    expect(page.locator("#id_reason")).to_have_value("jka?")
    page.locator("#id_reasons_0").check()
    page.keyboard.press("Enter")
    page.keyboard.press("a")
    expect(page.locator("#approve")).to_be_focused()
    expect(heading).to_have_text("Review 0 v1")

    page.keyboard.press("Enter")
    expect(heading).to_have_text("Review 1 v1")
    expect(page.locator(".messagelist")).to_contain_text("Review 0 v1")
    page.locator("#id_reasons_1").check()
    page.get_by_role("button", name="驳回").click()
    expect(heading).to_have_text("Review 2 v1")
    visitor.expects(422)
    page.get_by_role("button", name="驳回").click()
    expect(page.locator(".errorlist")).to_be_visible()


def test_the_mail_is_shown_in_both_widths_without_scripts(
    visit: Callable[..., Visitor], waiting: None
) -> None:
    page = enter_admin(visit(java_script_enabled=False), REVIEWER)
    page.goto("/admin/email_service/templateversion/")
    page.locator(".review-summary a").click()
    frame = page.locator(".review-frame-text")
    wide = (frame.bounding_box() or {"width": 0})["width"]

    page.get_by_label("手机").check()

    assert (frame.bounding_box() or {"width": 0})["width"] < 400 < wide
