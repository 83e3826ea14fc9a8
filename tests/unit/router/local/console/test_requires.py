"""Check the text of `requires=` that the console offers."""

from __future__ import annotations

import pytest

import router.environment
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
    assert found == {"route": "POST /orders", "text": f"requires={{{text}}}", "made_up": made_up}


def test_the_text_is_python_that_the_library_takes() -> None:
    table = ARN.format("dynamodb", "table/orders")
    calls = [seen("dynamodb:PutItem", table), seen("dynamodb:GetItem", table), seen("tag:GetResources", "*")]
    (found,) = requires_of(calls, {"ORDERS": "orders"})
    names = {name: getattr(router.environment, name) for name in dir(router.environment)}
    value = eval(f"dict({found['text']})", names)["requires"]
    assert value == {"ORDERS": ["dynamodb:GetItem", "dynamodb:PutItem"], "TAG": ["tag:GetResources"]}


def test_routes_are_told_apart() -> None:
    found = requires_of([seen("sns:Publish", ARN.format("sns", "a"), route) for route in ("b", "a")], {"A": "a"})
    assert [one["route"] for one in found] == ["a", "b"]


def test_rows_are_bounded_and_the_rest_is_counted() -> None:
    permissions = Permissions()
    for number in range(MOST + 3):
        permissions.add(1, entry(calls=[call("sqs:SendMessage", f"queue{number}")]))
    rows, left_out = permissions.all()
    assert (len(rows), left_out) == (MOST, 3)
