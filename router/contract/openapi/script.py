"""Name the script of the page, without loading it."""

from __future__ import annotations

DIGEST = "f0912921416f277b37700aef525dcc1d5118df76c4a301b6882e84d35a6fdb62"
"""Its SHA-256. `python -m scripts.vendor_redoc` says it; a test compares it with the file."""


def path_below(docs: str) -> str:
    """Return the path of the script of a page: its address has a digest, so that a browser keeps it for a year."""
    return f"{docs.rstrip('/')}/redoc-{DIGEST[:16]}.js"
