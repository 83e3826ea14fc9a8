"""Parameters and secrets: what is kept and for how long, errors without values, and what an application requires."""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime, timedelta
from types import MappingProxyType, SimpleNamespace

import pytest
from aws_lambda_powertools.utilities.parameters import base

from adapters.errors import AccessDenied, AdapterError, InvalidMessage, ResourceNotFound, Throttled
from adapters.parameters import Parameters, Resolved, resolve_requirements
from router import ConfigurationError, Resolver
from tests.unit.adapters.fakes import FakeClient, fake_aws, refusal


@pytest.fixture
def clock(monkeypatch):
    """Moves the clock of the cache: `clock(seconds)`."""
    moved = [timedelta()]

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + moved[0]

    monkeypatch.setattr(base, "datetime", Clock)
    return lambda seconds: moved.__setitem__(0, moved[0] + timedelta(seconds=seconds))


def counted():
    """A client that answers with how often it was asked."""
    counter = [0]

    def parameter(held):
        counter[0] += 1
        return {"Parameter": {"Value": f"v{counter[0]}"}}

    def secret(held):
        counter[0] += 1
        return {"SecretString": json.dumps({"password": f"p{counter[0]}", "hosts": []})}

    return FakeClient(get_parameter=parameter, get_secret_value=secret)


def parameters(client, **options):
    return Parameters(fake_aws({"ssm": client, "secretsmanager": client}), **options)


class TestCache:
    def test_a_value_is_asked_for_once(self):
        client = counted()
        held = parameters(client)
        assert [held.get("/a"), held.get("/a"), held.get("/b")] == ["v1", "v1", "v2"]
        assert client.parameters("get_parameter")[0] == {"Name": "/a", "WithDecryption": True}

    def test_and_again_when_it_is_old(self, clock):
        held = parameters(counted(), max_age=60)
        assert held.get("/a") == "v1"
        clock(59)
        assert held.get("/a") == "v1"
        clock(2)
        assert held.get("/a") == "v2"

    def test_or_when_a_fresh_one_is_wanted(self):
        held = parameters(counted())
        assert [held.get("/a"), held.get("/a", fresh=True), held.get("/a")] == ["v1", "v2", "v2"]
        held.forget()
        assert held.get("/a") == "v3"

    def test_or_each_time(self):
        held = parameters(counted(), max_age=0)
        assert [held.get("/a"), held.get("/a")] == ["v1", "v2"]

    def test_of_one_identity_is_not_that_of_another(self):
        first, second = parameters(counted()), parameters(FakeClient(get_parameter={"Parameter": {"Value": "other"}}))
        assert (first.get("/a"), second.get("/a")) == ("v1", "other")

    def test_a_process_that_was_forked_asks_for_itself(self, monkeypatch):
        held = parameters(counted())
        assert held.get("/a") == "v1"
        monkeypatch.setattr(os, "getpid", lambda: -1)
        assert held.get("/a") == "v2"

    def test_what_a_caller_does_to_a_value_stays_with_it(self):
        held = parameters(counted())
        first = held.secret_json("db")
        first["hosts"].append("x")
        first["password"] = "changed"
        assert held.secret_json("db") == {"password": "p1", "hosts": []}

    def test_levels_and_trees_are_kept_apart(self):
        def pages(**asked):
            names = ["/shop/a", "/shop/b/c"] if asked["Recursive"] else ["/shop/a"]
            return [{"Parameters": [{"Name": name, "Value": "1"} for name in names]}]

        client = SimpleNamespace(get_paginator=lambda name: SimpleNamespace(paginate=pages))
        held = parameters(client)
        first = held.get_many("/shop")
        assert first == {"a": "1", "b/c": "1"}
        assert held.get_many("/shop", recursive=False) == {"a": "1"}
        first.clear()
        assert held.get_many("/shop") == {"a": "1", "b/c": "1"}

    @pytest.mark.parametrize("max_age", [-1, "60", None, True])
    def test_an_age_that_makes_no_sense(self, max_age):
        with pytest.raises(ConfigurationError):
            Parameters(max_age=max_age)


class TestErrors:
    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            ("ParameterNotFound", ResourceNotFound),
            ("AccessDeniedException", AccessDenied),
            ("ThrottlingException", Throttled),
        ],
    )
    def test_are_typed_and_name_the_parameter(self, code, kind):
        with pytest.raises(kind, match=r"ssm\.get_parameter /shop/key: ") as raised:
            parameters(FakeClient(get_parameter=refusal(code))).get("/shop/key")
        assert raised.value.code == code
        assert raised.value.__context__ is None

    def test_of_secrets_too(self):
        with pytest.raises(ResourceNotFound, match=r"secretsmanager\.get_secret_value db"):
            parameters(FakeClient(get_secret_value=refusal("ResourceNotFoundException"))).secret("db")

    def test_a_failure_is_not_kept(self):
        client = FakeClient(get_parameter=[refusal("ThrottlingException"), {"Parameter": {"Value": "v"}}])
        held = parameters(client)
        with pytest.raises(Throttled):
            held.get("/a")
        assert held.get("/a") == "v"

    def test_that_nobody_foresaw(self):
        with pytest.raises(AdapterError, match=r"ssm\.get_parameter /a: KeyError"):
            parameters(FakeClient(get_parameter={})).get("/a")

    @pytest.mark.parametrize("held", ["not json: hunter2", '{"password": "hunter2"', ""])
    def test_a_secret_that_is_no_json_is_not_shown(self, held):
        with pytest.raises(InvalidMessage, match="not valid JSON") as raised:
            parameters(FakeClient(get_secret_value={"SecretString": held})).secret_json("db")
        assert "hunter2" not in str(raised.value)
        assert raised.value.__context__ is None

    def test_a_secret_that_is_binary(self):
        with pytest.raises(InvalidMessage, match="binary"):
            parameters(FakeClient(get_secret_value={"SecretBinary": b"\xff"})).secret("db")

    @pytest.mark.parametrize("name", ["", None, 7])
    def test_a_name_that_is_none(self, name):
        with pytest.raises(ConfigurationError, match="give a name"):
            parameters(FakeClient()).get(name)

    def test_without_powertools_the_error_names_the_extras(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "aws_lambda_powertools.utilities.parameters", None)
        with pytest.raises(ConfigurationError, match=r"lambda-junction\[aws,powertools\]"):
            parameters(FakeClient()).get("/a")


def store(**values):
    """A Parameter Store with some values."""

    def answer(asked):
        return {
            "Parameters": [{"Name": name, "Value": values[name]} for name in asked["Names"] if name in values],
            "InvalidParameters": [name for name in asked["Names"] if name not in values],
        }

    return FakeClient(get_parameters=answer)


PLACE = {"app": "shop", "stage": "prod", "service": "billing"}


class TestRequirements:
    def test_come_from_the_environment_and_then_from_the_parameter_store(self):
        client = store(**{"/shop/prod/billing/KEY": "hunter2"})
        environ = MappingProxyType({"TABLE": "orders", "KEY": "", "OTHER": "x"})
        resolved = resolve_requirements(
            {"TABLE": ["read"], "KEY": []}, **PLACE, environ=environ, aws=fake_aws({"ssm": client})
        )
        assert dict(resolved) == {"TABLE": "orders", "KEY": "hunter2"}
        assert resolved.report() == {"TABLE": "environment", "KEY": "/shop/prod/billing/KEY"}
        assert client.parameters("get_parameters") == [{"Names": ["/shop/prod/billing/KEY"], "WithDecryption": True}]

    def test_are_shown_without_values(self):
        resolved = Resolved({"KEY": "hunter2"}, {"KEY": "environment"})
        assert "hunter2" not in f"{resolved!r} {resolved} {json.dumps(resolved.report())}"
        assert len(resolved) == 1

    def test_ask_nothing_when_the_environment_has_all(self):
        client = store()
        resolve_requirements(["A", "A"], **PLACE, environ={"A": "1"}, aws=fake_aws({"ssm": client}))
        assert client.calls == []

    def test_ask_for_ten_at_a_time(self):
        names = [f"N{n}" for n in range(23)]
        client = store(**{f"/shop/prod/billing/{name}": name.lower() for name in names})
        resolved = resolve_requirements(names, **PLACE, environ={}, aws=fake_aws({"ssm": client}))
        assert list(resolved.values()) == [name.lower() for name in names]
        assert [len(held["Names"]) for held in client.parameters("get_parameters")] == [10, 10, 3]

    def test_that_are_missing_are_all_named(self):
        client = store(**{"/shop/prod/billing/B": "hunter2"})
        with pytest.raises(ConfigurationError) as raised:
            resolve_requirements(["A", "B", "C"], **PLACE, environ={}, aws=fake_aws({"ssm": client}))
        assert "not set: A, C" in str(raised.value)
        assert "/shop/prod/billing/{A,C}" in str(raised.value)
        assert "hunter2" not in str(raised.value)

    def test_without_a_place_to_look_say_so(self):
        with pytest.raises(ConfigurationError, match=r"not set: A; .*give app=, stage= and service="):
            resolve_requirements(["A"], app="shop", environ={})

    def test_that_cannot_be_looked_up_say_why(self):
        client = FakeClient(get_parameters=refusal("AccessDeniedException", status=403))
        with pytest.raises(AccessDenied, match="/shop/prod/billing/A"):
            resolve_requirements("A", **PLACE, environ={}, aws=fake_aws({"ssm": client}))

    def test_of_a_route(self):
        resolver = Resolver()
        resolver.get("/", requires={"TABLE": ["dynamodb:GetItem"]})(lambda: None)
        [route] = resolver.routes
        assert dict(resolve_requirements(route.requires, environ={"TABLE": "t"})) == {"TABLE": "t"}
