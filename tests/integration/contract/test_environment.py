"""Stores of declared variables and the table of who uses them, on each server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from adapters.aws import Aws
from adapters.environment import ParameterStore, SecretStore, UseTable
from adapters.errors import TableMismatch
from router import ConfigurationError
from router.environment import Environment, Resolved, Use


@pytest.fixture
def table(aws: Aws, new_name: Callable[..., str]) -> Iterator[UseTable]:
    table = UseTable(aws, table=new_name())
    table.create_table()
    yield table
    aws.call("dynamodb", "delete_table", TableName=table.table)


def place(aws: Aws, service: str) -> Environment:
    return Environment(app="shop", stage="prod", service=service, stores=[ParameterStore(aws), SecretStore(aws)])


def test_the_environment_then_parameters_then_secrets(aws: Aws, new_name: Callable[..., str]) -> None:
    service = new_name()
    for name, kind in (("PLAIN", "String"), ("SECURE", "SecureString")):
        aws.call("ssm", "put_parameter", Name=f"/shop/prod/{service}/{name}", Value=name.lower(), Type=kind)
    aws.call("secretsmanager", "create_secret", Name=f"shop/prod/{service}/SECRET", SecretString="hunter2")
    names = ["HERE", "PLAIN", "SECURE", "SECRET"]
    resolved = place(aws, service).resolve(names, environ={"HERE": "1"})
    assert dict(resolved) == {"HERE": "1", "PLAIN": "plain", "SECURE": "secure", "SECRET": "hunter2"}
    assert resolved.origins == {
        "HERE": "environment",
        "PLAIN": f"/shop/prod/{service}/PLAIN",
        "SECURE": f"/shop/prod/{service}/SECURE",
        "SECRET": f"shop/prod/{service}/SECRET",
    }
    with pytest.raises(ConfigurationError, match="not set: A, B; looked up in the environment"):
        place(aws, service).resolve(["A", "PLAIN", "B"], environ={})


def test_more_parameters_than_one_request_takes(aws: Aws, new_name: Callable[..., str]) -> None:
    service, names = new_name(), [f"N{n}" for n in range(12)]
    for name in names:
        aws.call("ssm", "put_parameter", Name=f"/shop/prod/{service}/{name}", Value=name, Type="String")
    assert list(place(aws, service).resolve(names, environ={}).values()) == names


def test_who_uses_a_variable(table: UseTable) -> None:
    def started(function: str) -> None:
        names: dict[str, tuple[str, ...]] = {f"N{n}": () for n in range(30)}
        resolved = Resolved(dict.fromkeys(names, "hunter2"), dict.fromkeys(names, "environment"))
        environ = {"AWS_LAMBDA_FUNCTION_NAME": function}
        told: list[Use] = []

        def record(uses: list[Use]) -> None:
            told.extend(uses)
            table(uses)

        operations, routes = {**names, "N1": ("dynamodb:GetItem",)}, ("GET /", "sqs orders")
        Environment(stage="prod", record=record).record(resolved, operations, dict.fromkeys(names, routes), environ)
        assert len(told) == 30

    for function in ("api", "jobs", "api"):
        started(function)
    first, second = table.uses_of("N1")
    assert (first["used_by"], second["used_by"]) == ("api", "jobs")
    assert first["operations"] == ["dynamodb:GetItem"]
    assert first["routes"] == ["GET /", "sqs orders"]
    assert (first["origin"], first["stage"], first["function"]) == ("environment", "prod", "api")
    assert first["expires_at"] > first["at"] > 1_700_000_000
    assert "hunter2" not in str(table.uses_of("N1"))
    assert asyncio.run(table.uses_of_async("N29")) == table.uses_of("N29") != []
    assert table.uses_of("UNKNOWN") == []


def test_the_table_is_made_once_and_no_other_is_taken_for_it(aws: Aws, table: UseTable) -> None:
    asyncio.run(table.create_table_async())
    described = aws.call("dynamodb", "describe_time_to_live", TableName=table.table)["TimeToLiveDescription"]
    assert described["AttributeName"] == "expires_at"
    from adapters.rate_limits import RateLimitTable

    with pytest.raises(TableMismatch):
        RateLimitTable(aws, table=table.table).create_table()
