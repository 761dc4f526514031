"""Dynamic parameters: what is one, and what is refused with the offending text."""

import pytest

from email_service.mail_templates.parameters import fill, find_parameters
from koomessage.common.errors import RuleViolation


def test_names_come_in_order_of_first_use_and_once():
    assert find_parameters("{{b}} {{ a }} {{b}}", "{{c}}") == ("b", "a", "c")


@pytest.mark.parametrize(
    "text", ["", "no braces", "{% debug %}", "{# note #}", "{ x }", "a { b } c", "100 %}"]
)
def test_other_text_holds_no_parameters(text):
    assert find_parameters(text) == ()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Hi {{参数名称}}!", "{{参数名称}}"),
        ("{{a.b}}", "{{a.b}}"),
        ("{{1a}}", "{{1a}}"),
        ("{{_a}}", "{{_a}}"),
        ("{{a b}}", "{{a b}}"),
        ("{{a|safe}}", "{{a|safe}}"),
        ("{{ settings.SECRET_KEY }}", "{{ settings.SECRET_KEY }}"),
        ("{{a.__class__}}", "{{a.__class__}}"),
        ("{{#each}}", "{{#each}}"),
        ("{{:unsubscribe:}}", "{{:unsubscribe:}}"),
        ("{{}}", "{{}}"),
        ("{{{a}}}", "{{{a}}}"),
        ("{{{{a}}}}", "{{{{a}}}}"),
        ("{{a", "{{a"),
        ("ok {{a}} b}}", "b}}"),
        ("{{a\n}}", "{{a }}"),
        ("{{<b>a</b>}}", "{{<b>a</b>}}"),
    ],
)
def test_anything_else_in_braces_is_refused_and_named(text, named):
    with pytest.raises(RuleViolation) as refusal:
        find_parameters(text, field="body")

    assert named in str(refusal.value.message)
    assert refusal.value.field == "body"


def test_fifteen_names_are_taken_and_sixteen_refused():
    texts = [f"{{{{p{number}}}}}" for number in range(16)]

    assert len(find_parameters(*texts[:15], *texts[:15])) == 15
    with pytest.raises(RuleViolation):
        find_parameters(*texts)


def test_names_that_differ_only_by_case_are_refused():
    with pytest.raises(RuleViolation) as refusal:
        find_parameters("{{Name}}", "{{name}}")

    assert "{{Name}}" in str(refusal.value.message)


def test_filling_is_one_pass():
    assert fill("{{a}} {{ b }} {{c}}", {"a": "{{b}}", "b": "2"}) == "{{b}} 2 {{c}}"
