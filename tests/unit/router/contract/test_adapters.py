"""What adapters in use need comes into the template and the policy, without anybody writing it down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from adapters.aws import Aws, Settings
from adapters.circuits import CircuitTable
from adapters.dynamodb import Table as DynamoDBTable
from adapters.dynamodb import item
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
from router.dispatch.chain import Middleware
from router.environment import DynamoDB, Environment
from router.errors import ConfigurationError
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


# ---- tables of adapters ----------------------------------------------------------------------------------------------


@item(pk="visits", sk="{visit}", ttl="until")
@dataclass
class Visit:
    visit: str
    until: datetime


@item(pk="places", sk="{place}")
@dataclass
class Place:
    place: str


@pytest.mark.parametrize(
    ("adapter", "ttl"),
    [
        (DynamoDBTable("t-1", [Visit, Place], aws=aws), "_ttl"),
        (DynamoDBTable("t-1", [Place], aws=aws), ""),
        (Connections(aws, table="t-1"), "expires_at"),
        (IdempotencyTable(aws, table="t-1"), "expires_at"),
        (UsageTable(aws, table="t-1"), "ttl"),
        (DynamoDBTokenStore(aws, table="t-1"), "expires_at_seconds"),
    ],
    ids=lambda one: type(one).__name__,
)
def test_a_table_has_the_layout_and_ttl_of_its_adapter(adapter: Any, ttl: str) -> None:
    made = template(stack_of(None, Table("t-1", variable="T", definition=adapter)).infrastructure())["Resources"]
    [table] = [one["Properties"] for one in made.values() if one["Type"] == "AWS::DynamoDB::Table"]
    assert table["KeySchema"] == adapter.definition()["KeySchema"]
    assert table.get("TimeToLiveSpecification") == ({"AttributeName": ttl, "Enabled": True} if ttl else None)


def test_items_without_an_expiry_of_the_adapter_may_have_one_of_their_own() -> None:
    assert Table("t-1", definition=DynamoDBTable("t-1", [Place], aws=aws), ttl="gone").ttl == "gone"


class NoTable:
    def definition(self) -> Any:
        return ["KeySchema"]


@pytest.mark.parametrize(
    ("declare", "said"),
    [
        (lambda: Table("t-1", definition=Connections(aws, table="t-1"), ttl="gone"), "keeps the time in 'expires_at'"),
        (lambda: Table("t-2", definition=Connections(aws, table="t-1")), "its definition is of the table 't-1'"),
        (lambda: Table("t-1", definition=IdempotencyTable), r"takes an adapter with definition\(\), or a mapping"),  # type: ignore[arg-type]
        (lambda: Table("t-1", definition="orders"), r"takes an adapter with definition\(\), or a mapping"),  # type: ignore[arg-type]
        (lambda: Table("t-1", definition=NoTable()), "definition= takes a mapping from texts"),
    ],
    ids=["ttl", "name", "class", "text", "list"],
)
def test_what_is_no_table_of_that_name_and_ttl_is_refused(declare: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        declare()


# ---- middleware of the application -----------------------------------------------------------------------------------


def stack_of(middleware: Any, *declared: Any, offload: Any = None) -> Stack:
    made = Resolver(offload=offload)
    if middleware is not None:
        made.use(middleware)
    made.on_invoke("x", requires={})(pay)
    globals()["held"] = made
    return Stack(f"{__name__}:held", *declared, name="shop")


class Plain:
    """Middleware without a class of this library, which computes things, and holds itself."""

    __slots__ = ("__store", "empty", "me")

    def __init__(self) -> None:
        self.__store = [IdempotencyTable(aws)]
        self.me = self

    def __call__(self, event: Event) -> Any:
        yield

    @property
    def needs(self) -> Any:
        raise RuntimeError("it must not be asked")


def around(store: object) -> Any:
    def middleware(event: Event) -> Any:
        assert store
        yield

    return middleware


def test_middleware_without_a_base_is_permitted_what_it_holds() -> None:
    for middleware in (Plain(), around(IdempotencyTable(aws))):
        [part] = stack_of(middleware).infrastructure().parts
        assert any(f"{TABLE}idempotency" in grant.resources for grant in part.grants)


@pytest.mark.parametrize("told", [None, ["dynamodb:GetItem"], 1])
def test_needs_that_are_none(told: Any) -> None:
    class Odd(Middleware):
        def __call__(self, event: Event) -> Any:
            yield

        def needs(self) -> Any:
            return told

    with pytest.raises(ConfigurationError, match=r"Odd\.needs\(\) returns no list of Need"):
        stack_of(Odd()).infrastructure()


class Two(Middleware):
    def __init__(self, *held: object) -> None:
        self.held = held

    def __call__(self, event: Event) -> Any:
        yield


@pytest.mark.parametrize(
    ("declared", "other"),
    [
        ([], DynamoDBTokenStore(aws, table="idempotency")),
        ([Table("idempotency")], None),
        ([Table("idempotency", definition=IdempotencyTable(aws).definition())], None),
    ],
)
def test_a_table_with_another_key_is_refused(declared: list[Any], other: object) -> None:
    with pytest.raises(ConfigurationError, match=r"table idempotency has another key, index or ttl"):
        stack_of(Two(IdempotencyTable(aws), other), *declared).infrastructure()


def test_tables_of_the_same_layout_are_one() -> None:
    definition = IdempotencyTable(aws).definition()
    right = Table("idempotency", definition=definition, ttl="expires_at")
    for declared in ([], [right], [Table("idempotency", exists=True)]):
        both = Two(IdempotencyTable(aws), RateLimitTable(aws, table="idempotency"))
        assert stack_of(both, *declared).infrastructure().of_kind("table")


@pytest.mark.parametrize(
    ("key", "resource", "condition"),
    [
        ("arn:aws:kms:eu-west-1:1:key/abc", "arn:aws:kms:eu-west-1:1:key/abc", {}),
        ("abc", f"{ARN}kms:${{AWS::Region}}:${{AWS::AccountId}}:key/abc", {}),
        (
            "alias/large",
            f"{ARN}kms:${{AWS::Region}}:${{AWS::AccountId}}:key/*",
            {"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/large"}},
        ),
    ],
)
def test_objects_that_a_key_encrypts(key: str, resource: str, condition: Any) -> None:
    [part] = stack_of(None, offload=Offload("large", aws=aws, kms_key=key)).infrastructure().parts
    [grant] = [one for one in part.grants if "kms:GenerateDataKey" in one.actions]
    assert grant.actions == ("kms:Decrypt", "kms:GenerateDataKey")
    assert (grant.resources, grant.condition) == ((resource,), condition)
