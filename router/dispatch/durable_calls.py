"""Calls of handlers within a durable execution: what the SDK raises passes through, and records are done one by one.

Each record of a batch is a child context of the execution. When the execution goes on after a wait, a record that was
done is not handled again, and one that failed has failed.
"""

from __future__ import annotations

from router.dispatch.durable import Escaped, _active, run_blocking
from router.dispatch.plan import Plan
from router.errors import ConfigurationError, RouterError, text_of
from router.signals import Discard, Retry
from router.sources._registry import ROWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from router.event import Event
    from router.routing.route import Route


class FailedBefore(RouterError):
    """A record that failed in an earlier call of its execution. It was reported then."""


def check_durable(route: Route) -> None:
    """Refuse a durable route that the SDK cannot run.

    Raises:
        ConfigurationError: it takes groups, runs records at the same time, or its source waits for no execution.
    """
    if route.batch or route.concurrency > 1:
        raise ConfigurationError(f"{route}: a durable route takes one record after the other: no batch=, concurrency=")
    kinds = {ROWS[source].kind for source in route.sources}
    if "transform" in kinds or not {"task", "tool"}.isdisjoint(route.sources):
        raise ConfigurationError(f"{route}: no durable function is called with events of this source")


def durable_context_of(_: Any) -> Any:
    """Return the DurableContext for an argument of a handler.

    Raises:
        ConfigurationError: there is no durable execution.
    """
    context = _active.get()
    if context is None:
        raise _outside("the handler asks for a DurableContext")
    return context


durable_context_of.durable = True  # type: ignore[attr-defined]


def _outside(what: str) -> ConfigurationError:
    return ConfigurationError(
        f"{what}, and this is not a call of a durable function: give it a DurableConfig, and call a version or alias"
    )


def escaping(plan: Plan) -> Plan:
    """Return a plan that hands errors of the SDK past everything that would take them for failures of the handler."""
    call = plan.call
    if plan.is_async:

        async def call_async(event: Event) -> Any:
            try:
                return await call(event)
            except Exception as error:
                _let_escape(error)
                raise

        return Plan(call_async, True, plan.check, plan.asked)

    def call_sync(event: Event) -> Any:
        try:
            return call(event)
        except Exception as error:
            _let_escape(error)
            raise

    return Plan(call_sync, False, plan.check, plan.asked)


def _let_escape(error: Exception) -> None:
    """Raise an error in the form that passes, if it ends the execution or this call of it: that is the SDK's business.

    Raises:
        Escaped: it holds the error.
    """
    if _active.get() is None:
        return
    from aws_durable_execution_sdk_python.exceptions import UnrecoverableError

    if isinstance(error, UnrecoverableError):
        raise Escaped(error)


def recorded(route: Route, durable: bool, call: Callable[..., Any], is_async: bool) -> Callable[..., Any]:
    """Return the chain of a route as it is called in a function that has durable routes.

    durable: whether the route is one of them.
    call, is_async: the chain, and whether it returns a coroutine.
    """

    def begin(event: Any) -> bool:
        """Return whether the call is that of a record within an execution."""
        if _active.get() is None:
            if durable:
                raise _outside(f"{route} is durable")
            return False
        return ROWS[event.source].kind != "reply"

    if is_async:

        async def call_async(event: Any) -> Any:
            if not begin(event):
                return await call(event)
            return _in_child(lambda: run_blocking(call(event)), event)

        return call_async

    def call_sync(event: Any) -> Any:
        return _in_child(lambda: call(event), event) if begin(event) else call(event)

    return call_sync


def refusing(route: Route, call: Callable[..., Any]) -> Callable[..., Any]:
    """Return the chain of a `batch=True` route that refuses groups which share a batch with a durable route."""

    async def call_group(events: list[Event], **options: Any) -> Any:
        if _active.get() is not None:
            raise ConfigurationError(f"{route}: with batch=True it cannot share a batch with a durable route")
        return await call(events, **options)

    return call_group


def _in_child(call: Callable[[], Any], event: Event) -> Any:
    """Handle a record in a child context, once in the whole execution, and return or raise what came of it."""
    raised: list[Exception] = []

    def child(context: Any) -> dict[str, Any]:
        token = _active.set(context)
        try:
            result = call()
        except Exception as error:
            raised.append(error)
            return _told(error)
        finally:
            _active.reset(token)
        return {"result": result if type(result) is dict else None}  # the state of a window, or an answer gone wrong

    told = _active.get().run_in_child_context(child, name=event.id[:256])
    if "result" in told:
        return told["result"]
    raise raised[0] if raised else _failure(told)


def _told(error: Exception) -> dict[str, Any]:
    after = error.after if isinstance(error, Retry) else None
    kind = "discard" if isinstance(error, Discard) else "retry" if isinstance(error, Retry) else "error"
    return {"failed": kind, "after": after, "type": type(error).__name__, "message": text_of(error)[:2000]}


def _failure(told: dict[str, Any]) -> Exception:
    if told["failed"] == "discard":
        return Discard(told["message"])
    if told["failed"] == "retry":
        return Retry(told["after"], told["message"])
    return FailedBefore(f"{told['type']}: {told['message']}")
