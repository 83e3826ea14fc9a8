"""A variable that a function is given by hand: the rights of `requires=` are on what it names."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from router import Resolver
from router.contract import Function, Stack
from router.contract.sam import template
from router.environment import SQS, DynamoDB

APPLICATION = "an_application_with_given_values"
HERE = "${AWS::Region}:${AWS::AccountId}"


def allowed(given: str, operation: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the resource of an operation for which the template gives a value."""
    resolver, module = Resolver(), ModuleType(APPLICATION)
    monkeypatch.setattr(module, "resolver", resolver, raising=False)
    monkeypatch.setitem(sys.modules, APPLICATION, module)

    @resolver.on_invoke("go", requires={"TARGET": [operation]})
    def go() -> None: ...

    stack = Stack(f"{APPLICATION}:resolver", Function(variables={"TARGET": given}), name="shop")
    statements = template(stack.infrastructure())["Resources"]["MainPolicy"]["Properties"]["PolicyDocument"][
        "Statement"
    ]
    [[resource]] = [one["Resource"] for one in statements if one["Action"] == [operation]]
    return resource


@pytest.mark.parametrize(
    ("given", "operation", "resource"),
    [
        ("orders", SQS.SEND_MESSAGE, {"Fn::Sub": f"arn:${{AWS::Partition}}:sqs:{HERE}:orders"}),
        ("arn:aws:sqs:eu-west-1:210987654321:orders", SQS.SEND_MESSAGE, "arn:aws:sqs:eu-west-1:210987654321:orders"),
        (
            "https://sqs.eu-west-1.amazonaws.com/123456789012/orders",
            SQS.SEND_MESSAGE,
            {"Fn::Sub": f"arn:${{AWS::Partition}}:sqs:{HERE}:orders"},
        ),
        ("orders", DynamoDB.PUT_ITEM, {"Fn::Sub": f"arn:${{AWS::Partition}}:dynamodb:{HERE}:table/orders"}),
    ],
)
def test_the_right_is_on_what_is_given(
    given: str, operation: str, resource: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert allowed(given, operation, monkeypatch) == resource
