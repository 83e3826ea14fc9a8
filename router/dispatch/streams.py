"""Answer with a stream: chunk by chunk where the runtime can, else whole."""

from __future__ import annotations

from router.errors import AnswerTooLarge
from router.session import _current
from router.sources._answers import BODILESS, LIMIT
from router.streaming import ClientGone, is_streamed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from router.dispatch.engine import Engine
    from router.dispatch.reply import Replies
    from router.event import Event
    from router.response import StreamResponse
    from router.sources import Unsent

# The most bytes of status, headers and cookies in front of a streamed body: API Gateway looks for the mark that ends
# them in the first 16 KB.
_LARGEST_HEAD = 16 * 1024 - 8


async def answer_stream(replies: Replies, event: Event, unsent: Unsent) -> Any:
    """Return the answer of a Response whose body is still to be read; see `_answer`."""
    try:
        return await _answer(replies, event, unsent.response)
    except Exception as error:
        inner: BaseException = error
        while inner.__context__ is not None and inner.__context__ is not unsent:
            inner = inner.__context__
        inner.__context__ = None  # what asked for the stream is not what went wrong
        raise


async def _answer(replies: Replies, event: Event, response: StreamResponse) -> Any:
    """Return the answer of a Response whose body is a stream.

    Where the runtime streams, the answer has the Stream as its body, with the first chunk made. So an error before that
    is answered as any other.

    Raises:
        AnswerTooLarge: the body has more bytes than an answer may have that is not streamed, or the headers have.
        Exception: what the stream raised.
    """
    stream = response.chunks
    if stream.run(_current.get) is None:
        stream.adopt()
    if (event._speaks_http and event.method == "HEAD") or response.status in BODILESS:
        await stream.close()
        return replies.answer(event, response.holding(None))
    if not _is_taken(event):
        body = await stream.collect(LIMIT)
        await _finish_background(event)
        return replies.answer(event, response.holding(body))
    await stream.begin()
    try:
        answer = replies.answer(event, response.holding(None))
        check_head(answer)
    except BaseException as error:
        await stream.close(error)
        raise
    stream.waits = stream.waits or replies.engine.waits_on_errors
    stream.then(_end_of(replies.engine, event))
    answer["body"] = stream
    return answer


def _is_taken(event: Event) -> bool:
    """Whether the answer to an event is sent chunk by chunk."""
    sources = getattr(event.context, "streamed_sources", ())
    # The result of a durable execution is kept, and so it is whole.
    durable = getattr(event.context, "durable_execution_arn", None) is not None
    return not durable and is_streamed(event.source, event.raw, sources)


def check_head(answer: dict[str, Any]) -> None:
    """Refuse headers that nothing would find the end of. Raises AnswerTooLarge."""
    from json import dumps

    size = len(dumps(answer))
    if size > _LARGEST_HEAD:
        raise AnswerTooLarge(f"status, headers and cookies have {size:,} bytes; a stream may have {_LARGEST_HEAD:,}")


def _end_of(engine: Engine, event: Event) -> Callable[[BaseException | None], Coroutine[Any, Any, None]]:
    """Return what is to be done when a stream has ended: wait for its work in the background, report its error."""

    async def end(failure: BaseException | None) -> None:
        if failure is None:
            try:
                await _finish_background(event)
            except Exception as late:
                failure = late
        if isinstance(failure, Exception) and not isinstance(failure, ClientGone):
            from router.dispatch.errors import report_stream

            await report_stream(engine, event, failure)

    return end


async def _finish_background(event: Event) -> None:
    """Wait for what a stream started in the background. Raises the first error of it."""
    if event._tasks:
        from router.dispatch.loop import first_failure

        failure = await first_failure((event,))
        if failure is not None:
            raise failure
