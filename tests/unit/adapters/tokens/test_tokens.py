"""`Tokens` over a store in memory: what lets somebody in, for how long, and what is kept of it."""

from __future__ import annotations

import asyncio
import hmac
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.mongo import Mongo
from adapters.tokens import DynamoDBTokenStore, InvalidRequest, MongoTokenStore, TokenNotValid, Tokens
from adapters.tokens.cache import TokenCache
from adapters.tokens.records import Stored
from router import Authenticate, ConfigurationError, Identity, Resolver, Session
from router.testing import TestClient
from tests.unit.adapters.tokens.memory import Memory


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def memory() -> Memory:
    return Memory()


def made(memory: Memory, clock: Clock, **options: Any) -> Tokens:
    return Tokens(memory, clock=clock, **options)


@pytest.fixture
def tokens(memory: Memory, clock: Clock) -> Tokens:
    return made(memory, clock)


def let_in(tokens: Tokens, token: str) -> bool:
    """Whether both forms let a token in; they have to agree."""
    known = tokens.authenticate(token)
    assert asyncio.run(tokens.authenticate_async(token)) == known
    return known is not None


# ---- issuing -------------------------------------------------------------------------------------------------------


def test_a_token_lets_in_whom_it_was_issued_for(tokens: Tokens) -> None:
    issued = tokens.issue("ann", ["acme", "globex", "acme"], expires_in=60, claims={"role": "admin"}, name="laptop")
    expected = Identity("ann", ("acme", "globex"), {"role": "admin"}, issued.id)
    assert tokens.authenticate(issued.token) == expected
    assert asyncio.run(tokens.authenticate_async(issued.token)) == expected


def test_a_token_of_one_tenant_and_no_user(tokens: Tokens) -> None:
    issued = asyncio.run(tokens.issue_async(tenants="acme", expires_in=None))
    assert issued.expires_at is None
    assert tokens.authenticate(issued.token) == Identity(None, ("acme",), {}, issued.id)


def test_the_secret_is_in_the_answer_alone(memory: Memory, tokens: Tokens) -> None:
    issued = tokens.issue("ann", expires_in=60)
    secret = issued.token.partition(".")[2]
    assert issued.token.startswith(f"jn_{issued.id}.")
    assert len(secret) == 43
    assert secret not in repr(memory.records)
    assert secret not in repr(issued)
    assert secret not in repr(tokens.list())
    assert memory.records[issued.id]["hash"] not in repr(tokens.list())


def test_no_two_tokens_are_alike(tokens: Tokens) -> None:
    issued = [tokens.issue("ann", expires_in=60) for _ in range(50)]
    assert len({one.id for one in issued}) == len({one.token.partition(".")[2] for one in issued}) == 50


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"expires_in": 60}, "give a user, tenants, or both"),
        ({"user": "", "expires_in": 60}, "not empty"),
        ({"user": {"$ne": None}, "expires_in": 60}, "are text"),
        ({"user": "ann", "expires_in": 0.0001}, "expired already"),
        ({"user": "ann", "tenants": ["acme", ""], "expires_in": 60}, "not empty"),
        ({"user": "ann", "tenants": [None], "expires_in": 60}, "are text"),
        ({"user": "ann", "name": None, "expires_in": 60}, "name is text"),
        ({"user": "ann", "claims": ["admin"], "expires_in": 60}, "claims are a mapping, not list"),
        ({"user": "ann", "tenants": 7, "expires_in": 60}, "are text"),
        ({"user": "ann", "tenants": None, "expires_in": 60}, "are text"),
        ({"user": "\ud800", "expires_in": 60}, "not valid Unicode"),
        ({"user": "ann", "tenants": ["\udfff"], "expires_in": 60}, "not valid Unicode"),
        ({"user": "ann", "name": "\ud800", "expires_in": 60}, "not valid Unicode"),
        ({"user": "ann", "claims": {"at": datetime(2026, 1, 1)}, "expires_in": 60}, "give JSON values"),  # noqa: DTZ001
        ({"user": "ann", "claims": {"a": float("nan")}, "expires_in": 60}, "give JSON values"),
        ({"user": "ann", "claims": {"a": {7: "b"}}, "expires_in": 60}, "give JSON values"),
        ({"user": "ann", "claims": {"a": ["\ud800"]}, "expires_in": 60}, "give JSON values"),
        ({"user": "ann", "claims": {"a": {"b"}}, "expires_in": 60}, "give JSON values"),
        ({"user": "ann", "expires_in": 0}, "expired already"),
        ({"user": "ann", "expires_in": -1}, "expired already"),
        ({"user": "ann", "expires_in": timedelta(0)}, "expired already"),
        ({"user": "ann", "expires_in": "60"}, "a timedelta, seconds, or None"),
        ({"user": "ann", "expires_in": True}, "a timedelta, seconds, or None"),
        ({"user": "ann", "expires_in": float("nan")}, "a timedelta, seconds, or None"),
        ({"user": "ann", "expires_in": 1e15}, "a timedelta, seconds, or None"),
    ],
)
def test_what_makes_no_sense_is_not_issued(
    memory: Memory, tokens: Tokens, arguments: dict[str, Any], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        tokens.issue(**arguments)
    assert memory.records == {}


@pytest.mark.parametrize(
    "options", [{"cache": -1}, {"cache": True}, {"cache": "10"}, {"last_used_every": float("nan")}]
)
def test_settings_that_make_no_sense(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        Tokens(Memory(), **options)


@pytest.mark.parametrize("store", [None, Memory, "mongodb://localhost", {}, Mongo("mongodb://localhost")])
def test_what_is_no_store_is_refused_at_start(store: Any) -> None:
    with pytest.raises(ConfigurationError, match="give a store, such as MongoTokenStore"):
        Tokens(store)


@pytest.mark.parametrize(
    "make",
    [
        lambda: MongoTokenStore(Mongo("mongodb://localhost"), database=""),
        lambda: DynamoDBTokenStore(table=""),
        lambda: DynamoDBTokenStore(table=None),  # type: ignore[arg-type]
    ],
)
def test_a_store_needs_a_place(make: Callable[[], object]) -> None:
    with pytest.raises(ConfigurationError):
        make()


def test_its_indexes_are_declared_for_the_index_command() -> None:
    mongo = Mongo("mongodb://localhost")
    store = MongoTokenStore(mongo, database="identity", collection="keys")
    [repository] = mongo.repositories
    assert repository is store.repository
    assert (repository.database, repository.name) == ("identity", "keys")
    declared = [(index.name, list(index.keys), index.options()) for index in repository.indexes]
    assert declared == [
        ("expires_at_1", [("expires_at", 1)], {"expireAfterSeconds": 0}),
        ("user_1", [("user", 1)], {}),
        ("tenants_1", [("tenants", 1)], {}),
    ]


# ---- what lets nobody in -------------------------------------------------------------------------------------------


def test_what_is_no_token_never_reaches_the_database(memory: Memory, tokens: Tokens) -> None:
    good = tokens.issue("ann", expires_in=60).token
    memory.asked.clear()
    cut = [good[:-1], good + "x", good.removeprefix("jn_"), good.replace(".", "-"), good.replace("jn_", "JN_")]
    odd = ["", "jn_", "x" * 63, "jn_" + "." * 60, "jn_" + "é" * 16 + good[19:], "jn_{'$ne': null}..." + good[20:], None]
    odd.extend([{"$ne": None}, ["jn_"], good.encode(), 7])  # type: ignore[list-item]
    assert not any(let_in(tokens, token) for token in [*cut, *odd])  # type: ignore[arg-type]
    assert memory.asked == []


def test_another_secret_or_another_id_is_not_enough(tokens: Tokens) -> None:
    mine, other = tokens.issue("ann", expires_in=60), tokens.issue("eve", expires_in=60)
    mixed = mine.token.partition(".")[0] + "." + other.token.partition(".")[2]
    unknown = "jn_" + "0" * 16 + "." + mine.token.partition(".")[2]
    for _ in range(2):  # without and with the right one in the cache
        assert not let_in(tokens, mixed)
        assert not let_in(tokens, unknown)
        assert let_in(tokens, mine.token)


def test_digests_are_compared_in_constant_time_for_unknown_ids_as_well(
    tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[int, int]] = []
    genuine = hmac.compare_digest

    def compare(given: bytes, held: bytes) -> bool:
        compared.append((len(given), len(held)))
        return genuine(given, held)

    issued = tokens.issue("ann", expires_in=60)
    monkeypatch.setattr(hmac, "compare_digest", compare)
    tokens.authenticate("jn_" + "0" * 16 + "." + "x" * 43)
    tokens.authenticate(issued.token)
    tokens.authenticate(issued.token)  # by the cache
    assert compared == [(32, 32)] * 3


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"hash": None}, "hash"),
        ({"hash": ""}, "hash"),
        ({"hash": "0" * 63}, "hash"),
        ({"hash": "é" * 64}, "hash"),
        ({"hash": b"0" * 32}, "hash"),
        ({"user": 7}, "user"),
        ({"user": ""}, "user"),
        ({"user": {"$ne": None}}, "user"),
        ({"tenants": "acme"}, "tenants"),
        ({"tenants": None}, "tenants"),
        ({"tenants": ["acme", None]}, "tenants"),
        ({"claims": None}, "claims"),
        ({"claims": "admin"}, "claims"),
        ({"expires_at": "2999-01-01"}, "expires_at"),
        ({"expires_at": 9e9}, "expires_at"),
        ({"expires_at": datetime(2999, 1, 1)}, "expires_at"),  # noqa: DTZ001
    ],
)
def test_a_record_that_is_not_as_it_was_written_lets_nobody_in(
    memory: Memory, tokens: Tokens, change: dict[str, Any], field: str, caplog: pytest.LogCaptureFixture
) -> None:
    issued = tokens.issue("ann", ["acme"], expires_in=60)
    memory.records[issued.id].update(change)
    assert not let_in(tokens, issued.token)
    assert f"token {issued.id} is refused: the field {field} of its record" in caplog.text
    assert issued.token.partition(".")[2] not in caplog.text


@pytest.mark.parametrize("field", ["hash", "user", "tenants", "claims", "expires_at"])
def test_a_missing_field_lets_nobody_in(memory: Memory, tokens: Tokens, field: str) -> None:
    issued = tokens.issue("ann", ["acme"], expires_in=60)
    del memory.records[issued.id][field]
    assert not let_in(tokens, issued.token)


def test_a_record_that_is_none_lets_nobody_in(memory: Memory, tokens: Tokens) -> None:
    issued = tokens.issue("ann", expires_in=60)
    memory.records[issued.id] = ["hash"]  # type: ignore[assignment]
    assert not let_in(tokens, issued.token)


@pytest.mark.parametrize("change", [{"disabled": True}, {"disabled": "no"}, {"disabled": 0}, {"revoked_at": "never"}])
def test_a_token_that_was_ended_by_hand_lets_nobody_in(memory: Memory, tokens: Tokens, change: dict[str, Any]) -> None:
    issued = tokens.issue("ann", expires_in=60)
    memory.records[issued.id].update(change)
    assert not let_in(tokens, issued.token)


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync handler", "async handler"])
def test_while_the_database_fails_nobody_comes_in(memory: Memory, tokens: Tokens, asynchronous: bool) -> None:
    async def later(session: Session) -> str | None:
        return session.user

    resolver = Resolver()
    resolver.use(Authenticate(tokens, mode="user"))
    resolver.get("/")(later if asynchronous else lambda session: session.user)
    issued = tokens.issue("ann", expires_in=60)
    memory.failing["get"] = ConnectionError("down")
    client = TestClient(resolver)
    sent = {"authorization": f"Bearer {issued.token}"}
    assert client.get("/", headers=sent).status == 500
    memory.failing.clear()
    assert client.get("/", headers=sent).text == "ann"


# ---- time ----------------------------------------------------------------------------------------------------------


def test_a_token_ends_at_its_time_also_in_the_cache(memory: Memory, clock: Clock) -> None:
    tokens = made(memory, clock, cache=3600)
    issued = tokens.issue("ann", expires_in=timedelta(seconds=60))
    assert issued.expires_at == clock.now + timedelta(seconds=60)
    clock.pass_(59.999)
    assert let_in(tokens, issued.token)
    clock.pass_(0.001)
    assert not let_in(tokens, issued.token)


def test_good_answers_are_kept_for_the_seconds_of_the_cache(memory: Memory, clock: Clock, tokens: Tokens) -> None:
    issued = tokens.issue("ann", expires_in=None)
    for _ in range(3):
        assert let_in(tokens, issued.token)
    clock.pass_(9.999)
    assert let_in(tokens, issued.token)
    assert memory.asked.count("get") == 1
    clock.pass_(0.001)
    assert let_in(tokens, issued.token)
    assert memory.asked.count("get") == 2


def test_without_a_cache_each_request_asks(memory: Memory, clock: Clock) -> None:
    tokens = made(memory, clock, cache=0)
    issued = tokens.issue("ann", expires_in=None)
    assert tokens.authenticate(issued.token) == tokens.authenticate(issued.token)
    assert memory.asked.count("get") == 2


def test_a_clock_that_is_set_back_does_not_make_the_cache_last(memory: Memory, clock: Clock, tokens: Tokens) -> None:
    issued = tokens.issue("ann", expires_in=None)
    assert let_in(tokens, issued.token)
    clock.pass_(-3600)
    memory.records.clear()
    assert not let_in(tokens, issued.token)


def test_bad_answers_are_not_kept(memory: Memory, tokens: Tokens) -> None:
    issued = tokens.issue("ann", expires_in=None)
    document = memory.records.pop(issued.id)
    assert not let_in(tokens, issued.token)
    memory.records[issued.id] = document
    assert let_in(tokens, issued.token)


def test_what_a_handler_does_to_claims_stays_with_its_request(tokens: Tokens) -> None:
    issued = tokens.issue("ann", expires_in=None, claims={"roles": ["reader"]})
    for _ in range(3):
        identity = tokens.authenticate(issued.token)
        assert identity is not None
        assert identity.claims == {"roles": ["reader"]}
        identity.claims["roles"].append("admin")


def test_the_cache_is_bounded_and_the_oldest_goes() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    cache = TokenCache(10, most=3)
    for id in "abcad":
        cache.keep(Stored(b"d" * 32, Identity("ann", credential_id=id), None, ended=False), now, cache.revision)
    assert [id for id in "abcd" if cache.get(id, b"d" * 32, now)] == ["a", "c", "d"]


# ---- last used -----------------------------------------------------------------------------------------------------


def test_the_last_use_is_written_once_in_a_while(memory: Memory, clock: Clock) -> None:
    tokens = made(memory, clock, cache=0)
    issued = tokens.issue("ann", expires_in=None)
    seen = []
    for _ in range(5):
        tokens.authenticate(issued.token)
        seen.append((memory.records[issued.id]["last_used_at"] - datetime(2026, 1, 1, tzinfo=UTC)).seconds)
        clock.pass_(25)
    assert seen == [0, 0, 0, 75, 75]
    assert memory.asked.count("update") == 2


@pytest.mark.parametrize("before", ["yesterday", 7, {"a": 1}, datetime(2026, 1, 1)])  # noqa: DTZ001
def test_an_odd_last_use_is_written_over(memory: Memory, clock: Clock, tokens: Tokens, before: Any) -> None:
    issued = tokens.issue("ann", expires_in=None)
    memory.records[issued.id]["last_used_at"] = before
    assert tokens.authenticate(issued.token) is not None
    assert memory.records[issued.id]["last_used_at"] == clock.now


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_request_does_not_fail_for_the_note_of_its_use(
    memory: Memory, tokens: Tokens, asynchronous: bool, caplog: pytest.LogCaptureFixture
) -> None:
    issued = tokens.issue("ann", expires_in=None)
    memory.failing["update"] = ConnectionError("mongodb://user:password@host")
    ask = asyncio.run(tokens.authenticate_async(issued.token)) if asynchronous else tokens.authenticate(issued.token)
    assert ask is not None
    assert f"token {issued.id}: last_used_at was not written: ConnectionError" in caplog.text
    assert "password" not in caplog.text


# ---- revoking ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_revoked_token_is_refused_at_once(memory: Memory, clock: Clock, asynchronous: bool) -> None:
    tokens, elsewhere = made(memory, clock), made(memory, clock)
    issued, other = tokens.issue("ann", expires_in=None), tokens.issue("ann", expires_in=None)
    assert all(let_in(one, token.token) for one in (tokens, elsewhere) for token in (issued, other))

    def revoke(id: str) -> bool:
        return asyncio.run(tokens.revoke_async(id)) if asynchronous else tokens.revoke(id)

    assert revoke(issued.id) is True
    assert revoke(issued.id) is False
    assert revoke("0" * 16) is False
    assert not let_in(tokens, issued.token)
    assert let_in(tokens, other.token)
    assert let_in(elsewhere, issued.token)  # within the seconds of the other process's cache
    clock.pass_(10)
    assert not let_in(elsewhere, issued.token)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_all_tokens_of_a_user_or_a_tenant_are_revoked(tokens: Tokens, asynchronous: bool) -> None:
    issued = {
        "ann": tokens.issue("ann", ["acme"], expires_in=None),
        "ann-globex": tokens.issue("ann", ["acme", "globex"], expires_in=None),
        "bob": tokens.issue("bob", ["globex"], expires_in=None),
        "service": tokens.issue(tenants=["globex"], expires_in=None),
    }

    def good() -> set[str]:
        return {name for name, one in issued.items() if let_in(tokens, one.token)}

    def revoke(**whose: str) -> int:
        return asyncio.run(tokens.revoke_all_async(**whose)) if asynchronous else tokens.revoke_all(**whose)

    assert good() == set(issued)
    assert revoke(user="ann", tenant="globex") == 1
    assert good() == {"ann", "bob", "service"}
    assert revoke(tenant="globex") == 2
    assert good() == {"ann"}
    assert revoke(user="ann") == 1
    assert (good(), revoke(user="ann")) == (set(), 0)


def test_an_unset_variable_does_not_revoke_everything(tokens: Tokens) -> None:
    issued = tokens.issue("ann", expires_in=None)
    with pytest.raises(ValueError, match="give a user, a tenant, or both"):
        tokens.revoke_all(user=None)
    with pytest.raises(ValueError, match="give a user, a tenant, or both"):
        asyncio.run(tokens.revoke_all_async())
    assert let_in(tokens, issued.token)


def test_a_token_that_is_revoked_while_it_is_read_is_not_kept(memory: Memory, tokens: Tokens) -> None:
    issued = tokens.issue("ann", expires_in=None)
    memory.meanwhile = lambda: tokens.revoke(issued.id)
    assert tokens.authenticate(issued.token) is not None  # it came before
    assert tokens.authenticate(issued.token) is None


def test_a_revocation_whose_outcome_is_unknown_is_asked_for_again(memory: Memory, tokens: Tokens) -> None:
    issued = tokens.issue("ann", expires_in=None)
    assert let_in(tokens, issued.token)
    memory.records[issued.id]["revoked_at"] = datetime(2026, 1, 1, tzinfo=UTC)
    memory.failing["update"] = ConnectionError("it was written, but the answer was lost")
    with pytest.raises(ConnectionError):
        tokens.revoke(issued.id)
    assert not let_in(tokens, issued.token)


@pytest.mark.parametrize("id", [{"$ne": None}, None, 7, ["a"]])
def test_an_id_is_text(tokens: Tokens, id: Any) -> None:
    issued = tokens.issue("ann", expires_in=None)
    with pytest.raises(ValueError, match="the id of a token is text"):
        tokens.revoke(id)
    with pytest.raises(ValueError, match="the id of a token is text"):
        asyncio.run(tokens.revoke_async(id))
    assert let_in(tokens, issued.token)


# ---- rotating ------------------------------------------------------------------------------------------------------


def rotated(tokens: Tokens, asynchronous: bool, id: Any, **options: Any) -> Any:
    return asyncio.run(tokens.rotate_async(id, **options)) if asynchronous else tokens.rotate(id, **options)


both = pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])


@both
def test_a_rotated_token_is_good_for_the_grace_time_beside_the_new_one(
    clock: Clock, tokens: Tokens, asynchronous: bool
) -> None:
    old = tokens.issue("ann", ["acme"], expires_in=timedelta(days=30), claims={"role": "admin"}, name="laptop")
    clock.pass_(86_400)
    assert let_in(tokens, old.token)
    new = rotated(tokens, asynchronous, old.id, grace=timedelta(hours=1))
    assert new.id != old.id
    assert new.expires_at == clock.now + timedelta(days=30)
    assert tokens.authenticate(new.token) == Identity("ann", ("acme",), {"role": "admin"}, new.id)
    clock.pass_(3599.9)
    assert let_in(tokens, old.token)
    clock.pass_(0.1)
    assert not let_in(tokens, old.token)
    assert let_in(tokens, new.token)
    assert [(one.id, one.name, one.replaced_by) for one in tokens.list()] == [
        (old.id, "laptop", new.id),
        (new.id, "laptop", None),
    ]


@both
def test_without_a_grace_time_it_ends_at_once_also_in_the_cache(tokens: Tokens, asynchronous: bool) -> None:
    old = tokens.issue("ann", expires_in=None)
    assert let_in(tokens, old.token)
    new = rotated(tokens, asynchronous, old.token)  # by its whole text
    assert new.expires_at is None
    assert not let_in(tokens, old.token)
    assert let_in(tokens, new.token)


def test_a_grace_time_does_not_prolong_a_token_and_the_new_one_may_last_as_it_is_told(
    clock: Clock, tokens: Tokens
) -> None:
    old = tokens.issue("ann", expires_in=60)
    new = tokens.rotate(old.id, grace=3600, expires_in=7200)
    assert (tokens.list()[0].expires_at, new.expires_at) == (old.expires_at, clock.now + timedelta(hours=2))
    assert tokens.rotate(new.id, expires_in=None).expires_at is None


@both
def test_what_is_not_valid_is_not_rotated(memory: Memory, clock: Clock, tokens: Tokens, asynchronous: bool) -> None:
    expired, revoked, disabled, broken, done = (tokens.issue("ann", expires_in=n) for n in (1, 60, 60, 60, 60))
    clock.pass_(1)
    tokens.revoke(revoked.id)
    memory.records[disabled.id]["disabled"] = True
    memory.records[broken.id]["claims"] = None
    tokens.rotate(done.id, grace=30)
    before = len(memory.records)
    for id in (expired.id, revoked.id, disabled.id, broken.id, done.id, "0" * 16, "", "no id", "é" * 16):
        with pytest.raises(TokenNotValid):
            rotated(tokens, asynchronous, id)
    assert len(memory.records) == before


@pytest.mark.parametrize(
    "options",
    [
        {"grace": -1},
        {"grace": "1h"},
        {"grace": None},
        {"grace": True},
        {"grace": float("nan")},
        {"grace": 1e300},
        {"expires_in": 0},
        {"expires_in": "30d"},
        {"expires_in": True},
    ],
)
def test_a_rotation_that_makes_no_sense_changes_nothing(
    memory: Memory, tokens: Tokens, options: dict[str, Any]
) -> None:
    old = tokens.issue("ann", expires_in=60)
    with pytest.raises(InvalidRequest):
        tokens.rotate(old.id, **options)
    assert [*memory.records] == [old.id]
    assert let_in(tokens, old.token)


@pytest.mark.parametrize("id", [{"$ne": None}, None, 7, ["a"]])
def test_the_id_of_a_rotation_is_text(tokens: Tokens, id: Any) -> None:
    with pytest.raises(InvalidRequest, match="the id of a token is text"):
        tokens.rotate(id)


def test_a_revocation_during_a_rotation_leaves_no_token_behind(memory: Memory, tokens: Tokens) -> None:
    old = tokens.issue("ann", expires_in=60)

    def revoke() -> None:
        memory.meanwhile = None
        tokens.revoke_all(user="ann")

    memory.meanwhile = revoke
    with pytest.raises(TokenNotValid, match="at this moment"):
        tokens.rotate(old.id, grace=30)
    assert len(memory.records) == 2
    assert all(record["revoked_at"] is not None for record in memory.records.values())


def test_of_two_rotations_at_once_one_gives_a_token(memory: Memory, tokens: Tokens) -> None:
    old, won = tokens.issue("ann", expires_in=60), []

    def other() -> None:
        memory.meanwhile = None
        won.append(tokens.rotate(old.id, grace=30))

    memory.meanwhile = other
    with pytest.raises(TokenNotValid, match="at this moment"):
        tokens.rotate(old.id, grace=30)
    valid = [one.id for one in tokens.list() if one.revoked_at is None]
    assert valid == [old.id, won[0].id]


def test_the_old_token_is_good_while_the_new_one_cannot_be_kept(memory: Memory, tokens: Tokens) -> None:
    old = tokens.issue("ann", expires_in=60)
    memory.failing["insert"] = ConnectionError("down")
    with pytest.raises(ConnectionError):
        tokens.rotate(old.id)
    assert let_in(tokens, old.token)


# ---- listing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["", 7, {"$ne": None}, ["ann"], b"ann", "\ud800"])
@pytest.mark.parametrize("field", ["user", "tenant"])
def test_a_name_that_is_none_finds_and_ends_nothing(memory: Memory, tokens: Tokens, field: str, value: Any) -> None:
    issued = tokens.issue("ann", ["acme"], expires_in=None)
    for verb in (tokens.list, tokens.revoke_all):
        with pytest.raises(InvalidRequest, match=rf"\({field}=\.\.\.\)"):
            verb(**{field: value})
    assert let_in(tokens, issued.token)


def test_tokens_are_listed_by_user_and_tenant(memory: Memory, clock: Clock, tokens: Tokens) -> None:
    laptop = tokens.issue("ann", ["acme"], expires_in=60, claims={"role": "admin"}, name="laptop")
    clock.pass_(1)
    robot = tokens.issue(tenants=["acme", "globex"], expires_in=None)
    tokens.revoke(robot.id)
    memory.records[robot.id]["disabled"] = True
    tokens.authenticate(laptop.token)

    assert [token.id for token in tokens.list()] == [laptop.id, robot.id]
    assert [token.id for token in tokens.list(tenant="globex")] == [robot.id]
    assert [token.id for token in tokens.list(user="ann", tenant="acme")] == [laptop.id]
    assert tokens.list(user="bob") == []
    first, second = asyncio.run(tokens.list_async(tenant="acme"))
    assert (first.user, first.tenants, first.claims, first.name) == ("ann", ("acme",), {"role": "admin"}, "laptop")
    assert (first.created_at, first.expires_at) == (clock.now - timedelta(seconds=1), laptop.expires_at)
    assert (first.last_used_at, first.revoked_at, first.disabled) == (clock.now, None, False)
    assert (second.last_used_at, second.revoked_at, second.disabled) == (None, clock.now, True)


def test_a_record_that_is_not_as_it_was_written_is_listed_all_the_same(memory: Memory, tokens: Tokens) -> None:
    memory.records["odd"] = {"id": "odd", "created_at": None}
    [listed] = tokens.list()
    assert (listed.id, listed.user, listed.tenants) == ("odd", None, ())


# ---- many at a time ------------------------------------------------------------------------------------------------


def test_many_threads_share_it(memory: Memory, tokens: Tokens, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    issued = [tokens.issue(f"user-{number}", expires_in=None) for number in range(8)]
    wrong: list[Any] = []

    def use(number: int) -> None:
        for turn in range(200):
            one = (number + turn) % 8
            identity = tokens.authenticate(issued[one].token)
            if identity is None or identity.user != f"user-{one}":
                wrong.append(identity)
            if turn % 50 == number:
                tokens.revoke("0" * 16)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert caplog.text == ""
