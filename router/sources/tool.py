"""Tools that an AgentCore Gateway calls: the payload is the arguments, and the client context says which tool it is.

A handler returns the value for the agent. What is wrong with a call goes back in the form that MCP has for it, so that
the model can read it and try again; an error of the application fails the call, with nothing of its text.
"""

from __future__ import annotations

from router.encode import dumps
from router.errors import AppError, HTTPError, InvalidEvent, NoRoute, SessionError
from router.event import Event, Source
from router.http.headers import is_json_type
from router.numbers import loads
from router.response import Response
from router.sources._client_context import TOOL_NAME, as_object, custom_of
from router.sources._replies import LIMIT, json_bytes, plain_answer, raise_told, told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeVar

    from router.http.headers import Headers, QueryParams

    T = TypeVar("T")

_PREFIX = "bedrockAgentCore"
_BETWEEN = "___"  # the target's name and the tool's; no name of a target has an underscore
# What may be said of an error to the model, which can mend some of it.
TOLD = (HTTPError, InvalidEvent, NoRoute, SessionError)


class ToolEvent(Event):
    """The call of a tool. `name` is the tool's own name; `json()` and the body are the arguments.

    `headers` and `query` hold what the target's configuration lets through, as the gateway's client sent it.
    """

    __slots__ = ()
    _from_client = True

    @property
    def full_name(self) -> str:
        """The tool's name with the target in front, as the gateway's clients know it: `orders___find_order`."""
        return str(custom_of(self.context).get(TOOL_NAME) or "")

    @property
    def target(self) -> str:
        """The name of the gateway's target; empty where the tool's name came without one."""
        before, between, _ = self.full_name.partition(_BETWEEN)
        return before if between else ""

    @property
    def gateway_id(self) -> str | None:
        """The id of the gateway."""
        return self._said("GatewayId")

    @property
    def target_id(self) -> str | None:
        """The id of the gateway's target."""
        return self._said("TargetId")

    @property
    def message_id(self) -> str | None:
        """The id of the MCP message. A client counts its messages: it is unique in one connection alone."""
        return self._said("McpMessageId")

    @property
    def request_id(self) -> str | None:
        """The id that AWS gave the request of the gateway's client."""
        return self._said("AwsRequestId")

    @property
    def message_version(self) -> str | None:
        """The version of the form in which the gateway calls."""
        return self._said("MessageVersion")

    def _said(self, name: str) -> str | None:
        held = custom_of(self.context).get(_PREFIX + name)
        if isinstance(held, int) and not isinstance(held, bool):
            return str(held)  # the ids of MCP are texts or numbers
        return held if isinstance(held, str) and held else None

    def _name(self) -> str:
        before, _, name = self.full_name.partition(_BETWEEN)
        return name or before

    def _id(self) -> str:
        # One request may hold several messages, and each client counts its own from one.
        request, message = self.request_id, self.message_id
        if request is None:
            return super()._id()
        return request if message is None else f"{request}:{message}"

    def _headers(self) -> Headers:
        from router.http.headers import Headers

        return Headers(self._let_through("PropagatedHeaders"))

    def _query(self) -> QueryParams:
        return as_request(self, "query", self._let_through_query)

    def _let_through_query(self) -> QueryParams:
        from router.http.headers import QueryParams

        return QueryParams(dict(self._let_through("PropagatedQueryParameters")))

    def _cookies(self) -> dict[str, str]:
        from router.sources._requests import parse_cookies

        return parse_cookies(self.headers.getall("cookie"))

    def _let_through(self, name: str) -> list[tuple[str, list[str]]]:
        """Return what the gateway let through of a request. What is malformed is refused: it may be what restricts."""
        held = custom_of(self.context).get(_PREFIX + name)
        if held is None or held == "":
            return []
        found = as_object(held)
        if found is None:
            self._refuse(f"tool {_PREFIX}{name}: must be an object, or its JSON, not {type(held).__name__}")
        pairs = []
        for key, value in found.items():
            values = value if isinstance(value, list) else [value]
            if not isinstance(key, str) or not all(isinstance(one, str) for one in values):
                self._refuse(f"tool {_PREFIX}{name}.{key!r:.80}: must be text")
            pairs.append((key, values))
        return pairs

    def _method(self) -> str:
        return as_request(self, "method", str)

    def _path(self) -> str:
        return as_request(self, "path", str)

    def _params(self) -> dict[str, Any]:
        return as_request(self, "params", dict)

    def _arguments(self) -> Any:
        return self.raw

    def _parsed(self) -> Any:
        return as_request(self, "body", self._arguments)

    def _body(self) -> bytes:
        value = self.json()
        if value is None and self.route is not None and self.route.request is not None:
            return b""
        return json_bytes(self, value, "arguments")


def as_request(event: Event, part: str, otherwise: Callable[[], T]) -> T:
    """Return a part of the request that a call is in the place of, where the tool is an HTTP route, too.

    part: "method", "path", "params", "query" or "body". otherwise: returns it for any other tool.
    """
    request = None if event.route is None else event.route.request
    if request is None:
        return otherwise()
    held: T = request.part(part, arguments_of(event))
    return held


def arguments_of(event: Event) -> Mapping[str, Any]:
    """Return the arguments of a call. A tool without any may be called with null."""
    held = event._arguments()
    if isinstance(held, dict):
        return held
    if held is not None:
        raise InvalidEvent(f"tool: the arguments must be an object, not {type(held).__name__}")
    return {}


def read(source: Source, raw: Any, context: Any) -> list[Event]:
    """Return the call."""
    return [ToolEvent(source, raw, context, raw)]


def answer(event: ToolEvent, result: Any) -> Any:
    """Return the value in plain JSON, which the gateway hands its client as text. Of a Response it is the content."""
    if not isinstance(result, Response):
        return plain_answer(result, LIMIT)
    content = content_of(result)
    if result.status < 400:
        return plain_answer(content, LIMIT)
    return _refusal(content if isinstance(content, str) else dumps(content).decode())


def content_of(response: Response) -> Any:
    """Return the value that the body of a Response stands for: parsed where it says that it is JSON, else text."""
    body = response.body
    if not isinstance(body, str | bytes):
        return body
    text = body if isinstance(body, str) else body.decode(errors="replace")
    if not is_json_type(response.headers.get("content-type", "")):
        return text
    try:
        return loads(text)
    except ValueError:
        return text


def failed(event: ToolEvent, error: Exception) -> Any:
    """Return what is wrong with a call, in the form of MCP. Any other error fails the call: the gateway reports it."""
    if not isinstance(error, TOLD):
        raise_told(error)
    return _refusal(explained(error))


def explained(error: Exception) -> str:
    """Return all that the model can mend: each argument that is wrong, not the first one alone."""
    listed = error.members.get("errors") if isinstance(error, HTTPError) else None
    if isinstance(listed, list) and len(listed) > 1 and all(isinstance(one, dict) for one in listed):
        return "; ".join(f"{one.get('at')}: {one.get('message')}" for one in listed)
    kind, text = told(error)
    return f"[{kind}] {text}" if isinstance(error, AppError) else text


def _refusal(text: str) -> dict[str, Any]:
    # A lone surrogate in a message would end the process of the runtime client.
    said = text.encode(errors="backslashreplace").decode()
    return {"content": [{"type": "text", "text": said}], "isError": True}
