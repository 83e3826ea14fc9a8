"""`page_routes`: the console's page, which is static files: no build step, nothing from elsewhere."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

PREFIX = "/_console"
FOLDER = Path(__file__).parent / "page"

# By hand: what the machine's registry says about .js differs from one to the next, and browsers refuse a wrong type.
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_TEXT = "text/plain; charset=utf-8"
# Nothing inline, nothing from elsewhere, in nobody's frame: payloads of strangers are shown on this page.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# What belongs to others below the prefix: an unknown path there is an error, not the page.
_OTHERS = ("api", "mcp")


def page_routes(folder: Path = FOLDER) -> list[Route]:
    """Return the routes of the page. They come after those of the API, for the last one takes every path.

    folder: where the files are.
    """

    async def page(request: Request) -> Response:
        if request.path_params.get("path", "").partition("/")[0] in _OTHERS:
            return JSONResponse({"error": f"there is no {request.url.path}"}, 404)
        return _answer(request, folder / "index.html")

    async def asset(request: Request) -> Response:
        file = _files(folder).get(request.path_params["path"])
        if file is None:
            return Response(f"there is no {request.url.path}", 404, media_type=_TEXT)
        return _answer(request, file)

    async def slash(request: Request) -> Response:
        return RedirectResponse(f"{PREFIX}/", 307)

    return [
        Route(PREFIX, slash),
        Route(f"{PREFIX}/assets/{{path:path}}", asset),
        Route(f"{PREFIX}/{{path:path}}", page),
    ]


@cache
def _files(folder: Path) -> Mapping[str, Path]:
    """Return the files that may be served, by their path: what is not in this table cannot be asked for."""
    return {file.relative_to(folder).as_posix(): file for file in folder.rglob("*") if file.is_file()}


def _answer(request: Request, file: Path) -> Response:
    # Read anew each time: they are small, and an edit is seen at the next load.
    content = file.read_bytes()
    tag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
    headers = {**_HEADERS, "ETag": tag}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=_TYPES.get(file.suffix, _TEXT))
