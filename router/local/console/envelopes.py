"""Make a payload again of what an entry shows: of a batch an entry has one record alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from router.sources._registry import ROWS, detect
from router.testing.samples import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from router.sources._registry import Row

_NAMED: Mapping[str, Row] = {name: row for row in ROWS.values() for name in row.named}
_BY_SOURCE: Mapping[str, Row] = {row.source.value: row for row in ROWS.values()}


def payload_of(raw: Any, source: str, whole: Any = None) -> Any:
    """Return the payload that Lambda would deliver for an entry's `raw`: a record gets its envelope.

    raw: a payload, a record, or the list of records of a group.
    source: of the entry.
    whole: the payload that it came in, where that is known; what is around a record is taken from there, or else from a
        sample of its source.
    """
    records = raw if type(raw) is list else [raw]
    if not records or type(records[0]) is not dict:
        return raw
    name = records[0].get("eventSource") or records[0].get("EventSource")
    row = _NAMED.get(name) if type(name) is str else None
    row = row or _BY_SOURCE.get(source)
    key = None if row is None else row.records or ("Records" if row.in_record else None)
    if row is None or key is None or any(key in one for one in records):
        return raw
    around = whole if type(whole) is dict and key in whole else SAMPLES[row.source.value]()
    made = {**around, key: _placed(around[key], records)}
    return made if detect(made) == row.source else raw


def _placed(before: Any, records: list[Any]) -> Any:
    """Return records in the place of others: in a list, or in one of the lists by partition or queue."""
    if type(before) is not dict:
        return records
    first = records[0]
    if "topic" in first and "partition" in first:
        return {f"{first['topic']}-{first['partition']}": records}
    holder = next((name for name, held in before.items() if first in held), next(iter(before), "records"))
    return {holder: records}
