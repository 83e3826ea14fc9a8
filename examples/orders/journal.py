"""One line of JSON for each dispatch, whatever triggered it: the log that every later question is put to."""

from __future__ import annotations

import json
import logging
import time

from router import Around, Event, Middleware, Response

log = logging.getLogger("orders.journal")


class Journal(Middleware):
    """Log each event: its source and route, whose it is, how long it took and how it ended."""

    answers_errors = True  # see the answer to an HTTP error, 404 included, in the place of the error

    def __call__(self, event: Event) -> Around:
        started = time.perf_counter()
        try:
            response = yield
        except Exception as error:
            self._write(event, started, f"{type(error).__name__}: {error}")
            raise
        self._write(event, started, response.status if isinstance(response, Response) else "done")

    def _write(self, event: Event, started: float, outcome: int | str) -> None:
        line = {
            "at": time.time(),
            "source": event.source,
            "route": f"{event.method} {event.route.match}".strip(),
            "tenant": event.session.tenant,
            "user": event.session.user,
            "correlation_id": event.correlation_id,
            "attempt": event.attempt,
            "ms": round((time.perf_counter() - started) * 1e3, 1),
            "outcome": outcome,
        }
        log.info(json.dumps(line))
