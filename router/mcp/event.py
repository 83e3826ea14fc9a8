"""The call of a tool that came in a request of the Model Context Protocol."""

from __future__ import annotations

from router.event import Source
from router.sources.tool import ToolEvent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from router.event import Event
    from router.event_trace import EventTrace
    from router.http.headers import Headers, QueryParams

_TOOL = Source.TOOL


class McpToolEvent(ToolEvent):
    """The call of a tool, in a request over HTTP. `outer` is that request; `json()` and `raw` are the arguments.

    Headers, query, cookies, claims, address, trace, id and session are those of the request: nothing of the arguments
    says who is calling.
    """

    __slots__ = ()

    if TYPE_CHECKING:
        outer: Event

    def __init__(self, name: str, arguments: Any, outer: Event) -> None:
        """Make the call of a tool.

        name: of the tool. arguments: what the client sent, None for none. outer: the request.
        """
        self.source = _TOOL
        self.name = name
        self.raw = arguments
        self.outer = outer
        self.context = outer.context
        self._policy = outer._policy
        self._own_session = outer._own_session  # what authenticated the request has put there

    @property
    def full_name(self) -> str:
        """Return the tool's name: no gateway stands in between that puts a target in front."""
        return self.name

    @property
    def message_id(self) -> str | None:
        """Return the id of the MCP message. A client counts its messages: it is unique in one connection alone."""
        return str(self.outer.json()["id"])

    @property
    def request_id(self) -> str | None:
        """Return the id of the request."""
        return self.outer.id

    def _said(self, name: str) -> str | None:
        return None  # no gateway called

    def _id(self) -> str:
        return self.outer.id

    def _headers(self) -> Headers:
        return self.outer.headers

    def _let_through_query(self) -> QueryParams:
        return self.outer.query

    def _cookies(self) -> dict[str, str]:
        return self.outer.cookies

    def _claims(self) -> Any:
        return self.outer.claims

    def _source_ip(self) -> str | None:
        return self.outer.source_ip

    def _timestamp(self) -> datetime | None:
        return self.outer.timestamp

    def _tenant_id(self) -> str | None:
        return self.outer.tenant_id

    def _trace(self) -> EventTrace:
        return self.outer.trace

    def _trace_id(self) -> str | None:
        return self.outer.trace_id
