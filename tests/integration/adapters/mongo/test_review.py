"""What an unfriendly reader tried over a real server: each was a way to store, stamp or break what is not one's own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from bson import Int64
from pydantic import BaseModel, ConfigDict
from pymongo.monitoring import TopologyListener

from adapters.errors import AccessDenied
from adapters.mongo import (
    Cluster,
    ClusterUnavailable,
    Index,
    Insert,
    InvalidDocument,
    InvalidId,
    InvalidPageSize,
    InvalidRequest,
    Mongo,
    MongoSettings,
    Repository,
    TenantList,
    Tenants,
    UnreadableDocument,
    VersionConflict,
    begins_with,
    raw,
    sync_indexes,
)
from adapters.mongo.mongo_settings import DRIVERS
from adapters.tokens import MongoTokenStore, Tokens
from router import Event, Resolver, Session
from router.dispatch.loop import close_loop, run
from router.errors import ConfigurationError
from router.session import reset_session, set_session
from router.testing import TestClient
from tests.servers.ferretdb import FerretDB

PREFIX = "reviewtest_"
DATABASE = f"{PREFIX}shop"
ANN, BOB = Session(tenant="acme", user="ann"), Session(tenant="globex", user="bob")


class Open(BaseModel):
    """Has no field for the id, and takes what it is given."""

    model_config = ConfigDict(extra="allow")

    name: str


@pytest.fixture(params=DRIVERS)
def mongo(ferretdb: FerretDB, request: pytest.FixtureRequest) -> Iterator[Mongo]:
    tenants = Tenants(f"{PREFIX}{{tenant}}", known=TenantList("tenants", database=f"{PREFIX}platform"), cache=0)
    made = Mongo(MongoSettings({"main": ferretdb.uri}, driver=request.param, tenants=tenants))
    made.sync.db[f"{PREFIX}platform"].tenants.insert_many([{"_id": "acme"}, {"_id": "globex"}])
    yield made
    close_loop()
    made.close()
    ferretdb.drop_databases(PREFIX)


@pytest.mark.parametrize("verb", ["replace", "delete", "delete_many"])
def test_a_stamp_is_of_who_called_even_if_the_session_changes_meanwhile(mongo: Mongo, verb: str) -> None:
    notes = Repository(mongo, "notes", ids="str", stamps=True, soft_delete=True)
    given: dict[str, Any] = {"replace": {"_id": "1"}, "delete": "1", "delete_many": {"_id": "1"}}

    resolver = Resolver()

    @resolver.on_invoke("change")
    async def change(event: Event) -> Any:
        event.session = ANN
        await notes.insert_async({"_id": "1"})
        called = asyncio.ensure_future(getattr(notes, f"{verb}_async")(given[verb]))
        await asyncio.sleep(0)  # by now it waits for the list of tenants
        event.session = BOB
        await called
        event.session = ANN
        stored = await notes.get_async("1", deleted=True)
        return None if stored is None else [stored["updated_by"], stored.get("deleted_by", "ann")]

    assert TestClient(resolver).invoke("change") == ["ann", "ann"]


def test_a_field_that_a_model_takes_in_addition_is_no_way_to_choose_a_filter(mongo: Mongo) -> None:
    kept = Repository(mongo, "open", Open, database=DATABASE, ids="str")
    stored = kept.insert(Open(name="victim"))
    for id in ({"$ne": 1}, {"$gt": ""}, {"a": 1}, ["x"], 1):
        forged = Open.model_validate({"name": "forged", "_id": id})
        for verb in (kept.replace, kept.insert):
            with pytest.raises(InvalidId):
                verb(forged)
    assert kept.find().all() == [stored]
    assert kept.replace(stored.model_copy(update={"name": "renamed"})).name == "renamed"


@pytest.mark.parametrize("number", [2**31, 2**63, 10**30])
def test_numbers_from_outside_that_no_server_takes_are_refused(mongo: Mongo, number: int) -> None:
    notes = Repository(mongo, "notes", database=DATABASE)
    for ask in (
        lambda: notes.find(limit=number),
        lambda: notes.find(max_time=number),
        lambda: notes.find(batch=number),
        lambda: notes.find().page(number),
    ):
        with pytest.raises((InvalidRequest, InvalidPageSize), match=r"from 1 to 2147483647|out of range"):
            ask()


def test_a_version_that_another_program_stored_as_a_long_can_be_replaced(mongo: Mongo) -> None:
    notes = Repository(mongo, "notes", database=DATABASE, ids="str", version=True)
    mongo.sync.db[DATABASE].notes.insert_one({"_id": "1", "version": Int64(7)})
    read = notes.get("1")
    assert read is not None
    assert notes.replace({**read, "text": "new"})["version"] == 8


def test_text_with_a_nul_is_looked_for(mongo: Mongo) -> None:
    notes = Repository(mongo, "notes", database=DATABASE)
    notes.insert({"title": "a\0bc"})
    assert [note["title"] for note in notes.find({"title": begins_with("a\0b")})] == ["a\0bc"]
    assert not notes.exists({"title": begins_with("a\0c")})


def test_an_error_of_a_model_holds_no_value_in_its_context_either(mongo: Mongo) -> None:
    class Priced(BaseModel):
        id: str
        price: int

    priced = Repository(mongo, "priced", Priced, database=DATABASE, ids="str")
    mongo.sync.db[DATABASE].priced.insert_one({"_id": "1", "price": "s3cret"})
    for verb, kind in (
        (lambda: priced.get("1"), UnreadableDocument),
        (lambda: priced.update("1", set={"price": "s3cret"}), InvalidRequest),
    ):
        with pytest.raises(kind) as caught:
            verb()
        assert caught.value.__context__ is None
        assert "s3cret" not in str(caught.value)


# ---- clients ---------------------------------------------------------------------------------------------------------


def test_a_client_that_is_closed_in_use_is_one_that_cannot_be_reached(mongo: Mongo) -> None:
    many = Repository(mongo, "many", database=DATABASE)
    many.insert_many([{} for _ in range(50)])

    async def read() -> None:
        async for _ in many.find(batch=10):
            await mongo.close_async()

    rest = iter(many.find(batch=10))
    next(rest)
    mongo.close()
    with pytest.raises(ClusterUnavailable, match="closed meanwhile"):
        list(rest)
    with pytest.raises(ClusterUnavailable, match="closed meanwhile"):
        asyncio.run(read())
    assert many.count() == 50


class Topologies(TopologyListener):
    """Counts the clients that are opened and closed."""

    def __init__(self) -> None:
        self.open = 0
        self.closed_ones = 0

    def opened(self, event: Any) -> None:
        self.open += 1

    def description_changed(self, event: Any) -> None:
        pass

    def closed(self, event: Any) -> None:
        self.closed_ones += 1


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_thread_that_ends_closes_the_clients_of_its_loop(ferretdb: FerretDB, driver: str) -> None:
    clients = Topologies()
    cluster = Cluster(ferretdb.uri, options={"event_listeners": [clients]})
    mongo = Mongo(MongoSettings({"main": cluster}, driver=driver))
    notes = Repository(mongo, "notes", database=DATABASE)
    thread = threading.Thread(target=lambda: run(notes.count_async()))
    thread.start()
    thread.join()
    assert (clients.open, clients.closed_ones) == (1, 1)


def test_a_list_of_tenants_in_another_cluster_is_read_with_new_credentials_once_the_old_are_refused(
    ferretdb: FerretDB,
) -> None:
    asked: list[str] = []

    def uri() -> str:
        asked.append(ferretdb.uri if asked else ferretdb.uri.replace("://", "://bob:s3cret@", 1))
        return asked[-1]

    platform = f"{PREFIX}platform"
    tenants = Tenants(f"{PREFIX}{{tenant}}", known=TenantList("tenants", database=platform, cluster="platform"))
    mongo = Mongo(MongoSettings({"main": ferretdb.uri, "platform": Cluster(uri)}, tenants=tenants))
    with ferretdb.client() as client:
        client[platform].tenants.insert_one({"_id": "acme"})
    notes = Repository(mongo, "notes")
    token = set_session(ANN)
    with pytest.raises(AccessDenied, match=rf"find {platform}\.tenants on platform: .*AuthenticationFailed") as caught:
        notes.count()
    assert "s3cret" not in str(caught.value)
    assert caught.value.__context__ is None
    assert notes.count() == 0
    assert len(asked) == 2
    reset_session(token)
    mongo.close()
    ferretdb.drop_databases(PREFIX)


# ---- what a stranger stumbled over ---------------------------------------------------------------------------------


def acting(session: Session) -> Iterator[None]:
    token = set_session(session)
    yield
    reset_session(token)


@pytest.fixture
def as_ann() -> Iterator[None]:
    yield from acting(ANN)


@pytest.mark.usefixtures("as_ann")
def test_what_is_not_deleted_is_restored_as_it_is(mongo: Mongo) -> None:
    notes = Repository(mongo, "notes", stamps=True, soft_delete=True, version=True)
    note = notes.insert({"text": "a"})
    assert notes.restore(note["_id"]) == notes.get(note["_id"])  # its version is not another by that
    assert notes.delete(note["_id"])
    assert notes.restore(note["_id"])["version"] == 3


@pytest.mark.usefixtures("as_ann")
def test_documents_from_before_there_were_versions_can_be_replaced(mongo: Mongo) -> None:
    mongo.sync.tenant().notes.insert_many([{"_id": "a", "text": "old"}, {"_id": "b", "text": "old", "version": 1}])
    notes = Repository(mongo, "notes", ids="str", version=True)
    assert notes.replace({"_id": "a", "text": "new", "version": 0})["version"] == 1
    for document in ({"_id": "a", "text": "late", "version": 0}, {"_id": "b", "text": "late", "version": 0}):
        with pytest.raises(VersionConflict):
            notes.replace(document)


@pytest.mark.usefixtures("as_ann")
def test_whether_anything_exists_has_to_be_asked_outright(mongo: Mongo) -> None:
    notes = Repository(mongo, "notes")
    notes.insert({"text": "a"})
    with pytest.raises(InvalidRequest, match="without a filter"):
        notes.exists({})
    assert notes.exists(raw({}))


@pytest.mark.usefixtures("as_ann")
@pytest.mark.parametrize("size", [0, -1, 2**40, True, "10"])
def test_the_size_of_a_page_may_come_from_outside(mongo: Mongo, size: Any) -> None:
    with pytest.raises(InvalidPageSize) as caught:
        Repository(mongo, "notes").find().page(size)
    assert caught.value.status == 400


def test_the_tenants_that_are_known_can_be_asked_for(mongo: Mongo) -> None:
    mongo.sync.db[f"{PREFIX}platform"].tenants.insert_many([{"_id": "../admin"}, {"_id": 5}])
    assert mongo.sync.tenants() == ["acme", "globex"]
    assert run(mongo.tenants()) == ["acme", "globex"]


def test_tenants_without_a_list_are_those_with_a_database(ferretdb: FerretDB, mongo: Mongo) -> None:
    open_to_all = Mongo(MongoSettings({"main": ferretdb.uri}, tenants=Tenants(f"{PREFIX}{{tenant}}")))
    Repository(open_to_all, "settings", database=f"{PREFIX}platform")  # so that it is no tenant's
    for tenant in ("umbrella", "initech"):
        open_to_all.sync.tenant(Session(tenant=tenant)).notes.insert_one({})
    assert open_to_all.sync.tenants() == ["initech", "umbrella"]
    assert run(open_to_all.tenants()) == ["initech", "umbrella"]
    assert run(open_to_all.cluster("main").tenants()) == ["initech", "umbrella"]
    open_to_all.close()


def test_a_token_is_revoked_by_its_whole_text_too(mongo: Mongo) -> None:
    tokens = Tokens(MongoTokenStore(mongo, database=f"{PREFIX}platform"), cache=0)
    issued = tokens.issue("ann", ["acme"], expires_in=60)
    assert tokens.authenticate(issued.token) is not None
    assert tokens.revoke(issued.token)
    assert tokens.authenticate(issued.token) is None
    assert not tokens.revoke(issued.id)


def test_declarations_that_contradict_each_other_are_told_before_there_is_a_tenant(ferretdb: FerretDB) -> None:
    nobody = Mongo(MongoSettings({"main": ferretdb.uri}, tenants=Tenants(f"{PREFIX}{{tenant}}", known=[])))
    Repository(nobody, "orders", indexes=[Index("number", unique=True)])
    Repository(nobody, "orders", indexes=[Index("number")])
    with pytest.raises(ConfigurationError, match="the tenants' orders"):
        sync_indexes(nobody)
    nobody.close()


@pytest.mark.usefixtures("as_ann")
def test_what_makes_no_sense_is_told_before_anything_is_sent(mongo: Mongo) -> None:
    notes = Repository(mongo, "notes", ids="str", version=True)
    with pytest.raises(InvalidRequest, match="without soft_delete=True"):
        notes.restore("a")
    with pytest.raises(InvalidRequest, match="upsert"):
        notes.update("a", version=1, upsert=True, set={"text": "b"})
    with pytest.raises(InvalidDocument, match=r"#1: .*at") as caught:
        notes.insert_many([{"text": "a"}, {"at": datetime(2026, 1, 1)}])  # noqa: DTZ001
    assert caught.value.status == 422
    assert notes.count() == 0


@pytest.mark.usefixtures("as_ann")
def test_a_batch_of_which_nothing_can_be_sent_has_the_error_itself() -> None:
    nowhere = Mongo(MongoSettings({"main": Cluster("mongodb://127.0.0.1:1", timeout=0.2)}))
    lost = Repository(nowhere, "notes")
    for write in (lambda: lost.insert_many([{}]), lambda: lost.bulk([Insert({})])):
        with pytest.raises(ClusterUnavailable):
            write()
    nowhere.close()


def test_collections_that_are_kept_at_hand_are_bounded(mongo: Mongo) -> None:
    client = mongo.access(None, asynchronous=False).client
    for number in range(5_000):
        client.collection(f"{PREFIX}none", f"c{number}")
    assert len(client.collections) < 5_000
    assert client.collection(f"{PREFIX}none", "c1") is client.collection(f"{PREFIX}none", "c1")
