"""Firehose and Kinesis Analytics: records to transform. Every record is answered, with what became of it.

What a handler returns is the record's new data: bytes, text or anything JSON can hold; None leaves the data as it is.
"""

from __future__ import annotations

from router.errors import EncodeError
from router.event import Source
from router.http.headers import check_text
from router.sources._records import RecordEvent, after, placed, since_epoch
from router.sources._replies import text_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from decimal import Decimal
    from typing import Any

    from router.sources import Outcome

# Of a synchronous answer (Lambda quotas; Firehose calls synchronously).
LIMIT = 6 * 1024 * 1024


class Transformed:
    """New data of a record with the partition keys that a Firehose stream with dynamic partitioning stores it under.

    data: None leaves the record's data as it is. partition_keys: names with text, which is not empty, or numbers.
    """

    __slots__ = ("data", "partition_keys")

    def __init__(
        self, data: Any = None, partition_keys: Mapping[str, str | int | float | Decimal] | None = None
    ) -> None:
        self.data = data
        self.partition_keys = {name: _partition(name, value) for name, value in (partition_keys or {}).items()}

    def __repr__(self) -> str:
        return f"Transformed({self.data!r}, {self.partition_keys!r})"


def _partition(name: str, value: Any) -> str:
    from decimal import Decimal

    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal) or value == "":
        raise EncodeError(f"partition key {name!r}: give text that is not empty, or a number; not {value!r}")
    if not isinstance(name, str):
        raise EncodeError(f"partition key {name!r}: its name must be text")
    check_text(f"the name of the partition key {name!a}", name)
    check_text(f"partition key {name!r}", str(value))
    return str(value)


class TransformEvent(RecordEvent):
    """One record to transform."""

    __slots__ = ()

    def _name(self) -> str:
        if self.source is Source.FIREHOSE:
            if "deliveryStreamArn" not in self.raw:  # a sample of `sam local generate-event`
                return ""
            return after(":deliverystream/", self._need_of_payload("deliveryStreamArn"))
        return after(":application/", self._need_of_payload("applicationArn"))

    def _id(self) -> str:
        return self._need(str, "recordId")

    @property
    def _data_key(self) -> str:
        """Where the data stands in the record and in its answer; a stream that reads from Kafka has another place."""
        return "kafkaRecordValue" if "kafkaRecordValue" in self.record else "data"

    @property
    def partition_key(self) -> str | None:
        """The partition key of the Kinesis stream that the record comes from, if it comes from one."""
        key = self._metadata("partitionKey")
        return key if type(key) is str else None

    def _metadata(self, key: str) -> Any:
        """Return what is known of where the record comes from; None when it says nothing of this."""
        for section in ("kinesisRecordMetadata", "kinesisStreamRecordMetadata", "mskRecordMetadata"):
            value = self._find(section, key)
            if value is not None:
                return value
        return None

    @property
    def is_output(self) -> bool:
        """Whether Kinesis Analytics hands out a result to be delivered, rather than input to be transformed."""
        return "lambdaDeliveryRecordMetadata" in self.record

    def _body(self) -> bytes:
        return self._decoded(self._data_key)

    def _attempt(self) -> int:
        retries = self._find("lambdaDeliveryRecordMetadata", "retryHint")
        return max(retries, 0) + 1 if type(retries) is int else 1

    def _timestamp(self) -> datetime | None:
        key = "approximateArrivalTimestamp"
        arrived = self._find(key)
        return since_epoch(self._metadata(key) if arrived is None else arrived, "milliseconds")


def read(source: Source, raw: Any, context: Any) -> list[TransformEvent]:
    """Return one Event a record."""
    events = []
    for place, record in placed(source, raw):
        event = TransformEvent(source, raw, context, record, place)
        if not event.id:
            # Without an id no answer could be given for this record, and all would count as failed: fail the call.
            event._fail("recordId", "is empty")
        text_bytes(event, event.id, "recordId")
        events.append(event)
    return events


def answer(raw: Any, events: Sequence[TransformEvent], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return each record id once: Ok, Dropped (the handler raised Discard) or ProcessingFailed, with its data.

    Firehose keeps what failed in the bucket's error folder, so nothing is lost. Results that no longer fit into an
    answer fail alone, rather than all with them. So do records that were not begun for want of time: Firehose does not
    call again for a function that fails, and would put the records that are done into the error folder as well.
    """
    pairs = list(zip(events, outcomes, strict=True))
    late = sum(1 for event, outcome in pairs if not (outcome.started or event.is_output))
    if late:
        _log().error(
            "%s: %d of %d records were not begun before the deadline, and are answered as ProcessingFailed; "
            "give the function more time or a smaller buffer",
            *(events[0].source.value, late, len(events)),
        )
    return {"records": _within_limit([_answered(event, outcome) for event, outcome in pairs])}


def _answered(event: TransformEvent, outcome: Outcome) -> dict[str, Any]:
    if event.is_output:
        # Kinesis Analytics delivers again what failed; it knows no other results here (Lambda as output, its guide).
        return {"recordId": event.id, "result": "DeliveryFailed" if outcome.failed else "Ok"}
    if outcome.failed:
        return _untouched(event, "ProcessingFailed")
    if outcome.error is not None:
        return _untouched(event, "Dropped")
    try:
        return _transformed(event, outcome.result)
    except (EncodeError, UnicodeEncodeError) as error:
        _log().error("%s %s: the result of its handler: %s", event.source.value, ascii(event.id), error)
        return _untouched(event, "ProcessingFailed")


def _transformed(event: TransformEvent, result: Any) -> dict[str, Any]:
    """Return the answer for what a handler returned. Raises EncodeError or UnicodeEncodeError when that is no data."""
    keys: dict[str, str] = {}
    if isinstance(result, Transformed):
        result, keys = result.data, result.partition_keys
    if result is None:
        answered = _untouched(event, "Ok")
        if event._data_key not in answered:
            raise EncodeError("there is none, and the record has no data to be left as it is")
    else:
        answered = {"recordId": event.id, "result": "Ok", event._data_key: _encoded(result)}
    if keys:
        answered["metadata"] = {"partitionKeys": keys}
    return answered


def _encoded(data: Any) -> str:
    from binascii import b2a_base64

    from router.encode import dumps

    if isinstance(data, str):
        data = data.encode()
    elif not isinstance(data, bytes | bytearray | memoryview):
        data = dumps(data)
    return b2a_base64(data, newline=False).decode()


def _untouched(event: TransformEvent, result: str) -> dict[str, Any]:
    """Return an answer with the record's data as it came."""
    data = event.record.get(event._data_key)
    held = {event._data_key: data} if type(data) is str and data.isascii() else {}  # base64 is
    return {"recordId": event.id, "result": result, **held}


def _within_limit(answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return all answers within the limit: results first come first served, then the data of what has none."""
    room = LIMIT - len('{"records": []}')
    sizes = [_size(answered) for answered in answers]
    if sum(sizes) <= room:
        return answers
    bare = [{"recordId": answered["recordId"], "result": answered["result"]} for answered in answers]
    least = [_size({**answered, "result": "ProcessingFailed"}) for answered in bare]
    room -= sum(least)
    fitted: dict[int, dict[str, Any]] = {}
    for position in sorted(range(len(answers)), key=lambda position: answers[position]["result"] != "Ok"):
        if sizes[position] - least[position] <= room:
            room -= max(sizes[position] - least[position], 0)
            fitted[position] = answers[position]
        elif answers[position]["result"] == "Ok":
            fitted[position] = {**bare[position], "result": "ProcessingFailed"}
        else:
            fitted[position] = bare[position]
    lost = sum(fitted[position]["result"] != answered["result"] for position, answered in enumerate(answers))
    if lost:
        _log().error("%d of %d results do not fit into an answer of 6 MB: ProcessingFailed", lost, len(answers))
    return [fitted[position] for position in range(len(answers))]


def _size(answered: dict[str, Any]) -> int:
    """Return how many bytes the runtime client makes of an answer, with the comma that follows."""
    from json import dumps

    return len(dumps(answered)) + len(", ")


def _log() -> Any:
    from logging import getLogger

    return getLogger("router")
