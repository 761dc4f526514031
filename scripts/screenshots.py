"""Take a picture of every page and dialog of a running demo, in both languages, widths and themes.

Pictures are named page.language.width.theme.png; what is wider than the window or logs an error is printed.
"""

import argparse
import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

WIDTHS = {"wide": (1440, 900), "phone": (390, 844)}
# After the address come steps: "> css" follows the link found, "! css" presses what is found, "" waits.
PAGES: dict[str, dict[str, list[str]]] = {
    "acme/admin Acme-demo-2026": {
        "overview": ["/"],
        "packages": ["/packages/"],
        "purchase": ["/packages/purchase/"],
        "purchase-chosen": ["/packages/purchase/", "! .spec-card input"],
        "calculator": ["/packages/calculator/"],
        "orders": ["/packages/orders/"],
        "order": ["/packages/orders/", "> #order-list td a"],
        "order-pay": ["/packages/orders/", "> #order-list a[href$='/pay/']"],
        "order-cancel": ["/packages/orders/", "! #order-list a[href$='/cancel/']"],
        "domains": ["/email/domains/"],
        "domain-add": ["/email/domains/", "! .page-actions a"],
        "domain-add-page": ["/email/domains/add/"],
        "domain-add-refused": [
            "/email/domains/add/",
            "= #id_name no such domain",
            "! #domain-form button[type=submit]",
        ],
        "domain": ["/email/domains/", "> #domain-list td a"],
        "domain-rotate": ["/email/domains/", "> #domain-list td a", "! a[href$='/rotate/']"],
        "domain-edit": ["/email/domains/", "! #domain-list a[href$='/edit/']"],
        "domain-delete": ["/email/domains/", "! #domain-list a[href$='/delete/']"],
        "addresses": ["/email/addresses/"],
        "address-add": ["/email/addresses/", "! .page-actions a"],
        "address-delete": ["/email/addresses/", "! #address-list a[href$='/delete/']"],
        "addresses-no-match": ["/email/addresses/?q=nobody&search=nobody&address=nobody"],
        "templates": ["/email/templates/"],
        "templates-advanced": ["/email/templates/", "! .filter-advanced summary"],
        "templates-public": ["/email/templates/public/"],
        "template": ["/email/templates/", "> .template-title a"],
        "template-preview": ["/email/templates/", "! a[href$='/preview/']"],
        "template-preview-page": ["/email/templates/", "> a[href$='/preview/']"],
        "template-plain": [
            "/email/templates/add/",
            "! [name=body_type][value=plain]",
            "! [data-parameter-bar] summary",
        ],
        "template-parameter": ["/email/templates/add/", "! .jodit-toolbar-button_parameter button"],
        "template-picture": ["/email/templates/add/", "! .jodit-toolbar-button_picture button"],
        "pictures": ["/email/templates/pictures/"],
        "template-delete": ["/email/templates/", "! a[href$='/delete/']"],
        "template-add": ["/email/templates/add/"],
        "template-copy": ["/email/templates/public/", "> a[href$='/copy/']"],
        "template-refused": [
            "/email/templates/add/",
            "= #id_title 名称",
            "! .jodit-toolbar-button_source button",
            "= .jodit-source__mirror {{参数名称}}",
            "! .form-actions button[type=submit]",
        ],
        "tasks": ["/email/tasks/"],
        "tasks-advanced": ["/email/tasks/", "! .filter-advanced summary"],
        "task": ["/email/tasks/", "> #task-list td a"],
        "task-scheduled": ["/email/tasks/?status=scheduled", "> #task-list td a"],
        "task-cancel": ["/email/tasks/", "! #task-list a[href$='/cancel/']"],
        "task-add": ["/email/tasks/add/"],
        "task-add-file": [
            "/email/tasks/add/",
            "! input[name=source][value=file]",
            "! input[name=send_type][value=scheduled]",
        ],
        "task-add-refused": ["/email/tasks/add/", "! .form-actions button[type=submit]"],
        "details": ["/email/details/"],
        "details-advanced": ["/email/details/", "! .filter-advanced summary"],
        "message": ["/email/details/", "> #message-list td a"],
        "message-reveal": ["/email/details/", "! .details-reveal button"],
        "reports": ["/email/reports/"],
        "reports-received": ["/email/reports/", "> .tabs a:nth-child(2)"],
        "reports-month": ["/email/reports/?kind=month"],
        "suppression": ["/email/suppression/"],
        "suppression-add": ["/email/suppression/", "! .page-actions a"],
        "suppression-delete": ["/email/suppression/", "! #suppression-list a[href$='/delete/']"],
        "users": ["/iam/"],
        "user": ["/iam/", "> #user-list tr:nth-child(2) a"],
        "user-add": ["/iam/users/add/"],
        "user-edit": ["/iam/", "> #user-list a[href$='/edit/']"],
        "user-disable": ["/iam/", "! #user-list a[href$='/disable/']"],
        "groups": ["/iam/groups/"],
        "group-add": ["/iam/groups/add/"],
        "policies": ["/iam/policies/"],
        "policy": ["/iam/policies/", "> #policy-list td a"],
        "policy-add": ["/iam/policies/add/"],
        "security": ["/iam/settings/"],
        "password": ["/password/"],
        "navigation": ["/", "! .navigation-button"],
        "account-menu": ["/", "! .topbar .menu summary"],
        "inbox": ["/demo/inbox/"],
        "mail": ["/demo/inbox/", "> .demo-subject a"],
        "dns": ["/demo/dns/"],
        "not-found": ["/nothing/"],
    },
    "acme/reader Reader-demo-2026": {
        "reader-tasks": ["/email/tasks/"],
        "reader-forbidden": ["/email/tasks/add/"],
    },
    "newco/admin Newco-demo-2026": {
        "activate": ["/activate/"],
        "verification": ["/verification/"],
    },
    "operator Operator-demo-2026": {
        "admin": ["/admin/"],
        "engine": ["/email/engine/"],
        "engine-pause": ["/email/engine/", "! .page-actions a"],
        "admin-verifications": ["/admin/iam/enterpriseapplication/"],
        "admin-services": ["/admin/email_service/emailservice/"],
        "admin-service": ["/admin/email_service/emailservice/", "> #result_list tbody th a"],
        "admin-tenants": ["/admin/iam/tenant/"],
        "admin-orders": ["/admin/billing/order/"],
        "admin-domains": ["/admin/email_service/domain/"],
        "admin-addresses": ["/admin/email_service/address/"],
        "admin-templates": ["/admin/email_service/template/?owner=all"],
        "admin-export": ["/admin/email_service/template/export/"],
        "admin-import": ["/admin/email_service/address/import/"],
    },
    "reviewer Reviewer-demo-2026": {
        "review-home": ["/admin/"],
        "review-list": ["/admin/email_service/templateversion/?status=all"],
        "review-page": ["/admin/email_service/templateversion/?status=all", "> #result_list tbody th a"],
    },
    "": {
        "login": ["/login/"],
        "login-refused": [
            "/login/",
            "= #id_account acme",
            "= #id_username nobody",
            "= #id_password wrong",
            "! main button[type=submit]",
        ],
        "signup": ["/signup/"],
        "signup-refused": ["/signup/", "= #id_account A!", "! main button[type=submit]"],
        "signup-resend": ["/signup/resend/"],
        "password-forgotten": ["/password/forgotten/"],
        "agreement": ["/agreements/service/"],
        "unsubscribe-unknown": ["/u/nothing/"],
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("folder", type=Path)
    parser.add_argument("only", nargs="*", help="names of pages; all without")
    parser.add_argument("--language", nargs="+", default=["zh-hans", "en"])
    parser.add_argument("--width", nargs="+", default=list(WIDTHS), choices=list(WIDTHS))
    parser.add_argument("--theme", nargs="+", default=["light"], choices=["light", "dark"])
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    chromium = os.environ.get("CHROMIUM_PATH") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for person, pages in PAGES.items():
            chosen = {name: steps for name, steps in pages.items() if not asked.only or name in asked.only}
            if chosen:
                _visit(browser, asked, person, chosen)
        browser.close()


def _visit(browser: Browser, asked: argparse.Namespace, person: str, pages: dict[str, list[str]]) -> None:
    state = None
    for language in asked.language:
        for width in asked.width:
            for theme in asked.theme:
                x, y = WIDTHS[width]
                context = browser.new_context(
                    viewport={"width": x, "height": y},
                    storage_state=state,
                    locale={"zh-hans": "zh-CN"}.get(language, language),
                )
                context.add_cookies(
                    [
                        {"name": "django_language", "value": language, "url": asked.address},
                        {"name": "theme", "value": theme, "url": asked.address},
                    ]
                )
                page = context.new_page()
                page.set_default_timeout(5_000)
                if person and state is None:
                    _sign_in(page, asked.address, *person.split())
                    state = context.storage_state()
                for name, steps in pages.items():
                    label = f"{name}.{language}.{width}.{theme}"
                    _shoot(page, asked.address, steps, label, asked.folder / f"{label}.png")
                context.close()


def _sign_in(page: Page, address: str, login: str, password: str) -> None:
    page.goto(f"{address}/login/")
    account, _slash, name = login.rpartition("/")
    page.fill("input[name=account]", account)
    page.fill("input[name=username]", name)
    page.fill("input[type=password]", password)
    page.click("main button[type=submit]")
    page.wait_for_load_state()


def _shoot(page: Page, address: str, steps: list[str], label: str, target: Path) -> None:
    problems: list[str] = []

    def note(message: object) -> None:
        if getattr(message, "type", "") == "error":
            problems.append(str(getattr(message, "text", ""))[:200])

    page.on("console", note)
    try:
        page.goto(address + steps[0])
        page.wait_for_load_state("load")
        for step in steps[1:]:
            _take(page, step)
        # Frames load when they come into sight.
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        page.wait_for_timeout(300)
        page.evaluate("scrollTo(0, 0)")
        is_dialog = page.locator("dialog[open]").count() > 0
        page.screenshot(path=str(target), full_page=not is_dialog)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wide > 0:
            problems.append(f"{wide} px too wide")
    except Exception as odd:
        problems.append(str(odd).splitlines()[0])
    finally:
        page.remove_listener("console", note)
    for problem in problems:
        sys.stdout.write(f"{label}: {problem}\n")


def _take(page: Page, step: str) -> None:
    kind, rest = step[0], step[2:]
    if kind == ">":
        page.goto(page.locator(rest).first.evaluate("link => link.href"))
    elif kind == "=":
        css, _space, text = rest.partition(" ")
        page.fill(css, text)
    else:
        page.locator(rest).first.evaluate("thing => thing.click()")
        page.wait_for_timeout(600)
        page.wait_for_load_state("load")


if __name__ == "__main__":
    main()
