"""Tokens in a real collection: from the first request to the last."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.mongo.document_errors import ClusterUnavailable
from adapters.mongo.mongo import Mongo
from adapters.mongo.mongo_settings import Cluster, MongoSettings
from adapters.tokens import InvalidRequest, MongoTokenStore, Tokens
from router import Authenticate, FromRequest, Resolver, Session, SessionPolicy
from router.dispatch.loop import close_loop
from router.guards import Bypass
from router.testing import Answer, TestClient
from tests.integration.adapters.token_contract import TokenContract, TokenPlace
from tests.servers.ferretdb import FerretDB

PREFIX = "tokens_test_"
BYPASS = "internal-calls-0123456789abcdef0123456789"


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["motor", "pymongo"])
def mongo(ferretdb: FerretDB, request: pytest.FixtureRequest) -> Iterator[Mongo]:
    ferretdb.drop_databases(PREFIX)
    mongo = Mongo(MongoSettings({"main": ferretdb.uri}, driver=request.param))
    yield mongo
    close_loop()
    mongo.close()
    ferretdb.drop_databases(PREFIX)


@pytest.fixture
def tokens(mongo: Mongo, clock: Clock) -> Tokens:
    return Tokens(MongoTokenStore(mongo, database=f"{PREFIX}auth"), clock=clock)


def application(
    tokens: Tokens, form: Any = Authenticate, mode: str = "full", bypass: tuple[Bypass, ...] = ()
) -> TestClient:
    resolver = Resolver(session=SessionPolicy(request=FromRequest(tenant_header="x-tenant", user_header="x-user")))
    resolver.use(form(*bypass, tokens, mode=mode))

    @resolver.get("/who")
    def who(session: Session) -> Any:
        return {"tenant": session.tenant, "user": session.user, "claims": dict(session.claims)}

    @resolver.get("/later")
    async def later(session: Session) -> Any:
        await asyncio.sleep(0)
        return who(session)

    @resolver.get("/health", auth="off")
    def health() -> str:
        return "ok"

    return TestClient(resolver)


def ask(client: TestClient, token: str, path: str = "/who", **headers: str) -> Answer:
    return client.get(path, headers={"authorization": f"Bearer {token}", **{f"x-{k}": v for k, v in headers.items()}})


WITH_ROLE = {"role": "admin", "credential": "token"}


@pytest.fixture
def place(mongo: Mongo) -> TokenPlace:
    return TokenPlace(MongoTokenStore(mongo, database=f"{PREFIX}auth"))


class TestOverMongoDB(TokenContract):
    pass


forms = pytest.mark.parametrize(("form", "path"), [(Authenticate, "/who"), (Authenticate, "/later")])


@forms
def test_a_token_from_its_issue_to_its_revocation(tokens: Tokens, clock: Clock, form: Any, path: str) -> None:
    client = application(tokens, form)
    issued = tokens.issue("ann", ["acme"], expires_in=timedelta(hours=1), claims={"role": "admin"}, name="laptop")
    assert ask(client, issued.token, path).json() == {"tenant": "acme", "user": "ann", "claims": WITH_ROLE}
    assert client.get(path).status == 401
    assert client.get("/health").text == "ok"
    assert ask(client, issued.token[:-1] + "?", path).status == 401

    [listed] = tokens.list(user="ann")
    # The database keeps milliseconds, and so does what was answered.
    assert listed.expires_at == issued.expires_at == datetime(2026, 1, 1, 13, 0, 0, 123000, tzinfo=UTC)
    assert listed.last_used_at == listed.created_at == datetime(2026, 1, 1, 12, 0, 0, 123000, tzinfo=UTC)

    assert tokens.revoke(issued.id) is True
    refused = ask(client, issued.token, path)
    assert (refused.status, refused.headers["www-authenticate"]) == (401, 'Bearer error="invalid_token"')
    assert tokens.list()[0].revoked_at == listed.created_at


@forms
def test_a_token_expires_by_the_clock(tokens: Tokens, clock: Clock, form: Any, path: str) -> None:
    client = application(tokens, form, "user")
    issued = tokens.issue("ann", expires_in=5)
    assert ask(client, issued.token, path).status == 200
    clock.pass_(4.9)
    assert ask(client, issued.token, path).status == 200
    clock.pass_(0.1)
    assert ask(client, issued.token, path).status == 401
    assert tokens.authenticate(issued.token) is None


@forms
def test_a_tenant_that_a_token_does_not_cover_is_out_of_reach(tokens: Tokens, form: Any, path: str) -> None:
    client = application(tokens, form)
    one = tokens.issue("ann", ["acme"], expires_in=60).token
    two = tokens.issue("bob", ["acme", "globex"], expires_in=60).token
    assert ask(client, one, path, tenant="globex").status == 403
    assert ask(client, two, path, tenant="globex", user="ann").json()["user"] == "bob"
    assert ask(client, two, path, tenant="globex").json()["tenant"] == "globex"
    assert ask(client, two, path, tenant="initech").status == 403
    unnamed = ask(client, two, path)
    assert (unnamed.status, "x-tenant" in unnamed.json()["detail"]) == (400, True)


def test_the_database_holds_nothing_that_lets_somebody_in(tokens: Tokens, ferretdb: FerretDB) -> None:
    issued = tokens.issue("ann", expires_in=60)
    with ferretdb.client() as client:
        [document] = client[f"{PREFIX}auth"].tokens.find()
    assert issued.token.partition(".")[2] not in repr(document)
    assert set(document) == {
        *("_id", "hash", "name", "user", "tenants", "claims"),
        *("created_at", "expires_at", "last_used_at", "revoked_at"),
    }
    assert tokens.authenticate(f"jn_{document['_id']}.{document['hash'][:43]}") is None


def test_revocation_reaches_other_processes_within_the_seconds_of_the_cache(
    mongo: Mongo, tokens: Tokens, clock: Clock
) -> None:
    elsewhere = Tokens(MongoTokenStore(mongo, database=f"{PREFIX}auth"), clock=clock, cache=10)
    issued = tokens.issue("ann", ["acme"], expires_in=None)
    assert tokens.authenticate(issued.token) == elsewhere.authenticate(issued.token) is not None
    assert tokens.revoke_all(user="ann", tenant="acme") == 1
    assert tokens.authenticate(issued.token) is None
    clock.pass_(9)
    assert elsewhere.authenticate(issued.token) is not None
    clock.pass_(1)
    assert elsewhere.authenticate(issued.token) is None


def test_tampered_documents_let_nobody_in(tokens: Tokens, ferretdb: FerretDB) -> None:
    with ferretdb.client() as client:
        collection = client[f"{PREFIX}auth"].tokens
        for change in (
            {"$unset": {"hash": 1}},
            {"$set": {"hash": {"ne": None}}},
            {"$set": {"expires_at": "never"}},
            {"$set": {"user": ["ann"]}},
            {"$set": {"tenants": "acme"}},
            {"$set": {"disabled": True}},
        ):
            issued = tokens.issue("ann", ["acme"], expires_in=60)
            collection.update_one({"_id": issued.id}, change)
            assert tokens.authenticate(issued.token) is None, change


def test_operators_in_the_place_of_names_end_no_token(tokens: Tokens) -> None:
    issued = tokens.issue("ann", ["acme"], expires_in=60)
    for whose in ({"user": {"$ne": None}}, {"tenant": {"$exists": True}}):
        with pytest.raises(InvalidRequest):
            tokens.revoke_all(**whose)
        with pytest.raises(InvalidRequest):
            tokens.list(**whose)
    assert tokens.authenticate(issued.token) is not None


def test_many_at_once_are_each_who_they_are(mongo: Mongo, clock: Clock) -> None:
    tokens = Tokens(MongoTokenStore(mongo, database=f"{PREFIX}auth"), clock=clock, cache=0)
    client = application(tokens)
    issued = {f"user-{n}": tokens.issue(f"user-{n}", [f"tenant-{n % 3}"], expires_in=60).token for n in range(12)}

    def one(user: str) -> tuple[str, str]:
        answer = ask(client, issued[user]).json()
        return answer["user"], answer["tenant"]

    with ThreadPoolExecutor(8) as pool:
        answers = Counter(pool.map(one, [*issued] * 10))
    assert answers == {(f"user-{n}", f"tenant-{n % 3}"): 10 for n in range(12)}


def test_many_at_once_on_a_loop(mongo: Mongo, clock: Clock) -> None:
    tokens = Tokens(MongoTokenStore(mongo, database=f"{PREFIX}auth"), clock=clock, cache=0)

    async def main() -> list[Any]:
        issued = [await tokens.issue_async(f"user-{n}", expires_in=60) for n in range(12)]
        found = await asyncio.gather(*(tokens.authenticate_async(one.token) for one in issued * 10))
        assert await tokens.revoke_all_async(user="user-3") == 1
        assert await tokens.authenticate_async(issued[3].token) is None
        assert [token.user for token in await tokens.list_async(user="user-4")] == ["user-4"]
        assert await tokens.revoke_async(issued[4].id)
        await mongo.close_async()
        return [identity.user for identity in found if identity is not None]

    assert asyncio.run(main()) == [f"user-{n}" for n in range(12)] * 10


def test_a_cluster_that_is_down_lets_nobody_in(ferretdb: FerretDB, clock: Clock) -> None:
    down = Mongo({"main": Cluster("mongodb://ann:s3cret@127.0.0.1:1/", timeout=0.2)})
    tokens = Tokens(MongoTokenStore(down), clock=clock)
    client = application(tokens, mode="user", bypass=(Bypass(BYPASS),))
    token = "jn_" + "0" * 16 + "." + "x" * 43
    with pytest.raises(ClusterUnavailable, match="main"):
        tokens.authenticate(token)
    answer = ask(client, token)
    assert (answer.status, "s3cret" in answer.text) == (503, False)
    # Internal calls do not depend on it, and what is no token is refused without it.
    assert ask(client, BYPASS, user="job").json()["user"] == "job"
    assert ask(client, "x" * 500).status == 401
    down.close()


def test_an_async_route_asks_without_blocking_its_loop(tokens: Tokens, caplog: pytest.LogCaptureFixture) -> None:
    issued = tokens.issue("ann", ["acme"], expires_in=60)
    client = application(tokens)
    assert ask(client, issued.token, "/later").status == 200
    assert "blocks the event loop" not in caplog.text
