"""`Route`: what one decorator registered. The resolver, the dispatcher and the contracts all read this record."""

from __future__ import annotations

from os import environ

from router.errors import ConfigurationError
from router.event import Source
from router.routing.paths import parse
from router.sources._registry import CARRIERS, RECORD_SOURCES, ROWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from typing import Any

    from router.routing.options import Published, Typed

STREAM_SOURCES = (Source.DYNAMODB, Source.KINESIS)
UNDECLARED: Mapping[str, tuple[str, ...]] = {}  # the `requires` of a route that does not declare any
# The options that are kept as they are given.
_DEFAULTS: dict[str, Any] = {
    "model": None,
    "pattern": None,
    "others": "fail",
    "auth": None,
    "group_requires": (),
    "permission": None,
    "catchers": (),
    "batch": False,
    "by": "session",
    "concurrency": 1,
    "aggregated": False,
    "durable": False,
    "partial": False,
    "queue": False,
    "decoder": None,
    "envelope": None,
    "function": None,
    "group": "",
    "unsigned_from": None,
    "accepts": None,
    "responses": None,
    "deprecated": False,
    "include_in_schema": True,
    "tool": False,
    "read_only": None,
    "request": None,
}
_NO_OPTIONS = ("catchers", "group", "group_requires", "handler", "match", "model", "request", "sources")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


class Route:
    """One registered route; frozen.

    sources: what it serves. match: a path template, or a name with `*` as wildcard. methods: of HTTP routes.
    pattern: an EventBridge event pattern over body, attributes and headers (on EventBridge: over the event).
    others: what becomes of a record that only the pattern declines: "fail", or "ignore", which acknowledges it.
    middleware: of this route alone, inside that of its group and resolver.
    auth: which credentials count, and what they must be good for: a `router.guards.Auth`; None as around it.
    model: what each body must be, from a typed topic or queue.
    requires: the variables it needs, each with the operations on what it names; UNDECLARED where it does not say.
    permission: a function of `session`, `event` and the handler's arguments, each by its name if it takes it; false is
        a 403.
    require: what the session must have for this route: "tenant", "user"; in place of what the policy requires.
    on_error: who is told of its errors, beside the receivers of the resolver. envelope: the form of its answers.
    unsigned_from: which of its sources may bring an unsigned session; in place of what the policy says.
    batch: one call with a list of Events that share a session. by: what they share instead: "tenant", or what a
        function of the event returns. concurrency: how many records run at a time.
    durable: whether it runs in a durable execution; so does a handler that asks for a DurableContext.
    aggregated: of Kinesis, whether records that the producer library (KPL) aggregated are split.
    partial: of Kafka, whether its event source mapping reports item failures, so that the answer may name them.
    queue: of Kafka, whether its event source mapping has the consumption mode Queue, which keeps no order.
    decoder: of Kafka, a function of a record's bytes and its schema; None for JSON. See `router.decoders`.
    topics, bus_sources: the SNS topics and EventBridge sources whose envelopes come inside its messages, and are taken
        for theirs although nothing is signed.
    events: names of changes (INSERT, ObjectCreated:*); prefix, suffix: of an object's key; bus_source: an event's
        `source`.
    function: the Lambda function that it belongs to, where an application is deployed as several; None as around it.
    responses: its answers by status, for documents: `{202: Accepted, 404: "no such order"}`; a type, a text, or a
        mapping with `model`, `description`, `examples`, `headers` and `media_type`.
    accepts: for documents, what else its body may be, by media type: a type, or a JSON Schema, each.
    deprecated: whether documents advise against it. include_in_schema: whether it is in documents at all.
    tool: of HTTP, whether agents may call it as a tool: True, or the name of the tool.
    publishes: the typed topics and queues that its handler sends to, for documents and diagrams.
    read_only: of a tool, whether it changes nothing, so that agents need not ask; None where nothing says so.
    request: of the tool that an HTTP route is, too: how its calls look as requests; see `router.dispatch.http_tools`.
    """

    __slots__ = (
        "accepts",
        "aggregated",
        "auth",
        "batch",
        "bus_source",
        "bus_sources",
        "by",
        "catchers",
        "concurrency",
        "decoder",
        "deprecated",
        "durable",
        "envelope",
        "events",
        "function",
        "group",
        "group_requires",
        "handler",
        "include_in_schema",
        "match",
        "methods",
        "middleware",
        "model",
        "name",
        "on_error",
        "others",
        "partial",
        "pattern",
        "permission",
        "prefix",
        "publishes",
        "queue",
        "read_only",
        "request",
        "require",
        "requires",
        "responses",
        "sources",
        "suffix",
        "summary",
        "tags",
        "tool",
        "topics",
        "unsigned_from",
    )

    sources: tuple[Source, ...]
    match: str
    methods: tuple[str, ...]
    handler: Callable[..., Any]
    model: Any
    pattern: Mapping[str, Any] | None
    others: str
    middleware: tuple[Any, ...]
    require: tuple[str, ...] | None
    requires: Mapping[str, tuple[str, ...]]
    group_requires: tuple[Mapping[str, tuple[str, ...]], ...]  # of its groups, the innermost first
    auth: Any
    permission: Callable[..., bool | Awaitable[bool]] | None
    name: str
    summary: str
    tags: tuple[str, ...]
    aggregated: bool
    batch: bool
    bus_sources: tuple[str, ...]
    by: str | Callable[[Any], Any]
    catchers: tuple[Mapping[type[BaseException], Any], ...]  # of its groups, the innermost first
    concurrency: int
    decoder: Callable[[bytes, Any], Any] | None
    durable: bool
    events: tuple[str, ...]
    partial: bool
    prefix: str
    publishes: tuple[Published, ...]
    queue: bool
    suffix: str
    bus_source: str
    topics: tuple[str, ...]
    unsigned_from: frozenset[str] | None
    on_error: tuple[Any, ...]  # a Receiver each
    envelope: Any
    function: str | None
    accepts: Mapping[str, Any] | None
    responses: Mapping[int | str, Any] | None
    deprecated: bool
    include_in_schema: bool
    tool: bool | str
    read_only: bool | None
    request: Any
    group: str  # of its innermost group: the first tag, or segment of the prefix

    def __init__(
        self,
        sources: tuple[Source, ...],
        match: str,
        handler: Callable[..., Any],
        *,
        methods: tuple[str, ...] = (),
        events: Iterable[str] = (),
        prefix: str = "",
        suffix: str = "",
        bus_source: str = "",
        **options: Any,
    ) -> None:
        put = object.__setattr__
        if isinstance(handler, type):
            from router.routing.classes import handler_of

            handler = handler_of(handler) or handler
        put(self, "sources", sources)
        put(self, "match", match)
        put(self, "handler", handler)
        put(self, "methods", methods)
        put(self, "events", (events,) if isinstance(events, str) else tuple(events))
        put(self, "prefix", prefix)
        put(self, "suffix", suffix)
        put(self, "bus_source", bus_source)
        for name, default in _DEFAULTS.items():
            put(self, name, options.pop(name, default))
        middleware = options.pop("middleware", ())
        put(self, "middleware", tuple(middleware) if isinstance(middleware, list | tuple) else (middleware,))
        requires = options.pop("requires", None)
        put(self, "requires", UNDECLARED if requires is None else requires)
        require = options.pop("require", None)
        put(self, "require", (require,) if isinstance(require, str) else None if require is None else tuple(require))
        put(self, "name", options.pop("name", None) or getattr(handler, "__name__", type(handler).__name__))
        put(self, "summary", options.pop("summary", None) or _first_line(handler))
        tags = options.pop("tags", ())
        put(self, "tags", tuple(tags) if hasattr(tags, "__iter__") and not isinstance(tags, str) else (tags,))
        publishes = options.pop("publishes", ())
        put(self, "publishes", tuple(publishes) if isinstance(publishes, list | tuple) else (publishes,))
        put(self, "topics", _names(options.pop("topics", ())))
        put(self, "bus_sources", _names(options.pop("bus_sources", ())))
        put(self, "on_error", options.pop("on_error", None) or ())
        self._check(options)
        if self.unsigned_from is not None:
            from router.session_sources import checked_sources

            put(self, "unsigned_from", checked_sources(self.unsigned_from, str(self), self.sources))
        if self.requires is not UNDECLARED:
            from router.environment.requirements import checked

            put(self, "requires", checked(self.requires, str(self)))

    def _check(self, unknown: dict[str, Any]) -> None:
        if unknown:
            from router.routing.mistakes import meant

            raise ConfigurationError(f"{self}: unknown option {', '.join(sorted(unknown))}{meant(unknown, OPTIONS)}")
        if not callable(self.handler) or isinstance(self.handler, type):
            kind = type(self.handler).__name__
            is_class = isinstance(self.handler, type)
            what = f"{self.handler.__qualname__} is a class" if is_class else f"must be callable, not {kind}"
            raise ConfigurationError(f"{self}: the handler {what}; decorate a function, or a class with process()")
        if not isinstance(self.match, str) or not self.match:
            from router.routing.mistakes import refuse_match

            refuse_match(self)
        if type(self.match) is str and not self.methods and (":" in self.match or "(" in self.match):
            from router.routing.mistakes import check_name

            check_name(self)
        self._check_access()
        told = self.responses is not None or self.accepts is not None or self.read_only is not None
        said = self.deprecated is not False or self.tool is not False or self.include_in_schema is not True
        named = type(self.name) is str is type(self.summary)
        if told or said or self.publishes or not named or not are_texts(self.tags):
            from router.routing.mistakes import check_documented

            check_documented(self)
        if Source.APPSYNC_EVENTS in self.sources:
            from router.routing.channels import check_route

            check_route(self)
        self._check_delivery()

    def _check_access(self) -> None:
        if self.function is not None:
            from router.routing.functions import check_function

            check_function(self.function, self)
        if self.permission is not None and not callable(self.permission):
            raise ConfigurationError(f"{self}: permission= takes a callable, such as (session, event) -> bool")
        if set(self.require or ()) - {"tenant", "user"}:
            raise ConfigurationError(f"{self}: require= takes 'tenant', 'user' or both, and () for nothing")

    def _check_delivery(self) -> None:
        if type(self.durable) is not bool:
            raise ConfigurationError(f"{self}: durable= takes True or False, not {self.durable!r:.80}")
        if type(self.batch) is not bool:
            raise ConfigurationError(f"{self}: batch= takes True or False, not {self.batch!r:.80}")
        if type(self.concurrency) is not int or self.concurrency < 1:
            raise ConfigurationError(f"{self}: concurrency= takes an integer from 1, not {self.concurrency!r:.80}")
        if (self.topics or self.bus_sources) and not set(CARRIERS).issuperset(self.sources):
            raise ConfigurationError(f"{self}: topics= and bus_sources= are for queues, topics and Kinesis streams")
        if self.topics:
            from router.routing.mistakes import check_topics

            check_topics(self)
        if self.others != "fail":
            self._check_others()
        if type(self.aggregated) is not bool or (self.aggregated and Source.KINESIS not in self.sources):
            raise ConfigurationError(f"{self}: aggregated= takes True or False, for a Kinesis stream")
        if self.partial is not False or self.queue is not False or self.decoder is not None:
            from router.routing.mistakes import check_kafka

            check_kafka(self)
        if self.by not in ("session", "tenant") and not callable(self.by):
            raise ConfigurationError(f"{self}: by= takes 'session', 'tenant' or a function of the event")
        if self.by != "session" and not self.batch:
            raise ConfigurationError(f"{self}: by= says what the records of one call share; it needs batch=True")
        if (self.batch or self.concurrency > 1) and not RECORD_SOURCES.issuperset(self.sources):
            raise ConfigurationError(f"{self}: batch= and concurrency= are for sources that deliver records")

    def _check_others(self) -> None:
        if self.others != "ignore":
            raise ConfigurationError(f"{self}: others= takes 'fail' or 'ignore'")
        if self.pattern is None:
            raise ConfigurationError(f"{self}: others= says what becomes of what the pattern declines; give a pattern=")
        if any(ROWS[source].kind == "reply" for source in self.sources):
            raise ConfigurationError(f"{self}: others= is for records and notices; a call has to be answered")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a Route is frozen; use route.replace(...)")

    def __repr__(self) -> str:
        return f"<Route {self} -> {self.name}>"

    def __str__(self) -> str:
        """How messages name it: `GET /orders/{id}`, `sqs orders`."""
        if self.unpacks:
            return f"unpack {self.match}"
        if self.methods:
            return f"{'|'.join(self.methods)} {self.match}"
        kind = "stream" if self.sources == STREAM_SOURCES else self.sources[0].value
        return f"{kind} {self.match}"

    @property
    def unpacks(self) -> bool:
        """Whether it hands the events inside its records to their own routes."""
        return self.handler is unpacked

    def takes(self, option: str, name: str) -> bool:
        """Whether `topics` or `bus_sources` (the option) names a topic or bus source; they may hold `*`."""
        from router.routing.slots import matches

        names = (held if type(held) is str else held.resolve() for held in getattr(self, option))  # Env has resolve
        return any(matches(pattern, name) for pattern in names)

    def replace(self, **changes: Any) -> Route:
        """A copy with some fields changed."""
        held = {field: getattr(self, field) for field in Route.__slots__}
        return Route(**{**held, **changes})

    @property
    def where(self) -> str:
        """The handler with its place in the source, for messages; for one of the library the call that made it."""
        if called := getattr(self.handler, "called_at", None):
            return "{} ({}:{})".format(*called)
        code = getattr(getattr(self.handler, "of_class", self.handler), "__code__", None)
        place = f" ({code.co_filename}:{code.co_firstlineno})" if code else ""
        return f"{getattr(self.handler, '__qualname__', self.name)}{place}"


def unpacked(event: object) -> None:
    """Stand for what `unpack` does with a record. The dispatcher puts it in place."""


def is_elsewhere(function: str | None) -> bool:
    """Return whether a `function=` says that a route is none of this process, whatever is around it."""
    return function is not None and environ.get("JUNCTION_FUNCTION", "") not in ("", function)


def path_parameters(route: Route) -> tuple[str, ...]:
    """The names of the parameters in a route's path."""
    return tuple(name for kind, name in parse(route.match) if kind != "static") if route.methods else ()


def target_of(target: str | Typed) -> tuple[Any, Any]:
    """The name that records of a topic or queue come under, and their model."""
    if not isinstance(target, str) and hasattr(target, "route"):
        return target.route, target.model
    return target, None  # anything but a name is refused by the route


def are_texts(values: tuple[Any, ...]) -> bool:
    """Return whether all are texts, and none is empty. What refuses others is imported where there is one."""
    return all(isinstance(value, str) and value for value in values)


def _names(given: Any) -> tuple[str, ...]:
    names = (given,) if isinstance(given, str) else tuple(given)
    if not are_texts(names):
        raise ConfigurationError(f"topics= and bus_sources= take names, not {given!r:.80}")
    return names


def _first_line(handler: object) -> str:
    doc = getattr(handler, "__doc__", None)
    return doc.strip().partition("\n")[0] if isinstance(doc, str) and hasattr(handler, "__code__") else ""


OPTIONS = [name for name in Route.__slots__ if name not in _NO_OPTIONS]
