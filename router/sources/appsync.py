"""AppSync: one field to resolve, or a batch of them (`BatchInvoke`, or a direct resolver with maxBatchSize).

The type and message of an error go to the client, so of errors that are not the library's it sees neither.
"""

from __future__ import annotations

from router.errors import EncodeError, InvalidEvent
from router.event import Event, Source
from router.sources._replies import dig, json_bytes, object_at, plain_answer, raise_told, text_at, told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from router.http.headers import Headers
    from router.sources import Outcome


class AppSyncEvent(Event):
    """One field. Its body is the arguments; the object that the field belongs to is `record["source"]`."""

    __slots__ = ()
    _from_client = True

    def _name(self) -> str:
        """Return `Type.field`, of a direct resolver or of the payload that Amplify's template makes."""
        of_type = text_at(self.record, "info", "parentTypeName") or text_at(self.record, "typeName") or ""
        field = text_at(self.record, "info", "fieldName") or text_at(self.record, "fieldName") or ""
        return f"{of_type}.{field}"

    def _records(self) -> list[Any]:
        return list(self.raw) if type(self.raw) is list else [self.raw]

    def _params(self) -> dict[str, Any]:
        return object_at(self.record, "arguments")

    def _parsed(self) -> Any:
        return dig(self.record, "arguments")

    def _body(self) -> bytes:
        return json_bytes(self, self.json(), "arguments")

    def _claims(self) -> dict[str, Any]:
        """Return the claims of the user's token or, with a Lambda authorizer, what that one said."""
        identity = object_at(self.record, "identity")
        return object_at(identity, "claims") or object_at(identity, "resolverContext")

    def _headers(self) -> Headers:
        from router.http.headers import Headers

        return Headers(self._header_values())

    def _header_values(self) -> Iterator[tuple[str, list[str]]]:
        for name, value in object_at(self.record, "request", "headers").items():
            if type(value) is not str:
                self._refuse(f"appsync request.headers.{name}: must be text, not {type(value).__name__}")
            yield name, [value]

    def _source_ip(self) -> str | None:
        addresses = dig(self.record, "identity", "sourceIp")
        # What stands before the last one came with the request (X-Forwarded-For): a client may have made it up.
        last = addresses[-1] if type(addresses) is list and addresses else None
        return last if type(last) is str else None

    def _trace_id(self) -> str | None:
        return self.headers.get("x-amzn-trace-id") or super()._trace_id()


def read(source: Source, raw: Any, context: Any) -> list[Event]:
    """Return the field, or one Event a field of a batch."""
    if type(raw) is not list:
        return [AppSyncEvent(source, raw, context, raw)]
    events: list[Event] = []
    for position, item in enumerate(raw):
        if type(item) is not dict:
            raise InvalidEvent(f"appsync [{position}]: must be an object, not {type(item).__name__}")
        event = AppSyncEvent(source, raw, context, item)
        request_id = events[0].id.rpartition("/")[0] if events else event.id
        event.id = f"{request_id}/{position}"
        events.append(event)
    return events


def answer(subject: Any, result: Any, outcomes: list[Outcome] | None = None) -> Any:
    """Return the value of one field, or for a batch, `answer(raw, events, outcomes)`, a list in order.

    In a batch a field that failed is `{"data", "errorMessage", "errorType"}` (AppSync developer guide, "Returning
    individual errors"). The others stay the values they are: what a field answers does not depend on its neighbours.
    """
    if outcomes is None:
        return plain_answer(result)
    values = [_failure(outcome.error) if outcome.failed else outcome.result for outcome in outcomes]
    try:
        return plain_answer(values)
    except EncodeError:
        return plain_answer([_written(value) for value in values])


def _failure(error: BaseException | None) -> dict[str, Any]:
    if error is None:
        kind, message = "NotStarted", "the time of the call was over before this field's turn"
    else:
        kind, message = told(error)
    return {"data": None, "errorMessage": message, "errorType": kind}


def _written(value: Any) -> Any:
    try:
        return plain_answer(value)
    except EncodeError as error:
        return _failure(error)


def failed(event: Event, error: Exception) -> Any:
    """Replace the message of an error that is not the library's: AppSync shows it to the client."""
    raise_told(error)
