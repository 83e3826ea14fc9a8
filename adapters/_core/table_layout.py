"""Compare a DynamoDB table that is there with the one that is needed, so that no other program's table is taken for it.

Only what would make calls fail, or items stay for ever, counts: keys, indexes with what they hold, and expiry.
"""

from __future__ import annotations

from adapters._core.steps import Wait
from adapters.errors import AdapterError, TableMismatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from adapters._core.steps import Steps

_INDEXES = ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")
_ENABLED = ("ENABLED", "ENABLING")


def creating(step: Callable[..., Any], definition: Mapping[str, Any], ttl: str) -> Steps[None]:
    """Create a table whose items expire, and wait until it can be used; nothing if it is there.

    step: returns the step of an operation on the table, with further parameters.
    definition: parameters of CreateTable.
    ttl: the attribute by which items expire.

    Raises:
        TableMismatch: the one that is there has other keys, indexes or another TTL; nothing is changed.
    """
    in_use = ""
    try:
        yield step("create_table", **definition)
    except AdapterError as error:
        if (in_use := error.code) != "ResourceInUseException":
            raise
    while (there := (yield step("describe_table"))["Table"])["TableStatus"] != "ACTIVE":
        yield Wait(0.5)
    if in_use:
        check_layout(definition, there)
    held = yield step("describe_time_to_live")
    if needs_expiry(definition["TableName"], ttl, held["TimeToLiveDescription"]):
        yield step("update_time_to_live", TimeToLiveSpecification={"Enabled": True, "AttributeName": ttl})


def check_layout(needed: Mapping[str, Any], there: Mapping[str, Any]) -> None:
    """Refuse a table that lacks a key or an index.

    needed: parameters of CreateTable.
    there: the `Table` of DescribeTable; further indexes of it do no harm.

    Raises:
        TableMismatch: naming every difference.
    """
    found = _keys(there, there)
    wanted = _keys(needed, needed)
    differences = [] if found == wanted else [f"its key is {_text(found)}, and {_text(wanted)} is needed"]
    for kind in _INDEXES:
        held = {index["IndexName"]: index for index in there.get(kind) or ()}
        for index in needed.get(kind) or ():
            differences += _of_index(index, held.get(index["IndexName"]), needed, there)
    if differences:
        raise _mismatch(str(needed["TableName"]), "; ".join(differences))


def needs_expiry(table: str, attribute: str, described: Mapping[str, Any]) -> bool:
    """Return whether expiry is still to be turned on.

    described: the `TimeToLiveDescription` of DescribeTimeToLive.

    Raises:
        TableMismatch: items of the table expire by another attribute.
    """
    if described.get("TimeToLiveStatus") not in _ENABLED:
        return True
    held = described.get("AttributeName")
    if held != attribute:
        raise _mismatch(table, f"its items expire by {held}, and {attribute} is needed")
    return False


def _of_index(
    needed: Mapping[str, Any], held: Mapping[str, Any] | None, table: Mapping[str, Any], there: Mapping[str, Any]
) -> list[str]:
    name = needed["IndexName"]
    if held is None:
        return [f"it has no index {name}"]
    found, wanted = _keys(held, there), _keys(needed, table)
    if found != wanted:
        return [f"the key of its index {name} is {_text(found)}, and {_text(wanted)} is needed"]
    missing = _attributes(needed) - _attributes(held)
    if "*" in _attributes(held) or not missing:
        return []
    lacking = "all attributes" if "*" in missing else ", ".join(sorted(missing))
    return [f"its index {name} does not hold {lacking}"]


def _keys(holder: Mapping[str, Any], table: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the names and types of the attributes of a key, the partition key first."""
    types = {one["AttributeName"]: one["AttributeType"] for one in table.get("AttributeDefinitions") or ()}
    parts = sorted(holder.get("KeySchema") or (), key=lambda part: part["KeyType"] != "HASH")
    return [(part["AttributeName"], types.get(part["AttributeName"], "?")) for part in parts]


def _attributes(index: Mapping[str, Any]) -> set[str]:
    """Return the attributes that an index holds beside the keys; `*` for all."""
    projection = index.get("Projection") or {}
    if projection.get("ProjectionType") == "ALL":
        return {"*"}
    return set(projection.get("NonKeyAttributes") or ())


def _text(keys: list[tuple[str, str]]) -> str:
    return " and ".join(f"{name} ({kind})" for name, kind in keys) or "unknown"


def _mismatch(table: str, differences: str) -> TableMismatch:
    return TableMismatch(
        f"dynamodb.create_table {table}: there is a table of this name with another layout: {differences}; "
        "use another name, or remove that table; nothing was changed",
        service="dynamodb",
        operation="create_table",
        resource=table,
    )
