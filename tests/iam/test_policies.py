"""What a policy allows: pure rules, by the guide's own examples and by any document at all."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from iam.actions import ACTION_OF, PERMISSION_OF
from iam.policies import FULL_ACCESS, READ_ONLY, evaluate, held_actions, named_actions

CREATE = "kooMessage:emailSendTask:create"
ACTIONS = sorted(PERMISSION_OF)


def statement(effect: str | None, *actions: str, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"Action": list(actions), **more}
    return found if effect is None else {"Effect": effect, **found}


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "1.1", "Statement": list(statements)}


def decision(action: str, *documents: Any) -> str:
    return evaluate(documents, action).decision


def test_nothing_is_allowed_where_nothing_is_said():
    assert decision(CREATE) == "implicit_deny"
    assert decision(CREATE, document()) == "implicit_deny"


def test_a_deny_beats_every_allow_in_whatever_order():
    deny = document(statement("Deny", CREATE))

    assert decision(CREATE, FULL_ACCESS, deny) == "deny"
    assert decision(CREATE, deny, FULL_ACCESS) == "deny"
    assert decision("kooMessage:emailSendTask:list", FULL_ACCESS, deny) == "allow"


def test_the_verdict_names_the_document_and_statement_that_made_it():
    deny = document(statement("Allow", "kooMessage:order:pay"), statement("Deny", CREATE))

    verdict = evaluate([FULL_ACCESS, deny], CREATE)

    assert (verdict.document, verdict.statement) == (1, 1)


@pytest.mark.parametrize(
    "pattern",
    [
        "kooMessage:emailSendTask:create",
        "KOOMESSAGE:EMAILSENDTASK:CREATE",
        "KooMessage:*:*",
        "kooMessage:email*:create",
        "*:create",
        "*",
        "KooMessage:FullAccess",
        "koomessage:fullaccess",
        "kooMessage:devSendTask:create",
        "kooMessage:devSend*:create",
        "kooMessage:dev*:*",
    ],
)
def test_patterns_that_name_creating_a_send_task(pattern: str):
    assert decision(CREATE, document(statement("Allow", pattern))) == "allow"


@pytest.mark.parametrize(
    "pattern",
    [
        "kooMessage:emailSendTask",
        "kooMessage:emailSendTask:creat",
        "koo:*:*",
        "",
        "emailSendTask:create",
        "KooMessage",
    ],
)
def test_patterns_that_do_not_name_it(pattern: str):
    assert decision(CREATE, document(statement("Allow", pattern))) == "implicit_deny"


def test_the_guides_deny_of_dev_send_task_stops_creating_send_tasks():
    guide = document(statement("Deny", "kooMessage:devSendTask:create"))

    assert decision(CREATE, FULL_ACCESS, guide) == "deny"


def test_a_single_string_is_a_list_of_one():
    single = {"Version": "1.1", "Statement": {"Effect": "Allow", "Action": CREATE, "Resource": "*"}}

    assert decision(CREATE, single) == "allow"


@pytest.mark.parametrize("effect", [None, "allow", "ALLOW", "", 1])
def test_a_statement_without_a_proper_effect_allows_nothing(effect: Any):
    broken = {"Statement": [{"Action": [CREATE]} | ({} if effect is None else {"Effect": effect})]}

    assert decision(CREATE, broken) == "implicit_deny"


def test_a_condition_lets_nothing_through_and_does_not_weaken_a_deny():
    condition = {"StringEquals": {"g:UserName": ["zhang"]}}

    assert decision(CREATE, document(statement("Allow", CREATE, Condition=condition))) == "implicit_deny"
    assert decision(CREATE, FULL_ACCESS, document(statement("Deny", CREATE, Condition=condition))) == "deny"


def test_a_statement_on_one_resource_cannot_allow_all_and_does_deny_all():
    one = {"Resource": ["task:C1"]}

    assert decision(CREATE, document(statement("Allow", CREATE, **one))) == "implicit_deny"
    assert decision(CREATE, FULL_ACCESS, document(statement("Deny", CREATE, **one))) == "deny"
    assert (
        evaluate([FULL_ACCESS, document(statement("Deny", CREATE, **one))], CREATE, "task:C2").decision
        == "allow"
    )
    assert evaluate([document(statement("Allow", CREATE, Resource=[]))], CREATE).decision == "implicit_deny"


def test_system_policies_hold_what_their_names_say():
    everything = {action for action in PERMISSION_OF if action.startswith("kooMessage:")}

    assert held_actions([FULL_ACCESS]) == everything
    assert held_actions([READ_ONLY]) == {
        action for action in everything if action.endswith((":list", ":get"))
    }
    assert named_actions(FULL_ACCESS, "Deny") == set()


def test_actions_and_permissions_are_one_to_one():
    assert len(ACTION_OF) == len(PERMISSION_OF)
    assert ACTION_OF["email_service.add_task"] == CREATE


# A busy machine is no reason to fail.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
words = st.sampled_from(
    [*ACTIONS, "*", "KooMessage:*:*", "kooMessage:email*:list", "kooMessage:devSendTask:create"]
)
statements = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Deny", "allow", None]),
        "Action": st.lists(words, max_size=4) | words,
    },
    optional={"Resource": st.just("*") | st.just(["task:1"]), "Condition": st.just({"Bool": {"a": "b"}})},
)
documents = st.fixed_dictionaries({"Version": st.just("1.1"), "Statement": st.lists(statements, max_size=4)})
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Statement", "Effect", "Action", "Resource", "x"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@unhurried
@given(st.lists(documents, max_size=3), documents, st.sampled_from(ACTIONS), st.integers(0, 4))
def test_adding_a_deny_never_turns_a_deny_into_an_allow(
    known: list[Any], extra: Any, action: str, place: int
):
    denies = {**extra, "Statement": [{**one, "Effect": "Deny"} for one in extra["Statement"]]}
    before = evaluate(known, action).decision
    after = evaluate([*known[:place], denies, *known[place:]], action).decision

    assert after in ("deny", before)


@unhurried
@given(anything, st.sampled_from(ACTIONS))
def test_whatever_stands_in_a_document_is_answered(found: Any, action: str):
    assert evaluate([found], action).decision in ("allow", "deny", "implicit_deny")
