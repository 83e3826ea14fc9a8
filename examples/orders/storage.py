"""The two tables: orders, and who is connected. The tenant is the partition key of both."""

from __future__ import annotations

from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from adapters.aws import Aws
from adapters.errors import AdapterError
from router import Session

ORDERS = "orders"
CONNECTIONS = "connections"

Item = dict[str, Any]


class Table:
    """The items of one tenant in a table: there is no way from here to those of another."""

    def __init__(self, aws: Aws, name: str, key: str, session: Session) -> None:
        if not session.tenant:
            raise PermissionError(f"the table {name} is open to tenants only")
        self._aws = aws
        self._name = name
        self._key = key
        self._tenant = session.tenant

    def get(self, key: str) -> Item | None:
        """One item."""
        found = self._call("get_item", Key=self._whole_key(key), ConsistentRead=True)
        return _plain(found["Item"]) if "Item" in found else None

    def all(self) -> list[Item]:
        """Every item."""
        pages = (
            self._aws.client("dynamodb")
            .get_paginator("query")
            .paginate(
                TableName=self._name,
                KeyConditionExpression="tenant = :tenant",
                ExpressionAttributeValues={":tenant": {"S": self._tenant}},
                ConsistentRead=True,
            )
        )
        return [_plain(item) for page in pages for item in page["Items"]]

    def add(self, item: Item) -> bool:
        """Write an item, unless there is one with its key. False: there was."""
        stored = _stored({**item, "tenant": self._tenant})
        return self._call_if("attribute_not_exists(tenant)", "put_item", Item=stored)

    def set_status(self, key: str, status: str) -> bool:
        """Change the status of an item. False: there is no such item."""
        return self._call_if(
            "attribute_exists(tenant)",
            "update_item",
            Key=self._whole_key(key),
            UpdateExpression="SET #status = :status",
            ExpressionAttributeNames={"#status": "status"},  # a reserved word of DynamoDB
            ExpressionAttributeValues={":status": {"S": status}},
        )

    def delete(self, key: str) -> None:
        """Remove an item; one that is not there is no error."""
        self._call("delete_item", Key=self._whole_key(key))

    def _call(self, operation: str, **parameters: Any) -> Any:
        return self._aws.call("dynamodb", operation, TableName=self._name, **parameters)

    def _call_if(self, condition: str, operation: str, **parameters: Any) -> bool:
        try:
            self._call(operation, ConditionExpression=condition, **parameters)
        except AdapterError as error:
            if error.code == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def _whole_key(self, key: str) -> Item:
        return {"tenant": {"S": self._tenant}, self._key: {"S": key}}


def _stored(item: Item) -> Item:
    serialize = TypeSerializer().serialize
    return {name: serialize(value) for name, value in item.items()}


def _plain(item: Item) -> Item:
    deserialize = TypeDeserializer().deserialize
    return {name: deserialize(value) for name, value in item.items()}
