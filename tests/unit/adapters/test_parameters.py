"""Parameters and secrets: what is kept and for how long, and errors without values."""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from aws_lambda_powertools.utilities.parameters import base

from adapters.errors import AccessDenied, AdapterError, InvalidMessage, ResourceNotFound, Throttled
from adapters.parameters import Parameters
from router import ConfigurationError
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
