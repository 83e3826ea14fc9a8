"""Tasks have a role of their own, with what their routes need and nothing of what Lambda does for other routes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import cfnlint.api

from adapters.aws import Aws, Settings
from adapters.circuits import CircuitTable
from adapters.environment import ParameterStore
from adapters.idempotency import IdempotencyTable
from adapters.rate_limits import RateLimitTable
from router import Event, Resolver
from router.contract import Function, Stack, Table, Topic
from router.contract.sam import template
from router.environment import S3, SNS, DynamoDB, Environment
from router.guards import Idempotent, RateLimit

aws = Aws(Settings(region="eu-west-1"))


def breaking(store: CircuitTable) -> Any:
    """Return middleware around a store."""

    def middleware(event: Event) -> Iterator[None]:
        store.needs()
        yield

    return middleware


resolver = Resolver(environment=Environment(app="shop", stores=[ParameterStore(aws)]))
resolver.use(RateLimit(RateLimitTable(aws), rate=10))


@resolver.on_queue(
    "jobs", requires={"NEWS": [SNS.PUBLISH], "QUEUE_KEY": []}, middleware=[Idempotent(IdempotencyTable(aws))]
)
def job(event: Event) -> None: ...


@resolver.on_topic("alerts")
def alert(event: Event) -> None: ...


@resolver.on_task(
    "export",
    requires={"ORDERS": [DynamoDB.QUERY], "TASK_KEY": []},
    middleware=[breaking(CircuitTable(aws))],
)
def export(event: Event) -> None: ...


plain = Resolver()


@plain.get("/", requires={"REPORTS": [S3.GET_OBJECT]})
def show() -> None: ...


@plain.on_task("clean")
def clean(event: Event) -> None: ...


def made(name: str, *declared: Any, split: str = "function") -> dict[str, Any]:
    return template(Stack(f"{__name__}:{name}", *declared, name="shop").infrastructure(split))


def allowed(role: dict[str, Any]) -> set[tuple[str, str]]:
    """Return the actions of a role, with the end of the name of what they are on."""
    return {
        (action, str(target.get("Fn::Sub", target)).rpartition(":")[2])
        for policy in role["Properties"].get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
        for action in statement["Action"]
        for target in statement["Resource"]
    }


def test_a_task_may_do_what_its_routes_ask_for() -> None:
    found = made("resolver", Table("orders", variable="ORDERS"), Topic("news", variable="NEWS"), Function(tracing=True))
    assert [str(one) for one in cfnlint.api.lint(json.dumps(found))] == []
    assert allowed(found["Resources"]["MainTaskRole"]) == {
        ("dynamodb:Query", "table/orders"),
        ("dynamodb:UpdateItem", "table/rate-limits"),  # around every route
        ("dynamodb:GetItem", "table/circuits"),
        ("dynamodb:UpdateItem", "table/circuits"),
        ("ssm:GetParameters", "parameter/shop/*/*/TASK_KEY"),
    }


def test_a_task_that_asks_for_nothing_may_do_nothing() -> None:
    found = made("plain")
    assert [str(one) for one in cfnlint.api.lint(json.dumps(found))] == []
    assert allowed(found["Resources"]["MainTaskRole"]) == set()
    assert "Policies" not in found["Resources"]["MainTaskRole"]["Properties"], "IAM takes no policy without statements"
