"""One line of JSON for each dispatch, whatever triggered it: the log that every later question is put to."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Generator
from typing import Any

from router import Event, Middleware, Response, Session

log = logging.getLogger("orders.journal")


class Journal(Middleware):
    """Logs what came, where it went, for whom, how long it took and how it ended."""

    answers_errors = True  # see the answer to an HTTP error, 404 included, in the place of the error

    def __call__(self, event: Event, session: Session) -> Generator[None, Any, None]:
        started = time.perf_counter()
        try:
            response = yield
        except Exception as error:
            self._write(event, session, started, f"{type(error).__name__}: {error}")
            raise
        self._write(event, session, started, response.status if isinstance(response, Response) else "done")

    def _write(self, event: Event, session: Session, started: float, outcome: int | str) -> None:
        line = {
            "at": time.time(),
            "source": event.source,
            "route": f"{event.method} {event.route.match}".strip(),
            "tenant": session.tenant,
            "user": session.user,
            "correlation_id": event.correlation_id,
            "attempt": event.attempt,
            "ms": round((time.perf_counter() - started) * 1e3, 1),
            "outcome": outcome,
        }
        log.info(json.dumps(line))
