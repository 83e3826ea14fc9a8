"""`Refusal`: an error of Lambda's API, and the answer that tells it in the form that SDKs read."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request


class Refusal(Exception):
    """A call that Lambda's API refuses.

    status: of HTTP. code: the name of the error, by which SDKs choose a class.
    headers: further ones of the answer.
    """

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})

    def answer(self) -> JSONResponse:
        """Return the answer."""
        body = {"Type": "User" if self.status < 500 else "Service", "Message": self.message, "message": self.message}
        return JSONResponse(
            body,
            self.status,
            {"x-amzn-errortype": self.code, "x-amzn-requestid": str(uuid4()), **self.headers},
        )


def refusing(
    handle: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    """Return a handler of requests that answers refusals."""

    async def handled(request: Request) -> Response:
        try:
            return await handle(request)
        except Refusal as refusal:
            return refusal.answer()
        except ClientDisconnect:
            return Response(status_code=400)  # which nobody gets

    return handled
