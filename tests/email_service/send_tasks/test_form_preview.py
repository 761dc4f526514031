"""The mail beside the form 新建发送任务: sender, subject and body as chosen and typed so far."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from email_service.mail_templates.models import BodyType, TemplateVersion
from iam.models import Tenant
from tests.conftest import FRAGMENT
from tests.factories_sending import make_sender, make_version

pytestmark = pytest.mark.django_db

PREVIEW = "/email/tasks/preview/"
FRAME = "/email/tasks/frame/"
JUDGE = "/email/tasks/judge/"


@pytest.fixture
def version(acme: Tenant) -> TemplateVersion:
    return make_version(acme, body="Dear {{name}}, your code is {{code}}.", parameters=["name", "code"])


def preview(client: Client, **fields: Any) -> str:
    answer = client.post(PREVIEW, fields, **FRAGMENT)
    assert answer.status_code == 200
    return answer.content.decode()


def test_it_shows_the_sender_and_the_subject_with_its_parameters_filled_in(
    acme: Tenant, as_owner: Client, version: TemplateVersion
) -> None:
    address = make_sender(acme, alias="云消息")
    chosen = {"template": version.template.pk, "address": address.pk}

    sampled = preview(as_owner, **chosen, subject="For {{name}}")
    typed = preview(as_owner, **chosen, subject="For {{ name }}: {{code}}", **{"value-name": "<王小明>"})

    assert f'<bdi>云消息</bdi> <bdi class="task-mailbox">&lt;{address.address}&gt;</bdi>' in sampled
    assert "<bdi>For Li Na</bdi>" in sampled
    assert "<bdi>For &lt;王小明&gt;: 628419</bdi>" in typed


def test_a_subject_with_an_unknown_parameter_or_odd_braces_is_refused_before_the_form_is_sent(
    as_owner: Client, version: TemplateVersion
) -> None:
    for subject, said in (("Hi {{nobody}}", "{{nobody}}"), ("Hi {{0a}}", "{{0a}}"), ("Hi {{name", "{{name")):
        page = preview(as_owner, template=version.template.pk, subject=subject)
        problem = page.partition('id="task-problems"')[2].partition("</div>")[0]
        assert "field-error" in problem and said in problem, subject
    fine = preview(as_owner, template=version.template.pk, subject="Hi {{name}}")
    assert "field-error" not in fine


def test_the_samples_are_replaced_only_when_another_template_was_chosen(
    as_owner: Client, version: TemplateVersion
) -> None:
    pk = version.template.pk
    values = {"value-code": "0042"}

    other = preview(as_owner, template=pk, samples_of="", **values)
    same = preview(as_owner, template=pk, samples_of=pk, **values)
    none = preview(as_owner, template="", samples_of=pk, **values)

    assert 'name="value-name"' in other and 'value="Li Na"' in other
    assert 'value="0042"' in other
    assert f"{FRAME}?template={pk}&amp;value-code=0042" in other
    assert "task-samples" not in same and "<iframe" not in same
    assert 'id="task-samples"' in none and 'name="value-' not in none
    for page, needs_file in ((other, True), (same, True), (none, False)):
        assert ("data-needs-file" in page) is needs_file


def test_values_too_long_for_an_address_are_left_to_a_form(as_owner: Client, acme: Tenant) -> None:
    names = [f"p{number}" for number in range(15)]
    version = make_version(acme, body=" ".join("{{" + name + "}}" for name in names), parameters=names)
    typed = {f"value-{name}": "值" * 200 for name in names}

    page = preview(as_owner, template=version.template.pk, **typed)
    body = as_owner.post(FRAME, {"template": version.template.pk, **typed}).content.decode()

    assert "data-is-cut" in page
    assert f'src="{FRAME}?template={version.template.pk}"' in page
    assert body.count("值" * 200) == 15


def test_the_body_is_filled_in_and_framed_where_nothing_of_it_can_run(as_owner: Client, acme: Tenant) -> None:
    body = '<p>Dear {{name}}</p><a href="{{shop_url}}">shop</a>'
    version = make_version(acme, body_type=BodyType.RICH, body=body, parameters=["name", "shop_url"])

    typed = {"value-name": "<script>1</script>", "value-shop_url": "javascript:alert(1)"}
    answer = as_owner.get(FRAME, {"template": version.template.pk, **typed})

    page = answer.content.decode()
    assert "Dear &lt;script&gt;1&lt;/script&gt;" in page
    assert "javascript:" not in page
    assert "sandbox" in answer["Content-Security-Policy"]
    assert "script-src" not in answer["Content-Security-Policy"]


def test_without_scripts_the_page_comes_back_with_what_was_typed(
    acme: Tenant, as_owner: Client, version: TemplateVersion
) -> None:
    fields = {
        "name": "Spring", "subject": "For {{name}}", "template": version.template.pk, "source": "file",
        "recipients": "a@qq.com", "value-name": "王小明",
    }  # fmt: skip

    answer = as_owner.post(PREVIEW, fields)

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "<html" in page and 'value="Spring"' in page and "a@qq.com</textarea>" in page
    assert "<bdi>For 王小明</bdi>" in page
    assert 'aria-invalid="true"' not in page


def test_the_address_of_that_page_leads_back_to_the_form(as_owner: Client) -> None:
    for path in (PREVIEW, "/email/tasks/test/"):
        assert as_owner.get(path)["Location"] == reverse("email:task_add")


def test_sample_values_outlive_a_form_that_is_refused(as_owner: Client, version: TemplateVersion) -> None:
    fields = {"template": version.template.pk, "subject": "{{name}}", "value-name": "王小明"}

    answer = as_owner.post(reverse("email:task_add"), fields, **FRAGMENT)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'id="value-name" value="王小明"' in page
    assert "<bdi>王小明</bdi>" in page
    assert "hidden" not in page.partition("data-needs-file-note")[2].partition(">")[0]


def test_others_templates_and_addresses_are_shown_to_nobody(
    acme: Tenant, globex: Tenant, as_owner: Client
) -> None:
    foreign = make_version(globex, body="Secret {{plan}}", parameters=["plan"])
    sender = make_sender(globex, alias="Globex")

    page = preview(as_owner, template=foreign.template.pk, address=sender.pk, subject="Hello")

    assert "plan" not in page and "Globex" not in page and foreign.title not in page
    assert as_owner.get(FRAME, {"template": foreign.template.pk}).status_code == 404
    assert as_owner.post(FRAME, {"template": foreign.template.pk}).status_code == 404
    assert as_owner.get(FRAME).content == b"", "nothing chosen is nothing to show"
    for odd in ("x", "9" * 30, "-1", "²"):
        assert as_owner.get(FRAME, {"template": odd}).status_code == 404, odd


def test_a_template_that_waits_for_review_is_not_shown(as_owner: Client, acme: Tenant) -> None:
    waiting = make_version(acme, status="pending", body="Unapproved")

    assert as_owner.get(FRAME, {"template": waiting.template.pk}).status_code == 404


def test_it_takes_the_right_to_create_tasks(as_reader: Client, as_newcomer: Client) -> None:
    for client in (as_reader, as_newcomer):
        assert client.get(FRAME).status_code == 403
        for path in (PREVIEW, FRAME, JUDGE, "/email/tasks/test/"):
            assert client.post(path).status_code == 403, path


def test_a_preview_reads_little(
    as_owner: Client, acme: Tenant, version: TemplateVersion, django_assert_max_num_queries: Any
) -> None:
    for _ in range(5):
        make_version(acme)
    fields = {"template": version.template.pk, "address": make_sender(acme).pk, "subject": "Hi"}

    with django_assert_max_num_queries(11):
        preview(as_owner, **fields)


def test_typed_addresses_are_judged_by_the_rule_of_the_service(as_owner: Client) -> None:
    texts = ["A@QQ.com", "a＠qq．com", "no-address", '"quoted"@qq.com', "a@localhost", "用户@例子.中国"]

    judged = as_owner.post(JUDGE, {"text": texts}).json()["judged"]

    assert [found["text"] for found in judged] == texts
    assert [found["key"] for found in judged] == [
        "a@qq.com",
        "a@qq.com",
        "",
        "",
        "",
        "用户@xn--fsqu00a.xn--fiqs8s",
    ]
    assert [bool(found["problem"]) for found in judged] == [False, False, True, True, True, False]


def test_the_judge_looks_at_so_many_and_no_more(as_owner: Client) -> None:
    judged = as_owner.post(JUDGE, {"text": [f"r{number}@qq.com" for number in range(150)]}).json()["judged"]

    assert len(judged) == 100
