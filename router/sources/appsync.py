"""AppSync: one field to resolve, or a batch of them (`BatchInvoke`, or a direct resolver with maxBatchSize).

The type and message of an error go to the client, so of errors that are not the library's it sees neither.
"""

from __future__ import annotations

from router.errors import EncodeError, InvalidEvent
from router.event import Event, Source
from router.sources._replies import dig, headers_in, json_bytes, object_at, plain_answer, raise_told, text_at, told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.http.headers import Headers
    from router.sources import Outcome


class ClientEvent(Event):
    """An event of AppSync's clients: what is known of who sent it."""

    __slots__ = ()
    _from_client = True

    def _context(self) -> Any:
        """Return the part of the payload that holds identity and request."""
        return self.record

    def _claims(self) -> dict[str, Any]:
        """Return the claims of the user's token or, with a Lambda authorizer, what that one said."""
        identity = object_at(self._context(), "identity")
        said = object_at(identity, "resolverContext") or object_at(identity, "handlerContext")
        return object_at(identity, "claims") or said

    def _headers(self) -> Headers:
        return headers_in(self, self._context(), "request", "headers")

    def _source_ip(self) -> str | None:
        addresses = dig(self._context(), "identity", "sourceIp")
        # What stands before the last one came with the request (X-Forwarded-For): a client may have made it up.
        last = addresses[-1] if type(addresses) is list and addresses else None
        return last if type(last) is str else None

    def _trace_id(self) -> str | None:
        return self.headers.get("x-amzn-trace-id") or super()._trace_id()


class AppSyncEvent(ClientEvent):
    """One field. Its body is the arguments; the object that the field belongs to is `record["source"]`."""

    __slots__ = ()

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
        from logging import getLogger

        getLogger("router").error("appsync: the result of a field %s", error)  # noqa: TRY400 - it names a type
        return _failure(error)


def failed(event: Event, error: Exception) -> Any:
    """Replace the message of an error that is not the library's: AppSync shows it to the client."""
    raise_told(error)
