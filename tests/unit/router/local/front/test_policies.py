"""Policies of authorizers."""

from __future__ import annotations

import time
from typing import Any

import pytest

from router.local.front.policies import NoPolicy, judge

ARN = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/GET/orders/7"


def _statement(effect: str, resource: Any, action: Any = "execute-api:Invoke") -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource}


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([_statement("Allow", ARN)], "allow"),
        (_statement("Allow", "*"), "allow"),
        ([_statement("Allow", ["arn:other", "arn:aws:execute-api:*/prod/GET/*"])], "allow"),
        ([_statement("Allow", ARN[:-1] + "?")], "allow"),
        ([_statement("Allow", ARN[:-1])], "nothing"),
        ([_statement("Allow", ARN.replace(".", "x").upper())], "nothing"),
        ([_statement("Allow", "*"), _statement("Deny", ARN)], "deny"),
        ([_statement("Deny", "*"), _statement("Allow", ARN)], "deny"),
        ([_statement("Allow", "*", "execute-api:ManageConnections")], "nothing"),
        ([_statement("Allow", "*", ["s3:*", "execute-api:*"])], "allow"),
        ([_statement("Allow", "*", "EXECUTE-API:invoke")], "allow"),
    ],
)
def test_a_policy_is_judged_as_iam_does(statements: Any, expected: str) -> None:
    assert judge({"Version": "2012-10-17", "Statement": statements}, ARN) == expected


@pytest.mark.parametrize(
    "document",
    [
        None,
        "text",
        {},
        {"Statement": []},
        {"Statement": ["Allow"]},
        {"Statement": [{"Effect": "allow"}]},
        {"Statement": [_statement("Allow", [])]},
        {"Statement": [_statement("Allow", [1])]},
        {"Statement": [_statement("Allow", "*", None)]},
    ],
)
def test_what_is_no_policy_is_said_to_be_none(document: Any) -> None:
    with pytest.raises(NoPolicy):
        judge(document, ARN)


def test_stars_without_end_do_not_hold_up_anybody() -> None:
    began = time.perf_counter()
    assert judge({"Statement": _statement("Allow", "*" * 500 + "a" + "*" * 500 + "!")}, "a" * 200) == "nothing"
    assert time.perf_counter() - began < 1
