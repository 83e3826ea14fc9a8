"""Stores of declared variables and the table of who uses them: what they ask for, and what they say when it fails."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import Any

import pytest

from adapters.environment import ParameterStore, SecretStore, UseTable
from adapters.errors import AccessDenied, AdapterError, InvalidMessage
from router import ConfigurationError, Resolver
from router.environment import Environment, Use
from router.testing import TestClient, samples
from tests.unit.adapters.fakes import FakeClient, fake_aws, refusal

PLACE: dict[str, Any] = {"app": "shop", "stage": "prod", "service": "billing"}
USE = Use("TABLE", ("dynamodb:GetItem",), ("GET /",), "environment", "f", "shop", "prod", "billing", 1_700_000_000.5)


def parameters(**values: str) -> FakeClient:
    """A Parameter Store with some values."""

    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        return {
            "Parameters": [{"Name": name, "Value": values[name]} for name in asked["Names"] if name in values],
            "InvalidParameters": [name for name in asked["Names"] if name not in values],
        }

    return FakeClient(get_parameters=answer)


def secrets(**values: str) -> FakeClient:
    """A Secrets Manager with some values."""

    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        if asked["SecretId"] not in values:
            raise refusal("ResourceNotFoundException", operation="GetSecretValue")
        return {"SecretString": values[asked["SecretId"]]}

    return FakeClient(get_secret_value=answer)


def test_parameters_are_asked_for_ten_at_a_time_and_decrypted() -> None:
    names = [f"N{n}" for n in range(23)]
    client = parameters(**{f"/shop/prod/billing/{name}": name.lower() for name in names})
    place = Environment(**PLACE, stores=[ParameterStore(fake_aws({"ssm": client}))])
    assert list(place.resolve(names, environ={}).values()) == [name.lower() for name in names]
    asked = client.parameters("get_parameters")
    assert [len(one["Names"]) for one in asked] == [10, 10, 3]
    assert all(one["WithDecryption"] for one in asked)


def test_secrets_come_after_parameters() -> None:
    held = parameters(**{"/shop/prod/billing/A": "1"}), secrets(**{"shop/prod/billing/B": "hunter2"})
    aws = fake_aws({"ssm": held[0], "secretsmanager": held[1]})
    place = Environment(**PLACE, stores=[ParameterStore(aws), SecretStore(aws)])
    resolved = place.resolve(["A", "B"], environ={})
    assert dict(resolved) == {"A": "1", "B": "hunter2"}
    assert resolved.origins == {"A": "/shop/prod/billing/A", "B": "shop/prod/billing/B"}
    with pytest.raises(ConfigurationError) as raised:
        place.resolve(["A", "B", "C"], environ={})
    assert str(raised.value) == (
        "not set: C; looked up in the environment; ParameterStore has no /shop/prod/billing/{name}; "
        "SecretStore has no shop/prod/billing/{name}"
    )


def test_paths_are_yours() -> None:
    client = parameters(**{"/amplify/prod/billing/A": "1"})
    store = ParameterStore(fake_aws({"ssm": client}), path="/amplify/{stage}/{service}/{name}")
    assert dict(Environment(**PLACE, stores=[store]).resolve(["A"], environ={})) == {"A": "1"}


def test_a_store_that_refuses_says_so() -> None:
    denied = FakeClient(get_parameters=refusal("AccessDeniedException", status=403))
    with pytest.raises(AccessDenied, match="/shop/prod/billing/A"):
        Environment(**PLACE, stores=[ParameterStore(fake_aws({"ssm": denied}))]).resolve("A", environ={})
    denied = FakeClient(get_secret_value=refusal("AccessDeniedException", status=400))
    with pytest.raises(AccessDenied, match="shop/prod/billing/A"):
        Environment(**PLACE, stores=[SecretStore(fake_aws({"secretsmanager": denied}))]).resolve("A", environ={})


def test_a_binary_secret_is_refused() -> None:
    client = FakeClient(get_secret_value={"SecretBinary": b"hunter2"})
    with pytest.raises(InvalidMessage, match="shop/prod/billing/A: it is binary, not text") as raised:
        Environment(**PLACE, stores=[SecretStore(fake_aws({"secretsmanager": client}))]).resolve("A", environ={})
    assert "hunter2" not in str(raised.value)


def test_an_async_application_loads_them_on_its_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", "")
    aws = fake_aws(
        {"ssm": parameters(**{"/shop/prod/billing/A_KEY": "k"}), "dynamodb": FakeClient(batch_write_item={})}
    )
    place = Environment(**PLACE, stores=[ParameterStore(aws)], record=UseTable(aws))
    resolver = Resolver(requires=["A_KEY"], environment=place)

    @resolver.get("/")
    async def show() -> str:
        return os.environ["A_KEY"]

    assert asyncio.run(resolver.resolve_async(samples.rest("GET", "/")))["body"] == "k"


class TestUseTable:
    def test_writes_an_item_for_each_variable_and_user_of_it(self) -> None:
        client = FakeClient(batch_write_item={"UnprocessedItems": {}})
        UseTable(fake_aws({"dynamodb": client}), table="uses", keep_for=60)([USE] * 30)
        first, second = client.parameters("batch_write_item")
        assert (len(first["RequestItems"]["uses"]), len(second["RequestItems"]["uses"])) == (25, 5)
        assert first["RequestItems"]["uses"][0]["PutRequest"]["Item"] == {
            "variable": {"S": "TABLE"},
            "used_by": {"S": "f"},
            "operations": {"L": [{"S": "dynamodb:GetItem"}]},
            "routes": {"L": [{"S": "GET /"}]},
            "origin": {"S": "environment"},
            "function": {"S": "f"},
            "app": {"S": "shop"},
            "stage": {"S": "prod"},
            "service": {"S": "billing"},
            "at": {"N": "1700000000.500"},
            "expires_at": {"N": "1700000061"},
        }

    @pytest.mark.parametrize(
        ("answer", "told"),
        [
            (refusal("ThrottlingException"), "dynamodb.batch_write_item uses"),
            ({"UnprocessedItems": {"uses": [{}]}}, "not all items were written"),
        ],
    )
    def test_that_fails_is_in_the_log_and_harms_nothing(
        self, answer: Any, told: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setenv("A_KEY", "hunter2")
        client = FakeClient(batch_write_item=answer)
        place = Environment(record=UseTable(fake_aws({"dynamodb": client}), table="uses"))
        resolver = Resolver(requires=["A_KEY"], environment=place)
        resolver.get("/")(lambda: None)
        with caplog.at_level(logging.WARNING):
            assert TestClient(resolver).get("/").status == 204
        assert "the variables in use were not recorded" in caplog.text
        assert told in caplog.text
        assert len(client.calls) == 1  # a start does not try again
        assert "hunter2" not in f"{caplog.text} {client.calls}"

    def test_outside_of_lambda_the_service_is_the_user(self) -> None:
        client = FakeClient(batch_write_item={})
        table = UseTable(fake_aws({"dynamodb": client}))
        for place, expected in ((PLACE, "shop/prod/billing"), ({"app": "", "stage": "", "service": ""}, "unknown")):
            table([Use("A", (), ("*",), "environment", function="", at=0.0, **place)])
            [write] = client.parameters("batch_write_item")[-1]["RequestItems"]["environment-uses"]
            assert write["PutRequest"]["Item"]["used_by"] == {"S": expected}

    def test_is_checked(self) -> None:
        with pytest.raises(ConfigurationError, match="give the name of the table"):
            UseTable(table="")
        with pytest.raises(ConfigurationError, match="keep_for"):
            UseTable(keep_for=0)

    def test_what_it_does_not_answer_to_is_an_error(self) -> None:
        table = UseTable(fake_aws({"dynamodb": FakeClient(query=refusal("ValidationException"))}))
        with pytest.raises(AdapterError):
            table.uses_of("A")
