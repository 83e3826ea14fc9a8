"""Names of tenants from outside: which of them become a database, and which tenants are known."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters._core.steps import run
from adapters.mongo import InvalidTenant, Mongo, MongoSettings, Repository, TenantList, Tenants, UnknownTenant
from router import BadRequest, ConfigurationError, Forbidden, Session

URI = "mongodb://localhost"
ATTACKS = [
    *("../admin", "..", "a/../b", "a/b", "a\\b", "$cmd", "a.b", "a.$cmd", ".", "", " ", " acme", "acme ", "ac me"),
    *("acme\0", "\0", "acme\n", "\nacme", "acme\r", "acme\t", 'a"b', "a*b", "a?b", "a:b", "a<b", "a|b", "%2e%2e"),
    *("-acme", "acme-", "_acme", "acme_", "Acme", "ACME", "a" * 65, "a" * 1000, "{tenant}", "$", "a$b"),
    # Look-alikes: Cyrillic, full width, ligature, digits of other scripts, combining, invisible, half a surrogate pair.
    *(
        "\u0430cme",
        "\uff41cme",
        "\ufb01n",
        "acme\uff11",
        "acme\u0663",
        "acm\u00e9",
        "acme\u0301",
        "ac\u200bme",
        "ac\u00adme",
        "\ud800",
        "\u0131",
        "\u017f",
    ),
]


@pytest.mark.parametrize("tenant", ATTACKS)
def test_a_name_that_is_no_tenant_s_is_refused(tenant: str) -> None:
    with pytest.raises(InvalidTenant) as caught:
        Tenants().database(tenant)
    assert (caught.value.status, caught.value.detail) == (400, "the tenant's name is not valid")
    assert isinstance(caught.value, BadRequest)
    assert len(tenant) < 3 or tenant not in str(caught.value)


@pytest.mark.parametrize("tenant", [None, 5, True, b"acme", ["acme"], {"$ne": None}])
def test_what_is_no_text_is_refused(tenant: Any) -> None:
    with pytest.raises(InvalidTenant):
        Tenants().database(tenant)


@pytest.mark.parametrize("tenant", ["a", "0", "acme", "acme-2", "a_b-c", "a" * 56])
def test_a_well_formed_name_is_a_database(tenant: str) -> None:
    assert Tenants().database(tenant) == f"tenant_{tenant}"
    assert Tenants("{tenant}", known=[tenant]).database(tenant) == tenant


@pytest.mark.parametrize("template", ["{tenant}", "_{tenant}", "{tenant}-", "-_{tenant}_"])
def test_a_template_that_every_database_matches_needs_a_list_of_tenants(template: str) -> None:
    with pytest.raises(ConfigurationError, match=r"every database of the cluster.*known=.*app_{tenant}"):
        Tenants(template)
    with pytest.raises(ConfigurationError, match="every database of the cluster"):
        Tenants(template, pattern=".+")
    for known in (["acme"], [], lambda: ["acme"], TenantList("tenants", database="platform")):
        assert Tenants(template, known=known).database("acme") == template.replace("{tenant}", "acme")


def test_the_environment_cannot_take_every_database_for_a_tenant_s_either() -> None:
    with pytest.raises(ConfigurationError, match="every database of the cluster"):
        MongoSettings.from_env({"MONGODB_URI": URI, "JUNCTION_MONGO_DATABASE": "{tenant}"})


def test_a_database_s_name_is_63_bytes_at_most() -> None:
    assert Tenants("{tenant}", known=[]).database("a" * 63) == "a" * 63
    for tenants, tenant in ((Tenants("{tenant}", known=[]), "a" * 64), (Tenants(), "a" * 57)):
        with pytest.raises(InvalidTenant, match="63 bytes"):
            tenants.database(tenant)
    with pytest.raises(InvalidTenant, match="63 bytes"):
        Tenants("{tenant}", known=[], pattern=".+").database("é" * 32)


@pytest.mark.parametrize("tenant", ["admin", "local", "config"])
def test_the_server_s_own_databases_are_nobody_s(tenant: str) -> None:
    with pytest.raises(InvalidTenant, match="belongs to no tenant"):
        Tenants("{tenant}", known=[]).database(tenant)
    with pytest.raises(InvalidTenant, match="belongs to no tenant"):
        Tenants("{tenant}", known=[], pattern="(?i)[a-z]+").database(tenant.upper())
    assert Tenants().database(tenant) == f"tenant_{tenant}"


def test_a_pattern_of_the_application_s_own_lets_no_forbidden_character_through() -> None:
    tenants = Tenants(pattern=r"(?s).+")
    for tenant in ("a.b", "a/b", "$cmd", "a\0", "a b", "\ud800"):
        with pytest.raises(InvalidTenant):
            tenants.database(tenant)
    assert tenants.database("Acme") == "tenant_Acme"


@pytest.mark.parametrize("tenant", ["acme\n", "xacme", "acmex"])
def test_a_pattern_has_to_match_the_whole(tenant: str) -> None:
    with pytest.raises(InvalidTenant):
        Tenants(pattern="acme$|acme").database(tenant)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Tenants(""),
        lambda: Tenants("app"),
        lambda: Tenants("app.{tenant}"),
        lambda: Tenants("{tenant}/x"),
        lambda: Tenants("{tenant}{tenant}"),
        lambda: Tenants("$ {tenant}"),
        lambda: Tenants(pattern="("),
        lambda: Tenants(cache=-1),
        lambda: Tenants(least_wait=-0.1),
        lambda: Tenants(known="acme"),
    ],
)
def test_wrong_settings_are_refused_at_start(make: Any) -> None:
    with pytest.raises(ConfigurationError):
        make()


# ---- databases that belong to no tenant ----------------------------------------------------------------------------


def test_the_fixed_database_of_a_repository_is_no_tenant_s() -> None:
    settings = MongoSettings({"main": URI}, tenants=Tenants("{tenant}", known=[], reserved=["billing"]))
    mongo = Mongo(settings)
    assert settings.tenants.database("platform") == "platform"
    orders = Repository(mongo, "orders")
    shared = Repository(mongo, "users", database="platform")
    for tenant in ("platform", "billing"):
        with pytest.raises(InvalidTenant):
            settings.tenants.database(tenant)
    assert mongo.repositories == (orders, shared)


def test_it_is_none_either_where_the_settings_are_read_later(monkeypatch: pytest.MonkeyPatch) -> None:
    mongo = Mongo()
    shared = Repository(mongo, "users", database="App_Platform")
    monkeypatch.setenv("MONGODB_URI", URI)
    monkeypatch.setenv("JUNCTION_MONGO_DATABASE", "app_{tenant}")
    with pytest.raises(InvalidTenant):
        mongo.settings.tenants.database("platform")
    assert shared.database == "App_Platform"


def test_the_database_that_lists_the_tenants_is_no_tenant_s() -> None:
    with pytest.raises(InvalidTenant):
        Tenants("{tenant}", known=TenantList("tenants", database="platform")).database("platform")


# ---- the inverse ---------------------------------------------------------------------------------------------------


@given(st.from_regex(r"[a-z0-9](?:[a-z0-9_-]{0,20}[a-z0-9])?", fullmatch=True))
def test_a_database_tells_its_tenant(tenant: str) -> None:
    for tenants in (Tenants(), Tenants("app_{tenant}_v2"), Tenants("x{tenant}")):
        assert tenants.tenant_of(tenants.database(tenant)) == tenant


@given(st.text(alphabet="tenant_-.$ A0", max_size=14))
def test_a_database_that_is_no_tenant_s_tells_none(database: str) -> None:
    tenants = Tenants()
    tenant = tenants.tenant_of(database)
    assert tenant is None or tenants.database(tenant) == database


@pytest.mark.parametrize("database", ["tenant_", "tenant_admin.x", "xtenant_a", "admin", "app_a", "Tenant_a", "app_"])
def test_such_as_these(database: str) -> None:
    assert Tenants().tenant_of(database) is None
    assert Tenants("app_{tenant}_app_").tenant_of(database) is None


# ---- known tenants -------------------------------------------------------------------------------------------------


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Register:
    """A list of tenants that counts how often it is read."""

    def __init__(self, *names: Any) -> None:
        self.names: list[Any] = list(names)
        self.reads = 0
        self.broken = False

    def __call__(self) -> Iterable[Any]:
        self.reads += 1
        if self.broken:
            raise ConnectionError
        return list(self.names)


def of(known: Any, **options: Any) -> Mongo:
    return Mongo(MongoSettings({"main": URI}, tenants=Tenants(known=known, **options)))


def database(mongo: Mongo, tenant: str) -> str:
    return run(mongo.access(None, asynchronous=False).tenant_database("orders", Session(tenant)))


def test_a_fixed_list_is_the_last_word() -> None:
    mongo = of(["acme", "other"])
    assert database(mongo, "acme") == "tenant_acme"
    with pytest.raises(UnknownTenant) as caught:
        database(mongo, "evil")
    assert isinstance(caught.value, Forbidden)
    assert (caught.value.status, caught.value.detail) == (403, "the tenant is not known")
    assert "evil" not in str(caught.value)


def test_a_list_of_nobody_knows_nobody() -> None:
    for known in ((), Register()):
        with pytest.raises(UnknownTenant):
            database(of(known), "acme")


def test_a_function_is_asked_once_for_its_time() -> None:
    clock, register = Clock(), Register("acme", "other", 5, None)
    mongo = of(register, clock=clock, cache=60)
    for _ in range(3):
        assert database(mongo, "acme") == "tenant_acme"
        assert database(mongo, "other") == "tenant_other"
        clock.now += 10
    assert register.reads == 1
    clock.now += 31
    database(mongo, "acme")
    assert register.reads == 2


def test_a_tenant_that_is_gone_is_refused_when_the_list_is_read_again() -> None:
    clock, register = Clock(), Register("acme")
    mongo = of(register, clock=clock, cache=60)
    database(mongo, "acme")
    register.names.clear()
    database(mongo, "acme")
    clock.now += 60
    with pytest.raises(UnknownTenant):
        database(mongo, "acme")


def test_a_new_tenant_does_not_wait_for_the_cache() -> None:
    clock, register = Clock(), Register("acme")
    mongo = of(register, clock=clock, cache=3600, least_wait=1)
    database(mongo, "acme")
    register.names.append("new")
    clock.now += 0.5
    with pytest.raises(UnknownTenant):
        database(mongo, "new")
    clock.now += 0.5
    assert database(mongo, "new") == "tenant_new"
    assert register.reads == 2


def test_a_flood_of_unknown_names_asks_once_in_the_least_wait() -> None:
    clock, register = Clock(), Register("acme")
    mongo = of(register, clock=clock, cache=3600, least_wait=1)
    for number in range(1000):
        with pytest.raises(UnknownTenant):
            database(mongo, f"t{number}")
        clock.now += 0.01
    assert 9 <= register.reads <= 11
    assert database(mongo, "acme") == "tenant_acme"


def test_while_one_reads_the_list_the_others_go_by_the_old_one() -> None:
    clock, reading, going_on = Clock(), threading.Event(), threading.Event()

    def slow() -> list[str]:
        if threading.current_thread() is not threading.main_thread():
            reading.set()
            assert going_on.wait(10)
        return ["acme", "new"]

    mongo = of(slow, clock=clock, cache=60)
    mongo.settings.tenants.learn(["acme"])
    clock.now += 60
    thread = threading.Thread(target=database, args=(mongo, "acme"))
    thread.start()
    assert reading.wait(10)
    assert database(mongo, "acme") == "tenant_acme"
    with pytest.raises(UnknownTenant):
        database(mongo, "new")
    going_on.set()
    thread.join()
    assert database(mongo, "new") == "tenant_new"


def test_a_list_that_cannot_be_read_lets_nobody_in() -> None:
    clock, register = Clock(), Register("acme")
    mongo = of(register, clock=clock, cache=60, least_wait=1)
    register.broken = True
    for _ in range(2):
        with pytest.raises(ConnectionError):
            database(mongo, "acme")
    register.broken = False
    database(mongo, "acme")
    register.broken = True
    clock.now += 61
    for _ in range(3):  # also those that come after the first that tried
        with pytest.raises(ConnectionError):
            database(mongo, "acme")
        clock.now += 0.1


def test_a_name_that_is_not_well_formed_never_reaches_the_list() -> None:
    register = Register("../admin")
    with pytest.raises(InvalidTenant):
        database(of(register), "../admin")
    assert register.reads == 0
