"""What a policy must look like before it is kept, and the sentence where it does not."""

import json
from typing import Any

import pytest

from iam.grammar import MAX_BYTES, parse
from koomessage.common.errors import RuleViolation


def text(**changes: Any) -> str:
    statement = {"Effect": "Allow", "Action": ["kooMessage:emailDomain:list"]}
    document = {"Version": "1.1", "Statement": [statement | changes.pop("statement", {})], **changes}
    return json.dumps(document)


def refusal(document: str) -> str:
    with pytest.raises(RuleViolation) as caught:
        parse(document)
    assert caught.value.field == "document"
    return str(caught.value.message)


def test_single_strings_become_lists():
    read = parse(
        text(statement={"Action": "KooMessage:*:*", "Resource": "*", "Condition": {"Bool": {"a:b": "c"}}})
    )

    assert read["Statement"][0]["Action"] == ["KooMessage:*:*"]
    assert read["Statement"][0]["Resource"] == ["*"]
    assert read["Statement"][0]["Condition"] == {"Bool": {"a:b": ["c"]}}


@pytest.mark.parametrize(
    "action", ["KooMessage:FullAccess", "kooMessage:devSendTask:create", "*", "kooMessage:*:delete"]
)
def test_actions_of_the_guide_are_understood(action: str):
    assert parse(text(statement={"Action": [action]}))["Statement"][0]["Action"] == [action]


def test_a_missing_effect_is_refused_with_its_place(settings: Any):
    settings.LANGUAGE_CODE = "en"
    document = json.dumps(
        {"Version": "1.1", "Statement": [{"Action": ["*"], "Effect": "Deny"}, {"Action": ["*"]}]}
    )

    assert "Statement[1]" in refusal(document)
    assert "Effect" in refusal(document)


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ("{", "1"),
        ("[]", "JSON"),
        ("null", "JSON"),
        (text(Version="1.0"), "1.1"),
        (text(Statement=[]), "Statement"),
        (text(Statement=[{}] * 9), "8"),
        (text(Statement="x"), "Statement"),
        (text(Statement=["x"]), "Statement[0]"),
        (text(Extra=1), "Extra"),
        (text(statement={"Principal": "*"}), "Principal"),
        (text(statement={"Effect": "allow"}), "Statement[0]"),
        (text(statement={"Action": []}), "Statement[0].Action"),
        (text(statement={"Action": [1]}), "Statement[0].Action"),
        (text(statement={"Action": ["*"] * 101}), "100"),
        (text(statement={"Action": ["kooMessage:emailDomain"]}), "Statement[0].Action[0]"),
        (text(statement={"Action": ["*", "kooMessage:emailDomian:list"]}), "Statement[0].Action[1]"),
        (text(statement={"Resource": {}}), "Statement[0].Resource"),
        (text(statement={"Condition": ["x"]}), "Statement[0].Condition"),
        (text(statement={"Condition": {}}), "10"),
        (text(statement={"Condition": {"Bool": {str(i): "x" for i in range(11)}}}), "10"),
        ('{"Version": "1.1", "Version": "1.1", "Statement": []}', "Version"),
        ("[" * 3000, ""),
        (text(statement={"Resource": ["x" * MAX_BYTES]}), str(MAX_BYTES)),
        (text(statement={"Resource": ["中" * 2000]}), str(MAX_BYTES)),
    ],
)
def test_a_document_out_of_bounds_is_refused_with_a_sentence_and_its_place(document: str, place: str):
    sentence = refusal(document)

    assert place in sentence
    assert sentence.rstrip().endswith((".", "。"))


def test_the_limits_themselves_are_allowed():
    statement = {"Effect": "Deny", "Action": ["kooMessage:*:delete"] * 20}

    assert len(parse(json.dumps({"Version": "1.1", "Statement": [statement] * 8}))["Statement"]) == 8
    assert len(parse(text(statement={"Action": ["*"] * 100}))["Statement"][0]["Action"]) == 100
    filler = MAX_BYTES - len(text(statement={"Resource": [""]}))
    assert parse(text(statement={"Resource": ["x" * filler]}))
