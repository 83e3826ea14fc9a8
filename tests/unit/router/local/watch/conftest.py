"""An application under the eyes of a `Watch`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from router import Resolver
from router.local.entries import Entry
from router.local.watch import Watch
from router.testing import Context, TestClient


class Watched:
    """A client of an application, and the entries of each of its calls."""

    def __init__(self, resolver: Resolver, watch: Watch) -> None:
        self.client = TestClient(resolver, context=Context(request_id="call-1"))
        self.watch = watch

    def entries(self, send: Callable[[TestClient], Any]) -> list[Entry]:
        """Return the entries of what one call of the client does; an error of the call is left to the entries."""
        try:
            send(self.client)
        except Exception:
            pass
        return self.watch.collect("call-1")

    def entry(self, send: Callable[[TestClient], Any]) -> Entry:
        """Return the one entry of a call."""
        (entry,) = self.entries(send)
        return entry


@pytest.fixture
def watched() -> Iterator[Callable[[Resolver], Watched]]:
    """Return what puts a `Watch` around a resolver; it is taken away after the test."""
    made: list[Watch] = []

    def put(resolver: Resolver) -> Watched:
        watch = Watch(account="123456789012").install(resolver)
        made.append(watch)
        return Watched(resolver, watch)

    yield put
    for watch in reversed(made):
        watch.uninstall()
