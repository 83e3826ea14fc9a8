"""Upserts that meet another one at the same moment: what the server answers then cannot be brought about at will."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from pymongo.errors import DuplicateKeyError

from adapters.errors import WriteConflict
from adapters.mongo import DuplicateKey, Mongo, Repository
from adapters.mongo.access import Access

DUPLICATE = DuplicateKeyError("E11000", 11000, {"keyPattern": {"_id": 1}})


class Collection:
    """A collection whose upserts are refused as duplicates for a while. is_there: whether something matches then."""

    full_name = "shop.carts"

    def __init__(self, refusals: int, *, is_there: bool, asynchronous: bool) -> None:
        self.refusals = refusals
        self.is_there = is_there
        self.asynchronous = asynchronous
        self.requests = 0

    def find_one_and_update(self, *args: Any, **options: Any) -> Any:
        return self._answer(self._upsert, {"_id": "c1", "items": 1})

    def replace_one(self, *args: Any, **options: Any) -> Any:
        return self._answer(self._upsert, SimpleNamespace(matched_count=1, upserted_id=None))

    def find_one(self, *args: Any, **options: Any) -> Any:
        return self._answer(lambda: None, {"_id": "c1"} if self.is_there else None)

    def _upsert(self) -> None:
        self.requests += 1
        if self.requests <= self.refusals:
            raise DUPLICATE

    def _answer(self, work: Any, answer: Any) -> Any:
        async def later() -> Any:
            work()
            return answer

        if self.asynchronous:
            return later()
        work()
        return answer


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def upsert(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that upserts into such a collection by a verb."""
    asynchronous: bool = request.param
    carts = Repository(Mongo("mongodb://localhost"), "carts", database="shop", ids="str")

    def do(verb: str, refusals: int, *, is_there: bool) -> Collection:
        collection = Collection(refusals, is_there=is_there, asynchronous=asynchronous)
        client = SimpleNamespace(collection=lambda *names: collection)
        monkeypatch.setattr(Access, "client", property(lambda access: client))
        name = f"{verb}_async" if asynchronous else verb
        call = getattr(carts, name)
        work = call("c1", set={"items": 1}, upsert=True) if verb == "update" else call({"_id": "c1"}, upsert=True)
        if asynchronous:
            asyncio.run(work)
        return collection

    return do


@pytest.mark.parametrize("verb", ["update", "replace"])
def test_an_upsert_that_lost_the_race_changes_what_the_other_has_made(upsert: Any, verb: str) -> None:
    assert upsert(verb, 1, is_there=True).requests == 2


@pytest.mark.parametrize("verb", ["update", "replace"])
def test_a_duplicate_of_something_that_does_not_match_is_one(upsert: Any, verb: str) -> None:
    with pytest.raises(DuplicateKey):
        upsert(verb, 9, is_there=False)


@pytest.mark.parametrize("verb", ["update", "replace"])
def test_a_race_that_is_lost_every_time_may_be_run_again(
    upsert: Any, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.mongo.upserts._PAUSE", 0)
    with pytest.raises(WriteConflict, match=r"mongodb.upsert shop\.carts on main .*at every try") as caught:
        upsert(verb, 99, is_there=True)
    assert (caught.value.retryable, caught.value.status) == (True, 503)
