"""The chain of a `batch=True` route: middleware around each event of a group, one call of the handler in the middle.

What middleware, a permission or the session policy refuses or answers leaves the group; the handler is called with the
rest. It is written as a coroutine, which `drive` runs to its end where nothing waits.
"""

from __future__ import annotations

from collections.abc import Mapping

from router.dispatch.chain import _PASSED, _open_async, _resume_async, _throw_async, handler_of
from router.dispatch.permission import ask_async
from router.dispatch.plan import is_async
from router.errors import ConfigurationError
from router.response import refuse_unawaited
from router.session import HeldSession, _current
from router.signals import BatchItemFailures, Discard

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from router.dispatch.chain import Form, OnError, Opened
    from router.dispatch.plan import Plan
    from router.event import Event
    from router.routing.route import Route
    from router.session import Policy, Session

    # The result of an event, or the error that it ended with.
    Ended = tuple[Any, BaseException | None]

_FAILURES = "batchItemFailures"


class GroupChain:
    """The chain of one route.

    route, plan: the route and the plan of its handler, which takes a list of events.
    forms: the middleware, outermost first.
    on_error: makes the Response of an error, for middleware that `answers_errors`.
    policy: checks the session of each event.
    waits_on_errors: whether on_error may have to wait.
    """

    __slots__ = ("_call", "_call_is_async", "_check", "_layers", "_on_error", "_plan", "_policy", "_route", "is_async")

    def __init__(
        self, route: Route, plan: Plan, forms: list[Form], on_error: OnError, policy: Policy, waits_on_errors: bool
    ) -> None:
        self._route = route
        self._plan = plan
        self._call, self._call_is_async = handler_of(route, plan, forms)
        self._check = plan.check
        self._on_error = on_error
        self._policy = policy
        waits = waits_on_errors or is_async(route.permission) or any(form.needs_await for form in forms)
        self.is_async = self._call_is_async or waits
        self._layers = [form.layer(self.is_async) for form in forms]

    async def run(
        self, events: list[Event], *, in_order: bool, wants_results: bool, fetch: Callable[..., Any] | None = None
    ) -> list[Ended]:
        """Call the handler with a group, and return how each of its events ended.

        events: the group.
        in_order: nothing is begun after an event that was refused: what is returned is then shorter than the group.
        wants_results: the source wants a result for each record.
        fetch: fetches the body of an event that waits elsewhere.
        """
        ended: dict[int, Ended] = {}
        opened: dict[int, Opened] = {}
        for position, event in enumerate(events):
            ended_early = await self._enter(event, opened.setdefault(position, []), fetch)
            if ended_early is not None:
                ended[position] = ended_early
                if in_order and ended_early[1] is not None and not isinstance(ended_early[1], Discard):
                    break
        inside = [position for position in opened if position not in ended]
        if inside:
            results = await self._call_handler([events[position] for position in inside], wants_results)
            # What was opened last is closed first, as with one event: context variables and transactions nest.
            for position, (result, error) in reversed(list(zip(inside, results, strict=True))):
                ended[position] = await self._leave(events[position], opened[position], result, error)
            if getattr(events[0], "window", None) is not None:
                _keep_whole(inside, results, ended)
        return [ended[position] for position in sorted(ended)]

    async def _enter(self, event: Event, opened: Opened, fetch: Callable[..., Any] | None) -> Ended | None:
        """Open the middleware of an event and ask whether it may go on. Return how it ended where it may not."""
        _current.set(event)
        try:
            if fetch is not None:
                await fetch(event)
            early = await _open_async(self._layers, event, opened)
            if early is _PASSED:
                await self._admit(event)
                return None
        except BaseException as error:
            return await self._leave(event, opened, None, error)
        return await self._leave(event, opened, early, None)

    async def _admit(self, event: Event) -> None:
        """Raise Forbidden, or what the session policy raises, for an event that the handler must not see."""
        _ = event.session  # a session that is refused is that of one event, not of the group
        if self._check is not None:
            self._check(event)
        if self._route.permission is not None:
            await ask_async(self._route, self._plan, event)
        if self._policy.enforces or self._route.require:
            self._policy.check(event)

    async def _leave(self, event: Event, opened: Opened, result: Any, error: BaseException | None) -> Ended:
        """Resume the middleware of an event with its result or error, and return how it ended."""
        _current.set(event)
        try:
            if error is not None:
                return await _throw_async(opened, event, error, self._on_error), None
            return await _resume_async(opened, event, result, self._on_error), None
        except BaseException as raised:
            return None, raised

    async def _call_handler(self, events: list[Event], wants_results: bool) -> list[Ended]:
        try:
            _current.set(_shared(events))
            result = self._call(list(events))  # a list of its own: what the handler does to it changes no outcome
            if self._call_is_async:
                result = await result
            return _told_apart(self._route, events, result, wants_results)
        except BatchItemFailures as failures:
            return _named(self._route, events, failures)
        except BaseException as error:
            return [(None, error)] * len(events)


class GroupSession(HeldSession):
    """The session of a call with a group. events: the group."""

    __slots__ = ("events",)

    def __init__(self, session: Session, events: list[Event]) -> None:
        super().__init__(session, events[0].route)
        self.events = events


def _shared(events: list[Event]) -> Any:
    """Return what holds the session of a call: what all of its events agree on, and nothing that only some say."""
    if len(events) == 1:
        return events[0]
    first = events[0].session
    others = [event.session for event in events[1:]]
    differing = [
        field
        for field in ("tenant", "user", "claims", "correlation_id", "attributes")
        if any(getattr(session, field) != getattr(first, field) for session in others)
    ]
    return GroupSession(first.replace(**dict.fromkeys(differing)), events)


def _told_apart(route: Route, events: list[Event], result: Any, wants_results: bool) -> list[Ended]:
    """Return how each event ended, from what the handler of its group returned.

    Raises:
        ConfigurationError: it names an event that is not of the group, or has no result for each where one is needed.
    """
    refuse_unawaited(result)
    if isinstance(result, Mapping) and _FAILURES in result:
        failed = _by_identifier(route, events, result[_FAILURES])
        return _with_state(_named(route, events, BatchItemFailures(failed)), result.get("state"))
    if not wants_results:
        return [*[(None, None)] * (len(events) - 1), (result, None)]  # the state of a window goes on from the last
    if result is None:
        return [(None, None)] * len(events)
    if not isinstance(result, list) or len(result) != len(events):
        raise ConfigurationError(f"{route}: return a list with a result for each of the {len(events)} records, or None")
    return [(one, None) for one in result]


def _named(route: Route, events: list[Event], failures: BatchItemFailures) -> list[Ended]:
    """Return how each event ended: those that the handler named failed, the others are done."""
    errors = {id(event): error for event, error in failures.errors}
    unknown = errors.keys() - {id(event) for event in events}
    if unknown:
        error = ConfigurationError(f"{route}: BatchItemFailures names {len(unknown)} events that are not in the group")
        return [(None, error)] * len(events)
    return [(None, errors.get(id(event))) for event in events]


def _with_state(ended: list[Ended], state: Any) -> list[Ended]:
    """Give the state of a tumbling window, which Lambda's own form may hold, to the last record before a failure."""
    done = next((position for position, (_, error) in enumerate(ended) if error is not None), len(ended))
    if isinstance(state, dict) and done:
        ended[done - 1] = (state, None)
    return ended


def _keep_whole(inside: list[int], results: list[Ended], ended: dict[int, Ended]) -> None:
    """Keep the state that a handler returned for a tumbling window only together with all the events it was made of.

    Where middleware then failed one of them the state would be lost with it, while those before it are acknowledged: so
    the call is to be made again, from its first event. The same holds where the handler named failures and no state:
    nobody knows what it made of the events before.

    inside, results: the positions that the handler was called with, and how it left each.
    ended: how each event ended after its middleware, by position.
    """
    made = [position for position, (result, _) in zip(inside, results, strict=True) if isinstance(result, dict)]
    if not made:
        named = next((error for _, error in results if error is not None and not isinstance(error, Discard)), None)
        if named is not None:
            ended[inside[0]] = None, named
        return
    of_state = inside[: inside.index(made[-1]) + 1]
    failures = [error for position in of_state if (error := ended[position][1]) is not None]
    lost = [error for error in failures if not isinstance(error, Discard)]
    if lost:
        ended[inside[0]] = None, lost[0]
    elif failures:
        # What was discarded is acknowledged, and part of the state: the last of the others hands it on.
        kept = [position for position in of_state if ended[position][1] is None]
        if kept and not isinstance(ended[kept[-1]][0], dict):
            ended[kept[-1]] = results[inside.index(made[-1])]


def _by_identifier(route: Route, events: list[Event], items: Any) -> list[Event]:
    """Return the events that an answer in Lambda's own form names."""
    by_id = {identifier: event for event in events for identifier in (event.id, *_numbers(event))}
    found = []
    for item in items if isinstance(items, list) else [items]:
        identifier = item.get("itemIdentifier") if isinstance(item, dict) else None
        if isinstance(identifier, dict):  # of Kafka
            offset = identifier.get("offset")
            identifier = (str(identifier.get("partition")), offset if type(offset) is int else -1)
        event = by_id.get(identifier) if isinstance(identifier, str | tuple) else None
        if event is None:
            raise ConfigurationError(f"{route}: {_FAILURES} names {identifier!r:.80}, which is no record of the group")
        found.append(event)
    return found


def _numbers(event: Event) -> tuple[Any, ...]:
    """Return what failures are reported by beside the id: a sequence number, or the partition and offset of Kafka."""
    held = getattr(event, "identifier", None)
    if type(held) is dict:
        return ((held["partition"], held["offset"]),)
    number = getattr(event, "sequence_number", None)
    return (number,) if type(number) is str else ()
