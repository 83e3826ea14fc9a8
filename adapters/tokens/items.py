"""Tokens as items of DynamoDB."""

from __future__ import annotations

from datetime import UTC, datetime
from math import ceil

from adapters.tokens.token_errors import InvalidRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeAlias

    from adapters.tokens.store import Record

    Item: TypeAlias = dict[str, dict[str, Any]]
else:
    Item = dict

EXPIRY = "expires_at_seconds"
"""The attribute of the TTL: DynamoDB knows whole seconds alone, and removes items days later."""

_MOMENTS = ("created_at", "expires_at", "last_used_at", "revoked_at")
_NULL = {"NULL": True}
_LONGEST = 1000  # bytes of a name; a partition key has 2,048 at most


def token_key(id: str) -> Item:
    """Return the key of a token."""
    return {"id": {"S": id}, "item": {"S": "token"}}


def to_items(record: Record) -> list[Item]:
    """Return the item of a token, and those by which its user and its tenants find it.

    Raises:
        InvalidRequest: a name is too long for a key.
    """
    owners = [] if record["user"] is None else [f"user#{record['user']}"]
    owners += [f"tenant#{tenant}" for tenant in record["tenants"]]
    if any(len(owner.encode()) > _LONGEST for owner in owners):
        raise InvalidRequest(f"issue(): a user and a tenant have at most {_LONGEST - 10} bytes in DynamoDB")
    expiry = _expiry(record["expires_at"])
    token = {name: attribute(name, value) for name, value in record.items()}
    found_by = [{"id": {"S": owner}, "item": {"S": record["id"]}, **expiry} for owner in owners]
    return [{**token, **token_key(record["id"]), **expiry}, *found_by]


def to_record(item: Item) -> Record:
    """Return the record that an item holds. What cannot be read stays as it is, and lets nobody in."""
    return {name: _value(name, held) for name, held in item.items() if name not in ("item", EXPIRY)}


def attribute(name: str, value: Any) -> dict[str, Any]:
    """Return the value of a field as an attribute. Claims are JSON, whose numbers come back as they were."""
    from json import dumps

    if value is None:
        return _NULL
    if name == "claims":
        return {"S": dumps(value, separators=(",", ":"), ensure_ascii=False)}
    if isinstance(value, datetime):
        return {"S": value.astimezone(UTC).isoformat(timespec="milliseconds")}
    if isinstance(value, list):
        return {"L": [{"S": one} for one in value]}
    return {"S": str(value)}


def changes_of(changes: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of an UpdateItem of a token that is there and has what is expected."""
    names: dict[str, str] = {}
    values: Item = {}
    assigned = {name: attribute(name, value) for name, value in changes.items()}
    if "expires_at" in changes:
        assigned.update(_expiry(changes["expires_at"]))
    for place, (name, value) in enumerate(assigned.items()):
        names[f"#c{place}"], values[f":c{place}"] = name, value
    # Without this an update would make an item of a token that has just gone.
    conditions = ["attribute_exists(id)"]
    for place, (name, wanted) in enumerate(expected.items()):
        names[f"#e{place}"], values[f":e{place}"] = name, attribute(name, wanted)
        fits = f"#e{place} = :e{place}"
        conditions.append(fits if wanted is not None else f"(attribute_not_exists(#e{place}) OR {fits})")
    return {
        "UpdateExpression": "SET " + ", ".join(f"#c{place} = :c{place}" for place in range(len(assigned))),
        "ConditionExpression": " AND ".join(conditions),
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }


def _expiry(end: datetime | None) -> Item:
    """Return the attribute of the TTL; none for a token that never ends."""
    return {} if end is None else {EXPIRY: {"N": str(ceil(end.timestamp()))}}


def _value(name: str, held: Mapping[str, Any]) -> Any:
    [(kind, value)] = held.items()
    if kind == "S":
        if name == "claims":
            return _parsed(value)
        return _moment(value) if name in _MOMENTS else value
    if kind == "L":
        return [one.get("S") for one in value]
    if kind == "BOOL":
        return value
    # A type that is never written here must not pass for one that is.
    return None if kind == "NULL" else (kind, value)


def _parsed(text: str) -> Any:
    from json import loads

    try:
        return loads(text)
    except (ValueError, RecursionError):
        return text


def _moment(text: str) -> Any:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return text
