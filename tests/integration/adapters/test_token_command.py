"""`junction tokens` as a process, over each store."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from adapters.mongo import Mongo
from adapters.tokens import DynamoDBTokenStore, MongoTokenStore, Tokens
from tests.integration.adapters.places import aws_of
from tests.servers.ferretdb import FerretDB
from tests.servers.locations import REPOSITORY
from tests.servers.moto import MotoServer

NAME = "token_command_test"


@pytest.fixture
def environment(moto: MotoServer, ferretdb: FerretDB) -> Iterator[dict[str, str]]:
    ferretdb.drop_databases(NAME)
    yield {**os.environ, **moto.environment(), "MONGODB_URI": ferretdb.uri, "TOKENS": NAME}
    ferretdb.drop_databases(NAME)


@pytest.fixture(params=["in_mongodb", "in_dynamodb"])
def place(request: pytest.FixtureRequest, moto: MotoServer, ferretdb: FerretDB) -> Iterator[tuple[str, Tokens]]:
    """The name in the application, and the tokens as this process sees them."""
    if request.param == "in_mongodb":
        mongo = Mongo(ferretdb.uri)
        yield request.param, Tokens(MongoTokenStore(mongo, database=NAME), cache=0)
        mongo.close()
        return
    aws = aws_of(moto)
    store = DynamoDBTokenStore(aws, table=NAME)
    store.create_table()
    yield request.param, Tokens(store, cache=0)
    aws.call("dynamodb", "delete_table", TableName=NAME)
    aws.close()


def test_a_token_from_its_issue_to_its_revocation(place: tuple[str, Tokens], environment: dict[str, str]) -> None:
    name, tokens = place

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "router", "tokens", f"tests.integration.adapters.token_app:{name}", *arguments],
            cwd=REPOSITORY,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    done = run("issue", "--user", "ann", "--tenant", "acme", "--expires-in", "30d")
    assert done.returncode == 0, done.stderr
    old = done.stdout.removesuffix("\n")
    identity = tokens.authenticate(old)
    assert identity is not None
    assert old not in done.stderr
    rotated = run("rotate", identity.credential_id, "--grace", "1h")
    new = rotated.stdout.removesuffix("\n")
    assert (rotated.returncode, len(rotated.stderr.splitlines())) == (0, 1)
    assert [tokens.authenticate(token) is not None for token in (old, new)] == [True, True]
    assert identity.credential_id in (shown := run("list", "--tenant", "acme").stdout)
    assert old.partition(".")[2] not in shown
    assert run("revoke", "--user", "ann").stdout == "2 revoked\n"
    assert [tokens.authenticate(token) for token in (old, new)] == [None, None]
    assert run("revoke", identity.credential_id).returncode == 1
