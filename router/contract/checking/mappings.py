"""Check what brings events: mappings that lose messages or repeat them, and routes that nothing reaches."""

from __future__ import annotations

from json import dumps, loads
from typing import TYPE_CHECKING

from router.contract.checking.deliveries import matcher
from router.contract.checking.findings import WARNING, Finding, of_route
from router.contract.checking.globs import ANY, may_equal
from router.contract.checking.requests import HTTP, wide
from router.contract.checking.structure import entries, listed, mapping
from router.env import Env, name_in
from router.event import Source

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from typing import Any

    from router.contract.checking.deployed import Delivery, Deployed, Template
    from router.routing.route import Route

_PARTIAL = "ReportBatchItemFailures"
_VISIBILITY_S = 30  # of a queue that does not say
_TIMES = 6  # "Set the visibility timeout to at least six times the timeout of your function": Lambda Developer Guide
# What Lambda polls beside queues and streams: of these a mapping need not report what failed.
_POLLED = frozenset((Source.KAFKA, Source.ACTIVEMQ, Source.RABBITMQ, Source.DOCUMENTDB))
_MAPPED = frozenset((Source.SQS, Source.DYNAMODB, Source.KINESIS)) | _POLLED
_UNROUTED = ("$connect", "$disconnect")  # of WebSocket APIs: they are answered without a route as well
# Sources of which a template tells everything that brings their events.
_DELIVERED = frozenset({"sqs", "sns", "s3", "dynamodb", "kinesis", "kafka", "schedule", "eventbridge", "websocket"})


def check_function(
    template: Template,
    function: Deployed,
    routes: Iterable[Route],
    deliveries: Iterable[Delivery],
    elsewhere: Collection[str] = (),
) -> Iterator[Finding]:
    """Check what brings events to one function.

    routes: that it serves. deliveries: those to it.
    elsewhere: sources whose events something else than the template may bring.
    """
    held, found = list(routes), list(deliveries)
    names = _Names(template, function)
    for delivery in found:
        if delivery.is_mapping:
            taken = [route for route in held if _takes(route, delivery, names)]
            yield from _mapping(template, function, delivery, taken)
        if delivery.is_told and delivery.function is not None and delivery.source in _DELIVERED:
            yield from _untaken(delivery, held, names)
    awaited = [route for route in held if _delivered(route).isdisjoint(elsewhere)]
    yield from _undelivered(template, function, awaited, found, names)


def _mapping(template: Template, function: Deployed, delivery: Delivery, routes: list[Route]) -> Iterator[Finding]:
    if function.is_isolated and delivery.function is not None:
        yield _at(
            "tenant-isolation",
            delivery,
            f"Lambda refuses an event source mapping to {function.logical}, which isolates tenants: give its routes a "
            "function of their own",
        )
    responses = [template.references.text(one) for one in listed(delivery.settings.get("FunctionResponseTypes"))]
    if _PARTIAL not in responses and ANY not in responses and _reports(delivery, routes):
        yield _at(
            "partial-responses",
            delivery,
            f"without FunctionResponseTypes: [{_PARTIAL}] Lambda takes every answer for success, and loses what failed",
        )
    if delivery.source == "sqs":
        yield from _visibility(template, function, delivery)
    yield from _filters(delivery, routes)


def _reports(delivery: Delivery, routes: list[Route]) -> bool:
    if delivery.source == "kafka":
        return any(route.partial or route.queue for route in routes)
    if delivery.source == ANY:  # such as an import: it may be Kafka, unless no route takes that
        return bool(routes) and all(_POLLED.isdisjoint(route.sources) for route in routes)
    return bool(routes) or delivery.function is not None


def _visibility(template: Template, function: Deployed, delivery: Delivery) -> Iterator[Finding]:
    if delivery.resource is None or function.timeout is None or delivery.function is None:
        return
    held = template.properties(delivery.resource)
    visibility = template.references.number(held.get("VisibilityTimeout"), _VISIBILITY_S)
    window = template.references.number(delivery.settings.get("MaximumBatchingWindowInSeconds"), 0) or 0
    least = _TIMES * function.timeout + window
    if visibility is not None and visibility < least:
        told = f"six times the {function.timeout} s of {function.logical}" + (
            f" and the window of {window} s" if window else ""
        )
        yield Finding(
            "visibility",
            f"{delivery.resource} hides a message for {visibility} s, and {told} are {least} s: a message that is "
            "still being handled comes again",
            template.place(delivery.resource),
        )
    if "RedrivePolicy" not in held:
        yield Finding(
            "dead-letter",
            f"{delivery.resource} has no RedrivePolicy: a message that fails comes again until it expires, and is lost",
            template.place(delivery.resource),
            WARNING,
        )


def _filters(delivery: Delivery, routes: list[Route]) -> Iterator[Finding]:
    """Find filters that drop what a route would take, or what should fail."""
    filters = entries(mapping(delivery.settings.get("FilterCriteria")).get("Filters"))
    if not filters:
        return
    texts = [one.get("Pattern") for one in filters]
    told = dumps(texts)
    what = "deletes" if delivery.source == "sqs" else "skips"
    for route in routes:
        if route.pattern is None and any(_passes(text, route) for text in texts):
            continue
        if route.pattern is None:
            yield _at(
                "filters",
                delivery,
                f"{route} takes everything, and Lambda {what} what the filters decline: {told:.200}",
            )
        elif route.others != "ignore":
            yield _at(
                "filters",
                delivery,
                f'Lambda {what} what the filters decline, and {route} has no others="ignore": nobody would hear of it',
            )
        elif dropped := _dropped(texts, route.pattern):
            yield _at("filters", delivery, f"{route} takes {dropped}, which no filter lets through: Lambda {what} it")


def _dropped(filters: list[Any], pattern: Any) -> str:
    """Return a value that a pattern takes and no filter lets through; empty where none is plain to see."""
    found = [_values(_read(one), ()) for one in filters]
    for path, wanted in _values(pattern, ()).items():
        if all(path in one for one in found):
            passed = {value for one in found for value in one[path]}
            left = [value for value in wanted if value not in passed]
            if left:
                return f"{'.'.join(path)} {left[0]}"
    return ""


def _values(pattern: Any, path: tuple[str, ...]) -> dict[tuple[str, ...], list[str]]:
    """Return the exact values that a pattern asks for, as JSON, by path; nothing of what it asks for otherwise."""
    if isinstance(pattern, list):
        exact = not any(isinstance(one, dict | list) for one in pattern)
        return {path: [dumps(one) for one in pattern]} if exact else {}
    held = pattern.items() if isinstance(pattern, dict) and "$or" not in pattern else ()
    return {where: one for name, inner in held for where, one in _values(inner, (*path, name)).items()}


def _read(pattern: Any) -> Any:
    try:
        return loads(pattern)
    except (TypeError, ValueError):
        return None


def _passes(pattern: Any, route: Route) -> bool:
    """Whether a filter lets all through that a route takes, by the kind of change alone: events=["INSERT"]."""
    held = _read(pattern)
    if not route.events or not isinstance(held, dict) or held.keys() != {"eventName"}:
        return False
    return isinstance(held["eventName"], list) and all(name in held["eventName"] for name in route.events)


# ---- names -----------------------------------------------------------------------------------------------------------


def _undelivered(
    template: Template,
    function: Deployed,
    routes: Iterable[Route],
    deliveries: list[Delivery],
    names: _Names,
) -> Iterator[Finding]:
    """Find routes whose events nothing of the template brings."""
    for route in routes:
        sources = _delivered(route)
        left = _left(route, deliveries) if route.methods else ()
        if not sources or (not left and any(_takes(route, one, names) for one in deliveries)):
            continue
        there = sorted({one.name for one in deliveries if one.source in sources})
        told = (
            f"there is {', '.join(there[:5])}" if there else f"nothing brings events of {' or '.join(sorted(sources))}"
        )
        which = f"{' and '.join(left)} of it" if 0 < len(left) < len(route.methods) else "it"
        yield of_route("no-trigger", route, f"{template.file} has no trigger for {which} in {function.logical}: {told}")


def _untaken(delivery: Delivery, routes: Iterable[Route], names: _Names) -> Iterator[Finding]:
    """Find what brings events which no route takes: each of them fails."""
    if delivery.name in _UNROUTED or any(_takes(route, delivery, names) for route in routes):
        return
    which = "events" if delivery.name == ANY else f"events of {delivery.name}"
    yield _at("no-route", delivery, f"it brings {which} ({delivery.source}), which no route takes: each of them fails")


def _left(route: Route, deliveries: Iterable[Delivery]) -> list[str]:
    """Return the methods of a route that nothing brings."""
    brought, path = [one.name for one in deliveries if one.source == HTTP], wide(route.match)
    return [method for method in route.methods if not any(may_equal(f"{method} {path}", one) for one in brought)]


def _delivered(route: Route) -> set[str]:
    return {HTTP} if route.methods else {str(source.value) for source in route.sources} & _DELIVERED


def _takes(route: Route, delivery: Delivery, names: _Names) -> bool:
    """Whether a route takes what something brings, as far as names tell."""
    if route.methods:
        paths = [f"{method} {wide(route.match)}" for method in route.methods]
        return delivery.source == HTTP and any(may_equal(path, delivery.name) for path in paths)
    if delivery.source == HTTP:
        return False
    if delivery.source == ANY:
        return not _MAPPED.isdisjoint(route.sources)
    if delivery.source not in {str(source.value) for source in route.sources}:
        return False
    if "$default" in (route.match, delivery.name):
        return True
    if isinstance(route.match, Env):
        return names.are_of(route.match, delivery)
    return may_equal(str(route.match), delivery.name) and _is_of_source(route, delivery)


def _is_of_source(route: Route, delivery: Delivery) -> bool:
    """Whether a rule may bring events of the source that a route asks for; true of what is no rule."""
    if not route.bus_source or delivery.source != "eventbridge":
        return True
    pattern = mapping(delivery.settings.get("EventPattern") or delivery.settings.get("Pattern"))
    sources = [matcher(one) for one in listed(pattern.get("source"))]
    return not sources or any(may_equal(str(route.bus_source), one) for one in sources)


class _Names:
    """The names that the variables of a function hold."""

    def __init__(self, template: Template, function: Deployed) -> None:
        self._references = template.references
        self._variables = function.variables

    def are_of(self, wanted: Env, delivery: Delivery) -> bool:
        """Whether a variable may hold the name of what something delivers."""
        value = self._variables.get(wanted.variable)
        if value is None:
            return may_equal(wanted.default or ANY, delivery.name)
        resource = self._references.logical_of(value)
        if resource is not None and delivery.resource is not None:
            return resource == delivery.resource
        return may_equal(name_in(self._references.text(value)) or ANY, delivery.name)


def _at(rule: str, delivery: Delivery, text: str, level: Any = None) -> Finding:
    told = f"{delivery.label}: {text}"
    return Finding(rule, told, delivery.place) if level is None else Finding(rule, told, delivery.place, level)
