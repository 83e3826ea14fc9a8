"""`Router`: a group of routes with a prefix, middleware and tags of their own, for a Resolver to include."""

from __future__ import annotations

from router.dispatch.plan import OF_OUTER_GROUPS
from router.errors import ConfigurationError
from router.event import Source
from router.routing.paths import parse
from router.routing.route import METHODS, STREAM_SOURCES, Route, is_elsewhere, path_parameters, target_of, unpacked
from router.sources._registry import HTTP_SOURCES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, Literal, TypeVar, Unpack

    from router.decoders import Decoder
    from router.dispatch.receivers import OnError, Receiver
    from router.routing.options import Decorator, Options, RecordOptions, Typed

    F = TypeVar("F", bound=Callable[..., Any])


class Registering:
    """The decorators. Each takes the options of `Route` and gives the function back as it was."""

    __slots__ = ()

    def _register(self, route: Route) -> None:
        raise ConfigurationError(f"{type(self).__name__} registers no routes")

    def _on(self, sources: tuple[Source, ...], match: str, model: Any = None, **options: Any) -> Decorator:
        if options.get("auth") is not None:
            from router.guards.auth import auth_of

            options["auth"] = auth_of(options["auth"], f"{match}")
        if options.get("on_error") is not None:
            from router.dispatch.receivers import receivers_of

            options["on_error"] = receivers_of(options["on_error"])
        if options.get("envelope") is not None:
            from router.dispatch.shaping import checked_envelope

            options["envelope"] = checked_envelope(options["envelope"], f"{match}", sources)

        def register(handler: F) -> F:
            # A group's own prefix is the path "" (or "/") in it.
            path = match or ("/" if options.get("methods") else match)
            self._register(Route(sources, path, handler, model=model, **options))
            return handler

        if callable(match):
            from router.routing.mistakes import refuse_bare

            refuse_bare()
        return register

    # ---- HTTP --------------------------------------------------------------------------------------------------

    def route(self, path: str, methods: Iterable[str] = METHODS, **options: Unpack[Options]) -> Decorator:
        """Requests to a path by any of some methods: REST API, HTTP API, function URL, ALB and Lattice alike."""
        if not (named := (methods,) if isinstance(methods, str) else tuple(methods)):
            raise ConfigurationError(f"route {path!r}: give at least one method")
        return self._on(HTTP_SOURCES, path, methods=tuple(method.upper() for method in named), **options)

    def get(self, path: str, **options: Unpack[Options]) -> Decorator:
        """GET of a path, and HEAD unless there is a route for it."""
        return self._on(HTTP_SOURCES, path, methods=("GET",), **options)

    def post(self, path: str, **options: Unpack[Options]) -> Decorator:
        """POST to a path."""
        return self._on(HTTP_SOURCES, path, methods=("POST",), **options)

    def put(self, path: str, **options: Unpack[Options]) -> Decorator:
        """PUT of a path."""
        return self._on(HTTP_SOURCES, path, methods=("PUT",), **options)

    def patch(self, path: str, **options: Unpack[Options]) -> Decorator:
        """PATCH of a path."""
        return self._on(HTTP_SOURCES, path, methods=("PATCH",), **options)

    def delete(self, path: str, **options: Unpack[Options]) -> Decorator:
        """DELETE of a path."""
        return self._on(HTTP_SOURCES, path, methods=("DELETE",), **options)

    def head(self, path: str, **options: Unpack[Options]) -> Decorator:
        """HEAD of a path."""
        return self._on(HTTP_SOURCES, path, methods=("HEAD",), **options)

    def options(self, path: str, **options: Unpack[Options]) -> Decorator:
        """OPTIONS of a path, in place of the automatic answer."""
        return self._on(HTTP_SOURCES, path, methods=("OPTIONS",), **options)

    # ---- WebSocket ---------------------------------------------------------------------------------------------

    def on_connect(self, handler: None = None, /, **options: Unpack[Options]) -> Decorator:
        """A WebSocket connection opens; an error status refuses it."""
        return self._on((Source.WEBSOCKET,), "$connect" if handler is None else handler, **options)

    def on_disconnect(self, handler: None = None, /, **options: Unpack[Options]) -> Decorator:
        """A WebSocket connection has closed."""
        return self._on((Source.WEBSOCKET,), "$disconnect" if handler is None else handler, **options)

    def on_message(self, route_key: str = "$default", **options: Unpack[Options]) -> Decorator:
        """WebSocket messages by route key; `$default` takes what no other route takes."""
        return self._on((Source.WEBSOCKET,), route_key, **options)

    # ---- records -----------------------------------------------------------------------------------------------

    def on_queue(self, name: str | Typed, /, **options: Unpack[RecordOptions]) -> Decorator:
        """SQS messages by queue name; what fails is reported one by one. A typed queue checks each body."""
        return self._on((Source.SQS,), *target_of(name), **options)

    def on_topic(self, name: str | Typed, /, **options: Unpack[RecordOptions]) -> Decorator:
        """SNS messages by topic name. A typed topic checks each body."""
        return self._on((Source.SNS,), *target_of(name), **options)

    def on_stream(self, name: str, /, *, events: Iterable[str] = (), **options: Unpack[RecordOptions]) -> Decorator:
        """Changes of a DynamoDB table (`events=["INSERT"]`: only those), or records of a Kinesis stream, in order."""
        named = (events,) if isinstance(events, str) else tuple(events)
        if unknown := ", ".join(sorted(set(named) - {"INSERT", "MODIFY", "REMOVE"})):
            raise ConfigurationError(f"on_stream {name!r}: unknown event {unknown}; use INSERT, MODIFY, REMOVE")
        # Kinesis records have no kind; a route that asks for one is of a table.
        return self._on((Source.DYNAMODB,) if named else STREAM_SOURCES, name, events=named, **options)

    def on_kafka(
        self,
        topic: str,
        /,
        *,
        partial: bool = False,
        queue: bool = False,
        decoder: Decoder | None = None,
        **options: Unpack[RecordOptions],
    ) -> Decorator:
        """Records of a Kafka topic (MSK or self-managed), in order; after a failure none of its partition is handled.

        partial: the event source mapping has ReportBatchItemFailures: the answer names where each partition starts
            again. Without it the call fails, and all its records come again. Set it for a mapping that has it, only:
            any other takes the answer for success.
        queue: the mapping has the consumption mode Queue: no order is kept, each record fails by itself.
        decoder: reads what is not JSON, such as `router.decoders.Avro`; json() and models come of it.
        """
        return self._on((Source.KAFKA,), topic, partial=partial, queue=queue, decoder=decoder, **options)

    def on_object(
        self,
        bucket: str,
        *,
        events: Iterable[str] = (),
        prefix: str = "",
        suffix: str = "",
        **options: Unpack[RecordOptions],
    ) -> Decorator:
        """Changes in an S3 bucket: `events=["ObjectCreated:*"]`, keys by `prefix` and `suffix` (decoded)."""
        named = (events,) if isinstance(events, str) else tuple(events)
        if named:
            from router.routing.mistakes import check_object_events

            check_object_events(bucket, named)
        return self._on((Source.S3,), bucket, events=named, prefix=prefix, suffix=suffix, **options)

    def unpack(self, name: str, /, *, source: Source | str | None = None, **options: Unpack[RecordOptions]) -> None:
        """Hand the events inside the records of a queue, topic, Kinesis or Firehose stream to their own routes.

        Events of S3, EventBridge, SNS, CloudWatch Logs and DynamoDB are known. The record fails if one of them fails,
        or when nothing of the kind is inside.

        name: of the queue, topic or stream; it may hold `*`.
        source: "sqs", "sns", "kinesis" or "firehose", where routes of the others have the same name.
        options: those of `on_queue`, without `batch=`. topics, bus_sources: whose sessions are believed unsigned.

        Raises:
            ConfigurationError: the source carries no events of others, or an option makes no sense.
        """
        from router.routing.mistakes import unpacked_sources

        options.setdefault("name", "unpack")
        self._on(unpacked_sources(name, source, options), name, **options)(unpacked)

    def on_channel(
        self,
        path: str,
        /,
        *,
        operation: Literal["publish", "subscribe"] = "publish",
        **options: Unpack[RecordOptions],
    ) -> Decorator:
        """Take what clients do on a channel of an AppSync Event API: `/chat/room-1`, or `/chat/*` for all below.

        operation: "publish": each event, whose payload the handler may change; or "subscribe": the question whether
            a client may listen, which None allows and an error refuses.

        Raises:
            ConfigurationError: the path is no channel, or the operation is unknown.
        """
        if operation not in ("publish", "subscribe"):
            raise ConfigurationError(f"on_channel {path!r}: operation= takes 'publish' or 'subscribe'")
        return self._on((Source.APPSYNC_EVENTS,), path, events=operation.upper(), **options)

    # ---- buses, calls, tasks -----------------------------------------------------------------------------------

    def on_bus(self, detail_type: str, *, source: str = "", **options: Unpack[Options]) -> Decorator:
        """EventBridge events by detail-type, and by source where one is named; both may hold `*`."""
        return self._on((Source.EVENTBRIDGE,), detail_type, bus_source=source, **options)

    def on_schedule(self, name: str, /, **options: Unpack[Options]) -> Decorator:
        """An EventBridge rule or Scheduler schedule, by name."""
        return self._on((Source.SCHEDULE,), name, **options)

    def on_invoke(self, action: str, /, **options: Unpack[Options]) -> Decorator:
        """A direct invoke `{"action": ..., "data": ..., "session": ...}`; `*` takes any other payload too."""
        return self._on((Source.INVOKE,), action, **options)

    def tool(self, name: str, /, **options: Unpack[Options]) -> Decorator:
        """A tool that an AgentCore Gateway calls, by its own name; its arguments go to those of the handler."""
        return self._on((Source.TOOL,), name, **options)

    def on_task(self, name: str, /, **options: Unpack[Options]) -> Decorator:
        """An ECS task, by its TASK_NAME."""
        return self._on((Source.TASK,), name, **options)

    def on_authorize(self, name: str = "*", /, **options: Unpack[Options]) -> Decorator:
        """API Gateway's question whether to let a request in; answer `Allow(...)` or `Deny()`."""
        return self._on((Source.AUTHORIZER,), name, **options)

    def on(self, source: Source | str, name: str = "*", /, **options: Unpack[RecordOptions]) -> Decorator:
        """Any source by name: `@resolver.on(Source.COGNITO, "PreSignUp_*")`."""
        if callable(source):
            return self._on((), source)  # which refuses it
        if source not in tuple(Source):
            raise ConfigurationError(f"on({source!r}): unknown source; use one of {', '.join(Source)}")
        if (kind := Source(source)) in HTTP_SOURCES:
            raise ConfigurationError(f"on({source!r}): HTTP routes have a path; use get, post, ... or route")
        return self._on((kind,), name, **options)


class Router(Registering):
    """A group of routes.

    prefix stands before the path of its HTTP routes. middleware runs inside that of what includes it. tags are added
    to each route. auth is for those of its routes that have none of their own: credentials, a mode, or both as an
    `Auth`. requires names variables that all of them need, with their operations. envelope is the form of their
    answers: an `Envelope`, or "off". function is the Lambda function of those that name none.
    """

    __slots__ = (
        "_auth",
        "_catchers",
        "_envelope",
        "_function",
        "_group",
        "_included",
        "_middleware",
        "_prefix",
        "_receivers",
        "_requires",
        "_routes",
        "_tags",
    )

    def __init__(
        self,
        prefix: str = "",
        *,
        middleware: Iterable[Any] = (),
        tags: Iterable[str] = (),
        auth: Any = None,
        requires: Mapping[str, Iterable[str]] | Iterable[str] | None = None,
        envelope: Any = None,
        function: str | None = None,
    ) -> None:
        if prefix:
            parse(prefix)
        self._prefix = prefix.rstrip("/")
        self._middleware = list(middleware)
        self._tags = tuple(tags) if hasattr(tags, "__iter__") and not isinstance(tags, str) else (tags,)
        if not all(isinstance(tag, str) and tag for tag in self._tags):
            from router.routing.mistakes import check_tags

            check_tags(self._tags, f"Router({prefix!r})")
        self._auth = self._envelope = None
        if auth is not None:
            from router.guards.auth import auth_of

            self._auth = auth_of(auth, f"Router({prefix!r})")
        self._requires: tuple[Mapping[str, tuple[str, ...]], ...] = ()
        if requires is not None:
            from router.environment.requirements import checked

            self._requires = (checked(requires, f"Router({prefix!r})"),)
        if envelope is not None:
            from router.dispatch.shaping import checked_envelope

            self._envelope = checked_envelope(envelope, f"Router({prefix!r})")
        self._function = function
        if function is not None:
            from router.routing.functions import check_function

            check_function(function, f"Router({prefix!r})")
        self._group = [*self._tags, *(part for part in prefix.split("/") if part and "{" not in part), ""][0]
        self._receivers: list[Receiver] = []
        self._routes: list[Route | Router] = []
        self._catchers: dict[type[BaseException], Any] = {}
        self._included = False  # in a Resolver, which has taken over the routes as they were then

    def use(self, *middleware: Any) -> Router:
        """Add middleware around the routes of this group, outside in."""
        self._refuse_if_included("use()")
        self._middleware.extend(middleware)
        return self

    def include(self, router: Router) -> Router:
        """Take in another group, inside this one's prefix, middleware and tags."""
        if not isinstance(router, Router):
            raise ConfigurationError(f"include() takes a Router, not {type(router).__name__}; Resolver takes names")
        self._refuse_if_included("include()")
        if router is self or self in router._groups():
            raise ConfigurationError("a Router cannot include itself")
        self._routes.append(router)
        return self

    def catch(self, *errors: type[Exception]) -> Callable[[F], F]:
        """Decorate a function that handles errors of the routes of this group; see `Resolver.catch`.

        Raises:
            ConfigurationError: it is no exception class, has a function already, or the function asks for more.
        """
        from router.dispatch.catching import check_classes, register

        check_classes(errors)
        self._refuse_if_included("catch()")

        def decorate(function: F) -> F:
            register(self._catchers, errors, function)
            return function

        return decorate

    if TYPE_CHECKING:
        on_error: OnError
    else:

        def on_error(self, function=None, /, **options):
            """Tell a function of errors of the routes of this group; see `Resolver.on_error`."""
            from router.dispatch.receivers import registered

            self._refuse_if_included("on_error()")
            return registered(self._receivers.append, function, options)

    @property
    def routes(self) -> list[Route]:
        """The routes of this group and the groups in it, with prefix, middleware and tags applied."""
        inner = (held.routes if isinstance(held, Router) else [held] for held in self._routes)
        return [self._applied(route) for routes in inner for route in routes]

    def _register(self, route: Route) -> None:
        from router.dispatch.binding import check_bound

        # Refuse now what the resolver would refuse later: here the decorator still points at the handler.
        check = route.replace(match=self._path(route)) if route.methods else route
        self._refuse_if_included(str(check))
        if not is_elsewhere(route.function or self._function):
            check_bound(check, (*path_parameters(check), OF_OUTER_GROUPS) if route.methods else ())
        self._routes.append(route)

    def _refuse_if_included(self, what: str) -> None:
        if self._included:  # it would be lost without a word, and with it perhaps a check of who may come in
            raise ConfigurationError(f"{what}: the Router is in a Resolver already; complete it before include()")

    def _settle(self) -> None:
        """For the Resolver that has taken in the routes: what is added from now on would not reach it, so refuse it."""
        for router in (self, *self._groups()):
            router._included = True

    def _applied(self, route: Route) -> Route:
        return route.replace(
            match=self._path(route) if route.methods else route.match,
            middleware=(*self._middleware, *route.middleware),
            tags=(*self._tags, *route.tags),
            auth=self._auth if route.auth is None else route.auth.inside(self._auth),
            catchers=(*route.catchers, self._catchers) if self._catchers else route.catchers,
            group_requires=(*route.group_requires, *self._requires),
            function=route.function or self._function,
            group=route.group or self._group,
            on_error=(*route.on_error, *self._receivers),
            envelope=self._envelope_for(route) if route.envelope is None and self._envelope else route.envelope,
        )

    def _envelope_for(self, route: Route) -> Any:
        from router.dispatch.shaping import fits

        return self._envelope if fits(route.sources) else None

    def _path(self, route: Route) -> str:
        return self._prefix + route.match if route.match != "/" or not self._prefix else self._prefix

    def _groups(self) -> set[Router]:
        inner = {held for held in self._routes if isinstance(held, Router)}
        return inner.union(*(router._groups() for router in inner))
