"""Parameters and secrets over real requests."""

from __future__ import annotations

import asyncio

import pytest

from adapters.aws import Aws
from adapters.errors import ResourceNotFound
from adapters.parameters import Parameters
from tests.integration.adapters.places import aws_of
from tests.servers.moto import MotoServer


@pytest.fixture
def aws(moto: MotoServer):
    aws = aws_of(moto)
    yield aws
    aws.close()


def put(aws: Aws, name: str, value: str, kind: str = "String") -> None:
    aws.call("ssm", "put_parameter", Name=name, Value=value, Type=kind, Overwrite=True)


class TestParameters:
    def test_are_decrypted_and_kept(self, aws: Aws):
        put(aws, "/shop/key", "hunter2", "SecureString")
        parameters = Parameters(aws)
        assert parameters.get("/shop/key") == "hunter2"
        put(aws, "/shop/key", "changed", "SecureString")
        assert parameters.get("/shop/key") == "hunter2"
        assert parameters.get("/shop/key", fresh=True) == "changed"
        assert parameters.get("/shop/key:1") == "hunter2"

    def test_under_a_path_in_many_pages(self, aws: Aws):
        for n in range(25):
            put(aws, f"/shop/list/{n}", str(n), "SecureString")
        put(aws, "/shop/list/deep/er", "x")
        parameters = Parameters(aws)
        found = asyncio.run(parameters.get_many_async("/shop/list"))
        assert found == {**{str(n): str(n) for n in range(25)}, "deep/er": "x"}
        assert "deep/er" not in parameters.get_many("/shop/list", recursive=False)

    def test_secrets(self, aws: Aws):
        aws.call("secretsmanager", "create_secret", Name="db", SecretString='{"password": "hunter2"}')
        parameters = Parameters(aws)
        assert asyncio.run(parameters.secret_json_async("db")) == {"password": "hunter2"}
        assert parameters.secret("db") == '{"password": "hunter2"}'

    def test_that_are_not_there(self, aws: Aws):
        with pytest.raises(ResourceNotFound, match="/unknown"):
            Parameters(aws).get("/unknown")
        with pytest.raises(ResourceNotFound, match="unknown"):
            Parameters(aws).secret("unknown")
