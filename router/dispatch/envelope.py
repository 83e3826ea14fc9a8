"""`Envelope`: one form around every JSON answer, results and errors alike, for clients that expect it."""

from __future__ import annotations

from time import perf_counter

import orjson

from router.encode import JSON, dumps
from router.errors import ConfigurationError, HTTPError, InvalidEvent, NoRoute, SessionError
from router.event import Source
from router.http.headers import ResponseHeaders
from router.http.statuses import reason
from router.response import PROBLEM, Response, as_response, is_lambda_form, refuse_unawaited, to_response
from router.sources._replies import answered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from router.event import Event

# Errors that are about what was asked, of those that are no HTTPError.
_ABOUT_THE_CALL = (InvalidEvent, SessionError, NoRoute)
STARTED = "envelope.started"  # in `event.state`
_WITHOUT_CONTENT = (204, 205, 206, 304)


class Envelope:
    """Put every JSON answer into one form: `{"code": ..., "message": ..., "duration": ..., "data": ...}`.

    It holds for HTTP, messages of a WebSocket and direct invokes.

    code, message, duration, data: the names of its fields; None leaves the duration out.
    success, success_message: code and message of what succeeded.
    failure: the code of an error that has none of its own.
    codes: the codes of such errors by status, in place of `failure`: `{404: "S00404"}`.
    status: 200 for clients that look at the code alone: every answer in the envelope has it then. None keeps the
        status. A WebSocket keeps it in any case.
    answer_crashes: of a direct invoke, answer also what nothing expected. Lambda takes such a call for done: it neither
        tries again nor keeps it in a dead-letter queue. By default such a call fails, as without an envelope.

    Raises:
        ConfigurationError: an argument is of another type, or two fields have one name.
    """

    __slots__ = ("_codes", "_names", "always_ok", "answers_crashes", "failure", "success", "success_message")

    def __init__(
        self,
        *,
        code: str = "code",
        message: str = "message",
        duration: str | None = "duration",
        data: str = "data",
        success: str = "S00000",
        success_message: str = "Call Success",
        failure: str = "S99999",
        codes: Mapping[int, str] | None = None,
        status: int | None = None,
        answer_crashes: bool = False,
    ) -> None:
        names = [code, message, *([] if duration is None else [duration]), data]
        texts = (*names, success, success_message, failure, *(codes or {}).values())
        if not all(isinstance(text, str) and text for text in texts):
            raise ConfigurationError("Envelope(...): names of fields, codes and messages are texts that are not empty")
        if len(set(names)) < len(names):
            raise ConfigurationError(f"Envelope(...): two fields have one name: {', '.join(names)}")
        if status not in (None, 200):
            raise ConfigurationError(f"Envelope(status={status!r:.80}): give 200, or None to keep the status")
        self._names = code, message, duration, data
        for one in codes or {}:
            if not isinstance(one, int):
                raise ConfigurationError(f"Envelope(codes=...): {one!r:.80} is not a status; write {{404: 'S00404'}}")
        self._codes = dict(codes or {})
        self.success = success
        self.success_message = success_message
        self.failure = failure
        self.always_ok = status == 200
        self.answers_crashes = answer_crashes

    @property
    def names(self) -> tuple[str, str, str | None, str]:
        """Return the names of its fields: code, message, duration (None where it is left out) and data."""
        return self._names

    # ---- HTTP and WebSocket --------------------------------------------------------------------------------------

    def of_result(self, event: Event, result: Any) -> Any:
        """Return the result of a handler in the envelope; one that has no JSON form, or no content, as it is."""
        if event.source is Source.INVOKE:
            refuse_unawaited(result)
            return self._fields(event, self.success, self.success_message, result)
        if event.source is Source.WEBSOCKET and (result is None or event.name in ("$connect", "$disconnect")):
            return result
        if isinstance(result, str):
            return self.of_response(event, Response.json(result))
        if type(result) is tuple and result and isinstance(result[0], str):
            result = (Response.json(result[0]), *result[1:])
        elif event.source is Source.WEBSOCKET and not is_lambda_form(result):
            result = as_response(result) if isinstance(result, dict | list) else result
        return self.of_response(event, to_response(result))

    def of_response(self, event: Event, response: Response) -> Response:
        """Return a Response in the envelope; one that is no JSON, has no content or is in it already, as it is."""
        if isinstance(response, Enveloped) or response.body is None or response.status in _WITHOUT_CONTENT:
            return response
        plain = response._headers is None and response.status == 200 and type(response.body) is str
        if plain:  # what a dict became: there is nothing to look at
            return self._enveloped(event, response, self.success, self.success_message, response.body)
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in (JSON, PROBLEM) or "content-encoding" in response.headers:
            return response
        try:
            document = orjson.loads(response.body)
        except orjson.JSONDecodeError:
            return response  # it only says that it is JSON
        if response.status < 400:
            return self._enveloped(event, response, self.success, self.success_message, response.body)
        if kind == PROBLEM and isinstance(document, dict):
            return self._of_problem(event, response, document)
        code = self._codes.get(response.status, self.failure)
        return self._enveloped(event, response, code, reason(response.status), response.body)

    def _of_problem(self, event: Event, response: Response, document: dict[str, Any]) -> Response:
        """Return a problem document in the envelope: what it has beside its own members are the data."""
        title, detail, code = (document.pop(name, None) for name in ("title", "detail", "code"))
        document.pop("status", None)
        if not isinstance(code, str):
            code = self._codes.get(response.status, self.failure)
        data = dumps(document or None)
        return self._enveloped(event, response, code, str(detail or title or reason(response.status)), data)

    def _enveloped(
        self, event: Event, response: Response, code: str, message: str, data: str | bytes | None
    ) -> Response:
        """Return a Response with a body in the envelope; the headers stay, but for what they say of the old body."""
        names = self._names
        head = dumps({names[0]: code, names[1]: message}).decode()[:-1]
        text = data.decode() if isinstance(data, bytes) else data
        tail = f",{dumps(names[3]).decode()}:{text}}}"
        made = Enveloped._ok(head + self._duration_text(event) + tail)
        assert isinstance(made, Enveloped)  # noqa: S101 - for the type checker
        made.content = head + tail
        made.status = response.status
        made.cookies = response.cookies
        made._headers = _headers_of(response)
        return made

    def _duration_text(self, event: Event) -> str:
        name = self._names[2]
        return "" if name is None else f",{dumps(name).decode()}:{_elapsed(event)}"

    # ---- direct invokes ------------------------------------------------------------------------------------------

    def of_error(self, event: Event, error: Exception) -> Any:
        """Return the answer of a call that failed. Raises the error where the call is to fail."""
        refused = error.status < 500 if isinstance(error, HTTPError) else isinstance(error, _ABOUT_THE_CALL)
        if not (refused or self.answers_crashes):
            raise error
        document = orjson.loads(answered(error, lambda document: document.body))
        title, detail, code, status = (document.pop(name, None) for name in ("title", "detail", "code", "status"))
        if not isinstance(code, str):
            code = self._codes.get(status, self.failure)
        return self._fields(event, code, str(detail or title), document or None)

    def _fields(self, event: Event, code: str, message: str, data: Any) -> dict[str, Any]:
        names = self._names
        fields: dict[str, Any] = {names[0]: code, names[1]: message}
        if names[2] is not None:
            fields[names[2]] = _elapsed(event)
        return {**fields, names[3]: data}


class Enveloped(Response):
    """A Response in the envelope. `content` is its body without the duration, by which `ETag` tells two apart."""

    __slots__ = ("content",)

    content: str

    def _copy(self) -> Response:
        return self  # it was made for this request alone


def _headers_of(response: Response) -> ResponseHeaders | None:
    """Return the headers of a Response for its body in the envelope; None for what each JSON answer has."""
    if response._headers is None:
        return None
    many = response.headers.multi()
    many.pop("content-length", None)
    many["content-type"] = [JSON]
    etag = many.get("etag", [""])[0]
    if etag.startswith('"'):
        many["etag"] = [f"W/{etag}"]  # the duration differs each time, the meaning does not (RFC 9110 §8.8.1)
    if len(many) == 1:
        return None
    headers = ResponseHeaders()
    headers._values = many
    return headers


def _elapsed(event: Event) -> float:
    """Return the seconds since the dispatch of an event began."""
    now = perf_counter()
    started: float = event.state.get(STARTED, now)
    return round(now - started, 6)
