"""The audit log: one line for each dispatch, whatever triggered it."""

from __future__ import annotations

import json
import logging
from collections.abc import Generator
from typing import Any

from router import Event, Middleware, Session

log = logging.getLogger("tenants.audit")


class Audit(Middleware):
    """Middleware of the generator form: what stands before the `yield` runs first, what stands after it last.

    It runs around sync and async handlers, requests and records alike, and sees an error at the `yield`.
    """

    def __call__(self, event: Event, session: Session) -> Generator[None, Any, None]:
        line = {"route": str(event.route), "tenant": session.tenant, "user": session.user, "id": event.id}
        try:
            yield
        except Exception as error:
            log.info(json.dumps({**line, "outcome": type(error).__name__}))
            raise
        log.info(json.dumps({**line, "outcome": "done"}))
