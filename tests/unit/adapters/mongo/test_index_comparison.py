"""Comparing declarations with what servers list, in the forms that servers list it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from bson import SON, Binary, Decimal128, Int64

from adapters.mongo.index import Index
from adapters.mongo.syncing.comparison import plan

ID = {"v": 2, "key": {"_id": 1}, "name": "_id_"}
ENGLISH = {
    "locale": "en",
    "caseLevel": False,
    "caseFirst": "off",
    "strength": 3,
    "numericOrdering": False,
    "alternate": "non-ignorable",
    "maxVariable": "punct",
    "normalization": False,
    "backwards": False,
    "version": "57.1",
}
WORDS = {
    "v": 2,
    "key": SON([("_fts", "text"), ("_ftsx", 1)]),
    "name": "title_text_body_text",
    "weights": SON([("body", 1), ("title", 1)]),
    "default_language": "english",
    "language_override": "language",
    "textIndexVersion": 3,
}


def listed(key: Mapping[str, Any], name: str, **options: Any) -> dict[str, Any]:
    return {"v": 2, "key": SON(key), "name": name, **options}


def test_a_new_collection_misses_everything() -> None:
    indexes = (Index("sku"), Index("number", unique=True))

    assert plan(indexes, []).missing == indexes
    assert plan(indexes, [ID]).missing == indexes
    assert plan(indexes, [ID]).orphans == ()


@pytest.mark.parametrize(
    ("index", "answer"),
    [
        (Index("sku", "-placed"), listed({"sku": 1, "placed": -1}, "sku_1_placed_-1")),
        # As servers before 4.4 listed it, after mongoose or a shell made it.
        (Index("sku"), {"v": 1, "key": {"sku": 1.0}, "name": "sku_1", "ns": "shop.orders", "background": True}),
        (Index("sku", "-at"), listed({"sku": Int64(1), "at": -1.0}, "sku_1_at_-1", unique=False, sparse=False)),
        (Index("n", unique=True), listed({"n": 1}, "n_1", unique=True, hidden=False)),
        (Index("at", expire_after=3600), listed({"at": 1}, "at_1", expireAfterSeconds=3600.0)),
        (Index("at", expire_after=0), listed({"at": 1}, "at_1", expireAfterSeconds=Int64(0))),
        (Index("n", hidden=True, sparse=True), listed({"n": 1}, "n_1", hidden=True, sparse=True)),
        (Index(("p", "2dsphere")), listed({"p": "2dsphere"}, "p_2dsphere", **{"2dsphereIndexVersion": 3})),
        (Index(("p", "2d")), listed({"p": "2d"}, "p_2d", bits=26, min=-180.0, max=180.0)),
        (Index(("_id", "hashed")), listed({"_id": "hashed"}, "_id_hashed")),
        (Index(("title", "text"), ("body", "text")), WORDS),
        (
            Index("tenant", ("body", "text"), "-at", name="words"),
            {**WORDS, "key": SON(tenant=1, _fts="text", _ftsx=1, at=-1), "weights": {"body": 1}, "name": "words"},
        ),
        (Index("n", collation={"locale": "en"}), listed({"n": 1}, "n_1", collation=ENGLISH)),
        (
            Index("n", collation={"locale": "en", "strength": 2}),
            listed({"n": 1}, "n_1", collation={**ENGLISH, "strength": 2}),
        ),
        # Whose defaults are others than those of English.
        (
            Index("n", collation={"locale": "da", "strength": 1}),
            listed({"n": 1}, "n_1", collation={**ENGLISH, "locale": "da", "caseFirst": "upper", "strength": 1}),
        ),
        (Index("n", collation={"locale": "simple"}), listed({"n": 1}, "n_1")),
        (
            Index("n", partial={"total": {"$gt": 5}, "open": True, "kinds": {"$in": ("a", "b")}}),
            listed(
                {"n": 1},
                "n_1",
                partialFilterExpression=SON(open=True, total=SON([("$gt", 5.0)]), kinds={"$in": ["a", "b"]}),
            ),
        ),
        (
            Index("n", partial={"at": {"$gt": datetime(2030, 1, 1, 0, 0, 0, 123456, tzinfo=UTC)}}),
            listed({"n": 1}, "n_1", partialFilterExpression={"at": {"$gt": datetime(2030, 1, 1, 0, 0, 0, 123000)}}),  # noqa: DTZ001
        ),
        (
            Index("n", partial={"price": Decimal("1.50"), "owner": UUID(int=7), "raw": Binary(b"x", 5)}),
            listed(
                {"n": 1},
                "n_1",
                partialFilterExpression={
                    "price": Decimal128("1.50"),
                    "owner": Binary.from_uuid(UUID(int=7)),
                    "raw": Binary(b"x", 5),
                },
            ),
        ),
    ],
)
def test_an_index_is_found_again_whatever_a_server_adds(index: Index, answer: Mapping[str, Any]) -> None:
    planned = plan([index], [SON(ID), SON(answer)])

    assert planned.unchanged == (index,)
    assert (planned.missing, planned.conflicts, planned.orphans) == ((), (), ())


OTHER = "it exists with other options: "
AGAIN = "drop it, and run this again"


@pytest.mark.parametrize(
    ("index", "answer", "reason"),
    [
        (
            Index("n", unique=True),
            listed({"n": 1}, "n_1"),
            f"{OTHER}unique is False in the database, True is declared; {AGAIN}",
        ),
        (
            Index("at", expire_after=60),
            listed({"at": 1}, "at_1", expireAfterSeconds=30),
            f"{OTHER}expire_after is 30 in the database, 60 is declared; change it with collMod, or {AGAIN}",
        ),
        (
            Index("n", hidden=True),
            listed({"n": 1}, "n_1"),
            f"{OTHER}hidden is False in the database, True is declared; change it with collMod, or {AGAIN}",
        ),
        (
            Index("at"),
            listed({"at": 1}, "at_1", expireAfterSeconds=0, unique=True),
            (
                f"{OTHER}unique is True in the database, False is declared; "
                f"expire_after is 0 in the database, None is declared; {AGAIN}"
            ),
        ),
        (
            Index("sku"),
            listed({"sku": -1}, "sku_1"),
            "the name is taken by an index of sku: -1; drop that one, or declare another name",
        ),
        (
            Index("a", "b"),
            listed({"b": 1, "a": 1}, "a_1_b_1"),
            "the name is taken by an index of b: 1, a: 1; drop that one, or declare another name",
        ),
        (
            Index("sku"),
            listed({"sku": 1}, "by_sku"),
            "it exists under the name 'by_sku'; declare it with name='by_sku', or drop that one",
        ),
        (
            Index("sku"),
            listed({"sku": 1}, "by_sku", unique=True),
            f"'by_sku' has the same key: unique is True in the database, False is declared; {AGAIN}",
        ),
        (
            Index("n", partial={"secret": 4711}),
            listed({"n": 1}, "n_1", partialFilterExpression={"secret": 4712}),
            f"{OTHER}partial is another filter in the database; {AGAIN}",
        ),
        (
            Index("n", partial={"open": True}),
            listed({"n": 1}, "n_1", partialFilterExpression={"open": 1}),
            f"{OTHER}partial is another filter in the database; {AGAIN}",
        ),
        (
            Index("n", partial={"open": True}),
            listed({"n": 1}, "n_1"),
            f"{OTHER}partial is None in the database, a filter is declared; {AGAIN}",
        ),
        (
            Index(("a", "text")),
            WORDS,
            "a collection has one text index, and 'title_text_body_text' is one; drop that one, and run this again",
        ),
        (
            Index(("title", "text"), ("body", "text")),
            {**WORDS, "weights": {"title": 1, "body": 5}},
            f"{OTHER}weights is {{'title': 1, 'body': 5}} in the database, None is declared; {AGAIN}",
        ),
    ],
)
def test_another_index_in_its_place_is_a_conflict_that_says_what_to_do(
    index: Index, answer: Mapping[str, Any], reason: str
) -> None:
    planned = plan([index], [ID, answer])

    [conflict] = planned.conflicts
    assert conflict.index == index
    assert conflict.reason == reason
    # Neither made nor dropped.
    assert (planned.missing, planned.unchanged, planned.orphans) == ((), (), ())


@pytest.mark.parametrize("strength", [None, 2])
def test_the_collation_counts(strength: int | None) -> None:
    declared = Index("n", collation={"locale": "en"} | ({} if strength is None else {"strength": strength}))
    there = listed({"n": 1}, "n_1", collation={**ENGLISH, "strength": 1})

    [conflict] = plan([declared], [ID, there]).conflicts
    assert "collation is {'locale': 'en'" in conflict.reason
    [conflict] = plan([declared], [ID, listed({"n": 1}, "n_1")]).conflicts
    assert "collation is None in the database" in conflict.reason


def test_a_collection_with_a_collation_gives_it_to_its_indexes() -> None:
    there = [{**ID, "collation": ENGLISH}, listed({"n": 1}, "n_1", collation=ENGLISH), listed({"m": 1}, "m_1")]

    assert plan([Index("n"), Index("m", collation={"locale": "simple"})], there).conflicts == ()
    [conflict] = plan([Index("m")], there).conflicts
    assert "collation is None in the database" in conflict.reason


def test_one_key_with_another_collation_or_filter_is_another_index() -> None:
    new = Index("name", collation={"locale": "en"}, name="name_en")
    planned = plan(
        [new], [ID, listed({"name": 1}, "name_1"), listed({"name": 1}, "open", partialFilterExpression={"o": 1})]
    )

    assert planned.missing == (new,)
    assert planned.orphans == ("name_1", "open")


def test_what_nothing_declares_is_an_orphan_but_never_what_the_server_needs() -> None:
    clustered = {"v": 2, "key": {"_id": 1}, "name": "by time", "unique": True, "clustered": True}
    encryption = listed({"__safeContent__": 1}, "__safeContent___1")
    wild = listed({"$**": 1}, "$**_1", wildcardProjection={"a": 1})

    planned = plan(
        [Index("sku")], [ID, clustered, encryption, wild, listed({"sku": 1}, "sku_1"), listed({"a": 1}, "a_1")]
    )

    assert planned.unchanged == (Index("sku"),)
    assert planned.orphans == ("$**_1", "a_1")


def test_an_option_that_a_server_does_not_tell_of_is_not_compared() -> None:
    there = [ID, listed({"n": 1}, "n_1")]

    assert plan([Index("n", sparse=True)], there).conflicts[0].reason.startswith("it exists with other options: sparse")
    assert plan([Index("n", sparse=True)], there, {"sparse"}).unchanged == (Index("n", sparse=True),)
