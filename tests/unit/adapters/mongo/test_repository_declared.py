"""What is refused when a repository is declared: told at start, not in production."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from adapters.mongo import Index, InvalidFilter, Mongo, MongoSettings, Repository, Tenants, either
from adapters.mongo.syncing import sync_indexes
from router.errors import ConfigurationError

URI = "mongodb://localhost"


@dataclass
class Order:
    sku: str
    lines: list[dict[str, Any]]
    id: str | None = None


@pytest.fixture
def mongo() -> Mongo:
    return Mongo({"main": URI})


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"indexes": [Index("emial")]}, r"repository of orders: Index\('emial'\): there is no such field"),
        ({"indexes": [Index("sku", "-emial")]}, r"Index\('emial'\)"),
        ({"indexes": [Index("sku", "id")]}, "the id is stored as _id"),
        ({"indexes": [Index("created_at")]}, "no such field"),
        ({"version": True}, "Order needs the field version"),
        ({"version": "revision"}, "Order needs the field revision"),
        ({"cluster": "archve"}, "no cluster 'archve'; MongoSettings has main"),
    ],
)
def test_what_the_model_or_the_settings_do_not_have(mongo: Mongo, options: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        Repository(mongo, "orders", Order, **options)
    assert mongo.repositories == ()


def test_what_there_is_may_be_indexed(mongo: Mongo) -> None:
    indexes = [Index("sku", "-_id"), Index("lines.sku"), Index("-created_at"), Index("deleted_at")]
    Repository(mongo, "orders", Order, indexes=indexes, stamps=True, soft_delete=True)
    Repository(mongo, "notes", indexes=[Index("anything")])  # a dict has any field


@pytest.mark.parametrize("tenants", ["shop_{tenant}", None, {"database": "x"}])
def test_tenants_are_tenants(tenants: Any) -> None:
    with pytest.raises(ConfigurationError, match="give Tenants"):
        MongoSettings({"main": URI}, tenants=tenants)


@pytest.mark.parametrize("clusters", [[URI], None, {}])
def test_clusters_have_names(clusters: Any) -> None:
    with pytest.raises(ConfigurationError, match="at least one cluster"):
        MongoSettings(clusters)


@pytest.mark.parametrize("environ", [{}, {"MONGODB_URI_ARCHIVE": URI}, {"MONGODB_URI": "", "MONGODB_URI_A": URI}])
def test_no_other_cluster_is_taken_for_the_main_one(environ: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="MONGODB_URI"):
        MongoSettings.from_env(environ)


def test_the_main_cluster_is_the_default_whatever_the_others_are_called() -> None:
    assert MongoSettings.from_env({"MONGODB_URI_A": URI, "MONGODB_URI": URI}).default == "main"
    assert MongoSettings.from_env({"MONGODB_URI_A": URI, "MONGODB_URI_MAIN": URI}).default == "main"


@pytest.mark.parametrize("session", ["acme", {"tenant": "acme"}, None])
def test_a_tenant_is_named_by_a_session(mongo: Mongo, session: Any) -> None:
    with pytest.raises(ValueError, match=r"takes a Session, such as Session\(tenant="):
        mongo.sync.tenant(session)


def test_either_is_a_filter_and_not_a_value(mongo: Mongo) -> None:
    orders = Repository(mongo, "orders", Order)
    with pytest.raises(InvalidFilter, match="one_of"):
        orders.find({"sku": either({"sku": "a"}, {"sku": "b"})})


def test_a_client_is_not_told_how_filters_are_written(mongo: Mongo) -> None:
    orders = Repository(mongo, "orders", Order)
    with pytest.raises(InvalidFilter, match="Order has no field 'nope'") as caught:
        orders.find({"nope": 1})
    assert (caught.value.status, caught.value.detail) == (400, "the filter is not valid")


def test_an_option_of_the_driver_is_named_and_nothing_else() -> None:
    from adapters.mongo import Cluster

    mongo = Mongo({"main": Cluster("mongodb://u:s3cret@localhost", options={"maxPolSize": 5})})
    with pytest.raises(ConfigurationError, match=r"main.*the option maxPolSize") as caught:
        _ = mongo.sync.client
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("repositories", ["orders", 5, [1]])
def test_indexes_are_of_repositories(repositories: Any) -> None:
    with pytest.raises((ConfigurationError, ValueError), match="Repositor"):
        sync_indexes(repositories)


def test_a_tenant_s_name_is_valid_or_not() -> None:
    tenants = Tenants("t_{tenant}", reserved=["t_all"])
    assert [tenants.is_valid(name) for name in ("acme", "../x", "all", "")] == [True, False, False, False]


def test_what_leaves_documents_out_stands_behind_a_stage_that_has_to_be_first(mongo: Mongo) -> None:
    places = Repository(mongo, "places", soft_delete=True)
    near = {"$geoNear": {"near": [0, 0], "distanceField": "far"}}
    assert places.aggregate([near, {"$limit": 3}], where={"open": True})._pipeline == [
        near,
        {"$match": {"open": True, "deleted_at": None}},
        {"$limit": 3},
    ]


def test_databases_have_no_private_names(mongo: Mongo) -> None:
    assert not hasattr(mongo.sync.db, "_private")
    assert repr(mongo.sync.db) == "the databases of main (localhost)"


def test_settings_tell_two_clusters_apart() -> None:
    from adapters.mongo import Cluster

    assert len({Cluster(URI), Cluster(URI), Cluster(URI, timeout=1)}) == 2


def test_many_tenants_do_not_fill_the_memory() -> None:
    tenants = Tenants("t_{tenant}")
    assert [tenants.database(f"n{number}") for number in range(20_000)][-1] == "t_n19999"
    assert len(tenants._names_of) < 20_000
