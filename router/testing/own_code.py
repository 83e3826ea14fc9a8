"""Tell the application's own code from that of Python, of libraries and of this library."""

from __future__ import annotations

import sysconfig
from functools import cache

_INSTALLED = ("site-packages", "dist-packages", "<frozen")


def is_own(file: str) -> bool:
    """Whether a file is of the application."""
    return not file.startswith(_others()) and not any(part in file for part in _INSTALLED)


@cache
def _others() -> tuple[str, ...]:
    from router import __file__ as library

    packages = library.rpartition("__init__")[0].rstrip("/").rpartition("/")[0]
    return (sysconfig.get_path("stdlib"), f"{packages}/router/", f"{packages}/adapters/")
