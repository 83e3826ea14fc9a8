"""`WorkerContext`: what Lambda's context object is to a handler, for one call of the worker."""

from __future__ import annotations

from uuid import uuid4

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from router.event import Event


class WorkerContext:
    """The fields that libraries read from Lambda's context, and the delays that handlers asked for.

    remaining: returns the seconds until this call is given up.
    """

    function_name = "worker"
    function_version = "$LATEST"
    memory_limit_in_mb = "0"
    log_group_name = ""
    log_stream_name = ""

    def __init__(self, queue_arn: str, remaining: Callable[[], float]) -> None:
        self.aws_request_id = str(uuid4())
        self.invoked_function_arn = queue_arn
        self.delays: dict[str, float] = {}  # seconds, by message id
        self._remaining = remaining

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until this call is given up: 12 hours after its messages came, or when the worker must end."""
        return max(0, int(self._remaining() * 1000))

    def delay(self, event: Event, seconds: float) -> None:
        """Note the delay of a message; the worker sets it once the call is over."""
        self.delays[event.id] = seconds
