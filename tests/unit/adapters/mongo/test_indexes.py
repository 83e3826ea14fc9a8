"""Declarations of indexes: what they say to the server, and what is refused where it is written."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from pymongo import IndexModel

from adapters.mongo.index import Index, checked_indexes
from router.errors import ConfigurationError


def document_of(index: Index) -> dict[str, Any]:
    """What PyMongo sends for it."""
    return IndexModel(list(index.keys), name=index.name, **index.options()).document


@pytest.mark.parametrize(
    ("index", "document"),
    [
        (Index("sku"), {"key": {"sku": 1}, "name": "sku_1"}),
        (Index("sku", "-placed"), {"key": {"sku": 1, "placed": -1}, "name": "sku_1_placed_-1"}),
        (Index(("sku", -1), "a.b"), {"key": {"sku": -1, "a.b": 1}, "name": "sku_-1_a.b_1"}),
        (Index(("-odd", 1)), {"key": {"-odd": 1}, "name": "-odd_1"}),
        (Index(("place", "2dsphere")), {"key": {"place": "2dsphere"}, "name": "place_2dsphere"}),
        (Index(("title", "text"), ("body", "text")), {"key": {"title": "text", "body": "text"}}),
        (Index(("_id", "hashed")), {"key": {"_id": "hashed"}, "name": "_id_hashed"}),
        (Index("number", unique=True, sparse=True), {"unique": True, "sparse": True}),
        (Index("at", expire_after=0), {"expireAfterSeconds": 0}),
        (Index("at", expire_after=timedelta(hours=1)), {"expireAfterSeconds": 3600}),
        (Index("at", expire_after=1.5), {"expireAfterSeconds": 2}),
        (Index("a", partial={"open": True}, hidden=True), {"partialFilterExpression": {"open": True}, "hidden": True}),
        (Index("a", collation={"locale": "en"}, name="words"), {"collation": {"locale": "en"}, "name": "words"}),
    ],
)
def test_what_the_server_is_told(index: Index, document: dict[str, Any]) -> None:
    told = document_of(index)

    assert {name: told[name] for name in document} == document
    assert list(told["key"]) == [field for field, _ in index.keys]


def test_options_that_were_not_given_are_not_sent() -> None:
    assert Index("sku", unique=False, sparse=False, hidden=False).options() == {}


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (Index, "name at least one field"),
        (lambda: Index(""), "a field has a name"),
        (lambda: Index("-"), "a field has a name"),
        (lambda: Index("a..b"), "a field has a name, and each part of a path, too"),
        (lambda: Index("a", "-a"), "'a' is named twice"),
        (lambda: Index("$where"), "begins with $"),
        (lambda: Index("a.$**"), "begins with $"),
        (lambda: Index("a\0b"), "holds no NUL"),
        (lambda: Index(cast("Any", 5)), 'write a field as "name", "-name" or ("name", kind)'),
        (lambda: Index(("a", 2)), "2 is no kind of index; there is 1, -1, 2d, 2dsphere, hashed, text"),
        (lambda: Index(("a", True)), "True is no kind"),
        (lambda: Index(("a", "wildcard")), "'wildcard' is no kind"),
        (lambda: Index("_id"), "every collection has this index already"),
        (lambda: Index("-_id", unique=True), "every collection has this index already"),
        (lambda: Index(*(f"f{n}" for n in range(33))), "33 fields, and MongoDB takes 32"),
        (lambda: Index(("a", "hashed"), ("b", "hashed")), "only one field of an index may be hashed"),
        (lambda: Index(("a", "text"), "b", ("c", "text")), "have to stand side by side"),
        (lambda: Index("a" * 126), "its name has 128 bytes; give it one of at most 127 by name="),
        (lambda: Index("a", name="ä" * 64), "its name has 128 bytes"),
        (lambda: Index("a", name=""), "'' is no name that an index may have"),
        (lambda: Index("a", name="*"), "'*' is no name"),
        (lambda: Index("a", name="_id_"), "'_id_' is no name"),
        (lambda: Index("a", name="x\0"), "is no name"),
        (lambda: Index("a", unique=cast("Any", 1)), "unique is True or False, not 1"),
        (lambda: Index("a", "b", expire_after=3), "expire_after needs an index of one plain field"),
        (lambda: Index(("a", "hashed"), expire_after=3), "expire_after needs an index of one plain field"),
        (lambda: Index("a", expire_after=-1), "expire_after=...): -1 is out of range"),
        (lambda: Index("a", expire_after=2**31), "out of range; give from 0 to 2.14748e+09 seconds"),
        (lambda: Index("a", expire_after=True), "give seconds or a timedelta, not bool"),
        (lambda: Index("a", partial={}), "partial is a filter"),
        (lambda: Index("a", partial=cast("Any", "open")), "partial is a filter"),
        (lambda: Index("a", partial={"b": 1}, sparse=True), "either sparse or partial"),
        (lambda: Index("a", collation=cast("Any", "en")), "a collation names its locale"),
        (lambda: Index("a", collation={"strength": 2}), "a collation names its locale"),
        (lambda: Index("a", collation={"locale": "en", "Strength": 2}), "a collation has no Strength"),
        (lambda: Index(("a", "hashed"), unique=True), "an index of kind hashed cannot be unique"),
    ],
)
def test_what_no_server_would_take_is_refused_in_one_sentence(make: Any, told: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        make()

    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_declaration_does_not_change_later() -> None:
    partial: dict[str, Any] = {"status": {"$in": ["open"]}}
    index = Index("sku", partial=partial)
    partial["status"]["$in"].append("paid")

    assert index.partial == {"status": {"$in": ["open"]}}
    with pytest.raises(AttributeError):
        index.unique = True  # type: ignore[misc]


def test_it_is_equal_to_its_copies_and_shows_how_it_is_written() -> None:
    index = Index(
        "sku", "-placed", ("place", "2d"), expire_after=None, partial={"at": datetime(2030, 1, 1, tzinfo=UTC)}
    )

    assert pickle.loads(pickle.dumps(index)) == copy.deepcopy(index) == index
    assert len({index, copy.deepcopy(index)}) == 1
    assert index != Index("sku", "-placed", ("place", "2d"))
    assert repr(Index("sku", "-placed", ("place", "2d"), unique=False)) == "Index('sku', '-placed', ('place', '2d'))"
    assert repr(Index("at", expire_after=0, name="x")) == "Index('at', expire_after=0, name='x')"


class TestChecked:
    def test_the_same_declaration_counts_once(self) -> None:
        assert checked_indexes([Index("a"), Index("b"), Index("a")], "orders") == (Index("a"), Index("b"))

    @pytest.mark.parametrize(
        ("indexes", "told"),
        [
            (
                [Index("a"), Index("a", unique=True)],
                "orders: Index('a') and Index('a', unique=True) have the same name",
            ),
            ([Index("a"), Index("b", name="a_1")], "have the same name 'a_1'"),
            ([Index("a"), Index("a", name="other")], "have the same key"),
            ([Index("a"), Index("a", unique=True, name="other")], "have the same key"),
            ([Index(("a", "text")), Index(("b", "text"))], "are both text indexes, of which a collection has one"),
            (["a"], "orders: indexes holds 'a', which is no Index"),
            (Index("a"), "write a list, as indexes=[Index(...)]"),
            ("sku", "write a list"),
        ],
    )
    def test_what_cannot_be_in_one_collection_is_refused(self, indexes: Any, told: str) -> None:
        with pytest.raises(ConfigurationError) as refused:
            checked_indexes(indexes, "orders")

        assert told in str(refused.value)

    def test_one_key_may_have_several_collations_and_filters(self) -> None:
        several = (
            Index("name"),
            Index("name", collation={"locale": "en", "strength": 2}, name="any_case"),
            Index("name", partial={"open": True}, name="open"),
        )

        assert checked_indexes(several, "orders") == several
