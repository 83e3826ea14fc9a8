"""Put what an application chose around its answers: the envelope, and further fields of problem documents."""

from __future__ import annotations

from time import perf_counter

from router.dispatch.envelope import STARTED, Envelope, Enveloped
from router.dispatch.plan import Plan
from router.encode import dumps
from router.errors import ConfigurationError
from router.event import Source
from router.response import PROBLEM, Response
from router.sources._registry import HTTP_SOURCES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from router.dispatch.engine import Engine
    from router.event import Event
    from router.routing.route import Route

OFF = "off"
_SOURCES = frozenset((*HTTP_SOURCES, Source.WEBSOCKET, Source.INVOKE))
_OF_PROBLEMS = ("title", "detail", "status")
# Set by `Idempotent` on an answer that it kept, and that was in the envelope when it did.
_REPLAYED = "idempotency-replayed"


def checked_envelope(given: Any, where: str, sources: tuple[Source, ...] = HTTP_SOURCES) -> Any:
    """Return an `envelope=`: an Envelope, or "off" inside of one. Raises ConfigurationError."""
    if not (isinstance(given, Envelope) or given == OFF):
        raise ConfigurationError(f"{where}: envelope= takes an Envelope, or 'off', not {given!r:.80}")
    if not fits(sources):
        raise ConfigurationError(f"{where}: envelope= is for HTTP, WebSocket and direct invokes")
    return given


def fits(sources: tuple[Source, ...]) -> bool:
    """Whether the answers of some sources can be put into an envelope."""
    return _SOURCES.issuperset(sources)


def checked_fields(given: Mapping[str, str]) -> dict[str, str]:
    """Return further fields of problem documents: name to the field that they repeat. Raises ConfigurationError."""
    for name, repeated in given.items():
        if not isinstance(name, str) or not name or repeated not in _OF_PROBLEMS:
            raise ConfigurationError(
                f"Resolver(problem_fields=...): map names to {', '.join(_OF_PROBLEMS)}, not {name!r} to {repeated!r}"
            )
    return dict(given)


def envelope_of(engine: Engine, event: Event) -> Envelope | None:
    """Return the envelope for an event: that of its route, else that of the resolver."""
    own = None if event.route is None else event.route.envelope
    held = engine.envelope if own is None else own
    return None if held == OFF else held


def shaped(engine: Engine, event: Event, response: Response) -> Response:
    """Return the answer to an error in the form that the application chose."""
    envelope = envelope_of(engine, event)
    if event.source is Source.WEBSOCKET and event.name in ("$connect", "$disconnect"):
        return response  # the status alone counts
    if envelope is not None:
        return envelope.of_response(event, response)
    if engine.problem_fields and response.headers.get("content-type") == PROBLEM and response.body is not None:
        import orjson

        document = orjson.loads(response.body)
        for name, repeated in engine.problem_fields.items():
            document.setdefault(name, document.get(repeated, document["title"]))
        response.body = dumps(document).decode()
    return response


def enveloped_plan(engine: Engine, route: Route, plan: Plan) -> Plan:
    """Return the plan of a route whose results are put into its envelope, if it has one."""
    envelope = engine.envelope if route.envelope is None else route.envelope
    if envelope is None or envelope == OFF or not fits(route.sources):
        return plan
    call, of_result = plan.call, envelope.of_result

    def call_and_wrap(event: Event) -> Any:
        return of_result(event, call(event))

    async def await_and_wrap(event: Event) -> Any:
        return of_result(event, await call(event))

    return Plan(await_and_wrap if plan.is_async else call_and_wrap, plan.is_async, plan.check, plan.asked)


def timed(make: Callable[..., Event]) -> Callable[..., Event]:
    """Return what makes events, and notes when it began."""

    def make_and_note(*arguments: Any) -> Event:
        started = perf_counter()
        event = make(*arguments)
        event.state[STARTED] = started
        return event

    return make_and_note


def with_status(engine: Engine, answer: Callable[[Event, Any], Any]) -> Callable[[Event, Any], Any]:
    """Return what answers requests, with the status 200 where the envelope wants it: last, so that middleware sees the
    status that it would be otherwise.
    """

    def answer_ok(event: Event, result: Any) -> Any:
        if isinstance(result, Response) and result.status != 200:
            envelope = envelope_of(engine, event)
            if envelope is not None and envelope.always_ok and _is_in_it(result):
                if result.status >= 400:
                    result.headers.setdefault("cache-control", "no-store")  # a cache takes a 200 for a good answer
                result.status = 200
        return answer(event, result)

    return answer_ok


def _is_in_it(response: Response) -> bool:
    return isinstance(response, Enveloped) or _REPLAYED in response.headers
