"""Direct invocation by action, and the environment of an ECS task by task name.

A payload is the envelope `{"action": ..., "data": ..., "session": ...}`, or anything else: a record of a Lambda
destination, a list from EventBridge Pipes, a number.
"""

from __future__ import annotations

import orjson

from router.event import Event, Source
from router.sources._replies import LIMIT, json_bytes, plain_answer, text_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class InvokeEvent(Event):
    """One call. The body is the envelope's `data`, or the payload where there is no envelope."""

    __slots__ = ()
    _session_purpose = "invoke"

    def _name(self) -> str:
        action = self.raw.get("action") if type(self.raw) is dict else None
        return action if type(action) is str else ""

    def _parsed(self) -> Any:
        raw = self.raw
        if type(raw) is not dict:
            return raw
        attribute, legacy = self._policy.attribute, self._policy.legacy
        if "data" in raw:
            is_envelope = "action" in raw or attribute in raw or (legacy is not None and legacy.is_envelope(raw))
            return raw["data"] if is_envelope else raw
        # Nothing but the envelope's own keys: a call without data. Somebody else's payload may have an `action` too.
        keys = {"action", attribute} if legacy is None else {"action", attribute, legacy.attribute}
        return None if raw and not raw.keys() - keys else raw

    def _body(self) -> bytes:
        return json_bytes(self, self.json(), "payload")

    def _session_wire(self, attribute: str) -> Any:
        return self.raw.get(attribute) if type(self.raw) is dict else None


class TaskEvent(Event):
    """The start of an ECS task. Its payload is an environment, which holds secrets: it is neither copied nor shown."""

    __slots__ = ()
    _session_purpose = "task"

    def __repr__(self) -> str:
        return f"<Event task name={self.name!r} id={self.id!r}>"

    def _id(self) -> str:
        """Return the task's id, which stands in the metadata URI: http://169.254.170.2/v4/TASKID-CONTAINER."""
        uri = self.raw.get("ECS_CONTAINER_METADATA_URI_V4")
        task = uri.rpartition("/")[2].partition("-")[0] if isinstance(uri, str) else ""
        return task or super()._id()

    def _name(self) -> str:
        name = self.raw.get("TASK_NAME")
        return name if isinstance(name, str) else ""

    def _text(self) -> str:
        data = self.raw.get("TASK_DATA", "{}")
        if not isinstance(data, str):
            self._refuse(f"task TASK_DATA: must be text, not {type(data).__name__}")
        return data

    def _body(self) -> bytes:
        return text_bytes(self, self.text, "TASK_DATA")

    def _parsed(self) -> Any:
        try:
            return self._checked(self.text, orjson.loads(self.body))
        except orjson.JSONDecodeError as error:
            self._refuse(f"task TASK_DATA: not valid JSON (line {error.lineno}, column {error.colno})")

    def _session_wire(self, attribute: str) -> Any:
        return self.raw.get("JUNCTION_SESSION") or self.raw.get("SESSION") or None


def is_task(payload: Any) -> bool:
    """Whether a payload is the environment of a task: variables, of which one names the task."""
    return isinstance(payload, dict) and bool(payload.get("TASK_NAME")) and is_environment(payload)


def is_environment(payload: Any) -> bool:
    """Whether a payload has texts alone."""
    return isinstance(payload, dict) and all(isinstance(one, str) for one in payload.values())


def read(source: Source, raw: Any, context: Any) -> list[Event]:
    """Return the call, or the start of the task."""
    if source is Source.TASK:
        # The record is what patterns and logs look at: of the environment, only the name.
        return [TaskEvent(source, raw, context, {"TASK_NAME": raw.get("TASK_NAME")})]
    return [InvokeEvent(source, raw, context, raw)]


def answer(event: Event, result: Any) -> Any:
    """Return the result in plain JSON values; AnswerTooLarge over what Lambda returns to a caller."""
    if event.source is Source.TASK:
        return result  # nobody waits for it but run_task
    return plain_answer(result, LIMIT)
