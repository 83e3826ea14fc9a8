"""The audit log: one line for each dispatch, whatever triggered it and however it ended."""

from __future__ import annotations

import json
import logging
import time

from router import Around, Event, Middleware, Response

log = logging.getLogger("tenants.audit")
log.setLevel(logging.INFO)  # Lambda shows warnings only, unless told otherwise


class Audit(Middleware):
    """Middleware of the generator form: what stands before the `yield` runs first, what stands after it last.

    It runs around sync and async handlers, requests and records alike, and sees an error at the `yield`.
    """

    answers_errors = True  # see the answer to an HTTP error, 401 and 404 included, in the place of the error

    def __call__(self, event: Event) -> Around:
        started = time.perf_counter()
        try:
            response = yield
        except Exception as error:
            _write(event, started, type(error).__name__)  # the name alone: its text may hold what a client sent
            raise
        _write(event, started, response.status if isinstance(response, Response) else "done")


def _write(event: Event, started: float, outcome: int | str) -> None:
    session = event.session
    # Until a token has said so, a request is only what its headers claim to be: that would be a line about nobody.
    known = "identity" in event.state or not event.method
    line = {
        "at": time.time(),
        "source": event.source,
        "route": f"{event.method} {event.route.match}".strip(),
        "tenant": session.tenant if known else None,
        "user": session.user if known else None,
        "id": event.id,
        "attempt": event.attempt,
        "ms": round((time.perf_counter() - started) * 1e3, 1),
        "outcome": outcome,
    }
    log.info(json.dumps(line))
