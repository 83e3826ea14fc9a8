"""S3 Batch Operations: one Event a task (an object of the job's manifest). Every task is answered with a result code.

What a handler returns stands as `resultString` in the job's report.
"""

from __future__ import annotations

from router.errors import EncodeError, InvalidEvent
from router.event import Event, Source
from router.signals import Discard, Retry
from router.sources._records import kind_of, placed
from router.sources._replies import reported, text_bytes
from router.sources.s3 import ObjectEvent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from router.sources import Outcome

# Characters of a resultString in the report.
_LONGEST = 1024


class ObjectTaskEvent(ObjectEvent):
    """One task. `attributes` are the job's arguments."""

    __slots__ = ()

    def _id(self) -> str:
        return self._need(str, "taskId")

    def _name(self) -> str:
        # Invocation schema 1.0 has the bucket's ARN, 2.0 its name.
        if self._find("s3Bucket") is not None:
            return self._need(str, "s3Bucket")
        return self._need(str, "s3BucketArn").rpartition(":")[2]

    def _keys(self) -> dict[str, Any]:
        return {"bucket": self.name, "key": self._object_key("s3Key"), "version": self._find("s3VersionId")}

    def _attributes(self) -> dict[str, Any]:
        job = self.raw.get("job")
        arguments = job.get("userArguments") if type(job) is dict else None
        if arguments is None:
            return {}
        if type(arguments) is not dict:
            self._refuse(f"{self.source} job.userArguments: must be an object, not {kind_of(arguments)}")
        return dict(arguments)


def read(source: Source, raw: Any, context: Any) -> list[ObjectTaskEvent]:
    """Return one Event a task."""
    for key in ("invocationId", "invocationSchemaVersion"):  # without them no answer would be taken
        if type(raw.get(key)) is not str:
            raise InvalidEvent(f"{source} {key}: must be text, not {kind_of(raw.get(key))}")
        text_bytes(Event(source, raw, context, raw), raw[key], key)
    events = []
    for place, record in placed(source, raw):
        event = ObjectTaskEvent(source, raw, context, record, place)
        if not event.id:
            event._fail("taskId", "is empty")  # its result could not be told
        text_bytes(event, event.id, "taskId")
        events.append(event)
    return events


def answer(raw: Any, events: Sequence[ObjectTaskEvent], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return a result for each task. S3 tries those with a TemporaryFailure again."""
    results = []
    for event, outcome in zip(events, outcomes, strict=True):
        code, text = _result(outcome)
        told = text[:_LONGEST].encode(errors="replace").decode()  # the work is done, whatever text tells of it
        results.append({"taskId": event.id, "resultCode": code, "resultString": told})
    return {
        "invocationSchemaVersion": raw["invocationSchemaVersion"],
        "treatMissingKeysAs": "PermanentFailure",
        "invocationId": raw["invocationId"],
        "results": results,
    }


def _result(outcome: Outcome) -> tuple[str, str]:
    error = outcome.error
    if isinstance(error, Discard):
        return "Succeeded", str(error)
    if isinstance(error, Retry) or not outcome.started:
        return "TemporaryFailure", str(error or "the deadline came before its turn")
    if error is not None:
        return "PermanentFailure", reported(error)  # other messages may tell internals; the log has them
    return "Succeeded", _text(outcome.result)


def _text(result: Any) -> str:
    """Return what a handler returned, for the report. The work is done, so this never fails."""
    if result is None:
        return ""
    if isinstance(result, str):
        return result
    from router.encode import dumps

    try:
        return dumps(result).decode()
    except EncodeError as error:
        return f"({error})"
