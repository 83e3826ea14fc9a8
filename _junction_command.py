"""The console script `junction`.

It is a module of its own: an application's `router.py` may come before the library on the path, as with PYTHONPATH=src.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Import the library that lies beside this file, and run its command line."""
    folder = os.path.dirname(os.path.abspath(__file__))
    sys.path.insert(0, folder)
    try:
        import router
    finally:
        sys.path.remove(folder)
    try:
        from router.__main__ import run
    except ImportError as error:
        print(f"error: {router.__file__} is not the library's package router: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    run("junction")
