"""The policy of a function in a file that holds statements of others: theirs stay, ours follow the routes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from router import ConfigurationError
from router.contract.limits import check_policy
from router.contract.policy_files import marked, merged

THEIRS = """\
{
    "Version": "2012-10-17",
    "Id": "mine",
    "Statement": [
        {"Sid": "Mine", "Effect": "Deny", "Action": "s3:*", "Resource": "*"},
        {"Effect": "Allow", "Action": ["ses:SendEmail"], "Resource": ["*"], "Condition": {"Bool": {"a:b": true}}}
    ]
}
"""


def ours(*actions: str) -> dict[str, Any]:
    held = [
        {"Effect": "Allow", "Action": [one], "Resource": [f"arn:${{AWS::Partition}}:x:::{one[-1]}"]} for one in actions
    ]
    return marked({"Version": "2012-10-17", "Statement": held})


def statements(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(text)["Statement"]
    return found


def test_statements_of_others_stay_and_ours_follow_the_routes() -> None:
    first = merged(THEIRS, ours("sqs:A", "sns:B"))
    assert statements(first)[:2] == statements(THEIRS)
    assert json.loads(first)["Id"] == "mine"
    assert first.startswith('{\n    "Version"')
    assert [one["Action"] for one in statements(first)[2:]] == [["sqs:A"], ["sns:B"]]
    assert merged(first, ours("sqs:A", "sns:B")) == first
    second = merged(first, ours("sqs:A", "cognito-idp:C"))
    assert [one["Action"] for one in statements(second)[2:]] == [["sqs:A"], ["cognito-idp:C"]]
    assert statements(merged(second, marked({"Version": "1", "Statement": []}))) == statements(THEIRS)


def test_statements_have_sids_that_iam_takes() -> None:
    sids = [one["Sid"] for one in ours("sqs:A", "cognito-idp:B", "s3:C")["Statement"]]
    assert all(sid.isascii() and sid.isalnum() for sid in sids)
    assert [sid[:-8] for sid in sids] == ["JunctionSqs", "JunctionCognitoidp", "JunctionS3"]


def test_others_between_ours_keep_their_place() -> None:
    held = json.loads(merged("", ours("sqs:A", "sqs:B")))
    held["Statement"].insert(1, {"Sid": "JunctionOfRoads", "Effect": "Allow", "Action": "a:b", "Resource": "*"})
    with pytest.raises(ConfigurationError, match=r"JunctionOfRoads \(line 1\)"):
        merged(json.dumps(held), ours("sqs:A", "sqs:B"))
    held["Statement"][1]["Sid"] = "RoadJunction"
    after = statements(merged(json.dumps(held), ours("sqs:B", "sqs:C")))
    assert [one["Sid"][:11] for one in after] == ["RoadJunctio", "JunctionSqs", "JunctionSqs"]


@pytest.mark.parametrize("text", ["", " \n", "{}", '{"Version": "2012-10-17"}', '{"Statement": []}'])
def test_a_policy_without_statements_takes_ours(text: str) -> None:
    assert json.loads(merged(text, ours("sqs:A"))) == ours("sqs:A")


def test_a_single_statement_becomes_one_of_a_list() -> None:
    single = {"Effect": "Allow", "Action": "a:b", "Resource": "*"}
    assert statements(merged(json.dumps({"Statement": single}), ours("sqs:A")))[0] == single


def test_an_edit_by_hand_is_named_with_its_line_and_force_writes() -> None:
    before = merged(THEIRS, ours("sqs:A"))
    edited = before.replace("sqs:A", "sqs:*")
    line = 1 + next(n for n, text in enumerate(edited.splitlines()) if '"JunctionSqs' in text)
    with pytest.raises(ConfigurationError, match=rf"edited by hand.*: JunctionSqs\w+ \(line {line}\); .*--force"):
        merged(edited, ours("sqs:A"))
    assert merged(edited, ours("sqs:A"), force=True) == before


def test_another_order_and_style_is_no_edit() -> None:
    statement = {"Effect": "Allow", "Action": ["sqs:A", "sqs:B"], "Resource": ["x"]}
    mine = marked({"Version": "1", "Statement": [statement]})
    sid = mine["Statement"][0]["Sid"]
    text = json.dumps({"Statement": {"Resource": "x", "Sid": sid, "Action": ["sqs:B", "sqs:A"], "Effect": "Allow"}})
    assert merged(text, mine) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Version: 1", "the policy cannot be read as JSON"),
        ('{"Statement": [', "the policy cannot be read as JSON"),
        ('{"Statement": [], "Statement": []}', "the name 'Statement' is there twice"),
        ("[]", "the policy is not a JSON object"),
        ('"text"', "the policy is not a JSON object"),
        ('{"Statement": ["a"]}', "neither an object nor a list of objects"),
        ('{"Statement": "a"}', "neither an object nor a list of objects"),
        ('{"Statement": null}', "neither an object nor a list of objects"),
    ],
)
def test_what_is_no_policy_is_refused(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        merged(text, ours("sqs:A"))


def test_a_policy_that_is_too_large_for_a_role_is_refused_with_its_size() -> None:
    def of(count: int) -> dict[str, Any]:
        return ours(*(f"sqs:{'x' * 20}{n}" for n in range(count)))

    compact = json.dumps(of(10), separators=(",", ":"))
    assert check_policy("main", of(10), "shop") == len(compact.replace("${AWS::Partition}", "aws"))
    with pytest.raises(ConfigurationError, match=r"function main: it has 1\d,\d{3} characters, and IAM takes 10,240"):
        check_policy("main", of(90), "shop")
