"""The steps of the walk: the user guide, from activation to the report, on the account that is not activated yet."""

import io
import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from openpyxl import Workbook, load_workbook

from koomessage.demo.browser import Browser, NotAsExpected, Page
from koomessage.demo.people import NEWCOMER

DOMAIN = "newco.example"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SUBJECT = "{{name}}，您的专属优惠"
BODY = (
    '<table width="100%"><tr><td style="padding:24px"><h1>新程贸易</h1>'
    "<p>尊敬的 {{name}}：</p><p>本周下单立减 20 元。</p></td></tr></table>"
)
# Where the pages show a state: the badge alone, for the same words stand elsewhere too.
DOMAIN_STATE = "//*[contains(@class, 'domain-state')]//*[contains(@class, 'status')]"
CHECK_STATE = "//*[contains(@class, 'check-head')]//*[contains(@class, 'status')]"
TASK_STATE = "//*[contains(@class, 'task-state')]//*[contains(@class, 'status')]"
WORDS = {
    "zh-hans": {
        "activate": "立即开通", "overview": "总览", "unverified": "验证未通过", "verified": "验证通过", "ok": "成功",
        "finished": "发送完成", "delivered": "已送达", "approved": "已通过", "unsubscribe": "确认退订",
        "checked": "已检查",
    },
    "en": {
        "activate": "Activate now", "overview": "Overview", "unverified": "Verification not passed",
        "verified": "Verification passed",
        "ok": "Success", "finished": "Finished", "delivered": "Delivered", "approved": "Approved",
        "checked": "Checked", "unsubscribe": "Confirm unsubscription",
    },
}  # fmt: skip


@dataclass
class Walk:
    """What the walker carries from step to step."""

    browser: Browser
    language: str
    recipients: int
    manage: Callable[..., "subprocess.CompletedProcess[str]"]
    delivered: int = 0
    domain_page: str = ""
    template_id: str = ""
    task_page: str = ""
    people: dict[str, str] = field(default_factory=dict)  # address -> the value of {{name}}

    def word(self, key: str) -> str:
        return WORDS[self.language][key]


def sign_in(walk: Walk) -> str:
    page = walk.browser.open("/")
    if walk.language == "en":
        page = walk.browser.submit(page, "/language/", {"language": "en"})
    account, _, user = NEWCOMER.login.partition("/")
    values = {"account": account, "username": user, "password": NEWCOMER.password}
    page = walk.browser.submit(page, "/login/", values)
    if page.path.endswith("/login/"):
        raise NotAsExpected(f"Nobody is signed in:\n{page.text[:1500]}")
    return f"Signed in as {NEWCOMER.login}"


def activate(walk: Walk) -> str:
    page = walk.browser.open("/email/domains/").expect(walk.word("activate"))
    refused = walk.browser.client.post(
        page.address, data={"csrfmiddlewaretoken": _token(page)}, headers={"Referer": page.address}
    )
    if refused.status_code != 422:
        raise NotAsExpected(
            f"Activation without accepting the statements answers {refused.status_code}, not 422."
        )
    page = walk.browser.submit(page, "/activate/", {"accepted": "on"}).expect(walk.word("overview"))
    if page.path != "/":
        raise NotAsExpected(f"Activation leads to {page.address}, not to the overview.")
    return "Activated the service, after it was refused without accepting the statements"


def add_domain(walk: Walk) -> str:
    page = walk.browser.submit(walk.browser.open("/email/domains/add/"), "/add/", {"name": DOMAIN})
    walk.domain_page = page.path
    page.expect(DOMAIN, "CNAME", "v=spf1", walk.word("unverified"))
    return f"Added the domain {DOMAIN}: {walk.word('unverified')}"


def check_too_early(walk: Walk) -> str:
    walk.browser.submit(walk.browser.open(walk.domain_page), "/check/")
    page = walk.browser.wait_for(walk.domain_page, DOMAIN_STATE, walk.word("unverified"), within=60)
    if walk.word("ok") in page.texts("//tbody//tr/td[last()]"):
        raise NotAsExpected(f"A record that nobody published was found:\n{page.text[:1500]}")
    return f"Verified before anything was published: still {walk.word('unverified')}"


def publish_records(walk: Walk) -> str:
    walk.browser.submit(walk.browser.open(walk.domain_page), _publish(walk))
    page = walk.browser.open("/demo/dns/", search=DOMAIN).expect(f"_dmarc.{DOMAIN}", "v=DKIM1")
    count = len(page.texts("//tbody//tr[contains(., 'newco')]"))
    return f"Published {count} records in the demo DNS"


def check_again(walk: Walk) -> str:
    walk.browser.submit(walk.browser.open(walk.domain_page), "/check/")
    walk.browser.wait_for(walk.domain_page, DOMAIN_STATE, walk.word("verified"), within=60)
    walk.browser.open("/email/domains/").expect(DOMAIN, walk.word("verified"))
    return f"Verified: {walk.word('verified')}"


def add_address(walk: Walk) -> str:
    page = walk.browser.open("/email/addresses/add/")
    domain = next(value for value in page.form("/add/").inputs["domain"].value_options if value)
    page = walk.browser.submit(page, "/add/", {"domain": domain, "prefix": "news", "alias": "新程贸易"})
    page.expect(f"news@{DOMAIN}", "新程贸易")
    return f"Added the sender address news@{DOMAIN}"


def add_template(walk: Walk) -> str:
    values = {"title": "优惠通知", "body_type": "rich", "body": BODY, "can_unsubscribe": "on"}
    walk.browser.submit(walk.browser.open("/email/templates/add/"), "/add/", values)
    walk.browser.open("/email/templates/").expect("优惠通知", walk.word("approved"))
    return f"Added a template with a parameter and unsubscription: {walk.word('approved')}"


def submit_task(walk: Walk) -> str:
    page = walk.browser.open("/email/tasks/add/")
    form = page.form("/add/")
    walk.template_id = next(
        option.get("value")
        for option in form.inputs["template"].xpath(".//option")
        if "优惠通知" in option.text_content()
    )
    sender = next(value for value in form.inputs["address"].value_options if value)
    sample = walk.browser.download("/email/tasks/sample/", template=walk.template_id)
    values = {
        "name": "十一月优惠", "subject": SUBJECT, "template": walk.template_id, "address": sender,
        "send_type": "now", "source": "file",
    }  # fmt: skip
    file = ("recipients.xlsx", _fill(walk, sample), XLSX)
    page = walk.browser.submit(page, "/add/", values, files={"file": file}).expect("十一月优惠")
    within = 60 + walk.recipients / 1000
    page = walk.browser.wait_for(page.path, CHECK_STATE, walk.word("checked"), within=within)
    found = [text.replace(",", "") for text in page.texts("//*[contains(@class, 'check-counts')]/div/div[1]")]
    if found != [str(walk.recipients + 2), str(walk.recipients), "2"]:
        raise NotAsExpected(f"The check found {found}:\n{page.text[:1500]}")
    page = walk.browser.submit(page, "/submit/", {"leaves_out": "on"}).expect("十一月优惠")
    walk.task_page = page.path
    if not re.fullmatch(r"/email/tasks/\d+/", page.path):
        walk.task_page = next(
            address for address in page.tree.xpath("//a/@href") if re.fullmatch(r"/email/tasks/\d+/", address)
        )
    return (
        f"Checked and submitted a task: an xlsx of {walk.recipients} rows, one without an address, one twice"
    )


def wait_for_the_end(walk: Walk) -> str:
    within = 60 + walk.recipients / 20
    page = walk.browser.wait_for(walk.task_page, TASK_STATE, walk.word("finished"), within=within)
    page.expect(str(walk.recipients), "not an address")
    return f"The task ended: {walk.word('finished')}"


def read_details(walk: Walk) -> str:
    page, rows = walk.browser.open("/email/details/", size="100"), 0
    while True:
        states = page.texts("//table//tbody/tr/td[4]")
        rows += sum(state == walk.word("delivered") for state in states)
        if any(address in page.text for address in walk.people):
            raise NotAsExpected("The details show a recipient's whole address.")
        following = page.tree.xpath("//nav[contains(@class, 'pager')]//a[@rel='next']/@href")
        if not following:
            break
        page = walk.browser.open(f"/email/details/{following[0]}")
    if rows != walk.recipients:
        raise NotAsExpected(
            f"The details show {rows} messages as delivered, not {walk.recipients}:\n{page.text[:1500]}"
        )
    walk.delivered = rows
    return f"The details show {rows} messages as {walk.word('delivered')}, addresses masked"


def count_inbox(walk: Walk) -> str:
    seen: list[str] = []
    page = walk.browser.open("/demo/inbox/", search="@mail.example")
    while True:
        seen += [
            address
            for address in page.texts("//*[@id='mail-list']//tbody/tr/td[1]")
            if address in walk.people
        ]
        older = page.tree.xpath("//*[@id='mail-list']//a[@rel='next']/@href")
        if not older:
            break
        page = walk.browser.open(f"/demo/inbox/{older[0]}")
    if sorted(seen) != sorted(walk.people):
        raise NotAsExpected(
            f"The inbox holds {len(seen)} mails for {len(set(seen))} of {len(walk.people)} recipients."
        )
    return f"The inbox holds {len(seen)} mails, one for each recipient"


def read_mails(walk: Walk) -> str:
    # Every mail of a small walk, some fifty spread over a large one.
    chosen = list(walk.people.items())[:: max(1, len(walk.people) // 50)]
    for address, name in chosen:
        found = walk.browser.open("/demo/inbox/", search=address)
        links = found.tree.xpath("//*[@id='mail-list']//tbody//a/@href")
        mail = walk.browser.open(links[0], tab="text").expect(f"尊敬的 {name}", f"{name}，您的专属优惠")
        findings = mail.tree.xpath("//ul[@class='demo-findings']/li")
        passed = {line.get("data-method"): line.get("data-result") for line in findings}
        if passed != {"dkim": "pass", "spf": "pass", "dmarc": "pass"}:
            raise NotAsExpected(f"The mail to {address} is not authenticated: {passed}")
    return f"Read {len(chosen)} mails: DKIM, SPF and DMARC pass, each with its recipient's name"


def unsubscribe(walk: Walk) -> str:
    address = next(iter(walk.people))
    found = walk.browser.open("/demo/inbox/", search=address)
    mail = walk.browser.open(found.tree.xpath("//*[@id='mail-list']//tbody//a/@href")[0], tab="text")
    link = next(href for href in mail.tree.xpath("//pre//a/@href") if "/u/" in href)
    page = walk.browser.open(link).expect(walk.word("unsubscribe"))
    if walk.browser.open("/email/suppression/").texts("//table//tbody/tr"):
        raise NotAsExpected("Opening the link alone unsubscribed the recipient.")
    walk.browser.submit(page, page.path)
    if not walk.browser.open("/email/suppression/").texts("//table//tbody/tr"):
        raise NotAsExpected("The recipient unsubscribed, but is not on the suppression list.")
    return f"Unsubscribed {address}: nothing on opening the page, done on pressing the button"


def read_report(walk: Walk) -> str:
    wanted = [str(walk.recipients), str(walk.recipients), "0", "0", "0", "100.00%"]
    deadline = time.monotonic() + 90
    for kind in ("hour", "day", "month"):
        while True:
            page = walk.browser.open("/email/reports/", kind=kind)
            total = [
                text.replace(",", "") for text in page.texts("//tr[contains(@class, 'report-total')]/td")
            ]
            if total == wanted:
                break
            if time.monotonic() > deadline:
                raise NotAsExpected(f"The {kind} report says {total}, not {wanted}:\n{page.text[:1500]}")
            time.sleep(1)
    return f"The reports by hour, day and month show {walk.recipients} sent, 100.00% delivered"


def check_integrity(walk: Walk) -> str:
    done = walk.manage("check_integrity")
    if done.returncode:
        raise NotAsExpected(f"check_integrity ends with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return "check_integrity finds nothing"


STEPS: tuple[Callable[[Walk], str], ...] = (
    sign_in, activate, add_domain, check_too_early, publish_records, check_again, add_address, add_template,
    submit_task, wait_for_the_end, read_details, count_inbox, read_mails, unsubscribe, read_report, check_integrity,
)  # fmt: skip


def _token(page: Page) -> str:
    return str(page.tree.xpath("//input[@name='csrfmiddlewaretoken']/@value")[0])


def _publish(walk: Walk) -> str:
    return f"/demo/dns/publish/{walk.domain_page.strip('/').rpartition('/')[2]}/"


def _fill(walk: Walk, sample: bytes) -> bytes:
    """Fill the sample file in: its own header, the recipients, and two rows that become no mail."""
    header = [cell.value for cell in next(load_workbook(io.BytesIO(sample)).active.rows)]
    if len(header) != 2 or header[1] != "name":
        raise NotAsExpected(f"The sample file's columns are {header}.")
    walk.people = {
        f"customer{number}@mail.example": f"客户{number:05}" for number in range(1, walk.recipients + 1)
    }
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(header)
    for address, name in walk.people.items():
        sheet.append([address, name])
    sheet.append(["not an address", "错误行"])
    sheet.append([next(iter(walk.people)).upper(), "重复行"])
    filled = io.BytesIO()
    book.save(filled)
    return filled.getvalue()
