"""`Timeout`: how long a handler may take."""

from __future__ import annotations

from router.dispatch.chain import Middleware
from router.dispatch.stopping import enter, enter_async
from router.durations import seconds as checked
from router.errors import HandlerTimeout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from router.dispatch.chain import Around, AsyncAround
    from router.dispatch.stopping import Limit
    from router.durations import Duration
    from router.event import Event

_INFINITY = float("inf")


class Timeout(Middleware):
    """Middleware that stops a handler before Lambda ends the process: over HTTP 504; a record fails alone.

    Durations are seconds, or a timedelta.

    seconds: how long what stands inside of it may take. By default nothing but the end of the invocation limits it.
    margin: how much of the time that the invocation has left is kept for the answer. By default as much as the
        Resolver's `deadline_margin`: where you change one, change the other.

    An async handler is cancelled (CancelledError). A sync one gets an exception that is no `Exception`. Either may
    clean up; one that swallows it goes on, and its result counts. A `batch=True` group has one limit for its call.
    """

    outside_auth = True  # what authenticates may wait for an issuer
    stops_handlers = True

    def __init__(self, seconds: Duration | None = None, *, margin: Duration = 1.0) -> None:
        self._seconds = _INFINITY if seconds is None else checked(seconds, "Timeout(...)", least=0.001)
        self._margin = checked(margin, "Timeout(margin=...)")

    def __call__(self, event: Event) -> Around:
        left = self._left(event)
        if left == _INFINITY:
            return
        limit = enter(self, event, left)
        error: BaseException | None = None
        try:
            yield
        except BaseException as raised:
            error = raised
        self._raise(event, limit, error, limit.leave(error))

    async def call_async(self, event: Event) -> AsyncAround:
        """Do the same in an async chain."""
        left = self._left(event)
        if left == _INFINITY:
            return
        limit = await enter_async(self, event, left)
        error: BaseException | None = None
        try:
            yield
        except BaseException as raised:
            error = raised
        self._raise(event, limit, error, await limit.leave_async(error))

    def _left(self, event: Event) -> float:
        """Return the seconds that an event may take. Raises HandlerTimeout where there are none."""
        left = min(event.remaining() - self._margin, self._seconds)
        if left <= 0:
            raise HandlerTimeout("there was no time left to begin")
        return left

    def _raise(self, event: Event, limit: Limit, error: BaseException | None, stopped: bool) -> None:
        """Raise what an event ended with; HandlerTimeout in the place of what stopped it."""
        if not stopped:
            if error is not None:
                raise error
            return
        for task in event._tasks or ():  # nobody waits for what a stopped handler began
            task.cancel()
        raise limit.failure from error
