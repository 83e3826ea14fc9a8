"""Read messages of the Model Context Protocol out of requests: revisions, JSON-RPC, headers that repeat the body."""

from __future__ import annotations

from router.encode import JSON, dumps
from router.errors import BadRequest
from router.event import Source
from router.http.headers import is_json_type
from router.response import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any

    from router.event import Event

STATELESS = "2026-07-28"
"""The revision in which each request says everything: nothing is agreed on before it."""
HANDSHAKE = ("2025-11-25", "2025-06-18", "2025-03-26")
"""The revisions that begin with `initialize`, the newest first."""
SUPPORTED = (STATELESS, *HANDSHAKE)

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
HEADER_MISMATCH = -32020
UNSUPPORTED_VERSION = -32022

_PREFIX = "io.modelcontextprotocol/"
VERSION_KEY = _PREFIX + "protocolVersion"
CAPABILITIES_KEY = _PREFIX + "clientCapabilities"
SERVER_KEY = _PREFIX + "serverInfo"
# The stateless revision says by a status of HTTP what is wrong, so that what stands in between can tell.
_STATUSES = {METHOD_NOT_FOUND: 404}
# Before it only a message that is none had one: any other error is the answer to a request.
_OF_HANDSHAKE = (METHOD_NOT_FOUND, INVALID_PARAMS)
# What `Mcp-Name` repeats of the parameters, by method.
_NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}


class Refusal(Exception):
    """A message that is answered with an error of JSON-RPC.

    code, text, data: the error. id: that of the request; None where it has none that counts.
    status: of HTTP.
    """

    def __init__(self, code: int, text: str, data: Any = None, *, id: Any = None, status: int = 400) -> None:
        super().__init__(text)
        self.code = code
        self.data = data
        self.id = id
        self.status = status

    @property
    def response(self) -> Response:
        """Return the answer."""
        error = {"code": self.code, "message": str(self)}
        if self.data is not None:
            error["data"] = self.data
        return Response(
            dumps({"jsonrpc": "2.0", "id": self.id, "error": error}).decode(), self.status, content_type=JSON
        )


class Message:
    """A request of a client.

    id: an integer or a text. stateless: whether it is of the revision that agrees on nothing before.
    """

    __slots__ = ("id", "method", "params", "stateless")

    def __init__(self, id: int | str, method: str, params: dict[str, Any], stateless: bool) -> None:
        self.id = id
        self.method = method
        self.params = params
        self.stateless = stateless

    def refusal(self, code: int, text: str, data: Any = None) -> Refusal:
        """Return the error that answers it."""
        status = _STATUSES.get(code, 400)
        if not self.stateless and code in _OF_HANDSHAKE:
            status = 200
        return Refusal(code, text, data, id=self.id, status=status)


def check_origin(origin: str, allowed: Collection[str]) -> None:
    """Refuse a page of another origin: a browser sends what it says from within the networks of whoever opens it.

    origin: the header. allowed: the origins that may call; "*" among them for every one.

    Raises:
        Refusal: it is not among them.
    """
    if origin not in allowed and "*" not in allowed:
        raise Refusal(INVALID_REQUEST, "pages of this origin may not call this server", status=403)


def read(event: Event, origins: Collection[str]) -> Message | None:
    """Return the request in the body; None for a notification, which is not answered.

    origins: the origins of pages that may call.

    Raises:
        Refusal: it is not a message that this server takes.
    """
    headers = _headers_of(event)
    if headers.get("origin") is not None:
        check_origin(event.headers["origin"], origins)
    if headers.get("content-type") != JSON or headers.get("accept") != _USUAL_ACCEPT:
        _check_types(event.headers)
    try:
        held = event.json()
    except BadRequest as error:
        raise Refusal(PARSE_ERROR, error.detail or "the body is not JSON") from None
    if type(held) is not dict:
        what = "batches do not exist here: send one message at a time" if type(held) is list else "it must be an object"
        raise Refusal(INVALID_REQUEST, f"the body is not a message of JSON-RPC: {what}")
    get = held.get
    method, id = get("method"), _sound(get("id"))
    if get("jsonrpc") != "2.0" or type(method) is not str:
        raise Refusal(INVALID_REQUEST, 'a request has "jsonrpc": "2.0" and a "method"', id=id)
    if id is None and "id" not in held:
        _check_version(event.headers.get("mcp-protocol-version"), None)
        return None
    if id is None:
        told = f"the id of a request is an integer or a text, of up to {_LONGEST_ID} characters"
        raise Refusal(INVALID_REQUEST, told)
    params = get("params", _EMPTY)
    if type(params) is not dict:
        raise Refusal(INVALID_PARAMS, "params must be an object", id=id)
    stateless = _is_stateless(headers, method, params, id)
    if stateless:
        if headers.get("mcp-method") != method or headers.get("mcp-name") != params.get("name"):
            _check_repeated(event.headers, method, params, id)
    elif headers.get("mcp-method") is not None or headers.get("mcp-name") is not None:
        # Nobody has to send them there, but what stands in between may believe them all the same.
        _check_repeated(event.headers, method, params, id, needed=False)
    return Message(id, method, params, stateless)


_EMPTY: dict[str, Any] = {}
_LONGEST_ID = 256
_HIGHEST_ID = 10 ** (_LONGEST_ID - 1)
_USUAL_ACCEPT = "application/json, text/event-stream"
_LOWERED = (Source.HTTP, Source.URL)


def _headers_of(event: Event) -> Mapping[str, str]:
    """Return the headers: as they came, where the source has put their names in lower case; reading all of them costs.

    Where it has not, the type of the content shows it: whatever a browser sends, it sends all names in one way.
    """
    held = event.raw.get("headers") if event.source in _LOWERED else None
    return held if type(held) is dict and "content-type" in held else event.headers


def _sound(id: Any) -> int | str | None:
    """Return an id; None for what is none, or so long that the answer could not repeat it."""
    if type(id) is int:
        return id if -_HIGHEST_ID < id < _HIGHEST_ID else None
    return id if type(id) is str and len(id) <= _LONGEST_ID else None


def _check_types(headers: Mapping[str, str]) -> None:
    """Refuse a body that is not JSON, as a form is that any page may send; and a client that takes no JSON."""
    declared = headers.get("content-type", "")
    if declared != JSON and not is_json_type(declared):
        raise Refusal(INVALID_REQUEST, "send the message as application/json", status=415)
    accepted = headers.get("accept")
    if accepted is not None and JSON not in accepted:
        kinds = {one.partition(";")[0].strip().lower() for one in accepted.split(",")}
        if not kinds & {JSON, "application/*", "*/*"}:
            raise Refusal(INVALID_REQUEST, "answers are application/json: accept that", status=406)


def _is_stateless(headers: Mapping[str, str], method: str, params: dict[str, Any], id: int | str) -> bool:
    """Return whether a request is of the stateless revision. Raises Refusal where header and body differ."""
    held = params.get("_meta")
    meta = held if type(held) is dict else _EMPTY
    said = meta.get(VERSION_KEY)
    version = headers.get("mcp-protocol-version")
    if said is not None and said != version:
        raise Refusal(HEADER_MISMATCH, f"the header MCP-Protocol-Version is not {VERSION_KEY} in params._meta", id=id)
    if version == STATELESS:
        if said is None or type(meta.get(CAPABILITIES_KEY)) is not dict:
            raise Refusal(INVALID_PARAMS, f"params._meta must have {VERSION_KEY} and {CAPABILITIES_KEY}", id=id)
        return True
    if method != "initialize":  # which asks for a revision in its parameters
        _check_version(None if version is None else str(version), id)
    return False


def _check_version(version: str | None, id: int | str | None) -> None:
    """Refuse a revision that is not spoken here, with those that are."""
    if version is not None and version not in SUPPORTED:
        data = {"supported": list(SUPPORTED), "requested": version[:100]}
        raise Refusal(UNSUPPORTED_VERSION, "this revision of the protocol is not supported", data, id=id)


def _check_repeated(
    headers: Mapping[str, str], method: str, params: dict[str, Any], id: int | str, *, needed: bool = True
) -> None:
    """Refuse headers that say something else than the body: what stands in between believes them.

    needed: whether they have to be there.
    """
    if (needed or "mcp-method" in headers) and headers.get("mcp-method") != method:
        raise Refusal(HEADER_MISMATCH, "the header Mcp-Method is not the method of the message", id=id)
    key = _NAMED.get(method)
    name = None if key is None else params.get(key)
    if name is not None and (needed or "mcp-name" in headers) and _decoded(headers.get("mcp-name")) != name:
        raise Refusal(HEADER_MISMATCH, f"the header Mcp-Name is not the {key} in params", id=id)


def _decoded(value: str | None) -> str | None:
    """Return a header that may be in base64, `=?base64?...?=`, as names are that a header cannot hold."""
    if value is None or not (value.startswith("=?base64?") and value.endswith("?=")):
        return value
    from base64 import b64decode

    try:
        return b64decode(value[9:-2], validate=True).decode()
    except ValueError:
        return None
