"""Make the page that shows a document: Redoc, whose script lies in this package. Nothing is fetched from elsewhere.

The page is made anew for each request, as its policy allows what carries a number that nobody can guess. Its script
has a digest in its address, so that a browser keeps it for a year.
"""

from __future__ import annotations

import os
from functools import cache
from html import escape
from pathlib import Path
from posixpath import dirname, relpath
from urllib.parse import quote

from router.contract.openapi.content import Packed
from router.contract.openapi.script import DIGEST, path_below
from router.response import Response

_FOLDER = Path(__file__).parent / "page"


@cache
def script() -> Packed:
    """Return the script of the page."""
    packed = (_FOLDER / "redoc.js.gz").read_bytes()
    return Packed(packed, DIGEST, "text/javascript; charset=utf-8", "public, max-age=31536000, immutable")


@cache
def style() -> str:
    """Return the style of the page itself: colours that have enough contrast, and what stands there at first."""
    return (_FOLDER / "page.css").read_text("utf-8")


def relative(path: str, docs: str, *, slash: bool) -> str:
    """Return a path as a link on the page, so that it holds behind any stage and base path.

    docs: the path of the page.
    slash: whether the browser asked for it with a slash at its end, which makes it a folder.
    """
    found = relpath(path, docs if slash else dirname(docs))
    return quote(found if found.startswith("..") else f"./{found}")


def page(title: str, document: str, docs: str, *, slash: bool) -> Response:
    """Return the page of a document.

    title: of the browser's window. document: its path. docs: the path of the page.
    slash: see `relative`.
    """
    nonce = os.urandom(18).hex()
    text = _PAGE.format(
        title=escape(title),
        nonce=nonce,
        style=style(),
        document=relative(document, docs, slash=slash),
        script=relative(path_below(docs), docs, slash=slash),
        start=_START,
    )
    return Response.html(text, headers=_HEADERS | {"content-security-policy": _POLICY.format(nonce=nonce)})


# Nothing but what carries the number: text of the document cannot start scripts, nor load anything from elsewhere.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'nonce-{nonce}'",
        "style-src 'nonce-{nonce}'",
        "img-src 'self' data:",
        "font-src data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
# A promise of an import is used as an older browser then shows what stands there at first, with the document's link.
_START = """
const { init } = await import(document.getElementById("viewer").href);
const options = { disableTelemetry: true, sanitize: true };
init(document.getElementById("document").href, options, document.getElementById("api"));
"""
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="sc-nonce" content="{nonce}">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="alternate" id="document" type="application/json" href="{document}">
<link rel="modulepreload" id="viewer" nonce="{nonce}" href="{script}">
<style nonce="{nonce}">
{style}</style>
</head>
<body>
<div id="api">
<p class="first">The documentation is being loaded. It is made of <a href="{document}">this document</a>.</p>
</div>
<script type="module" nonce="{nonce}">{start}</script>
</body>
</html>
"""
