"""Messages of a WebSocket API that are all refused, because nothing keeps the session of their connection."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.websocket import TrackConnections
from router import Authenticate, Identity, Resolver
from router.contract.checking.sessions import sessionless
from router.guards import ApiKey
from router.testing import samples
from router.testing.client import Answer


class Keys:
    def authenticate(self, token: str) -> Identity | None:
        return Identity("ann", ["acme"]) if token == "good" else None


class NoTable:
    """Stand for a table of connections, which nobody asks here."""


def tracked() -> TrackConnections:
    return TrackConnections(NoTable())  # type: ignore[arg-type]


def key() -> ApiKey:
    return ApiKey(Keys())


def chat(resolver: Resolver, **options: Any) -> Resolver:
    resolver.on_connect()(lambda event: None)
    resolver.on_disconnect()(lambda event: None)
    resolver.on_message("say", **options)(lambda event: "said")
    return resolver


@pytest.mark.parametrize(
    ("resolver", "options", "is_refused"),
    [
        (lambda: Resolver(auth=key()), {}, True),
        (lambda: Resolver(auth=key()), {"auth": "off"}, False),
        (Resolver, {}, False),
        (Resolver, {"auth": key()}, True),
        (lambda: Resolver().use(Authenticate(key())), {}, True),
        (lambda: Resolver().use(Authenticate(key()), tracked()), {}, True),
        (lambda: Resolver(auth=key()).use(tracked()), {}, True),
        (lambda: Resolver().use(tracked(), Authenticate(key())), {}, False),
        (lambda: Resolver().use(Authenticate(key(), connections=(kept := tracked())), kept), {}, False),
    ],
)
def test_messages_without_a_session_are_found(resolver: Any, options: dict[str, Any], is_refused: bool) -> None:
    found = [str(one) for one in sessionless(chat(resolver(), **options))]
    assert len(found) == is_refused
    if is_refused:
        assert found[0].startswith("websocket say: a message brings no session")
        assert "test_message_sessions.py:" in found[0]


def test_what_is_found_is_refused_when_it_runs() -> None:
    for options, status in (({}, 401), ({"auth": "off"}, 200)):
        resolver = chat(Resolver(auth=key()), **options)
        assert Answer(resolver(samples.websocket(route_key="say", body={"action": "say"}))).status == status
