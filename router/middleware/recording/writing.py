"""Make a recording of a call that has ended."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from os import urandom
from time import perf_counter

from router.errors import text_of
from router.middleware.recording.form import Recording
from router.middleware.recording.replayed import is_local
from router.middleware.recording.seen import written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.dispatch.invocation import Invocation
    from router.middleware.recording.masks import Masks
    from router.middleware.recording.seen import Seen

_MOST_FAILURES = 100


def recording_of(invocation: Invocation, seen: Seen, masks: Masks) -> Recording | None:
    """Return the recording of a call, without its secrets.

    None in a local run for an event with masks where secrets would be: a replay has written what it tells of.
    """
    from router import __version__

    at = datetime.fromtimestamp(seen.at / 1e9, UTC)
    found = masks.apply(
        {
            "payload": data_of(seen.payload),
            "context": _context(invocation.context),
            "answer": _answer(invocation.answer, seen),
            "error": None if invocation.error is None else error_of(invocation.error),
            "failures": [_failure(event) for event in _once(invocation.failed)[:_MOST_FAILURES]],
        }
    )
    if found.had_masks and is_local():
        return None
    value = found.value
    return Recording(
        id=f"{at:%Y%m%dT%H%M%S.%fZ}-{invocation.source}-{urandom(3).hex()}",
        recorded=f"{at:%Y-%m-%dT%H:%M:%S.%f}Z",
        source=str(invocation.source),
        routes=list(seen.routes),
        ms=round((perf_counter() - seen.started) * 1000, 3),
        library=__version__,
        context=value["context"],
        redact={"rules": list(masks.rules), "keep": list(masks.keep), "hits": found.hits},
        masked=found.places,
        payload=value["payload"],
        answer=value["answer"],
        error=value["error"],
        failures=value["failures"],
    )


def data_of(text: bytes) -> Any:
    """Return JSON as data, with whole numbers of any size."""
    from router.numbers import loads

    try:
        return loads(text)
    except ValueError:  # half a character, which orjson does not read
        import json

        return json.loads(text)


def error_of(error: BaseException) -> dict[str, Any]:
    """Return an error as a recording holds it."""
    return {"type": type(error).__name__, "message": text_of(error)[:10_000]}


def _failure(event: Any) -> dict[str, Any]:
    try:
        id = event.id
    except Exception:  # the payload is broken
        id = None
    route = None if event.route is None else str(event.route)
    return {"id": id, "route": route, **({} if event.error is None else error_of(event.error))}


def _once(events: list[Any]) -> list[Any]:
    return list({id(event): event for event in events}.values())


def _context(context: Any) -> dict[str, Any]:
    """Return what an answer may depend on beside the payload."""
    found = {
        "function_arn": getattr(context, "invoked_function_arn", None),
        "tenant_id": getattr(context, "tenant_id", None),
        "client_context": _client_context(getattr(context, "client_context", None)),
    }
    return {name: value for name, value in found.items() if value is not None and _is_json(value)}


def _client_context(given: Any) -> Any:
    """Return the client context as data: of Lambda it is an object of another kind than of this library's runtime."""
    if given is None or isinstance(given, dict):
        return given
    client = getattr(given, "client", None)
    found = {"custom": getattr(given, "custom", None), "env": getattr(given, "env", None)}
    if client is not None:
        found["client"] = (
            {name: str(value) for name, value in vars(client).items()} if hasattr(client, "__dict__") else {}
        )
    return {name: value for name, value in found.items() if value} or None


def _is_json(value: Any) -> bool:
    try:
        data_of(written(value))
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _answer(answer: Any, seen: Seen) -> Any:
    """Return an answer as data; of a stream with the body that was sent."""
    body = answer.get("body") if isinstance(answer, dict) else None
    if body is not None and hasattr(body, "then"):
        data = b"".join(seen.streams or ())
        text = data.decode() if seen.is_text else b64encode(data).decode()
        answer = {**answer, "body": text, "isBase64Encoded": not seen.is_text}
    return data_of(written(answer))
