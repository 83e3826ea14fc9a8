"""Durable functions: their envelope, and the routes that wait for days and go on where they stopped.

Lambda hands every event of a function with a `DurableConfig` over in an envelope. The event is taken out, and goes its
usual way. A durable route runs inside of AWS's SDK, `aws-durable-execution-sdk-python`. Every other route runs as
it does elsewhere, and is answered `SUCCEEDED` with the answer of its source.
"""

from __future__ import annotations

import json
from contextvars import ContextVar
from uuid import NAMESPACE_URL, uuid5

from router.background import loop_runs
from router.errors import AnswerTooLarge, ConfigurationError, InvalidEvent, text_of
from router.event import Source
from router.sources import load
from router.sources._registry import ROWS, detect
from router.sources.durable import Envelope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from router.dispatch.engine import Engine
    from router.dispatch.plan import Entry
    from router.event import Event

_LARGEST_RESULT = 6 * 1024 * 1024 - 50  # bytes: 6 MB of an answer, less the envelope around it
# Their batches come from one queue or stream.
_OF_ONE_NAME = (Source.SQS, Source.DYNAMODB, Source.KINESIS)
_active: ContextVar[Any] = ContextVar("durable", default=None)  # the DurableContext of the work that runs


class Escaped(BaseException):
    """Carry an error of the SDK out of a handler and back to it: nothing on the way may take it for a failure."""

    def __init__(self, error: Exception) -> None:
        super().__init__(text_of(error))
        self.error = error


class ExecutionContext:
    """Lambda's context object, within a durable execution.

    aws_request_id: one id for the whole execution, so that ids made of it are the same when it goes on.
    durable_execution_arn: names the execution.
    is_replay: whether the execution began in an earlier call, and runs through what it did there again.
    """

    def __init__(self, context: Any, envelope: Envelope) -> None:
        self._context = context
        self.aws_request_id = str(uuid5(NAMESPACE_URL, envelope.arn))
        self.durable_execution_arn = envelope.arn
        self.is_replay = envelope.is_replay

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def remember(self, held: Any) -> None:
        """Keep JSON of the first run: the first operation of the execution. Nothing outside of a durable route."""
        if (context := _active.get()) is not None and not self.is_replay:
            context.step(lambda _: held, name="junction-session")

    def remembered(self) -> Any:
        """Return what the first run kept; None where this is the first."""
        context = _active.get()
        return context.step(lambda _: None, name="junction-session") if self.is_replay and context is not None else None


def current_durable_context() -> Any:
    """Return the DurableContext of the work that runs; None outside of a durable route."""
    return _active.get()


def answer_envelope(engine: Engine, raw: Any, context: Any) -> Any:
    """Return the answer to an envelope, or a coroutine of it.

    Raises:
        InvalidEvent: it is malformed.
        ConfigurationError: a durable route is called, and the extra `durable` is missing.
    """
    envelope = Envelope(raw)
    source = Source.INVOKE if envelope.payload is None else detect(envelope.event)

    def run(event: Any, held: Any) -> Any:
        if envelope.payload is None or _asks(engine, source, event, held):
            durably = engine.durably or _run_of_sdk(engine)
            return _in_thread(durably, raw, held) if loop_runs() else durably(raw, held)
        if envelope.is_replay:
            return failed(_gone(envelope))
        return _plain(engine, source, event, held)

    return engine.watched(source, run)(envelope.event, ExecutionContext(context, envelope))


def _gone(envelope: Envelope) -> ConfigurationError:
    return ConfigurationError(
        f"the execution {envelope.arn} began with a durable route, and none takes its event any more: "
        "keep the routes of running executions, or publish a version of the function for each change"
    )


def _plain(engine: Engine, source: Source, event: Any, context: ExecutionContext) -> Any:
    """Return the answer of a route that is not durable, as an execution that has ended; or a coroutine of it."""
    try:
        answer = engine.accepted_runner(source)(event, context)
        return _wait(answer, source) if _waits(answer) else succeeded(answer)
    except Exception as error:
        return _failed(error, source)


def _waits(answer: Any) -> bool:
    return type(answer) is not dict and hasattr(answer, "send")


async def _wait(work: Coroutine[Any, Any, Any], source: Source) -> Any:
    try:
        return succeeded(await work)
    except Exception as error:
        return _failed(error, source)


def succeeded(answer: Any) -> dict[str, Any]:
    """Return the answer of an execution that has ended."""
    result = json.dumps(answer)
    if len(result) > _LARGEST_RESULT:
        return failed(AnswerTooLarge(f"the result has {len(result):,} bytes, of at most {_LARGEST_RESULT:,}"))
    return {"Status": "SUCCEEDED", "Result": result}


def failed(error: Exception) -> dict[str, Any]:
    """Return the answer of an execution that has failed. It is not run again."""
    # A lone surrogate in a message could not be sent.
    message = text_of(error).encode("utf-8", "backslashreplace").decode()
    return {"Status": "FAILED", "Error": {"ErrorMessage": message, "ErrorType": type(error).__name__}}


def _failed(error: Exception, source: Source) -> dict[str, Any]:
    """Return the answer to an error of a plain route; of what Lambda delivers again, raise it, so that it does."""
    if ROWS[source].kind != "reply":
        raise error
    return failed(error)


# ---- which route ---------------------------------------------------------------------------------------------------


def _asks(engine: Engine, source: Source, raw: Any, context: ExecutionContext) -> bool:
    """Return whether a durable route takes the event inside, or one of its records."""
    if not any(entry.plan.durable for entry in engine.table.entries_of(source)):
        return False
    module = load(source)
    read = getattr(module, "each", module.read)  # one by one, where the source can
    try:
        for event in read(source, raw, context):
            event._policy = engine.policy
            if engine.kafka_options and source is Source.KAFKA:
                from router.dispatch.kafka_options import with_options

                with_options(engine.table, (event,))
            entry = _entry_of(engine, event)
            if entry is not None and entry.plan.durable:
                return True
            if source in _OF_ONE_NAME and entry is not None and engine.table.fixed(event) is entry:
                return False  # all of its records go the same way
    except InvalidEvent:
        pass  # the dispatch answers it
    return False


def _entry_of(engine: Engine, event: Event) -> Entry | None:
    """Return the entry for an event of any source; None where there is none, or nobody wants it."""
    table = engine.table
    find: Callable[[Event], Entry | None] = table.find_record
    if ROWS[event.source].by_path:
        find = table.find_request
        if engine.strip_prefixes:
            from router.dispatch.prefixes import without_prefixes

            find = without_prefixes(engine.strip_prefixes, find)
    try:
        return find(event)
    except Exception:
        return None


# ---- inside of the SDK ---------------------------------------------------------------------------------------------


class _CopiesContext:
    """A plugin that does nothing. With any plugin the SDK copies context variables into the threads it starts."""

    def create_plugin(self, _info: Any, /) -> Any:
        from aws_durable_execution_sdk_python.plugin import DurableInstrumentationPlugin

        return DurableInstrumentationPlugin()


def _run_of_sdk(engine: Engine) -> Callable[[Any, Any], Any]:
    """Return what runs an envelope inside of the SDK; made once, since it looks for plugins."""
    try:
        from aws_durable_execution_sdk_python import durable_execution
    except ImportError:
        raise ConfigurationError(
            'a durable route needs the SDK for durable functions: pip install "lambda-junction[durable]"'
        ) from None

    def run(event: Any, context: Any) -> Any:
        return _dispatch(engine, event, context)

    looking_on = [one.durable_plugins for one in engine.observers if hasattr(one, "durable_plugins")]
    factories: list[Any] = [_CopiesContext(), *looking_on]
    engine.durably = durable_execution(run, plugins=factories)
    return engine.durably


def _dispatch(engine: Engine, event: Any, context: Any) -> Any:
    """Dispatch the event of an execution, in the thread of the SDK.

    context: the DurableContext, which holds the one of Lambda.
    """
    token = _active.set(context)
    try:
        answer = engine.accepted_runner(detect(event))(event, context.lambda_context)
        return run_blocking(answer) if _waits(answer) else answer
    except Escaped as escaped:
        raise escaped.error from None
    finally:
        _active.reset(token)


async def _in_thread(run: Callable[[Any, Any], Any], raw: Any, context: Any) -> Any:
    from asyncio import to_thread

    return await to_thread(run, raw, context)


def run_blocking(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine to its end: on the loop of this thread or, where that runs already, of another one."""
    from router.dispatch.loop import run

    if not loop_runs():
        return run(work)
    from concurrent.futures import ThreadPoolExecutor
    from contextvars import copy_context

    with ThreadPoolExecutor(1, "durable") as executor:
        return executor.submit(copy_context().run, run, work).result()
