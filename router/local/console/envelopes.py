"""Make a payload again of what an entry shows: of a batch an entry has one record alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from router.sources._registry import ROWS, detect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from router.sources._registry import Row

_NAMED: Mapping[str, Row] = {name: row for row in ROWS.values() for name in row.named}
_BY_SOURCE: Mapping[str, Row] = {row.source.value: row for row in ROWS.values()}


def payload_of(raw: Any, source: str) -> Any:
    """Return the payload that Lambda would deliver for an entry's `raw`: a record gets its envelope.

    raw: a payload, a record, or the list of records of a group.
    source: of the entry.
    """
    records = raw if type(raw) is list else [raw]
    if not records or type(records[0]) is not dict:
        return raw
    name = records[0].get("eventSource") or records[0].get("EventSource")
    row = _NAMED.get(name) if type(name) is str else None
    row = row or _BY_SOURCE.get(source)
    if row is None or row.records is None or any(row.records in one for one in records):
        return raw
    made = _envelope(row, records)
    return made if detect(made) == row.source else raw


def _envelope(row: Row, records: list[Any]) -> dict[str, Any]:
    key = str(row.records)
    if key == "Records":
        return {key: records}
    top: dict[str, Any] = {"eventSource": row.named[0]} if row.named else {}
    first = records[0]
    if key == "rmqMessagesByQueue":
        return {**top, key: {"replayed::/": records}}
    if "topic" in first and "partition" in first:
        return {**top, key: {f"{first['topic']}-{first['partition']}": records}}
    if row.source.value == "firehose":
        arn = "arn:aws:firehose:us-east-1:000000000000:deliverystream/replayed"
        return {"invocationId": "replayed", "deliveryStreamArn": arn, "region": "us-east-1", key: records}
    return {**top, key: records}
