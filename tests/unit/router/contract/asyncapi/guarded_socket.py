"""A WebSocket API that takes any of several credentials."""

from __future__ import annotations

from router import Resolver
from router.guards import ApiKey, Bearer, Jwt


class Known:
    def authenticate(self, token: str) -> None:
        """Know nobody."""


resolver = Resolver()


@resolver.on_connect(auth=[ApiKey(Known()), Bearer(Known()), Jwt("https://login.shop.example", audience="shop")])
def connect() -> None:
    """Let clients in."""


@resolver.on_message("ask")
def ask() -> str:
    """Ask a question."""
    return "yes"
