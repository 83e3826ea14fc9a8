"""Report on the worker: a `Report` of each call for the metrics hook, and totals for the log."""

from __future__ import annotations

from dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Report:
    """One call of the application, once its messages are decided.

    queue: its name, as `Worker` has it.
    received: messages in the call.
    done: acknowledged messages, including discarded ones.
    failed: messages that will be redelivered.
    retried: those of them with an explicit delay.
    seconds: what the call took.
    waited: seconds since the oldest of its messages was sent.
    under_way: messages of the queue that the worker holds, these included.
    """

    queue: str
    received: int
    done: int
    failed: int
    retried: int
    seconds: float
    waited: float
    under_way: int


class Sums:
    """The sums of the reports since the last line in the log."""

    __slots__ = ("calls", "done", "failed", "seconds")

    def __init__(self) -> None:
        self.calls = 0
        self.done = 0
        self.failed = 0
        self.seconds = 0.0

    def add(self, report: Report) -> None:
        """Count a report in."""
        self.calls += 1
        self.done += report.done
        self.failed += report.failed
        self.seconds += report.seconds


def oldest(sent: Iterable[str], now: float) -> float:
    """Return the seconds since the first of some SentTimestamps, which are milliseconds as digits.

    0 where there is none.
    """
    times = [int(text) for text in sent if text.isdigit()]
    return max(0.0, now - min(times) / 1000) if times else 0.0
