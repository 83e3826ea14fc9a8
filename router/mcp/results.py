"""Write what tools return: text for the model, and the same as JSON where it is an object."""

from __future__ import annotations

from orjson import Fragment
from orjson import dumps as quoted

from router.encode import dumps
from router.errors import AnswerTooLarge
from router.event import Source
from router.mcp.protocol import SERVER_KEY
from router.response import Response, StreamResponse, refuse_unawaited
from router.sources._answers import LIMIT, SURELY_FITS
from router.sources.tool import content_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.event import Event
    from router.mcp.protocol import Message

_ALB_LIMIT = 1024 * 1024
# For the envelopes around a result.
_ROOM = 2048


class Form:
    """The envelopes of results, made once.

    server: the name and version of the server, which each stateless answer says.
    """

    __slots__ = ("_stateless",)

    def __init__(self, server: dict[str, Any]) -> None:
        self._stateless = f'"_meta":{dumps({SERVER_KEY: server}).decode()},"resultType":"complete"'

    def result(self, message: Message, members: str) -> Response:
        """Return the answer to a request.

        members: of its result, as JSON without the braces.
        """
        id = message.id
        written = str(id) if type(id) is int else quoted(id).decode()
        if message.stateless:
            members = f"{self._stateless},{members}" if members else self._stateless
        return Response._ok(f'{{"jsonrpc":"2.0","id":{written},"result":{{{members}}}}}')

    def called(self, event: Event, message: Message, result: Any) -> Response:
        """Return the answer to a call.

        event: the request. result: what the handler returned.

        Raises:
            AnswerTooLarge: the source does not take as much.
            EncodeError: it has no form in JSON.
        """
        is_error = False
        if type(result) is dict:
            body = dumps(result).decode()
        else:
            if isinstance(result, Response):
                is_error, result = result.status >= 400, _content_of(result)
            else:
                refuse_unawaited(result)
            if isinstance(result, str):
                return self.said(event, message, result, is_error)
            if result is None:
                return self.result(message, f'"content":[],"isError":{_WORDS[is_error]}')
            body = dumps(result).decode()
        text = quoted(body).decode()
        structured = f'"structuredContent":{body},' if body[0] == "{" and not is_error else ""
        members = f'"content":[{{"type":"text","text":{text}}}],{structured}"isError":{_WORDS[is_error]}'
        return self._fitting(event, message, members) if len(members) >= SURELY_FITS else self.result(message, members)

    def said(self, event: Event, message: Message, text: str, is_error: bool) -> Response:
        """Return the answer that is a text alone."""
        # A lone surrogate in a message would end the process of the runtime client.
        written = quoted(text.encode(errors="backslashreplace").decode()).decode()
        members = f'"content":[{{"type":"text","text":{written}}}],"isError":{_WORDS[is_error]}'
        return self._fitting(event, message, members)

    def _fitting(self, event: Event, message: Message, members: str) -> Response:
        """Return the answer. Raises AnswerTooLarge: measured here, since the model can ask for less."""
        limit = _ALB_LIMIT if event.source is Source.ALB else LIMIT
        if len(members) >= SURELY_FITS and (size := len(quoted(members)) + _ROOM) > limit:
            raise AnswerTooLarge(f"the answer has {size:,} bytes; this source takes {limit:,}: ask for less")
        return self.result(message, members)


def _content_of(response: Response) -> Any:
    if isinstance(response, StreamResponse) and response.body is None:
        raise TypeError("a tool cannot answer with a stream: return its value")
    if response._headers is None and type(response.body) is str:
        return Fragment(response.body)  # what a dict has become: it is JSON already
    return content_of(response)


_WORDS = ("false", "true")
