"""Exceptions that a handler raises to decide the fate of its record."""

from __future__ import annotations

from collections.abc import Mapping

from router.durations import seconds
from router.errors import RouterError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from router.durations import Duration
    from router.event import Event


class Signal(RouterError):
    """Base of what a handler raises to decide the fate of its record."""


class Discard(Signal):
    """Acknowledge this record without having done it: it will not come again. The reason is logged."""


class Retry(Signal):
    """Ask for this record again.

    after: how long to wait before, in seconds or as a timedelta, where the source can wait (SQS: 12 hours at most).
        Without it the source decides.
    reason: for the log.

    Raises:
        ConfigurationError: `after` is out of range, or no duration.
    """

    def __init__(self, after: Duration | None = None, reason: str = "") -> None:
        self.after: float | None = None
        if after is not None:
            # The longest visibility timeout of SQS is 12 hours (SQS API reference, ChangeMessageVisibility).
            self.after = seconds(after, "Retry(after=...)", most=43_200)
        super().__init__(reason or "retry requested")


def is_suspension(error: BaseException) -> bool:
    """Return whether an error is how a durable execution begins to wait: it goes on in another call of the function."""
    # By name: the SDK, which raises it, is not imported for the question.
    return any(kind.__name__ == "SuspendExecution" for kind in type(error).__mro__)


class BatchItemFailures(Signal):
    """Fail some records of a `batch=True` group, and acknowledge the others.

    failed: the events that failed, or a mapping of each of them to its error.
    reason: for the log, where an event has no error of its own.
    """

    def __init__(self, failed: Iterable[Event] | Mapping[Event, Exception], reason: str = "") -> None:
        super().__init__(reason or "the handler named this record as failed")
        named: dict[Event, object] = dict(failed) if isinstance(failed, Mapping) else dict.fromkeys(failed)
        self.errors: list[tuple[Event, Exception]] = [
            (event, error if isinstance(error, Exception) else self) for event, error in named.items()
        ]
