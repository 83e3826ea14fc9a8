"""`Idempotent`: do once what is asked for several times.

    @resolver.post("/payments", middleware=[Idempotent(store)])          # by the header Idempotency-Key
    @resolver.on_queue("payments", middleware=[Idempotent(store)])       # by the id of the message

The first event with a key is handled, and its result kept; the others get that result.
"""

from __future__ import annotations

from time import sleep

from router.dispatch.chain import Middleware
from router.durations import seconds
from router.errors import BadRequest, ConfigurationError, ServiceUnavailable
from router.event import Source
from router.guards.attempts import Attempt, execution, fingerprint, own_key
from router.guards.digests import digest
from router.guards.log import ERROR, log
from router.guards.results import written
from router.response import Response, StreamResponse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any, Literal

    from router.dispatch.chain import Around, AsyncAround
    from router.durations import Duration
    from router.event import Event
    from router.idempotency import Store, Stored

HEADER = "idempotency-key"
_VERBS = ("begin", "finish", "forget", "begin_async", "finish_async", "forget_async")
_LONGEST_KEY = 255
_YEAR = 366 * 86_400
_SAFE = ("GET", "HEAD", "OPTIONS")


class Idempotent(Middleware):
    """Middleware that lets the first event with a key through, and answers the others with its result.

    Durations are seconds, or a timedelta.

    store: keeps keys and results, such as `adapters.idempotency.IdempotencyTable`.
    key: returns the key of an event, or None for one that is handled each time. By default the header `Idempotency-Key`
        over HTTP (GET, HEAD and OPTIONS are handled each time), also of a request that calls an HTTP route as a tool;
        elsewhere `event.id`, which stays the same when a source delivers again. Keys count for one route, tenant and
        user.
    required: whether a request without the header is refused with 400; else it is handled each time.
    keep_for: how long a key and its result are kept.
    in_progress_for: after how long an attempt that did not end counts as dead, so that another may begin. Give more
        than a handler ever takes; never less, or it may run twice.
    while_running: what becomes of an event whose key is being handled: "refuse" (over HTTP 409 with `Retry-After`; a
        record comes again later) or "wait" (for the first one's result, `wait_for` at most, then as refused).
    when_down: what happens while the store does not answer: "refuse" (503; the record fails), or "run" (without it).
    owner: returns by whom an event is handled, where that one may begin anew and is to go on with a key that is still
        its own; None where nobody comes back. By default the durable execution, whose handler runs from the start after
        each pause. One owner must never handle an event twice at the same time.

    An event that is answered with a kept result has `event.state["replayed"]`.
    An error of the handler, or an answer from 500 on, is not kept: the next event with the key is handled. It has to
    stand inside of what authenticates, or it would answer whoever knows a key.
    """

    inside_auth = True

    def __init__(
        self,
        store: Store,
        *,
        key: Callable[[Event], str | None] | None = None,
        required: bool = False,
        keep_for: Duration = 86_400,
        in_progress_for: Duration = 900,
        while_running: Literal["refuse", "wait"] = "refuse",
        wait_for: Duration = 10,
        when_down: Literal["refuse", "run"] = "refuse",
        owner: Callable[[Event], str | None] | None = None,
    ) -> None:
        lacking = [verb for verb in _VERBS if isinstance(store, type) or not callable(getattr(store, verb, None))]
        if lacking:
            raise ConfigurationError(
                f"Idempotent(): {store!r:.80} is not an idempotency store; give an instance with {', '.join(lacking)}"
            )
        for name, function in (("key", key), ("owner", owner)):
            if function is not None and not callable(function):
                raise ConfigurationError(f"Idempotent({name}=...): give a function of the event")
        for name, value, known in (
            ("while_running", while_running, ("refuse", "wait")),
            ("when_down", when_down, ("refuse", "run")),
        ):
            if value not in known:
                raise ConfigurationError(f"Idempotent({name}={value!r:.80}): use {' or '.join(known)}")
        self._store = store
        self._key = key
        self._owner = execution if owner is None else owner
        self._required = required
        self._keep_for = seconds(keep_for, "Idempotent(keep_for=...)", least=1, most=_YEAR)
        self._in_progress_for = seconds(in_progress_for, "Idempotent(in_progress_for=...)", least=1, most=_YEAR)
        if self._in_progress_for > self._keep_for:
            raise ConfigurationError(
                f"Idempotent(): a key is kept for {self._keep_for:g} seconds (keep_for=), less than the "
                f"{self._in_progress_for:g} after which an attempt counts as dead (in_progress_for=)"
            )
        self._waits = while_running == "wait"
        self._wait_for = seconds(wait_for, "Idempotent(wait_for=...)", most=900)
        self._runs_without = when_down == "run"

    def __call__(self, event: Event) -> Around:
        attempt = self._attempt(event)
        if attempt is None:
            yield
            return
        while True:
            try:
                stored = self._store.begin(attempt.key, attempt.claim())
            except Exception as error:
                self._down(event, error)
                yield
                return
            if stored is None:
                break
            answer = attempt.answer(stored)
            if answer is not None:
                yield answer
                return
            sleep(attempt.pause(stored))
        try:
            result: Any = yield
        except Exception:
            self._forget(attempt)
            raise
        except BaseException:  # stopped, or at a pause of a durable execution
            if not attempt.comes_back:
                self._forget(attempt)
            raise
        if _is_failure(event, result):
            self._forget(attempt)
        elif isinstance(result, StreamResponse):  # it is done when all of it has been sent
            result.chunks.then(lambda failure: self._end_stream(attempt, failure))
        else:
            self._finish(attempt, result)

    def _finish(self, attempt: Attempt, result: Any) -> None:
        try:
            self._store.finish(attempt.key, attempt.owner, written(result))
        except Exception as error:
            log(ERROR, "the result of %s was not kept, and it may be done again: %s", attempt.name, error)

    async def call_async(self, event: Event) -> AsyncAround:
        """Do the same in an async chain, without blocking its event loop."""
        from asyncio import sleep as sleep_async

        from router.dispatch.loop import first_failure

        attempt = self._attempt(event)
        if attempt is None:
            yield
            return
        while True:
            try:
                stored = await self._begin_async(attempt)
            except Exception as error:
                self._down(event, error)
                yield
                return
            if stored is None:
                break
            answer = attempt.answer(stored)
            if answer is not None:
                yield answer
                return
            await sleep_async(attempt.pause(stored))
        try:
            result: Any = yield
            late = await first_failure([event])  # what it started in the background belongs to it
            if late is not None:
                raise late
        except Exception:
            await first_failure([event])  # while that goes on nobody else may begin
            await self._forget_async(attempt)
            raise
        except BaseException:  # cancelled
            if not (attempt.comes_back or _goes_on(event)):
                await self._forget_async(attempt)
            raise
        await self._end_async(event, attempt, result)

    async def _end_async(self, event: Event, attempt: Attempt, result: Any) -> None:
        if _is_failure(event, result):
            await self._forget_async(attempt)
            return
        if isinstance(result, StreamResponse):
            result.chunks.waits = True
            result.chunks.then(lambda failure: self._end_stream_async(attempt, failure))
            return
        try:
            await _to_its_end(self._store.finish_async(attempt.key, attempt.owner, written(result)))
        except Exception as error:
            log(ERROR, "the result of %s was not kept, and it may be done again: %s", attempt.name, error)

    def _end_stream(self, attempt: Attempt, failure: BaseException | None) -> None:
        """Note how a stream ended. It is not kept: another event with its key is told that it was done."""
        if failure is None:
            self._store.finish(attempt.key, attempt.owner, None)
        else:
            self._forget(attempt)

    async def _end_stream_async(self, attempt: Attempt, failure: BaseException | None) -> None:
        if failure is None:
            await self._store.finish_async(attempt.key, attempt.owner, None)
        else:
            await self._forget_async(attempt)

    # ---- keys ----------------------------------------------------------------------------------------------------

    def _attempt(self, event: Event) -> Attempt | None:
        """Return the attempt to handle an event; None for one that is handled each time."""
        key = self._key_of(event)
        if key is None:
            return None
        session = event.session
        name = digest(str(event.route), session.tenant or "", session.user or "", key)
        claimed = event.state.setdefault("idempotent", set())
        if name in claimed:
            return None  # one that stands further outside has it, and would be waited for
        claimed.add(name)
        return Attempt(
            name,
            fingerprint(event, self._key is not None),
            event,
            owner=_text(self._owner(event), "owner"),
            in_progress_for=self._in_progress_for,
            keep_for=self._keep_for,
            # In a group it would keep the others waiting, and a twin in the same group for ever.
            wait_for=self._wait_for if self._waits and not getattr(event.route, "batch", False) else None,
        )

    def _key_of(self, event: Event) -> str | None:
        """Return what tells an event from others of its route; None for one that is handled each time."""
        if self._key is not None:
            return _text(self._key(event), "key")
        if not event._speaks_http:
            of_request = event.route is not None and event.route.request is not None and event.method not in _SAFE
            return self._sent(event) if of_request and HEADER in event.headers else own_key(event)
        # API Gateway delivers an event of a WebSocket once, and its messages have no headers.
        is_handled_each_time = event.method in _SAFE or event.source is Source.WEBSOCKET
        return None if is_handled_each_time else self._sent(event)

    def _sent(self, event: Event) -> str | None:
        """Return the key that a client sent. Raises BadRequest."""
        values = event.headers.getall(HEADER)
        if not values:
            if self._required:
                raise BadRequest(f"the header {HEADER} is missing")
            return None
        key = values[0].strip()
        if key[:1] == key[-1:] == '"' and len(key) > 1:  # a string of RFC 9651, as the IETF's draft asks for
            key = key[1:-1]
        if len(values) > 1 or not key.isprintable() or not key.isascii() or not 0 < len(key) <= _LONGEST_KEY:
            raise BadRequest(f"the header {HEADER} must be one text of 1 to {_LONGEST_KEY} printable characters")
        return key

    # ---- the store -----------------------------------------------------------------------------------------------

    def _down(self, event: Event, error: Exception) -> None:
        """Let an event through, or refuse it, while the store does not answer.

        Raises:
            ServiceUnavailable: it is refused.
            ConfigurationError: the store can never answer, such as one without its driver; nobody is let through.
        """
        if isinstance(error, ConfigurationError):
            raise error
        log(ERROR, "%s: the idempotency store does not answer: %s", event.route, error)
        if not self._runs_without:
            raise ServiceUnavailable("it cannot be told at the moment whether this was done already") from error

    async def _begin_async(self, attempt: Attempt) -> Stored | None:
        try:
            return await self._store.begin_async(attempt.key, attempt.claim())
        except Exception:
            raise
        except BaseException:  # cancelled: it may be claimed already
            if not attempt.comes_back:
                await self._forget_async(attempt)
            raise

    def _forget(self, attempt: Attempt) -> None:
        try:
            self._store.forget(attempt.key, attempt.owner)
        except Exception as error:
            log(ERROR, "%s: the failed attempt stays claimed for a while: %s", attempt.name, error)

    async def _forget_async(self, attempt: Attempt) -> None:
        try:
            await self._store.forget_async(attempt.key, attempt.owner)
        except Exception as error:
            log(ERROR, "%s: the failed attempt stays claimed for a while: %s", attempt.name, error)


def _text(value: object, option: str) -> str | None:
    """Return what a function of the application's returned. Raises ConfigurationError: it is neither text nor None."""
    if value is not None and (not isinstance(value, str) or not value):
        raise ConfigurationError(f"Idempotent({option}=...) returned {value!r:.80}; give text, or None")
    return value


async def _to_its_end(note: Coroutine[Any, Any, None]) -> None:
    """Await the note of what is done to its end, also when the dispatch is cancelled: else it would be done again."""
    from asyncio import CancelledError, create_task, gather, shield

    task = create_task(note)
    try:
        await shield(task)
    except CancelledError:
        await gather(task, return_exceptions=True)
        raise


def _is_failure(event: Event, result: Any) -> bool:
    """Whether an answer tells of a failure: also of an error of which a middleware inside has made an answer."""
    return event.error is not None or (isinstance(result, Response) and result.status >= 500)


def _goes_on(event: Event) -> bool:
    """Whether a handler may go on when its dispatch is cancelled: a thread is stopped late, or not at all."""
    from router.dispatch.plan import is_async

    return getattr(event.route, "concurrency", 1) > 1 and not is_async(event.route.handler)
