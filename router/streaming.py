"""`Stream`: a body that is sent as it is made; `ServerSentEvent`: one message of such a body.

A stream is made by a handler and read after it has returned, by what sends the answer. So it carries the context of its
handler with it: session, current event and log fields are the same inside of a generator.
"""

from __future__ import annotations

from contextvars import copy_context

from router.encode import dumps
from router.errors import AnswerTooLarge, ConfigurationError, EncodeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterable, Callable, Collection, Iterable, Iterator
    from contextvars import Context
    from typing import Any

    Chunks = Iterable[Any] | AsyncIterable[Any]
    Failure = BaseException | None

_BLOCK = 64 * 1024  # bytes that are read of a file at a time
_END: Any = object()


class ClientGone(Exception):
    """Raised by what sends a stream: nobody takes the rest of it. That is no failure of the stream."""


class Stream:
    """The chunks of a body, each made when the one before it is on its way. It is read once.

    is_async: whether its source is.
    is_text: whether all chunks so far were str.
    waits: whether reading it needs an event loop.

    Raises:
        ConfigurationError: it is not made of an iterable; str and bytes are a body already.
    """

    __slots__ = (
        *("_after", "_ahead", "_context", "_form", "_is_closed", "_is_on_its_way", "_iterator", "_pump", "_source"),
        *("is_async", "is_text", "waits"),
    )

    def __init__(self, chunks: Chunks, form: Callable[[Any], str | bytes] | None = None) -> None:
        self.is_async = hasattr(chunks, "__aiter__")
        if isinstance(chunks, str | bytes | dict) or not (self.is_async or hasattr(chunks, "__iter__")):
            raise ConfigurationError(
                f"a stream is made of an iterable of str or bytes, sync or async, not of {type(chunks).__name__}"
            )
        self._source: Any = chunks
        self._form = form
        self._context = copy_context()
        self._iterator: Iterator[Any] | None = None
        self._pump: _Pump | None = None
        self._ahead: bytes | None = None  # the first chunk, once it has been asked for
        self._after: list[Callable[[Failure], Any]] = []
        self._is_closed = False
        self._is_on_its_way = False
        self.is_text = True
        self.waits = self.is_async

    def then(self, call: Callable[[Failure], Any]) -> None:
        """Call a function at the end, sync or async, with the error that ended the stream, or None.

        The error is a ClientGone where nobody took the rest. Functions are called in the order in which they were
        given; what they raise is logged.
        """
        self._after.append(call)

    def watch(self, look: Callable[[Any], object]) -> None:
        """Call a function with each chunk before it is sent, as the source made it. What it raises ends the stream."""
        form = self._form

        def seen(made: Any) -> Any:
            chunk = made if form is None else form(made)
            look(chunk)
            return chunk

        self._form = seen

    def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function in the context of the handler that made the stream."""
        return self._context.run(function, *arguments)

    def adopt(self) -> None:
        """Go on in the context of now: where the stream was made, no event was handled."""
        self._context = copy_context()

    # ---- reading -------------------------------------------------------------------------------------------------

    async def begin(self) -> None:
        """Make the first chunk. It never has to wait, unless the source is async.

        A second time it does nothing: an answer that another resolver gave has begun already.

        Raises:
            ConfigurationError: it was read already.
            Exception: what the source raised; the stream is closed then.
        """
        if self._is_closed or self._is_on_its_way:
            raise ConfigurationError("a stream is read once, and this one was: make another for each answer")
        if self._ahead is not None:
            return
        try:
            self._ahead = await self._next()
        except BaseException as error:
            await self.close(error)
            raise
        if self._ahead is None:
            self._ahead = b""  # it has ended, and asking again says so

    async def send(self, write: Callable[[bytes], object]) -> None:
        """Hand over chunk after chunk, none of them empty, and close the stream, whatever happens.

        write: takes a chunk. An error of it ends the stream: its generator is closed, so that `finally` blocks run.

        Raises:
            Exception: what the source or `write` raised.
        """
        failure: Failure = None
        self._is_on_its_way = True
        try:
            chunk, self._ahead = self._ahead, None
            while chunk is not None:
                if chunk:
                    write(chunk)
                chunk = await self._next()
        except BaseException as error:
            failure = error
            raise
        finally:
            await self.close(failure)

    async def collect(self, limit: int) -> str | bytes:
        """Return the whole body: str where all chunks were, else bytes.

        limit: its bytes at most.

        Raises:
            AnswerTooLarge: it has more; it is not read further then.
            Exception: what the source raised.
        """
        chunks: list[bytes] = []
        size = 0

        def keep(chunk: bytes) -> None:
            nonlocal size
            size += len(chunk)
            if size > limit:
                raise AnswerTooLarge(
                    f"the answer has over {limit:,} bytes, the most that an answer may have that is not streamed"
                )
            chunks.append(chunk)

        await self.begin()
        await self.send(keep)
        body = b"".join(chunks)
        return body.decode() if self.is_text else body

    async def close(self, failure: Failure = None) -> None:
        """Close the source, and call what was given to `then`; a second time nothing.

        failure: what ended the stream before its time.
        """
        self._is_closed = True
        try:
            if self._pump is not None:
                await self._pump.close()
            else:
                self._close_source()
        except Exception as error:
            _log("a stream failed while it was closed", error)
        while self._after:
            try:
                await self._wait_for(self.run(self._after.pop(0), failure))
            except Exception as error:
                _log("what follows a stream failed", error)

    async def _wait_for(self, work: Any) -> None:
        """Run a coroutine to its end, in the context of the handler; anything else is done already."""
        if not hasattr(work, "__await__"):
            return
        if self.waits:
            from asyncio import get_running_loop

            await get_running_loop().create_task(work, context=self._context)
            return
        try:
            self.run(work.send, None)
        except StopIteration:
            return
        work.close()
        raise ConfigurationError("what follows a sync stream had to wait")

    def _close_source(self) -> None:
        for one in (self._iterator, None if self._iterator is self._source else self._source):
            close = getattr(one, "close", None)
            if close is not None:
                self.run(close)
        self._iterator, self._source = iter(()), None

    async def _next(self) -> bytes | None:
        """Return the next chunk that is not empty; None at the end."""
        while True:
            if self.is_async:
                if self._pump is None:
                    self._pump = _Pump(self._source, self._context)
                made = await self._pump.next()
            else:
                if self._iterator is None:
                    self._iterator = self.run(_iterator, self._source)
                made = self.run(next, self._iterator, _END)
            if made is _END:
                return None
            chunk = self._bytes(made)
            if chunk:
                return chunk

    def _bytes(self, made: Any) -> bytes:
        if self._form is not None:
            made = self._form(made)
        if isinstance(made, str):
            try:
                return made.encode()
            except UnicodeEncodeError as error:
                raise EncodeError(f"a chunk of the stream is not valid text (character {error.start})") from None
        if not isinstance(made, bytes | bytearray | memoryview):
            raise ConfigurationError(
                f"a stream yields str or bytes, not {type(made).__name__}; Response.events(...) writes JSON"
            )
        self.is_text = False
        return bytes(made)


def is_streamed(source: str, raw: Any, sources: Collection[str]) -> bool:
    """Whether whoever sent an event takes its answer chunk by chunk.

    source: of the payload `raw`. sources: those of which all callers do.
    """
    # An HTTP API may send the payload of a REST API, with a version, and cannot stream.
    return source in sources and not (isinstance(raw, dict) and raw.get("version") == "1.0")


def _iterator(source: Any) -> Iterator[Any]:
    """Return what iterates over a source: a file in blocks, since its lines may have any length."""
    read = getattr(source, "read", None)
    return iter(source) if read is None else iter(lambda: read(_BLOCK) or _END, _END)


class _Pump:
    """Runs an async source in one task, from its first chunk to its end.

    A time limit or a task group inside of a generator has to be left in the task that entered it; each chunk is asked
    for by another one.
    """

    __slots__ = ("_is_closing", "_is_over", "_made", "_source", "_task", "_wanted")

    def __init__(self, source: AsyncIterable[Any], context: Context) -> None:
        import asyncio

        self._source = source
        self._wanted = asyncio.Event()
        self._made: asyncio.Queue[tuple[Any, Failure]] = asyncio.Queue()
        self._is_closing = False
        self._is_over = False  # whether the source has ended
        self._task = asyncio.get_running_loop().create_task(self._run(), context=context)

    async def next(self) -> Any:
        """Return the next chunk, or _END. Raises what the source raised."""
        if self._is_over:
            return _END
        self._wanted.set()
        chunk, failure = await self._made.get()
        if failure is not None:
            raise failure
        return chunk

    async def close(self) -> None:
        """End the source: where it stands at a `yield` it is closed there, elsewhere it is cancelled."""
        from asyncio import gather

        if not self._is_over:
            self._is_closing = True
            if self._wanted.is_set():
                self._task.cancel()
            self._wanted.set()
        [outcome] = await gather(self._task, return_exceptions=True)
        if isinstance(outcome, Exception):
            raise outcome

    async def _run(self) -> None:
        iterator = aiter(self._source)
        while await self._wanted.wait() and not self._is_closing:
            made, failure = _END, None
            try:
                made = await anext(iterator)
            except StopAsyncIteration:
                self._is_over = True
            except BaseException as error:
                self._is_over, failure = True, _as_error(error)
            self._wanted.clear()
            self._made.put_nowait((made, failure))
            if self._is_over:
                break
        close = getattr(iterator, "aclose", None)
        if close is not None:
            await close()


def _as_error(raised: BaseException) -> BaseException:
    """Return what ended a source. A cancellation would end its reader as well, and is an error of the source here."""
    from asyncio import CancelledError

    if not isinstance(raised, CancelledError):
        return raised
    error = RuntimeError("the stream awaited something that was cancelled")
    error.__cause__ = raised
    return error


def _log(message: str, error: Exception) -> None:
    from logging import getLogger

    getLogger("router").error(message, exc_info=error)


# ---- server-sent events --------------------------------------------------------------------------------------------


class ServerSentEvent:
    """One message of an event stream, as browsers read it (HTML Living Standard, 9.2).

    data: str as it is, anything else as JSON; None for a message without data, which browsers do not dispatch.
    event: its type, "message" by default. id: what a browser that connects again sends as `Last-Event-ID`.
    retry: milliseconds after which a browser connects again. comment: what no browser looks at, such as a sign of life.

    Raises:
        ConfigurationError: event or id has more than one line, id has a NUL, or retry is no number of milliseconds.
    """

    __slots__ = ("comment", "data", "event", "id", "retry")

    def __init__(
        self,
        data: Any = None,
        *,
        event: str | None = None,
        id: str | None = None,
        retry: int | None = None,
        comment: str | None = None,
    ) -> None:
        for name, value in (("event", event), ("id", id)):
            if value is not None and (not isinstance(value, str) or any(char in "\r\n\0" for char in value)):
                raise ConfigurationError(f"ServerSentEvent({name}={value!r:.80}): give text of one line")
        if retry is not None and (type(retry) is not int or retry < 0):
            raise ConfigurationError(f"ServerSentEvent(retry={retry!r:.80}): give milliseconds, as an integer")
        self.data = data
        self.event = event
        self.id = id
        self.retry = retry
        self.comment = comment

    def __str__(self) -> str:
        lines = [f": {line}" for line in _lines(self.comment)] if self.comment is not None else []
        for name in ("event", "id", "retry"):
            value = getattr(self, name)
            if value is not None:
                lines.append(f"{name}: {value}")
        if self.data is not None:
            text = self.data if isinstance(self.data, str) else dumps(self.data).decode()
            lines += [f"data: {line}" for line in _lines(text)]
        return "\n".join(lines) + "\n\n"


def _lines(text: str) -> list[str]:
    """Return the lines of a text as an event stream counts them, so that none can begin a field of its own."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def written_event(event: Any) -> str:
    """Return an event as the stream has it; of anything but a ServerSentEvent, one with that as its data."""
    return str(event if isinstance(event, ServerSentEvent) else ServerSentEvent(event))
