"""Handle an error: `@resolver.catch` first, then problem documents, the log and `on_error`."""

from __future__ import annotations

from router.errors import AnswerTooLarge, HTTPError, InvalidEvent, NoRoute, SessionError, text_of
from router.event import Source
from router.response import Response, problem, to_response
from router.signals import Discard, Retry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.dispatch.engine import Engine
    from router.event import Event


def _catcher(engine: Engine, event: Event, error: BaseException) -> Any:
    """Return the function that the application registered for an error, or None."""
    inner = event.route.catchers if event.route is not None else ()
    if not inner and not engine.catchers:
        return None
    from router.dispatch.catching import find_catcher

    return find_catcher(error, *inner, engine.catchers)


def _note(engine: Engine, event: Event) -> None:
    """Let middleware that looks on know of an event that ended with an error: none may have seen it."""
    if engine.observers:
        from router.dispatch.invocation import note_failed

        note_failed(event)


def ordinary(event: Event, error: Exception) -> Exception:
    """Return an error as what it is here: NoRoute out of a handler comes of a dispatch inside it, not of this one."""
    if not isinstance(error, NoRoute) or event.route is None:
        return error
    failure = RuntimeError(f"a dispatch inside the handler found no route: {error}")
    failure.__cause__ = error
    return failure


async def on_error(engine: Engine, event: Event, error: Exception) -> Response:
    """Return the answer to a request that failed. Of an unknown error it shows nothing; the log has the cause."""
    response = await _answer(engine, event, error)
    if engine.shapes:
        from router.dispatch.shaping import shaped

        return shaped(engine, event, response)
    return response


async def _answer(engine: Engine, event: Event, error: Exception) -> Response:
    """Return what a catcher answers, or a problem document."""
    _note(engine, event)
    event.error = error = ordinary(event, error)
    catcher = _catcher(engine, event, error)
    if catcher is not None:
        try:
            return to_response(await catcher(error, event))
        except Exception as raised:
            event.error = error = raised
    if isinstance(error, HTTPError):
        if error.status >= 500:
            await report(engine, event, error)
        else:
            await tell(engine, event, error, expected=True)
        return _problem(error)
    if isinstance(error, InvalidEvent | NoRoute):
        await tell(engine, event, error, expected=True)
        return problem(400, str(error)) if isinstance(error, InvalidEvent) else problem(404)
    await report(engine, event, error)
    if isinstance(error, AnswerTooLarge):
        return problem(500, str(error))
    return problem(500)


def _problem(error: HTTPError) -> Response:
    members = {name: value for name, value in error.members.items() if name not in ("status", "title", "detail")}
    return problem(error.status, error.detail, error.headers, **members)


async def on_record_error(engine: Engine, event: Event, error: Exception, told: set[int] | None = None) -> Exception:
    """Return the final error of a record or a call: what a catcher raised in its place, or the error itself.

    A catcher that returns has looked at the error; the record still fails. It raises Discard to acknowledge it.
    """
    error = ordinary(event, error)
    catcher = _catcher(engine, event, error)
    if catcher is not None:
        try:
            await catcher(error, event)
        except Exception as raised:
            error = raised
    return await settle(engine, event, error, told)


async def settle(engine: Engine, event: Event, error: Exception, told: set[int] | None = None) -> Exception:
    """Log or report the error that a record or a call ends with, and return it.

    told: the errors that were reported already, by their identity.
    """
    event.error = error
    _note(engine, event)
    if type(error).__name__ == "FailedBefore":  # in an earlier call of its durable execution, and reported then
        return error
    outcome = _expected(engine, event, error)
    if outcome is not None:
        _log().info("%s %r: %s", outcome, _name(event), _line(error))
        if isinstance(error, Retry):
            await delay(engine, event, error)
    if told is None or id(error) not in told:
        if outcome is None:
            await report(engine, event, error)
        else:
            await tell(engine, event, error, expected=True)
        if told is not None:
            told.add(id(error))
    return error


def _expected(engine: Engine, event: Event, error: Exception) -> str | None:
    """Return the outcome that an error asks for, as the log names it; None for one that nothing expected."""
    if isinstance(error, Discard):
        return "discarded"
    if isinstance(error, Retry):
        return "retry"
    if isinstance(error, HTTPError) and error.status < 500 and (event._from_client or _is_enveloped(engine, event)):
        # An answer to a client, as over HTTP: whoever asks for what is not his must not be able to fill the log.
        return "refused"
    return None


def _is_enveloped(engine: Engine, event: Event) -> bool:
    """Whether the error of a call is answered, in an envelope."""
    if not engine.shapes:
        return False
    from router.dispatch.shaping import envelope_of

    return event.source is Source.INVOKE and envelope_of(engine, event) is not None


async def delay(engine: Engine, event: Event, error: Retry) -> None:
    """Let the source wait before it delivers the record again, where something was given that can."""
    if error.after is None:
        return
    while event.outer is not None:  # it is the message that waits, not what was inside it
        event = event.outer
    # A worker knows better than the application: it renews the visibility of the messages that it holds.
    wait = getattr(event.context, "delay", None) or engine.delay
    if wait is None:
        text = "Retry(after=%g) of %r: no delay= was given to the Resolver, so the source says when it comes again"
        _log().warning(text, error.after, _name(event))
        return
    try:
        result = wait(event, error.after)
        if hasattr(result, "__await__"):
            await result
    except Exception as failure:
        # The record comes again all the same, after the queue's own visibility timeout.
        _log_error("the delay of %r failed", failure, _name(event))


async def caught(engine: Engine, event: Event, error: Exception) -> tuple[Any, Exception | None]:
    """Return what a catcher answers to a call in place of its error; or None and the error that it ends with."""
    event.error = error = ordinary(event, error)
    catcher = _catcher(engine, event, error)
    if catcher is not None:
        try:
            return await catcher(error, event), None
        except Exception as raised:
            error = raised
    return None, await settle(engine, event, error)


async def report_stream(engine: Engine, event: Event, error: Exception) -> None:
    """Log and report an error of an answer that is on its way already: no catcher can answer in its place."""
    event.error = error
    _note(engine, event)
    await report(engine, event, error)


async def report(engine: Engine, event: Event, error: BaseException) -> None:
    """Log an error that nothing expected, and tell the receivers of `on_error`."""
    if isinstance(error, NoRoute | InvalidEvent | SessionError):
        _log().error("%s failed: %s: %s", _name(event), type(error).__name__, _line(error))
    else:
        _log_error("%s failed", error, _name(event))
    await tell(engine, event, error, expected=False)


async def tell(engine: Engine, event: Event, error: BaseException, *, expected: bool) -> None:
    """Tell the receivers that want to know of an error. One that fails is logged and harms nothing.

    expected: the error answers a client, or is a signal: it is told only where a receiver asks for it.
    """
    of_route = event.route.on_error if event.route is not None else ()
    told: list[Any] = []
    for receiver in (*of_route, *engine.receivers):
        # One that is registered for a route and for the whole application is told once.
        if receiver.function in told or not receiver.wants(error, expected=expected):
            continue
        told.append(receiver.function)
        try:
            await receiver(error, event)
        except Exception as failure:
            _log_error("an on_error callable failed", failure)


def _log_error(message: str, error: BaseException, *args: Any) -> None:
    from router.dispatch.tracebacks import log_error  # most applications log no error at their start

    log_error(message, error, *args)


def _log() -> Any:
    from logging import getLogger

    return getLogger("router")


def _name(event: Event) -> str:
    """Return the name of what failed for the log: on one line, whatever the client put into it."""
    try:
        # Of a request the route says more than its name: behind one proxy resource all have the same.
        name = str(event.route) if event.method and event.route is not None else event.name
        id = event.id
    except Exception:
        name = id = "?"
    return _escaped(f"{event.source.value} {name} {id}")


def _line(error: BaseException) -> str:
    return _escaped(text_of(error))


def _escaped(text: str) -> str:
    return text[:2000].encode("unicode_escape").decode("ascii")
