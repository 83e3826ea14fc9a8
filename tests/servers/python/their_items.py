"""Drives boto3-assist inside its own environment: `python their_items.py COMMAND`, JSON in, JSON out."""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
from typing import Any

from boto3_assist.dynamodb.dynamodb import DynamoDB
from boto3_assist.dynamodb.dynamodb_index import DynamoDBIndex, DynamoDBKey
from boto3_assist.dynamodb.dynamodb_model_base import DynamoDBModelBase

TABLE = os.environ["TABLE"]
FIELDS = ("id", "name", "price", "weight", "tags", "extra", "made")


class Product(DynamoDBModelBase):  # type: ignore[misc]  # without type hints here
    """A product as that program keeps it: keys are lower case, an index lists by name."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__()
        self.id: str | None = id
        self.name: str | None = None
        self.price: int = 0
        self.weight: float = 0.0
        self.tags: list[str] = []
        self.extra: dict[str, Any] = {}
        self.made: str | None = None
        primary = DynamoDBIndex(index_name="primary")
        for key, name in ((primary.partition_key, "pk"), (primary.sort_key, "sk")):
            key.attribute_name = name
            key.value = lambda: DynamoDBKey.build_key(("product", self.id))
        self.indexes.add_primary(primary)
        by_name = DynamoDBIndex(index_name="gsi1")
        by_name.partition_key.attribute_name = "gsi1_pk"
        by_name.partition_key.value = lambda: DynamoDBKey.build_key(("products", ""))
        by_name.sort_key.attribute_name = "gsi1_sk"
        by_name.sort_key.value = lambda: DynamoDBKey.build_key(("name", self.name))
        self.indexes.add_secondary(by_name)


def shown(item: Any) -> dict[str, Any]:
    product = Product().map(item)
    return {field: getattr(product, field) for field in FIELDS}


def save(db: DynamoDB, given: dict[str, Any]) -> Any:
    for values in given["items"]:
        product = Product()
        for name, value in values.items():
            setattr(product, name, dt.datetime.fromisoformat(value) if name == "made" else value)
        db.save(item=product, table_name=TABLE)


def get(db: DynamoDB, given: dict[str, Any]) -> Any:
    response = db.get(model=Product(given["id"]), table_name=TABLE)
    return shown(response["Item"]) if "Item" in response else None


def change(db: DynamoDB, given: dict[str, Any]) -> Any:
    """Load an item, change it, and save it whole, as that program does."""
    product = Product().map(db.get(model=Product(given["id"]), table_name=TABLE)["Item"])
    for name, value in given["changes"].items():
        setattr(product, name, value)
    db.save(item=product, table_name=TABLE)


def named(db: DynamoDB, given: dict[str, Any]) -> Any:
    """List by name, through the index."""
    index = Product().get_key("gsi1")
    response = db.query(key=index.key(), index_name="gsi1", table_name=TABLE)
    return [shown(item)["id"] for item in response["Items"]]


if __name__ == "__main__":
    database = DynamoDB(aws_end_point_url=os.environ["ENDPOINT"], aws_region=os.environ["AWS_REGION"])
    result = globals()[sys.argv[1]](database, json.load(sys.stdin))
    print(json.dumps({"result": result}, default=str))
