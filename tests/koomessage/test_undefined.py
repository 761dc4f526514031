"""The trap for undefined variables itself: shut in templates of ours, open elsewhere."""

import pytest
from django.template import engines
from django.template.base import Origin, Template
from django.template.context import Context

from tests.undefined import TEMPLATES, UndefinedVariable

OURS = str(TEMPLATES / "iam" / "sample.html")
ELSEWHERE = (
    "/usr/lib/python3/django/contrib/admin/templates/admin/base.html",
    str(TEMPLATES / "admin" / "a.html"),
)


def rendered(text: str, origin: str = OURS) -> str:
    engine = engines["django"].engine
    return Template(text, origin=Origin(origin), engine=engine).render(Context({"row": {"name": "Acme"}}))


@pytest.mark.parametrize(
    "text",
    [
        "{{ absent }}",
        "{{ row.absent }}",
        "{{ absent|upper }}",
        "{% with a=absent %}{% endwith %}",
        "{% load i18n %}{% blocktranslate trimmed %}Hello {{ absent }}{% endblocktranslate %}",
        "{% for letter in row.name %}{{ absent }}{% endfor %}",
    ],
)
def test_an_undefined_variable_of_ours_raises_and_says_where(text: str):
    with pytest.raises(UndefinedVariable, match="absent") as trapped:
        rendered(text)

    assert OURS in str(trapped.value)


@pytest.mark.parametrize(
    "text",
    [
        "{% if absent %}{% endif %}",
        "{% for a in absent %}{% endfor %}",
        "{{ absent|default:'' }}",
        "{% firstof absent '' %}",
    ],
)
def test_asking_whether_something_is_there_is_no_mistake(text: str):
    assert rendered(text) == ""


@pytest.mark.parametrize("origin", ELSEWHERE)
def test_templates_of_the_admin_may_leave_things_out(origin: str):
    assert rendered("[{{ absent }}]", origin) == "[]"
