"""ManagedFields: who wrote a document and when comes from the session and the clock, and from nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from adapters.mongo import Mongo, Repository, Stamps
from adapters.mongo.stamps import ManagedFields
from router import ConfigurationError, Session, reset_session, set_session

NOW = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
KEPT = NOW.replace(microsecond=123000)
MONGO = Mongo("mongodb://localhost")
FORGED = {
    "created_at": "never",
    "created_by": "evil",
    "updated_at": 5,
    "updated_by": {"$ne": None},
    "deleted_at": None,
    "deleted_by": "evil",
    "version": 99,
}


def marks(**options: Any) -> ManagedFields:
    given = {"stamps": Stamps(), "soft_delete": True, "version": "version", "clock": lambda: NOW, **options}
    return ManagedFields(**given)


@pytest.fixture(autouse=True)
def _ann() -> Iterator[None]:
    token = set_session(Session("acme", "ann"))
    yield
    reset_session(token)


def test_a_new_document_is_stamped_and_counted() -> None:
    assert marks().for_new() == {
        "created_at": KEPT,
        "created_by": "ann",
        "updated_at": KEPT,
        "updated_by": "ann",
        "version": 1,
    }
    assert marks(stamps=None).for_new() == {"version": 1}
    assert marks(stamps=None, version=None).for_new() == {}


def test_whoever_writes_next_is_asked_for_then() -> None:
    both = marks()
    set_session(Session("acme", "bob"))
    assert (both.for_new()["created_by"], both.for_change()["updated_by"]) == ("bob", "bob")
    set_session(Session("acme"))
    assert (both.for_new()["created_by"], both.for_deletion()["deleted_by"]) == (None, None)


def test_what_the_caller_writes_in_the_marks_does_not_count() -> None:
    orders = Repository(
        MONGO, "orders", database="shop", stamps=True, soft_delete=True, version=True, clock=lambda: NOW
    )
    given = {"total": 5, **FORGED}
    before = deepcopy(given)
    made = orders._operations.new_document(given)
    del made["_id"]
    assert made == {"total": 5, **marks().for_new()}
    replaced, version = orders._operations._replacement({**given, "_id": "5" * 24}, upsert=False)
    assert (set(replaced), version) == ({"_id", "total"}, 99)
    assert given == before


def test_without_marks_these_fields_are_the_caller_s_own() -> None:
    made = Repository(MONGO, "orders", database="shop")._operations.new_document(FORGED)
    assert {name: made[name] for name in FORGED} == FORGED


def test_a_change_leaves_alone_who_made_it() -> None:
    update = marks().with_change({"$set": {"a": 1}, "$inc": {"n": 2}})
    assert update == {
        "$set": {"a": 1, "updated_at": KEPT, "updated_by": "ann"},
        "$inc": {"n": 2, "version": 1},
    }
    assert marks(stamps=None, version=None).with_change({"$set": {"a": 1}}) == {"$set": {"a": 1}}


def test_a_change_that_may_make_the_document_says_who_made_it_only_then() -> None:
    update = marks().with_creation(marks().with_change({"$set": {"a": 1}}))
    assert update["$setOnInsert"] == {"created_at": KEPT, "created_by": "ann"}
    assert marks(stamps=None).with_creation({"$set": {"a": 1}}) == {"$set": {"a": 1}}


def test_what_is_given_is_not_changed() -> None:
    update = {"$set": {"a": 1}, "$inc": {"n": 2}}
    where = {"a": 1}
    marks().with_creation(marks().with_change(update))
    marks().not_deleted(where)
    assert (update, where) == ({"$set": {"a": 1}, "$inc": {"n": 2}}, {"a": 1})


def test_a_time_is_what_bson_keeps_of_it() -> None:
    zone = timezone(timedelta(hours=2))
    moment = datetime(2026, 1, 1, 14, 0, 0, 999999, tzinfo=zone)
    assert marks(clock=lambda: moment).now() == datetime(2026, 1, 1, 12, 0, 0, 999000, tzinfo=UTC)


def test_reserved_are_the_fields_that_it_writes() -> None:
    assert marks().reserved == set(FORGED)
    assert marks(stamps=None, soft_delete=False, version="revision").reserved == {"revision"}
    assert marks(stamps=None, soft_delete=False, version=None).reserved == set()


@pytest.mark.parametrize(
    "options",
    [
        {"version": "_id"},
        {"version": "created_at"},
        {"version": "deleted_at"},
        {"version": "a.b"},
        {"version": "$version"},
        {"stamps": Stamps(created_by="updated_by")},
        {"stamps": Stamps(created_at="")},
        {"stamps": Stamps(updated_at="deleted_at")},
    ],
)
def test_marks_need_names_of_their_own(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="names of their own"):
        marks(**options)
    with pytest.raises(ConfigurationError):
        Repository(MONGO, "orders", **{"stamps": True, "soft_delete": True, **options})
