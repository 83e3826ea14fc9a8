"""An application for worker processes. A message says what is to become of it; the handler writes what it did.

Text of a message: `<id>` is done in PAUSE seconds; `<id> slow` waits until the file JOURNAL.go is there; `<id> hang`
never ends.
"""

from __future__ import annotations

import os
import time

from adapters.worker import Report
from router import Event, Resolver, Session

resolver = Resolver()
_path = os.environ["JOURNAL"]
_pause = float(os.environ.get("PAUSE", "0"))
# Appended in one write each, so that lines of several threads and processes do not mix.
_file = os.open(_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def _write(*words: object) -> None:
    os.write(_file, (" ".join(map(str, words)) + "\n").encode())


@resolver.on_queue("*")
def handle(event: Event, session: Session) -> None:
    """Do as the message says."""
    id, _, order = event.text.partition(" ")
    if order:
        _write("began", id, os.getpid(), event.attempt)
    time.sleep(_pause)
    while order == "hang" or (order == "slow" and not os.path.exists(f"{_path}.go")):
        time.sleep(0.01)
    _write("did", id, os.getpid(), event.attempt, event.id, session.tenant)


def note(report: Report) -> None:
    """The metrics hook."""
    _write("report", report.queue, report.done, report.seconds)
