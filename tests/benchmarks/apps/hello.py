"""A trivial route of Junction."""

from __future__ import annotations

from router import Resolver

resolver = Resolver()


@resolver.get("/hello")
def hello() -> dict[str, str]:
    """Greet."""
    return {"hello": "world"}
