"""Settings: read from the environment in one place, refused when they are wrong, and silent about credentials."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import pytest

from adapters.mongo import Cluster, ClusterUnavailable, Insert, Mongo, MongoSettings, Repository, Tenants
from adapters.mongo.drivers import async_client, sync_client
from adapters.mongo.mongo_settings import hosts_of
from router import ConfigurationError

SECRETS = ("bob", "s3cret", "hunter2")
URI = "mongodb://bob:s3cret@db1.internal:27017,db2.internal:27018/?replicaSet=rs0"


def shows_a_secret(text: str) -> bool:
    return any(secret in text for secret in SECRETS)


# ---- the environment -----------------------------------------------------------------------------------------------


def test_clusters_are_named_by_their_variables() -> None:
    settings = MongoSettings.from_env(
        {"MONGODB_URI": URI, "MONGODB_URI_ARCHIVE": "mongodb+srv://archive.internal", "MONGODB_URL": "x", "HOME": "/"}
    )
    assert list(settings.clusters) == ["main", "archive"]
    assert settings.cluster()[0] == "main"
    assert settings.cluster("archive")[1].uri == "mongodb+srv://archive.internal"
    assert (settings.driver, settings.tenants.database("acme")) == ("motor", "tenant_acme")


def test_the_environment_says_everything_else_too() -> None:
    settings = MongoSettings.from_env(
        {
            "MONGODB_URI": URI,
            "MONGODB_URI_ARCHIVE": URI,
            "JUNCTION_MONGO_DRIVER": "pymongo",
            "JUNCTION_MONGO_DATABASE": "app_{tenant}_v2",
            "JUNCTION_MONGO_TIMEOUT": "1.5",
        }
    )
    name, cluster = settings.cluster()
    assert (name, cluster.timeout, settings.driver) == ("main", 1.5, "pymongo")
    assert settings.tenants.database("acme") == "app_acme_v2"


def test_the_process_s_own_environment_is_read_at_the_first_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MONGODB_URI", raising=False)
    mongo = Mongo()
    monkeypatch.setenv("MONGODB_URI", URI)
    assert list(mongo.settings.clusters) == ["main"]


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({}, "set the environment variable MONGODB_URI"),
        ({"MONGODB_URI_ARCHIVE": URI}, "set the environment variable MONGODB_URI,"),
        ({"MONGODB_URI": ""}, "set the environment variable MONGODB_URI"),
        ({"MONGODB_URI": "postgres://bob:s3cret@db"}, "environment variable MONGODB_URI: a connection string begins"),
        ({"MONGODB_URI": URI, "MONGODB_URI_B": " mongodb://bob:s3cret@db"}, "environment variable MONGODB_URI_B"),
        ({"MONGODB_URI": URI, "JUNCTION_MONGO_TIMEOUT": "soon"}, "JUNCTION_MONGO_TIMEOUT must be a number"),
        ({"MONGODB_URI": URI, "JUNCTION_MONGO_TIMEOUT": "nan"}, "nan is out of range"),
        ({"MONGODB_URI": URI, "JUNCTION_MONGO_TIMEOUT": "-1"}, r"-1\.0 is out of range"),
        ({"MONGODB_URI": URI, "JUNCTION_MONGO_DRIVER": "mongoengine"}, "use motor or pymongo"),
        ({"MONGODB_URI": URI, "JUNCTION_MONGO_DATABASE": "app"}, r"one \{tenant\}"),
    ],
)
def test_a_wrong_environment_is_refused_and_named(environ: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told) as caught:
        MongoSettings.from_env(environ)
    assert not shows_a_secret(str(caught.value))


# ---- values --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda: MongoSettings({}),
        lambda: MongoSettings({"main": "s3cret"}),
        lambda: MongoSettings({"main": URI}, default="archive"),
        lambda: MongoSettings({"main": URI}, driver="Motor"),
        lambda: MongoSettings({"main": URI}).cluster("archive"),
        lambda: Mongo("bob:s3cret@db"),
        lambda: Cluster(""),
        lambda: Cluster(b"mongodb://bob:s3cret@db"),  # type: ignore[arg-type]
        lambda: Cluster("HTTP://bob:s3cret@db"),
        lambda: Cluster(URI, timeout=0),
        lambda: Cluster(URI, timeout=True),
        lambda: Cluster(URI, timeout="5"),  # type: ignore[arg-type]
        lambda: Cluster(URI, operation_timeout=3601),
        lambda: Cluster(URI, idle=float("inf")),
        lambda: Cluster(URI, connections=0),
        lambda: Cluster(URI, connections=2.0),  # type: ignore[arg-type]
    ],
)
def test_wrong_values_are_refused_without_the_connection_string(make: Callable[[], Any]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert not shows_a_secret(str(caught.value))


def test_settings_cannot_be_changed_from_outside() -> None:
    options = {"tlsCAFile": "/ca.pem"}
    clusters: dict[str, Cluster | str] = {"main": Cluster(URI, options=options)}
    settings = MongoSettings(clusters)
    clusters["main"] = "mongodb://evil"
    options["tlsCAFile"] = "/evil.pem"
    _, cluster = settings.cluster()
    assert (cluster.uri, dict(cluster.options)) == (URI, {"tlsCAFile": "/ca.pem"})
    with pytest.raises(TypeError):
        settings.clusters["main"] = clusters["main"]  # type: ignore[index]


@pytest.mark.parametrize("database", ["", "a.b", "a/b", "a b", "$cmd", "a\0", 'a"b', "a\\b", 5])
def test_a_repository_with_a_database_that_cannot_be_is_refused_at_start(database: Any) -> None:
    with pytest.raises(ConfigurationError, match="no name of a database"):
        Repository(Mongo(URI), "orders", database=database)


@pytest.mark.parametrize("name", ["", "$cmd", "a\0b"])
def test_a_repository_with_a_collection_that_cannot_be_is_refused_at_start(name: str) -> None:
    with pytest.raises(ConfigurationError, match="no name of a collection"):
        Repository(Mongo(URI), name)


# ---- credentials ---------------------------------------------------------------------------------------------------


def test_no_repr_shows_credentials() -> None:
    cluster = Cluster(URI, options={"password": "hunter2"})
    settings = MongoSettings({"main": cluster, "other": URI})
    mongo = Mongo(settings)
    access = mongo.access(None, asynchronous=False)
    shown = [cluster, settings, mongo, access, mongo.db, mongo.sync.db, Repository(mongo, "orders"), mongo.clients]
    for one in shown:
        assert not shows_a_secret(repr(one))
        assert not shows_a_secret(str(one))
    assert repr(mongo) == "Mongo(main, other)"
    assert str(access) == "main (db1.internal:27017,db2.internal:27018)"


def test_a_cluster_whose_connection_string_is_a_secret_is_named_without_asking_for_it() -> None:
    def secret() -> str:
        raise AssertionError("it was asked for")

    mongo = Mongo({"main": Cluster(secret)})
    assert repr(mongo.access(None, asynchronous=False)) == "main"


@pytest.mark.parametrize(
    ("uri", "hosts"),
    [
        ("mongodb://localhost", "localhost"),
        ("mongodb://a:1,b:2/app?x=1", "a:1,b:2"),
        ("mongodb://bob:s3cret@a:1,b:2/app", "a:1,b:2"),
        ("mongodb+srv://bob:s3cret@c.internal/?retryWrites=true", "c.internal"),
        ("mongodb://bob:s3%2Fc%40ret@a", "a"),
        ("mongodb://bob:s3cret@hunter2@a", "a"),
        ("mongodb://bob@a?appName=x", "a"),
        ("mongodb://", "no host"),
        # A password that was not percent-encoded: better no host than a part of it.
        ("mongodb://bob:s3cret/hunter2@a", "hosts not shown"),
        ("mongodb://bob:s3cret?hunter2@a/app", "hosts not shown"),
        ("mongodb://bob:s3@s3cret/hunter2@a", "hosts not shown"),
        ("mongodb://a/?authMechanismProperties=AWS_SESSION_TOKEN:x@hunter2", "hosts not shown"),
    ],
)
def test_messages_have_the_hosts_and_nothing_else_of_a_connection_string(uri: str, hosts: str) -> None:
    assert hosts_of(uri) == hosts
    assert not shows_a_secret(hosts_of(uri))


@pytest.mark.parametrize(
    "cluster",
    [
        Cluster("mongodb://bob:s3cret/hunter2@db"),
        Cluster("mongodb://bob:s3%ret@db:hunter2"),
        Cluster("mongodb://bob:s3cret@db:port"),
        Cluster("mongodb://bob:s3cret@db/?authMechanism=hunter2"),
        Cluster("mongodb://bob:s3cret@"),
        Cluster("mongodb://db", options={"readPreference": "s3cret", "unheardOf": "hunter2"}),
        Cluster("mongodb://db", options={"tlsCAFile": "/s3cret/hunter2.pem"}),
        Cluster(lambda: "bob:s3cret@db"),
        Cluster(lambda: None),  # type: ignore[arg-type, return-value]
    ],
)
def test_what_the_driver_refuses_is_told_without_its_text(cluster: Cluster) -> None:
    with pytest.raises(ConfigurationError, match="cluster main") as caught:
        sync_client("main", cluster).close()
    assert not shows_a_secret(str(caught.value))
    assert caught.value.__cause__ is caught.value.__context__ is None


@pytest.mark.parametrize("driver", ["sync", "motor", "pymongo"])
def test_hosts_that_cannot_be_looked_up_are_a_cluster_that_is_not_there(
    driver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver calls it an error of the settings; a name server that is down would be a 500."""
    from dns import resolver
    from pymongo.asynchronous import srv_resolver as of_async
    from pymongo.synchronous import srv_resolver as of_sync

    def down(*args: Any, **options: Any) -> Any:
        raise resolver.NoNameservers

    async def down_async(*args: Any, **options: Any) -> Any:
        raise resolver.NoNameservers

    monkeypatch.setattr(of_sync, "_resolve", down)
    monkeypatch.setattr(of_async, "_resolve", down_async)
    uri = "mongodb+srv://bob:s3cret@cluster0.internal.example/"
    mongo = Mongo(MongoSettings({"main": uri}, driver="motor" if driver == "sync" else driver))
    orders = Repository(mongo, "orders", database="shop", ids="str")

    async def main() -> Any:
        try:
            return await orders.get_async("1")
        finally:
            await mongo.close_async()

    with pytest.raises(ClusterUnavailable, match=r"main \(cluster0.*cannot be looked up \(NoNameservers\)") as caught:
        orders.get("1") if driver == "sync" else asyncio.run(main())
    assert caught.value.status == 503
    assert not shows_a_secret(str(caught.value))
    mongo.close()


# ---- what a client is told -----------------------------------------------------------------------------------------


def test_a_client_has_the_cluster_s_settings() -> None:
    cluster = Cluster(
        "mongodb://db", timeout=1.5, operation_timeout=3, connections=7, idle=60, options={"connect": False}
    )
    client = sync_client("main", cluster)
    options = client.options
    client.close()
    assert options.server_selection_timeout == 1.5
    assert (options.pool_options.max_pool_size, options.pool_options.max_idle_time_seconds) == (7, 60)
    assert (options.pool_options.connect_timeout, options.pool_options.socket_timeout) == (1.5, 3)
    assert (options.codec_options.tz_aware, options.codec_options.uuid_representation) == (True, 4)


def test_what_the_connection_string_says_itself_is_left_to_it_and_options_come_last() -> None:
    uri = "mongodb://db/?serverselectiontimeoutms=100&MAXPOOLSIZE=3"
    client = sync_client("main", Cluster(uri, timeout=9, connections=9, options={"connect": False, "maxPoolSize": 2}))
    options = client.options
    client.close()
    assert (options.server_selection_timeout, options.pool_options.max_pool_size) == (0.1, 2)


def test_the_connection_string_is_asked_for_with_each_client() -> None:
    asked = []

    def uri() -> str:
        asked.append(1)
        return f"mongodb://db{len(asked)}"

    cluster = Cluster(uri, options={"connect": False})
    assert asked == []
    clients = [sync_client("main", cluster) for _ in range(2)]
    assert [client._topology_settings.seeds for client in clients] == [{("db1", 27017)}, {("db2", 27017)}]
    for client in clients:
        client.close()


def test_a_driver_that_is_not_installed_is_named_by_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    loop: Any = None
    told = r'pip install "lambda-junction\[mongo\]"'
    monkeypatch.setitem(sys.modules, "motor.motor_asyncio", None)
    with pytest.raises(ConfigurationError, match=told):
        async_client("motor", "main", Cluster(URI), loop)
    monkeypatch.setitem(sys.modules, "pymongo", None)
    with pytest.raises(ConfigurationError, match=told):
        async_client("pymongo", "main", Cluster(URI), loop)
    with pytest.raises(ConfigurationError, match=told):
        sync_client("main", Cluster(URI))


@pytest.mark.parametrize(
    "verb",
    [
        lambda orders: orders.get("5" * 24),
        lambda orders: orders.insert({"a": 1}),
        lambda orders: orders.bulk([Insert({"a": 1})]),
        lambda orders: orders.find({"_id": "5" * 24}),
        lambda orders: orders.find().all(),
        lambda orders: orders.aggregate([]).all(),
    ],
)
def test_a_repository_without_a_driver_names_the_extra(
    verb: Callable[[Repository[Any]], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("pymongo", "bson"):
        monkeypatch.setitem(sys.modules, module, None)
    orders = Repository(Mongo(URI), "orders", database="shop")
    with pytest.raises(ConfigurationError, match="lambda-junction"):
        verb(orders)


def test_tenants_of_two_settings_are_apart() -> None:
    one, other = MongoSettings({"main": URI}), MongoSettings({"main": URI})
    one.tenants.reserve("tenant_acme")
    assert other.tenants.database("acme") == "tenant_acme"
    assert isinstance(one.tenants, Tenants)
