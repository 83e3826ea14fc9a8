"""What adapters in use need comes into the template and the policy, without anybody writing it down."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.aws import Aws, Settings
from adapters.circuits import CircuitTable
from adapters.environment import ParameterStore, SecretStore, UseTable
from adapters.idempotency import IdempotencyTable
from adapters.offload import Offload
from adapters.rate_limits import RateLimitTable
from adapters.tokens import DynamoDBTokenStore, Tokens
from adapters.usage import UsageTable
from adapters.websocket import Connections, TrackConnections
from router import Event, Resolver, Router
from router.contract import Stack, Table
from router.contract.sam import template
from router.environment import DynamoDB, Environment
from router.guards import ApiKey, Authenticate, Idempotent, RateLimit

aws = Aws(Settings(region="eu-west-1"))
resolver = Resolver(
    requires={"API_KEY": [], "ORDERS": [DynamoDB.GET_ITEM]},
    offload=Offload("large", aws=aws),
    environment=Environment(
        app="shop", stores=[ParameterStore(aws), SecretStore(aws, path="shop/{name}")], record=UseTable(aws)
    ),
)
resolver.use(Authenticate(ApiKey(Tokens(DynamoDBTokenStore(aws)))), RateLimit(RateLimitTable(aws), rate=10))
group = Router("/payments", middleware=[Idempotent(IdempotencyTable(aws))])


@group.post("/")
def pay(event: Event) -> None: ...


resolver.include(group)


@resolver.on_connect(middleware=[TrackConnections(Connections(aws))], function="sockets")
def connect(event: Event) -> None: ...


HERE = f"{__name__}:resolver"
ARN = "arn:${AWS::Partition}:"
TABLE = ARN + "dynamodb:${AWS::Region}:${AWS::AccountId}:table/"


def granted(*declared: Any, part: int = 0) -> dict[str, list[str]]:
    """Return the actions by resource."""
    held = Stack(HERE, Table("orders", variable="ORDERS"), *declared, name="shop").infrastructure().parts[part]
    found: dict[str, list[str]] = {}
    for grant in held.grants:
        for resource in grant.resources:
            found.setdefault(resource, []).extend(grant.actions)
    return {resource: sorted(actions) for resource, actions in found.items()}


def test_tables_of_guards() -> None:
    found = granted()
    assert found[f"{TABLE}tokens"] == ["dynamodb:GetItem", "dynamodb:UpdateItem"]
    assert found[f"{TABLE}rate-limits"] == ["dynamodb:UpdateItem"]
    assert found[f"{TABLE}idempotency"] == ["dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
    assert found[f"{ARN}s3:::large/offload/*"] == ["s3:GetObject", "s3:PutObject", "s3:PutObjectTagging"]


def test_a_function_has_what_its_own_routes_use() -> None:
    main, sockets = granted(), granted(part=1)
    assert f"{TABLE}connections" not in main
    assert f"{TABLE}idempotency" not in sockets
    assert f"{TABLE}rate-limits" in sockets
    assert f"{TABLE}connections/index/*" in sockets
    [stage] = [one for one in sockets if ":execute-api:" in one]
    assert stage.endswith(":${WebSocketApi}/live/*/@connections/*")


def test_variables_of_stores_are_read_one_by_one() -> None:
    found = granted()
    assert found[f"{ARN}ssm:${{AWS::Region}}:${{AWS::AccountId}}:parameter/shop/*/*/API_KEY"] == ["ssm:GetParameters"]
    assert found[f"{ARN}secretsmanager:${{AWS::Region}}:${{AWS::AccountId}}:secret:shop/API_KEY-??????"] == [
        "secretsmanager:GetSecretValue"
    ]
    assert not any("ORDERS" in one for one in found)  # the template tells it
    assert found[f"{TABLE}environment-uses"] == ["dynamodb:BatchWriteItem"]


def test_tables_that_nobody_declared_are_made_as_their_adapters_define_them() -> None:
    made = template(Stack(HERE, Table("orders", variable="ORDERS"), name="shop").infrastructure())["Resources"]
    tables = {one["Properties"]["TableName"]: one["Properties"] for one in made.values() if "Table" in one["Type"]}
    assert set(tables) == {"orders", "tokens", "rate-limits", "idempotency", "connections", "environment-uses"}
    assert tables["idempotency"]["KeySchema"] == [{"AttributeName": "key", "KeyType": "HASH"}]
    assert tables["idempotency"]["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


def test_a_table_that_is_there_is_not_made() -> None:
    stack = Stack(HERE, Table("orders", variable="ORDERS"), Table("idempotency", exists=True), name="shop")
    made = template(stack.infrastructure())["Resources"]
    assert not any(one["Properties"].get("TableName") == "idempotency" for one in made.values())
    assert granted(Table("idempotency", exists=True))[f"{TABLE}idempotency"]


@pytest.mark.parametrize("table", [CircuitTable, UsageTable, IdempotencyTable, RateLimitTable, UseTable])
def test_every_table_says_what_it_needs(table: Any) -> None:
    [need] = table(aws).needs()
    assert need.operations
    assert need.definition["TableName"] == need.name
