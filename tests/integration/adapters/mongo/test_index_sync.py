"""Indexes over many tenants: made once, found again, dropped only after every create has worked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from adapters.mongo.document_errors import InvalidTenant, UnknownTenant
from adapters.mongo.index import Index
from adapters.mongo.mongo import Mongo
from adapters.mongo.mongo_settings import Cluster, MongoSettings
from adapters.mongo.repository import Repository
from adapters.mongo.syncing import Change, Failure, Interrupted, Orphan, Step, SyncReport, sync_indexes
from adapters.mongo.tenants import TenantList, Tenants
from router.errors import ConfigurationError
from tests.integration.adapters.mongo.wire import Wire
from tests.servers.ferretdb import FerretDB

PREFIX = "test_index_sync_"
TENANTS = [f"t{number:02}" for number in range(24)]
NOBODY_LISTENS = "mongodb://admin:hunter2-secret@127.0.0.1:1/"


class Place:
    """A server with databases of this test alone."""

    def __init__(self, server: FerretDB) -> None:
        self.server = server
        self.client = server.client()
        self._made: list[Mongo] = []

    def mongo(self, known: Any = None, **clusters: str) -> Mongo:
        """MongoDB with a database for each tenant, and perhaps further clusters."""
        mongo = Mongo(
            MongoSettings(
                {"main": self.server.uri} | {name: Cluster(uri, timeout=0.5) for name, uri in clusters.items()},
                tenants=Tenants(f"{PREFIX}{{tenant}}", known=known),
            )
        )
        self._made.append(mongo)
        return mongo

    def repository(self, mongo: Mongo, name: str, **options: Any) -> Repository[Any]:
        """A repository on it."""
        return Repository(mongo, name, **options)

    def indexes(self, tenant: str, collection: str = "orders") -> list[str]:
        """The names of the indexes that a collection has, but that of `_id`."""
        found = self.client[f"{PREFIX}{tenant}"][collection].list_indexes()
        return sorted(index["name"] for index in found if index["name"] != "_id_")

    def make(self, tenant: str, name: str, collection: str = "orders", **options: Any) -> None:
        """An index that no declaration knows of."""
        self.client[f"{PREFIX}{tenant}"][collection].create_index([(name, 1)], name=name, **options)

    def insert(self, tenant: str, *documents: dict[str, Any]) -> None:
        self.client[f"{PREFIX}{tenant}"]["orders"].insert_many(documents)

    def close(self) -> None:
        for mongo in self._made:
            mongo.close()
        self.client.close()


@pytest.fixture
def place(ferretdb: FerretDB) -> Iterator[Place]:
    ferretdb.drop_databases(PREFIX)
    place = Place(ferretdb)
    yield place
    place.close()
    ferretdb.drop_databases(PREFIX)


def told(report: SyncReport, action: str) -> set[str]:
    return {
        f"{change.database.removeprefix(PREFIX)} {change.index}" for change in report.changes if change.action == action
    }


def test_every_tenant_gets_what_is_declared_and_a_second_run_changes_nothing(place: Place) -> None:
    mongo = place.mongo()
    place.repository(
        mongo, "orders", indexes=[Index("sku", "-placed"), Index("number", unique=True), Index("s", sparse=True)]
    )
    place.repository(mongo, "log", indexes=[Index("at")], database=f"{PREFIX}shared")
    steps: list[Step] = []

    first = sync_indexes(mongo, tenants=TENANTS, progress=steps.append)
    second = sync_indexes(mongo, tenants=TENANTS)
    found = sync_indexes(mongo)  # the databases are there now

    assert first.ok
    assert len(first.changes) == first.count("created") == 3 * len(TENANTS) + 1
    assert (first.databases, first.collections) == (len(TENANTS) + 1, len(TENANTS) + 1)
    assert all(place.indexes(tenant) == ["number_1", "s_1", "sku_1_placed_-1"] for tenant in TENANTS)
    assert place.indexes("shared", "log") == ["at_1"]
    for report in (second, found):
        assert (report.ok, report.changes, report.unchanged) == (True, (), len(first.changes))
    assert [(step.done, step.total) for step in steps if step.phase == "create"] == [
        (done, len(TENANTS) + 1) for done in range(len(TENANTS) + 2)
    ]
    with pytest.raises(Exception, match=r"duplicate|E11000"):
        place.insert("t00", {"number": 1}, {"number": 1})


def test_orphans_go_only_when_they_are_meant_to(place: Place) -> None:
    mongo = place.mongo()
    place.repository(mongo, "orders", indexes=[Index("sku")])
    for tenant in ("a", "b"):
        place.make(tenant, "old")
    place.make("a", "kept", "customers")

    left = sync_indexes(mongo)
    assert left.ok
    assert left.orphans == tuple(Orphan("main", f"{PREFIX}{tenant}", "orders", "old") for tenant in ("a", "b"))
    assert place.indexes("a") == ["old", "sku_1"]

    pruned = sync_indexes(mongo, prune=True)
    assert pruned.ok
    assert pruned.changes == tuple(
        Change("main", f"{PREFIX}{tenant}", "orders", "old", "dropped") for tenant in ("a", "b")
    )
    assert pruned.orphans == ()
    assert place.indexes("a") == place.indexes("b") == ["sku_1"]
    # No repository names this collection.
    assert place.indexes("a", "customers") == ["kept"]
    assert sync_indexes(mongo, prune=True).changes == ()


def test_15_a_create_that_fails_anywhere_keeps_every_orphan_everywhere(place: Place) -> None:
    mongo = place.mongo()
    place.repository(mongo, "orders", indexes=[Index("sku"), Index("number", unique=True)])
    for tenant in ("a", "b", "c"):
        place.make(tenant, "old")
    place.insert("b", {"number": 4711}, {"number": 4711})

    report = sync_indexes(mongo, prune=True)

    assert report.exit_code == 1
    [failure] = report.failures
    assert (failure.database, failure.collection, failure.index) == (f"{PREFIX}b", "orders", "number_1")
    assert failure.reason == "there are documents with the same value, so it cannot be unique"
    assert "4711" not in str(report)
    # Everything else went on.
    assert told(report, "created") == {"a sku_1", "a number_1", "b sku_1", "c sku_1", "c number_1"}
    assert told(report, "dropped") == set()
    assert all("old" in place.indexes(tenant) for tenant in ("a", "b", "c"))
    assert "nothing was dropped: that needs every create of the run to work" in report.notes

    place.client[f"{PREFIX}b"]["orders"].delete_one({"number": 4711})
    repaired = sync_indexes(mongo, prune=True)
    assert repaired.ok
    assert told(repaired, "created") == {"b number_1"}
    assert told(repaired, "dropped") == {"a old", "b old", "c old"}


def test_15_what_the_server_refuses_keeps_the_orphans_too(place: Place) -> None:
    mongo = place.mongo()
    # FerretDB has no TTL indexes; a real MongoDB refuses a language that it does not know.
    refused = Index(("body", "text"), collation={"locale": "no such language"}, name="words")
    place.repository(mongo, "orders", indexes=[refused if place.server.is_mongodb else Index("at", expire_after=60)])
    place.make("a", "old")

    report = sync_indexes(mongo, prune=True)

    [failure] = report.failures
    assert failure.index in ("words", "at_1")
    assert place.server.is_mongodb or failure.reason == 'Index option "expireAfterSeconds" is not implemented yet'
    assert place.indexes("a") == ["old"]


def test_another_index_in_the_place_of_a_declared_one_is_left_alone_and_told(place: Place) -> None:
    mongo = place.mongo()
    place.repository(mongo, "orders", indexes=[Index("sku", unique=True), Index("placed")])
    place.make("a", "sku_1")
    place.client[f"{PREFIX}a"]["orders"].create_index("sku", name="plain")
    place.make("a", "old")

    report = sync_indexes(mongo, prune=True)

    reasons = {failure.index: failure.reason for failure in report.failures}
    assert reasons == {"sku_1": "the name is taken by an index of sku_1: 1; drop that one, or declare another name"}
    assert place.indexes("a") == ["old", "placed_1", "plain", "sku_1"]


def test_a_dry_run_says_it_and_does_nothing(place: Place) -> None:
    mongo = place.mongo()
    place.repository(mongo, "orders", indexes=[Index("sku")])
    place.make("a", "old")

    report = sync_indexes(mongo, tenants=["a", "new"], prune=True, dry_run=True)

    assert told(report, "would create") == {"a sku_1", "new sku_1"}
    assert told(report, "would drop") == {"a old"}
    assert place.indexes("a") == ["old"]
    assert f"{PREFIX}new" not in place.client.list_database_names()
    assert (
        str(report).splitlines()[-1]
        == "2 collections of 2 databases: 2 would create, 1 would drop, 0 unchanged, 0 failed"
    )


def test_a_cluster_that_is_down_is_told_once_and_the_other_goes_on_without_dropping(place: Place) -> None:
    mongo = place.mongo(dead=NOBODY_LISTENS)
    place.repository(mongo, "orders", indexes=[Index("sku")])
    place.repository(mongo, "log", indexes=[Index("at")], cluster="dead", database=f"{PREFIX}log")
    place.repository(mongo, "notes", indexes=[Index("at")], cluster="dead")
    place.make("a", "old")

    report = sync_indexes(mongo, prune=True)

    assert report.failures == (Failure("dead", reason="no answer from 127.0.0.1:1 (ServerSelectionTimeoutError)"),)
    assert place.indexes("a") == ["old", "sku_1"]
    assert "hunter2" not in str(report)


def test_a_cluster_that_goes_away_is_not_waited_for_again_and_again(place: Place) -> None:
    with Wire(place.server.uri) as wire:
        mongo = place.mongo(through=wire.uri)
        place.repository(mongo, "orders", indexes=[Index("sku")], cluster="through")
        began = time.monotonic()

        report = sync_indexes(
            mongo, tenants=TENANTS, parallel=1, progress=lambda step: wire.cut() if step.phase == "create" else None
        )
        mongo.close()

    assert [failure.database for failure in report.failures] == [f"{PREFIX}{tenant}" for tenant in TENANTS]
    assert report.failures[-1].reason == "not tried: the cluster answers no more"
    assert time.monotonic() - began < 0.5 * len(TENANTS) / 2  # half a second is the timeout of each


def test_an_orphan_that_is_gone_already_is_neither_a_change_nor_a_failure(place: Place) -> None:
    mongo = place.mongo()
    place.repository(mongo, "orders", indexes=[Index("sku")])
    for name in ("old", "older"):
        place.make("a", name)

    def another_run(step: Step) -> None:
        if step.phase == "drop" and step.done == 0:
            place.client[f"{PREFIX}a"]["orders"].drop_index("old")

    report = sync_indexes(mongo, prune=True, progress=another_run)

    assert report.ok
    assert told(report, "dropped") == {"a older"}


def test_a_drop_that_fails_is_a_failure(place: Place) -> None:
    with Wire(place.server.uri) as wire:
        mongo = place.mongo(through=wire.uri)
        place.repository(mongo, "orders", indexes=[Index("sku")], cluster="through")
        place.make("a", "old")

        report = sync_indexes(mongo, prune=True, progress=lambda step: wire.cut() if step.phase == "drop" else None)
        mongo.close()

    [failure] = report.failures
    assert (failure.index, failure.reason.startswith("no answer from 127.0.0.1:")) == ("old", True)
    assert report.exit_code == 1
    assert place.indexes("a") == ["old", "sku_1"]


class TestTenants:
    def test_those_in_the_list_of_known_ones_are_meant(self, place: Place) -> None:
        tenants = place.client[f"{PREFIX}control"]["tenants"]
        tenants.insert_many([{"_id": "a"}, {"_id": "b"}, {"_id": "../admin"}])
        mongo = place.mongo(known=TenantList("tenants", database=f"{PREFIX}control"))
        place.repository(mongo, "orders", indexes=[Index("sku")])
        place.make("stranger", "old")

        report = sync_indexes(mongo)

        assert told(report, "created") == {"a sku_1", "b sku_1"}
        [failure] = report.failures
        assert failure.reason.startswith("the list of tenants holds '../admin': ")
        assert place.indexes("stranger") == ["old"]

    def test_those_that_are_named_have_to_be_known(self, place: Place) -> None:
        mongo = place.mongo(known=["a", "b"])
        place.repository(mongo, "orders", indexes=[Index("sku")])

        assert told(sync_indexes(mongo, tenants=["b"]), "created") == {"b sku_1"}
        with pytest.raises(UnknownTenant, match="'amce' is not one of the known tenants"):
            sync_indexes(mongo, tenants=["a", "amce"])
        assert place.indexes("a") == []

    @pytest.mark.parametrize("name", ["../admin", "$cmd", "a.b", "", "x" * 65, "a\0b", "A"])
    def test_a_name_that_no_tenant_can_have_is_refused_before_anything(self, place: Place, name: str) -> None:
        mongo = place.mongo()
        place.repository(mongo, "orders", indexes=[Index("sku")])

        with pytest.raises(InvalidTenant, match="the tenant '"):
            sync_indexes(mongo, tenants=["a", name])
        assert place.indexes("a") == []

    def test_none_at_all_is_told(self, place: Place) -> None:
        mongo = place.mongo()
        place.repository(mongo, "orders", indexes=[Index("sku")])

        report = sync_indexes(mongo)

        assert report.ok
        assert report.notes == ("main: there are no tenants, so what belongs to tenants was not looked at",)

    def test_a_list_that_cannot_be_read_is_a_failure(self, place: Place) -> None:
        def known() -> list[str]:
            raise LookupError("the directory is closed")

        mongo = place.mongo(known=known)
        place.repository(mongo, "orders", indexes=[Index("sku")])

        [failure] = sync_indexes(mongo).failures
        assert failure.reason == "the list of tenants cannot be read: the directory is closed"


class TestRepositoriesOfOneCollection:
    def test_none_drops_what_another_declares_whatever_they_call_the_cluster(self, place: Place) -> None:
        mongo, other = place.mongo(same=place.server.uri), place.mongo()
        repositories = [
            place.repository(mongo, "orders", indexes=[Index("sku")]),
            place.repository(mongo, "orders", indexes=[Index("sku"), Index("number", unique=True)]),
            place.repository(mongo, "orders", indexes=[Index("at")], cluster="same"),
            place.repository(other, "orders", indexes=[Index("status")], database=f"{PREFIX}a"),
        ]

        report = sync_indexes(repositories, tenants=["a"], prune=True)

        assert report.ok
        assert report.collections == 1
        assert place.indexes("a") == ["at_1", "number_1", "sku_1", "status_1"]
        assert sync_indexes(repositories, tenants=["a"], prune=True).changes == ()

    def test_those_that_contradict_each_other_are_refused_before_anything(self, place: Place) -> None:
        mongo = place.mongo()
        place.repository(mongo, "orders", indexes=[Index("sku"), Index("at")])
        place.repository(mongo, "orders", indexes=[Index("sku", unique=True)])

        with pytest.raises(ConfigurationError, match=r"the tenants' orders: .* have the same name 'sku_1'"):
            sync_indexes(mongo, tenants=["a"])
        assert place.indexes("a") == []

    def test_a_collection_without_any_declaration_is_left_alone(self, place: Place) -> None:
        mongo = place.mongo()
        place.repository(mongo, "orders")
        place.make("a", "old")

        report = sync_indexes(mongo, prune=True)

        assert report.notes == ("orders declares no index, so its collection was left alone",)
        assert place.indexes("a") == ["old"]


def test_ctrl_c_says_what_was_done_and_the_next_run_does_the_rest(place: Place) -> None:
    mongo = place.mongo()
    place.repository(mongo, "orders", indexes=[Index("sku")])

    def press(step: Step) -> None:
        if step.phase == "create" and step.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as interrupted:
        sync_indexes(mongo, tenants=TENANTS, parallel=1, progress=press)

    report = interrupted.value.report
    done = told(report, "created")
    assert not report.ok
    assert len(done) >= 2
    assert len(done) + len(report.unfinished) == len(TENANTS)
    assert all((place.indexes(tenant) == ["sku_1"]) == (f"{tenant} sku_1" in done) for tenant in TENANTS)
    assert sync_indexes(mongo, tenants=TENANTS).count("created") == len(report.unfinished)


def test_arguments_that_make_no_difference_are_told(place: Place) -> None:
    mongo = place.mongo()
    assert sync_indexes(mongo).notes == ("there are no repositories",)
    place.repository(mongo, "log", indexes=[Index("at")], database=f"{PREFIX}shared")

    report = sync_indexes(mongo, tenants=["a"])

    assert report.notes == ("no repository follows the tenant, so the tenants that were named make no difference",)
    assert f"{PREFIX}a" not in place.client.list_database_names()


@pytest.mark.parametrize("parallel", [0, 65, 1.5, True])
def test_how_many_at_a_time_is_a_small_number(parallel: Any) -> None:
    with pytest.raises(ConfigurationError, match="parallel"):
        sync_indexes([], parallel=parallel)


def test_one_name_is_no_list_of_tenants() -> None:
    with pytest.raises(ConfigurationError, match="give a list of names"):
        sync_indexes([], tenants="acme")
