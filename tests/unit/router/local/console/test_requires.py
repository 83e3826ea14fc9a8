"""Check the text of `requires=` that the console offers."""

from __future__ import annotations

from typing import Any

import pytest

from router.local.console.requires import requires_of
from router.local.store.permissions import MOST, Permissions, Seen
from tests.unit.router.local.entries import call, entry

ARN = "arn:aws:{}:us-east-1:000000000000:{}"


def seen(action: str, resource: str, route: str = "POST /orders") -> Seen:
    return Seen(route, action, resource, False, 1, 1)


@pytest.mark.parametrize(
    ("action", "resource", "variables", "text", "made_up"),
    [
        ("dynamodb:GetItem", ARN.format("dynamodb", "table/orders"), {"T": "orders"}, '"T": [DynamoDB.GET_ITEM]', []),
        (
            "dynamodb:Query",
            ARN.format("dynamodb", "table/orders/index/by-day"),
            {"T": "orders"},
            '"T": [DynamoDB.QUERY]',
            [],
        ),
        ("sqs:SendMessage", ARN.format("sqs", "jobs"), {"Q": "http://x:1/0/jobs"}, '"Q": [SQS.SEND_MESSAGE]', []),
        ("sns:Publish", ARN.format("sns", "news"), {"N": ARN.format("sns", "news")}, '"N": [SNS.PUBLISH]', []),
        ("s3:PutObject", "arn:aws:s3:::uploads/*", {"B": "uploads"}, '"B": [S3.PUT_OBJECT]', []),
        ("sqs:SendMessage", ARN.format("sqs", "my-jobs"), {}, '"MY_JOBS_QUEUE": [SQS.SEND_MESSAGE]', ["MY_JOBS_QUEUE"]),
        ("s3:PutObject", "arn:aws:s3:::up.bucket/*", {}, '"UP_BUCKET": [S3.PUT_OBJECT]', ["UP_BUCKET"]),
        ("tag:GetResources", "*", {"X": "*"}, '"TAG": ["tag:GetResources"]', ["TAG"]),
    ],
)
def test_a_call_becomes_an_operation_on_the_variable_that_names_its_resource(
    action: str, resource: str, variables: dict[str, str], text: str, made_up: list[str]
) -> None:
    (found,) = requires_of([seen(action, resource)], variables)
    *_, written = found.pop("text").split("\n")
    assert written == f"requires={{{text}}}"
    assert found == {"route": "POST /orders", "made_up": made_up}


def test_the_text_is_python_that_the_library_takes() -> None:
    table = ARN.format("dynamodb", "table/orders")
    calls = [seen("dynamodb:PutItem", table), seen("dynamodb:GetItem", table), seen("tag:GetResources", "*")]
    (found,) = requires_of(calls, {"ORDERS": "orders"})
    imports, _, text = found["text"].split("\n")
    names: dict[str, Any] = {}
    exec(imports, names)
    value = eval(f"dict({text})", names)["requires"]
    assert imports == "from router.environment import DynamoDB"
    assert value == {"ORDERS": ["dynamodb:GetItem", "dynamodb:PutItem"], "TAG": ["tag:GetResources"]}


def test_routes_are_told_apart() -> None:
    found = requires_of([seen("sns:Publish", ARN.format("sns", "a"), route) for route in ("b", "a")], {"A": "a"})
    assert [one["route"] for one in found] == ["a", "b"]


def test_only_what_is_missing_is_written() -> None:
    covered = Seen("POST /orders", "execute-api:ManageConnections", "*", True, 1, 1)
    unknown = Seen("POST /orders", "kms:Decrypt", "*", None, 1, 1)
    nowhere = Seen("", "sqs:ListQueues", "*", False, 1, 1)
    assert requires_of([covered, unknown, nowhere], {}) == []
    (found,) = requires_of([covered, unknown, seen("sns:Publish", ARN.format("sns", "a"))], {"A": "a"})
    assert found == {
        "route": "POST /orders",
        "text": 'from router.environment import SNS\n\nrequires={"A": [SNS.PUBLISH]}',
        "made_up": [],
    }


def test_a_call_that_is_covered_after_a_change_of_the_code_is_not_missing_any_more() -> None:
    permissions = Permissions()
    for number, covered in enumerate([False, False, True], 1):
        permissions.add(number, entry(calls=[call("sqs:SendMessage", "arn:a", covered=covered)]))
    assert permissions.all() == ([Seen("POST /orders", "sqs:SendMessage", "arn:a", True, 3, 3)], 0)


def test_of_the_objects_of_one_bucket_one_that_is_not_covered_is_enough() -> None:
    permissions = Permissions()
    calls = [call("s3:PutObject", f"arn:aws:s3:::up/{name}", covered=name == "b") for name in "ab"]
    permissions.add(1, entry(calls=calls))
    ((only,), _) = permissions.all()
    assert (only.covered, only.count) == (False, 2)


def test_rows_are_bounded_and_the_rest_is_counted() -> None:
    permissions = Permissions()
    for number in range(MOST + 3):
        permissions.add(1, entry(calls=[call("sqs:SendMessage", f"queue{number}")]))
    rows, left_out = permissions.all()
    assert (len(rows), left_out) == (MOST, 3)
