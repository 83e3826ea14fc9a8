"""Describe the table that some models need, for tests, tools and templates."""

from __future__ import annotations

from adapters._core.blocking import refuse_blocking_call
from adapters._core.table_layout import check_layout, needs_expiry
from adapters.dynamodb.item_errors import InvalidRequest
from adapters.errors import AdapterError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from adapters.dynamodb.schema import Schema
    from adapters.dynamodb.service import Service


def definition(schema: Schema) -> dict[str, Any]:
    """Return the parameters of CreateTable: also the properties of `AWS::DynamoDB::Table` in CloudFormation."""
    names = list(schema.key_attributes)
    indexes: dict[str, list[dict[str, Any]]] = {"GlobalSecondaryIndexes": [], "LocalSecondaryIndexes": []}
    for name, by_kind in schema.indexes.items():
        keys = next(iter(by_kind.values()))
        kind = "LocalSecondaryIndexes" if keys.pk is None else "GlobalSecondaryIndexes"
        indexes[kind].append(
            {"IndexName": name, "KeySchema": _key_schema(keys.attributes), "Projection": {"ProjectionType": "ALL"}}
        )
        names += keys.attributes
    return {
        "TableName": schema.table,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": _key_schema(schema.key_attributes),
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in dict.fromkeys(names)],
        **{kind: listed for kind, listed in indexes.items() if listed},
    }


def _key_schema(attributes: tuple[str, ...]) -> list[dict[str, str]]:
    kinds = ("HASH", "RANGE")
    return [{"AttributeName": name, "KeyType": kind} for name, kind in zip(attributes, kinds, strict=False)]


def create(service: Service, *, exist_ok: bool, further: dict[str, Any]) -> None:
    """Create the table, wait until it can be used, and let DynamoDB delete what has expired.

    Raises:
        TableMismatch: there is a table of this name with another layout.
    """
    refuse_blocking_call("Table.create_table", service.settings.blocking)
    needed = {**definition(service.schema), **further}
    expires = bool(service.schema.ttl_attribute)
    try:
        service.request("create_table", needed)
    except AdapterError as error:
        if not exist_ok or error.code != "ResourceInUseException":
            raise
        service.wait("table_exists")
        check_layout(needed, service.request("describe_table", {"TableName": service.table})["Table"])
        if expires:
            held = service.request("describe_time_to_live", {"TableName": service.table})
            expires = needs_expiry(service.table, service.schema.layout.ttl, held["TimeToLiveDescription"])
    else:
        service.wait("table_exists")
    if expires:
        _let_expire(service)


def _let_expire(service: Service) -> None:
    expiry = {"Enabled": True, "AttributeName": service.schema.layout.ttl}
    try:
        service.request("update_time_to_live", {"TableName": service.table, "TimeToLiveSpecification": expiry})
    except InvalidRequest as error:
        if "already enabled" not in str(error):  # by somebody else, at this moment
            raise
