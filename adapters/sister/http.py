"""Call the HTTP operations of a sister service, by `adapters.http.Services`."""

from __future__ import annotations

from adapters.errors import InvalidMessage
from adapters.http.request import Outline, origin_of
from adapters.http.service_errors import ServiceFailed
from adapters.sister.calls import ANYTHING, CONTENT, NOTHING, TEXT, UnexpectedAnswer, given, read_json, text_of
from router.http.headers import is_json_type
from router.numbers import loads
from router.wire_fields import written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypedDict, TypeVar

    import httpx

    from adapters._core.outgoing import Outgoing
    from adapters.http import Services
    from adapters.http.services import RequestOptions
    from adapters.sister.calls import Enveloped, Operation
    from router.durations import Duration

    T = TypeVar("T")

    class CallOptions(TypedDict, total=False):
        """The keyword arguments of every call.

        headers: further ones.
        timeout: seconds, or a timedelta.
        session: the current one unless another is given; None attaches none.
        idempotent: whether it may be sent twice; by default GET, HEAD, OPTIONS, PUT and DELETE may.
        """

        headers: Mapping[str, str] | None
        timeout: Duration | None
        session: Outgoing
        idempotent: bool | None


_JSON = "application/json"


class HttpCalls:
    """The HTTP operations of one service.

    services: where it is, and how calls are made; None where none is made.
    service: its name among them.
    """

    def __init__(self, services: Services | None, service: str) -> None:
        self._services = services
        self._service = service

    def _call(
        self,
        operation: Operation[T],
        options: CallOptions,
        *,
        path: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, Any] | None = None,
        cookies: Mapping[str, Any] | None = None,
        body: Any = None,
    ) -> T:
        """Make a call and return its answer.

        path, query, headers, cookies: parameters by name; None leaves one out.

        Raises:
            ServiceFailed: the answer is an error. UnexpectedAnswer: it does not fit the type.
        """
        services = given(self._services, "services=")
        request = _request(operation, options, query, headers, cookies, body)
        segments = _segments(operation, path or {})
        try:
            response = services.request(self._service, operation.method, segments, **request)
        except ServiceFailed as failed:
            raise _told(failed, operation.envelope)  # noqa: B904 - it is the same error
        return self._read(operation, response)

    async def _call_async(
        self,
        operation: Operation[T],
        options: CallOptions,
        *,
        path: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, Any] | None = None,
        cookies: Mapping[str, Any] | None = None,
        body: Any = None,
    ) -> T:
        """`_call` from async code, without blocking its loop."""
        services = given(self._services, "services=")
        request = _request(operation, options, query, headers, cookies, body)
        segments = _segments(operation, path or {})
        try:
            response = await services.request_async(self._service, operation.method, segments, **request)
        except ServiceFailed as failed:
            raise _told(failed, operation.envelope)  # noqa: B904 - it is the same error
        return self._read(operation, response)

    def _read(self, operation: Operation[T], response: httpx.Response) -> T:
        read: Any = operation.read_of(response.status_code)
        found: Any
        envelope, is_json = operation.envelope, is_json_type(response.headers.get("content-type", ""))
        if envelope is not None and is_json and read is not CONTENT:
            found = self._opened(operation, response, envelope)
        elif read is CONTENT:
            found = response.content
        elif read is NOTHING or (not response.content and read is ANYTHING):
            found = None
        elif read is TEXT:
            found = response.text
        elif is_json:
            found = read_json(read, self._json(operation, response), str(operation), self._service)
        elif read is ANYTHING:
            found = response.text if response.headers.get("content-type", "").startswith("text/") else response.content
        else:
            raise self._unreadable(operation, "the answer has no content type of JSON")
        return found  # type: ignore[no-any-return]  # of the type that the operation names

    def _json(self, operation: Operation[Any], response: httpx.Response) -> Any:
        try:
            return loads(response.content)  # exact whole numbers
        except ValueError:
            raise self._unreadable(operation, "the answer is not JSON") from None

    def _opened(self, operation: Operation[Any], response: httpx.Response, envelope: Enveloped) -> Any:
        """Return what is in the envelope of an answer, which may be an error whatever its status is."""
        value = self._json(operation, response)
        if not envelope.holds(value):
            raise self._unreadable(operation, "the answer is not in the envelope of the service")
        if not envelope.is_success(value):
            request = response.request
            url = str(request.url)
            outline = Outline(self._service, origin_of(url), request.method, url, {}, None, 0, False)
            raise _told(ServiceFailed(outline, response, f" with the code {value[envelope.code]:.60}"), envelope)
        return read_json(operation.read_of(response.status_code), value[envelope.data], str(operation), self._service)

    def _unreadable(self, operation: Operation[Any], problem: str) -> UnexpectedAnswer:
        what = str(operation)
        return UnexpectedAnswer(f"{self._service} {what}: {problem}", service=self._service, operation=what)


def _told(failed: ServiceFailed, envelope: Enveloped | None) -> ServiceFailed:
    """Return an error with the code and the message that an envelope has in other places than a problem document."""
    if envelope is not None and envelope.holds(failed.problem):
        data = failed.problem[envelope.data]
        errors = data.get("errors") if isinstance(data, dict) else None
        failed.app_code, failed.detail = failed.problem[envelope.code], str(failed.problem.get(envelope.message) or "")
        failed.errors = tuple(one for one in errors if isinstance(one, dict)) if isinstance(errors, list) else ()
    return failed


def _request(
    operation: Operation[Any],
    options: CallOptions,
    query: Mapping[str, Any] | None,
    headers: Mapping[str, Any] | None,
    cookies: Mapping[str, Any] | None,
    body: Any,
) -> RequestOptions:
    """Return the options of a request to a service."""
    # In one case: what the caller sends beside has the same names as what is written here.
    beside: Mapping[Any, Any] = options.get("headers") or {}
    held = {name.lower() if isinstance(name, str) else name: value for name, value in beside.items()}
    held |= {name.lower(): text_of(value) for name, value in (headers or {}).items() if value is not None}
    pairs = [f"{name}={_cookie(name, value)}" for name, value in (cookies or {}).items() if value is not None]
    if pairs:
        held["cookie"] = "; ".join([held["cookie"], *pairs] if held.get("cookie") else pairs)
    request: RequestOptions = {"params": {name: _query(value) for name, value in (query or {}).items()}}
    if isinstance(body, bytes | str) and operation.media_type != _JSON:
        request["content"] = body
        held.setdefault("content-type", operation.media_type or _type_of(body))
    elif body is not None:
        request["json"] = written(body)
    request["headers"] = held
    if "timeout" in options:
        request["timeout"] = options["timeout"]
    if "session" in options:
        request["session"] = options["session"]
    if "idempotent" in options:
        request["idempotent"] = options["idempotent"]
    return request


def _cookie(name: str, value: Any) -> str:
    text = text_of(value)
    if not text.isascii() or not text.isprintable() or any(char in ' ",;\\' for char in text):
        raise InvalidMessage(f"the cookie {name} has a character that no cookie has (RFC 6265)")
    return text


def _type_of(body: bytes | str) -> str:
    return "text/plain; charset=utf-8" if isinstance(body, str) else "application/octet-stream"


def _query(value: Any) -> Any:
    if isinstance(value, list | tuple | set | frozenset):
        return [text_of(one) for one in value]
    return None if value is None else text_of(value)


def _segments(operation: Operation[Any], values: Mapping[str, Any]) -> list[str]:
    """Return the segments of a path, its parameters filled in."""
    segments: list[str] = []
    for step in operation.path.split("/")[1:]:
        if not step.startswith("{"):
            segments += [step] if step else []
            continue
        name = step[1:-1]
        if values.get(name) is None:
            raise InvalidMessage(f"{operation}: the parameter {name} of the path is missing")
        text = text_of(values[name])
        segments += text.split("/") if name == operation.greedy else [text]
    return segments
