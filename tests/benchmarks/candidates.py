"""Who is measured, and how an application of a candidate is made. Loading is late: a module pulls in its framework."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

APPS = "tests.benchmarks.apps."
OURS = "junction"
CANDIDATES = [OURS, "handwritten", "powertools", "mangum_starlette", "mangum_fastapi", "chalice"]

Handler = Callable[[dict[str, Any], Any], Any]


def build(app: str, **options: Any) -> Handler:
    """The handler that the module of `apps` makes for HTTP requests, or for a batch with a sync handler."""
    handler: Handler = import_module(APPS + app).build(**options)
    return handler


def build_async(app: str, **options: Any) -> Handler:
    """The handler that the module of `apps` makes for a batch with an async handler."""
    handler: Handler = import_module(APPS + app).build_async(**options)
    return handler
