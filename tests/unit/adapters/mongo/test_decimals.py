"""Decimals come back as Decimal, although a repository's collections have no decoder for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import bson
import pytest
from bson import Decimal128, ObjectId
from bson.codec_options import TypeDecoder, TypeRegistry

from adapters.mongo import Cluster, Mongo, MongoSettings, Repository
from adapters.mongo.bson_values import with_decimals

URI = "mongodb://127.0.0.1:1/?connect=false"
OID = ObjectId("65b0f1a2c3d4e5f607182930")
BYTES = bson.encode(
    {
        "_id": OID,
        "total": Decimal128("149.95"),
        "lines": [{"price": Decimal128("9.990")}, [Decimal128("NaN")], "text", None],
        "inner": {"deeper": {"tax": Decimal128("1E-6176")}},
    }
)


@dataclass
class Order:
    total: Decimal
    lines: list[Any]
    id: str | None = None


class Cursor:
    """The answer of the server to a find or an aggregation."""

    def __init__(self, documents: list[dict[str, Any]]) -> None:
        self.documents = documents

    def sort(self, order: Any) -> Cursor:
        return self

    def limit(self, most: int) -> Cursor:
        return self

    def to_list(self, _: None) -> list[dict[str, Any]]:
        return self.documents

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.documents)

    def close(self) -> None:
        """Nothing is open."""


class Stored:
    """The collection `shop.orders` of one document, which is decoded as the driver decodes it for this collection."""

    def __init__(self, made: Any) -> None:
        self.database = made.database
        self.options = made.codec_options

    def find_one(self, where: dict[str, Any]) -> dict[str, Any]:
        return bson.decode(BYTES, self.options)

    def find(self, where: dict[str, Any], projection: Any) -> Cursor:
        return Cursor([self.find_one(where)])

    def aggregate(self, pipeline: list[dict[str, Any]]) -> Cursor:
        return Cursor([self.find_one({})])


@pytest.fixture
def mongo() -> Iterator[Mongo]:
    """One whose collection `shop.orders` holds an order, without a server: FerretDB has no decimals."""
    made = Mongo(URI)
    client = made.access(None, asynchronous=False).client
    client.collections["shop", "orders"] = Stored(client.collection("shop", "orders"))
    yield made
    made.close()


def test_a_decoded_document_gets_decimals_everywhere_and_keeps_the_rest() -> None:
    document = bson.decode(BYTES)

    assert with_decimals(document) is document
    assert document["total"] == Decimal("149.95")
    assert str(document["lines"][0]["price"]) == "9.990"
    assert document["lines"][1][0].is_nan()
    assert document["inner"]["deeper"]["tax"] == Decimal("1E-6176")
    assert (document["_id"], document["lines"][2:]) == (OID, ["text", None])


def test_every_way_of_reading_gives_decimals(mongo: Mongo) -> None:
    orders = Repository(mongo, "orders", database="shop")
    ways: list[Any] = [
        orders.get(OID),
        orders.find_one({"total": Decimal("149.95")}),
        orders.find().all()[0],
        orders.find().first(),
        next(iter(orders.find())),
        orders.find().page().items[0],
        orders.find(only=["total", "lines", "inner"]).all()[0],
        orders.aggregate([]).all()[0],
        next(iter(orders.aggregate([]))),
    ]
    for found in ways:
        assert (found["total"], found["lines"][0]["price"]) == (Decimal("149.95"), Decimal("9.99"))
        assert type(found["inner"]["deeper"]["tax"]) is Decimal


def test_a_class_has_them_in_fields_of_any_type(mongo: Mongo) -> None:
    found = Repository(mongo, "orders", Order, database="shop").get(OID)

    assert found is not None
    assert (found.total, found.lines[0]) == (Decimal("149.95"), {"price": Decimal("9.99")})


def test_a_collection_of_the_driver_reads_and_writes_them_by_itself(mongo: Mongo) -> None:
    options = mongo.sync.db.shop.orders.codec_options

    assert bson.decode(BYTES, options)["total"] == Decimal("149.95")
    assert bson.encode({"total": Decimal("149.95")}, codec_options=options) == bson.encode(
        {"total": Decimal128("149.95")}
    )


def test_types_of_the_application_stay() -> None:
    class Texts(TypeDecoder):
        bson_type = str

        def transform_bson(self, value: Any) -> str:
            return str(value).upper()

    own = TypeRegistry([Texts()])
    mongo = Mongo(MongoSettings({"main": Cluster(URI, options={"type_registry": own})}))
    try:
        collection = mongo.access(None, asynchronous=False).client.collection("shop", "orders")
        assert bson.decode(bson.encode({"a": "b"}), collection.codec_options) == {"a": "B"}
    finally:
        mongo.close()
