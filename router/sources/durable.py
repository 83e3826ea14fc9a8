"""The envelope of a durable function, which holds the event of whatever triggered it as text."""

from __future__ import annotations

import orjson

from router.errors import InvalidEvent
from router.numbers import exact

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ARN, _TOKEN = "DurableExecutionArn", "CheckpointToken"


def is_envelope(raw: Any) -> bool:
    """Return whether a payload is an envelope, or what the test runner of AWS hands over in the place of one."""
    if type(raw) is dict:
        return _ARN in raw and _TOKEN in raw
    return type(raw).__name__ == "DurableExecutionInvocationInputWithClient"


class Envelope:
    """An envelope that was read.

    arn: names the execution.
    is_replay: whether the execution began in an earlier call.
    payload: the event as text; None where it has to be fetched.
    event: the event of the trigger.

    Raises:
        InvalidEvent: it is malformed.
    """

    __slots__ = ("arn", "event", "is_replay", "payload")

    def __init__(self, raw: Any) -> None:
        fields = raw if type(raw) is dict else raw.to_json_dict()
        self.arn: str = fields[_ARN]
        state = fields.get("InitialExecutionState") or {}
        operations = state.get("Operations") or [] if type(state) is dict else None
        if type(self.arn) is not str or type(operations) is not list:
            raise InvalidEvent("the envelope of a durable execution is malformed: DurableExecutionArn, Operations")
        more = bool(state.get("NextMarker"))
        self.is_replay = len(operations) > 1 or more
        self.payload: str | None = None
        self.event: Any = None
        started = [one for one in operations if type(one) is dict and one.get("Type") == "EXECUTION"]
        if started:
            self._read(started[0])
        elif not more:
            raise InvalidEvent("the envelope of a durable execution has no operation of the type EXECUTION")

    def _read(self, operation: dict[str, Any]) -> None:
        details = operation.get("ExecutionDetails")
        payload = details.get("InputPayload") if type(details) is dict else None
        if payload is not None and type(payload) is not str:
            raise InvalidEvent("the envelope of a durable execution: InputPayload is not text")
        self.payload = payload or ""
        try:
            # Without any payload the SDK hands its handler an empty object.
            self.event = _read(self.payload) if self.payload.strip() else {}
        except (ValueError, RecursionError) as error:
            raise InvalidEvent(f"the input of the durable execution is not valid JSON: {error}") from None


def _read(text: str) -> Any:
    """Return an event as Lambda's runtime reads it: with exact numbers, and lone surrogates. Raises ValueError."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        import json

        return json.loads(text)
    # Bodies in records are text, of which events read exact numbers by themselves.
    return value if type(value) is dict and "Records" in value else exact(text, value)
