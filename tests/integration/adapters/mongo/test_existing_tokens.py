"""`ExistingTokens`: the tokens that another program keeps; its own check and ours say the same."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId

from adapters.mongo.document_errors import ClusterUnavailable
from adapters.mongo.mongo import Mongo
from adapters.mongo.mongo_settings import Cluster, MongoSettings
from adapters.tokens import ExistingTokens
from router import ALL_TENANTS, FromRequest, Resolver, Session, SessionPolicy
from router.dispatch.loop import close_loop
from router.errors import ConfigurationError
from router.testing import Answer, TestClient
from tests.integration.adapters.old_services import VERSIONS, OldService
from tests.servers.ferretdb import FerretDB

DATABASE = "existing_tokens_core"
ANN = ObjectId("65f000000000000000000001")
NOW = datetime.now(UTC).replace(tzinfo=None)
TOKENS: dict[str, dict[str, Any]] = {
    "good": {"is_active": True, "user_id": ANN, "expires_at": NOW + timedelta(days=1)},
    "for-ever": {"is_active": True, "user_id": ANN},
    "expired": {"is_active": True, "user_id": ANN, "expires_at": NOW - timedelta(seconds=1)},
    "revoked": {"is_active": False, "user_id": ANN, "expires_at": NOW + timedelta(days=1)},
    "of-nobody": {"is_active": True, "user_id": ObjectId("65f000000000000000000009")},
    "of-one-who-left": {"is_active": True, "user_id": "bob"},
}
USERS: list[dict[str, Any]] = [
    {"_id": ANN, "email": "ann@example.com", "role": "admin", "states": ["acme"], "password": "hash", "since": NOW},
    {"_id": "bob", "email": "bob@example.com", "is_active": False},
]


@pytest.fixture(scope="module", autouse=True)
def kept(ferretdb: FerretDB) -> Iterator[None]:
    """The collections as the other program keeps them."""
    ferretdb.drop_databases(DATABASE)
    with ferretdb.client() as client:
        client[DATABASE]["tokens"].insert_many([{"token": token, **held} for token, held in TOKENS.items()])
        client[DATABASE]["users"].insert_many(USERS)
    yield
    ferretdb.drop_databases(DATABASE)


@pytest.fixture(params=["motor", "pymongo"])
def mongo(ferretdb: FerretDB, request: pytest.FixtureRequest) -> Iterator[Mongo]:
    mongo = Mongo(MongoSettings({"main": ferretdb.uri}, driver=request.param))
    yield mongo
    close_loop()
    mongo.close()


def application(tokens: ExistingTokens) -> TestClient:
    resolver = Resolver(auth=tokens, session=SessionPolicy(request=FromRequest(tenant_header="constitution-state")))

    @resolver.get("/who")
    def who(session: Session) -> Any:
        return [session.tenant, session.user, dict(session.claims)]

    @resolver.get("/later")
    async def later(session: Session) -> Any:
        await asyncio.sleep(0)
        return who(session)

    return TestClient(resolver)


def get(client: TestClient, token: str, path: str = "/who", state: str | None = "acme") -> Answer:
    headers = {"Authorization": f"Bearer {token}"}
    return client.get(path, headers=headers if state is None else {**headers, "constitution-state": state})


@pytest.mark.parametrize("path", ["/who", "/later"])
@pytest.mark.parametrize("token", [*TOKENS, "unknown"])
def test_only_a_good_token_of_an_active_user_lets_in(mongo: Mongo, token: str, path: str) -> None:
    client = application(ExistingTokens(mongo, tenants=ALL_TENANTS, database=DATABASE))
    answer = get(client, token, path)
    if token in ("good", "for-ever"):
        claims = {"email": "ann@example.com", "role": "admin", "credential": "token"}
        assert answer.json() == ["acme", str(ANN), claims]
    else:
        assert answer.status == 401


@pytest.mark.parametrize("version", VERSIONS)
def test_the_other_program_says_the_same(ferretdb: FerretDB, tmp_path: Path, version: str) -> None:
    old = OldService(version, tmp_path, MONGO_DB_URI=ferretdb.uri, AUTH_DB_NAME=DATABASE)
    for token in ("good", "expired", "of-one-who-left"):
        assert old("token", token=token)[0] == (str(ANN) if token == "good" else "UnauthorizedError")


def test_all_tenants_is_any_that_the_request_names_and_none_without(mongo: Mongo) -> None:
    client = application(ExistingTokens(mongo, tenants=ALL_TENANTS, database=DATABASE))
    assert [get(client, "good", state=state).json()[0] for state in ("acme", "globex")] == ["acme", "globex"]
    unnamed = get(client, "good", state=None)
    assert unnamed.status == 400
    assert "valid for all tenants" in unnamed.text


def test_tenants_may_come_from_the_users_document(mongo: Mongo) -> None:
    client = application(ExistingTokens(mongo, tenants=lambda user: user["states"], database=DATABASE))
    assert get(client, "good", state=None).json()[0] == "acme"
    assert get(client, "good", state="globex").status == 403


def test_all_fields_may_be_claims_but_for_passwords(mongo: Mongo) -> None:
    tokens = ExistingTokens(mongo, tenants=ALL_TENANTS, database=DATABASE, claims=True)
    identity = tokens.authenticate("good")
    assert identity is not None
    assert identity.claims.keys() == {"email", "role", "states", "since"}
    assert identity.claims["since"].startswith(str(NOW.year))


def test_a_token_that_is_a_query_finds_nothing(mongo: Mongo) -> None:
    tokens = ExistingTokens(mongo, tenants=ALL_TENANTS, database=DATABASE)
    for odd in ({"$ne": None}, None, "", 7):
        assert tokens.authenticate(odd) is None  # type: ignore[arg-type]


def test_nobody_comes_in_while_the_cluster_is_down() -> None:
    down = Mongo(
        MongoSettings(
            {"main": Cluster("mongodb://127.0.0.1:1/", options={"serverSelectionTimeoutMS": 50})}, driver="pymongo"
        )
    )
    tokens = ExistingTokens(down, tenants=ALL_TENANTS)
    with pytest.raises(ClusterUnavailable):
        tokens.authenticate("good")
    assert get(application(tokens), "good").status == 503
    down.close()


def test_an_expiry_that_is_no_moment_lets_nobody_in(mongo: Mongo, ferretdb: FerretDB) -> None:
    with ferretdb.client() as client:
        client[DATABASE]["tokens"].insert_one(
            {"token": "odd", "is_active": True, "user_id": ANN, "expires_at": "tomorrow"}
        )
    assert ExistingTokens(mongo, tenants=ALL_TENANTS, database=DATABASE).authenticate("odd") is None


def test_what_makes_no_sense_is_refused(mongo: Mongo) -> None:
    with pytest.raises(ConfigurationError, match="ALL_TENANTS"):
        ExistingTokens(mongo, tenants=["acme"])  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="names"):
        ExistingTokens(mongo, tenants=ALL_TENANTS, users="")
    assert repr(ExistingTokens(mongo, tenants=ALL_TENANTS)) == "ExistingTokens(core.tokens, core.users)"
