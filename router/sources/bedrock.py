"""Bedrock agents: action groups, defined by an API schema (`GET /claims`) or by function details (a function's name).

An action that has no route of its own is the call of the tool of that name, or of the HTTP route that is a tool.
A handler returns the value for the agent; to set session attributes, the whole answer, with its `messageVersion`.
"""

from __future__ import annotations

from router.encode import JSON, dumps
from router.errors import EncodeError
from router.event import Event, Source
from router.numbers import loads
from router.response import Response
from router.sources._replies import answered, dig, json_bytes, object_at, plain_answer, text_at
from router.sources.tool import as_request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from router.http.headers import QueryParams


class BedrockEvent(Event):
    """One action. `params` are its parameters, typed; the body is the properties of the request's body, or `params`
    where the action is a function."""

    __slots__ = ("structured",)

    if TYPE_CHECKING:
        structured: frozenset[str]  # the arguments of a tool that are never a text

    @property
    def function(self) -> str | None:
        """The function's name, where the action group has function details."""
        return text_at(self.raw, "function")

    def _name(self) -> str:
        return self.function or f"{self.method} {self.path}"

    def _method(self) -> str:
        return as_request(self, "method", lambda: text_at(self.raw, "httpMethod") or "")

    def _path(self) -> str:
        return as_request(self, "path", lambda: text_at(self.raw, "apiPath") or "")

    def _params(self) -> dict[str, Any]:
        return as_request(self, "params", self._given)

    def _query(self) -> QueryParams:
        return as_request(self, "query", super()._query)

    def _given(self) -> dict[str, Any]:
        values = self._typed_values(self.raw.get("parameters"), "parameters")
        for name in getattr(self, "structured", frozenset()) & values.keys():
            if type(values[name]) is str:
                values[name] = _structure(values[name])
        return values

    def _arguments(self) -> Any:
        """Return the arguments of the tool that the action is; the body is one, or holds them all."""
        if self.function is not None:
            return self._given()
        request = None if self.route is None else self.route.request
        if request is None or not request.body or request.is_all:
            return {**self._given(), **self._content()}
        return {**self._given(), request.body: self._content()}

    def _parsed(self) -> Any:
        return as_request(self, "body", self._given if self.function is not None else self._content)

    def _content(self) -> dict[str, Any]:
        """Return the properties of the request's body."""
        content = object_at(self.raw, "requestBody", "content")
        kind = JSON if JSON in content else next(iter(content), "")
        return self._typed_values(dig(content, kind, "properties"), f"requestBody.content.{kind}.properties")

    def _body(self) -> bytes:
        value = self.json()
        return b"" if value is None else json_bytes(self, value, "requestBody")

    def _attributes(self) -> dict[str, Any]:
        return object_at(self.raw, "sessionAttributes")

    def _session_wire(self, attribute: str) -> Any:
        # The application sets these when it invokes the agent; neither the user nor the model does.
        return self.attributes.get(attribute)

    def _typed_values(self, held: Any, where: str) -> dict[str, Any]:
        """Return `[{"name", "type", "value"}]`, each value a text, as a mapping of Python values."""
        if held is None:
            return {}
        if type(held) is not list:
            self._refuse(f"bedrock-agent {where}: must be a list, not {type(held).__name__}")
        values: dict[str, Any] = {}
        for position, item in enumerate(held):
            name = text_at(item, "name")
            if name is None:
                self._refuse(f"bedrock-agent {where}[{position}]: it has no name")
            values[name] = self._typed_value(item.get("type"), item.get("value"), f"{where} {name!r}")
        return values

    def _typed_value(self, kind: Any, value: Any, where: str) -> Any:
        read = _TYPES.get(kind) if type(kind) is str else None
        if read is None or type(value) is not str:
            return value
        try:
            return read(value)
        except ValueError:
            self._refuse(f"bedrock-agent {where}: not a value of type {kind}")


def _number(text: str) -> float:
    from math import isfinite

    value = float(text)
    if not isfinite(value):
        raise ValueError("JSON knows neither infinity nor NaN")
    return value


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("true or false")
    return text.lower() == "true"


def _structure(text: str) -> Any:
    """Return a list or object. The model does not always write JSON; other text stays, for the handler to see."""
    try:
        return loads(text)
    except ValueError:
        return text


# The types of a schema, as Bedrock names them.
_TYPES: dict[str, Callable[[str], Any]] = {
    "string": str,
    "integer": int,
    "number": _number,
    "boolean": _boolean,
    "array": _structure,
    "object": _structure,
}


def read(source: Source, raw: Any, context: Any) -> list[Event]:
    """Return the action."""
    return [BedrockEvent(source, raw, context, raw)]


def answer(event: BedrockEvent, result: Any) -> Any:
    """Return the value in the envelope that the agent expects; a dict that is the envelope already goes as it is."""
    if isinstance(result, dict) and "messageVersion" in result:
        return plain_answer(result)
    if isinstance(result, Response):
        content_type = result.headers.get("content-type", JSON).partition(";")[0].strip()
        body = result.body or ("" if event.function is None else "null")
        text = body if isinstance(body, str) else _as_text(body)
        if event.function is not None and result.status >= 400:
            return plain_answer(_envelope(event, text, state=_state(result.status)))
        return plain_answer(_envelope(event, text, status=result.status, content_type=content_type))
    if event.function is not None and isinstance(result, str):
        return plain_answer(_envelope(event, result))
    return plain_answer(_envelope(event, dumps(result).decode()))


def failed(event: BedrockEvent, error: Exception) -> Any:
    """Return a problem document with its status or, for a function, a state: the agent asks again about what it
    sent wrong (REPROMPT) and gives up on anything else (FAILURE)."""
    if event.function is None:
        return answered(error, lambda document: answer(event, document))
    return answered(error, lambda document: _failure(event, document))


def _failure(event: BedrockEvent, document: Response) -> Any:
    said = loads(document.body or "{}")
    return plain_answer(_envelope(event, said.get("detail") or said["title"], state=_state(document.status)))


def _state(status: int) -> str:
    """Return whether an agent may ask again with other values, or gives up."""
    return "REPROMPT" if status < 500 else "FAILURE"


def _envelope(
    event: BedrockEvent, body: str, *, status: int = 200, content_type: str = JSON, state: str | None = None
) -> dict[str, Any]:
    raw = event.raw
    response: dict[str, Any] = {"actionGroup": raw.get("actionGroup")}
    if event.function is not None:
        said: dict[str, Any] = {"responseBody": {"TEXT": {"body": body}}}
        if state is not None:
            said["responseState"] = state
        response |= {"function": event.function, "functionResponse": said}
    else:
        response |= {
            "apiPath": raw.get("apiPath"),
            "httpMethod": raw.get("httpMethod"),
            "httpStatusCode": status,
            "responseBody": {content_type: {"body": body}},
        }
    return {"messageVersion": text_at(raw, "messageVersion") or "1.0", "response": response}


def _as_text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise EncodeError("cannot be written as JSON: an agent takes text, and the Response has other bytes") from None


def data_class(event: Event) -> str:
    """Return the class of the action group's kind."""
    if text_at(event.raw, "function") is not None:
        return "bedrock_agent_function_event.BedrockAgentFunctionEvent"
    return "bedrock_agent_event.BedrockAgentEvent"
