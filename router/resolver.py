"""`Resolver`: what an application registers its routes with, and what Lambda's handler calls."""

from __future__ import annotations

from os import environ

from router.dispatch.engine import Engine
from router.dispatch.plan import Entry, is_async
from router.errors import ConfigurationError, RouterError, text_of
from router.event import Source
from router.router import Registering, Router
from router.routing.route import path_parameters
from router.session import Policy
from router.sources._registry import detect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, TypeVar

    from router.dispatch.envelope import Envelope
    from router.dispatch.offload import Offload
    from router.dispatch.overriding import Override
    from router.dispatch.receivers import OnError
    from router.dispatch.snapstart import Snapshots
    from router.durations import Duration
    from router.environment import Environment, Resolved
    from router.routing.route import Route
    from router.session_policy import SessionPolicy

    F = TypeVar("F", bound=Callable[..., Any])


class Resolver(Registering):
    """One for the whole application: it recognises the source of a payload and calls the route registered for it.

    session: where sessions come from and how they are signed.
    unrouted: "fail" (a record without a route fails, and so reaches the dead-letter queue) or "ignore" (acknowledged).
    deadline_margin: seconds, or a timedelta. With less than this left of the invocation no further record is started;
        those are reported as failed and come again.
    offload: fetches bodies that travel through S3, such as `adapters.offload.Offload`; `event.body` is then the body
        itself, fetched when it is read (before the handler, when that is async).
    sources: the sources whose payloads are accepted (`["http", "sqs"]`), or a mapping of them by the alias or ARN that
        was invoked (`{"web": ["http"], "*": ["sqs"]}`). A payload of another fails. None accepts all: then who can
        write the whole payload can imitate any source.
    strict_content_type: a body that is read as JSON needs a JSON content type, or it is a 415. With False a body
        without any type is taken, too.
    strip_prefixes: what a gateway puts in front of the paths of requests, such as the base path of a custom domain:
        `["/shop"]`. One is taken off, in whole segments; a path without it stays as it is.
    auth: the credentials that let an event in, a mode, or both as an `Auth`: `[Jwt(...), ApiKey(keys)]`. Routes and
        groups may have their own, and `auth="off"` opens one.
    deny_by_default: refuse events of routes that have no `permission=`; `router.guards.anyone` opens one.
    requires: variables that every route needs, each with the operations that are made with what it names:
        `{"ORDERS_TABLE": [DynamoDB.GET_ITEM], "STAGE": []}`. Routes and groups add their own.
    environment: where the variables that are required come from; by default the environment alone.
    envelope: the form that JSON answers of HTTP, WebSocket and direct invokes get, results and errors alike.
    problem_fields: further fields of problem documents, for clients that read those: `{"message": "detail", "error":
        "title"}` repeats `detail` as `message`, and `title` as `error`.
    delay: `(event, seconds)`, sync or async: makes `Retry(after=...)` wait, such as `adapters.sqs.Sqs(...).delay`.
    """

    __slots__ = ("_denies", "_engine", "_runners")

    def __init__(
        self,
        *,
        session: SessionPolicy | None = None,
        unrouted: str = "fail",
        deadline_margin: Duration = 1.0,
        delay: Callable[..., Any] | None = None,
        offload: Offload | None = None,
        sources: str | Iterable[str] | Mapping[str, str | Iterable[str]] | None = None,
        strip_prefixes: Iterable[str] = (),
        strict_content_type: bool = True,
        auth: Any = None,
        deny_by_default: bool = False,
        requires: Mapping[str, Iterable[str]] | Iterable[str] | None = None,
        environment: Environment | None = None,
        envelope: Envelope | None = None,
        problem_fields: Mapping[str, str] | None = None,
    ) -> None:
        self._engine = Engine(Policy() if session is None else session, unrouted, deadline_margin)
        if environ.get("JUNCTION_FUNCTION"):
            from router.routing.parts import divide

            divide(self._engine, environ)
        self._runners = self._engine.runners
        self._engine.delay = delay
        self._engine.offload = offload
        if sources is not None:
            from router.dispatch.accepting import Accepted

            self._engine.accepted = Accepted(sources)
        if auth is not None:
            from router.guards.auth import auth_of
            from router.guards.guard import Guard

            self._engine.guard = Guard(auth_of(auth, "Resolver"))
        if envelope is not None or problem_fields:
            self._shape(envelope, problem_fields or {})
        self._denies = deny_by_default
        if requires is not None or environment is not None:
            self._engine.declaring().set(requires, environment)
        self._engine.typeless = not strict_content_type
        if strip_prefixes:
            from router.dispatch.prefixes import checked_prefixes

            self._engine.strip_prefixes = checked_prefixes(strip_prefixes)
        if delay is not None:
            self._waits_if(is_async(delay))
        if environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
            self._snapshots()

    # ---- an invocation -----------------------------------------------------------------------------------------

    def resolve(self, event: Any, context: Any = None) -> Any:
        """Answer a payload as its source expects. Async handlers run on a loop that lives as long as the process."""
        try:
            answer = self._runners[detect(event, context)](event, context)
            if type(answer) is dict or not hasattr(answer, "send"):
                return answer
            from router.dispatch.loop import run

            return run(answer)
        except Exception as error:
            if _can_be_told(error):
                raise
            raise RouterError(text_of(error).encode("ascii", "backslashreplace").decode()) from error

    __call__ = resolve

    async def resolve_async(self, event: Any, context: Any = None) -> Any:
        """Do as `resolve` does, from async code; use the running event loop."""
        try:
            answer = self._runners[detect(event, context)](event, context)
            return await answer if hasattr(answer, "send") else answer
        except Exception as error:
            if _can_be_told(error):
                raise
            raise RouterError(text_of(error).encode("ascii", "backslashreplace").decode()) from error

    def handles(self, event: Any, context: Any = None) -> bool:
        """Whether a route takes a payload, of a batch every record; nothing is called and nothing is checked.

        A service that moves route by route asks it before `resolve`. False also for a method that a path does not
        have, for a preflight without a route of OPTIONS, and for what cannot be read or is not in `sources=`.
        """
        from router.dispatch.handling import handles

        return handles(self._engine, event, context)

    def load_environment(self, *, sources: str | Iterable[str] | None = None) -> Resolved:
        """Resolve now what `requires=` names, and set it in `os.environ`; else the first event does. Once a process.

        sources: the sources that this process serves (`["sqs"]`), where it does not need what others need.

        Raises:
            ConfigurationError: naming everything that is missing, and the routes that want it; or a source is unknown.
            Exception: what a store raised.
        """
        given = (sources,) if isinstance(sources, str) else sources
        try:
            served = None if given is None else [Source(one) for one in given]
        except ValueError:
            raise ConfigurationError(
                f"load_environment(sources={sources!r:.80}): unknown source; use {', '.join(Source)}"
            ) from None
        return self._engine.declaring().load(served)

    def run_task(self, environ: Mapping[str, str] | None = None, *, require_env: tuple[str, ...] = ()) -> int:
        """Run the route of an ECS task, found by TASK_NAME, and give its exit code: 0 for success.

        environ: the environment; that of the process by default. require_env: variables that must be set, beside those
            that the resolver and the route of the task require.
        SIGTERM (ECS sends it 30 seconds before it kills) stops the handler with SystemExit; the code is then 143.
        """
        from router.dispatch.task import run_task

        return run_task(self, environ, require_env)

    def _start_task(self, environ: Mapping[str, str]) -> Any:
        """Run the route of an environment, and return what it returned."""
        result = self._engine.task_runner()(environ, None)
        if not hasattr(result, "send"):
            return result
        from router.dispatch.loop import run

        return run(result)

    # ---- putting it together -----------------------------------------------------------------------------------

    def use(self, *middleware: Any) -> Resolver:
        """Add middleware around every route, outside in."""
        if any(entry.ready for entry in self._engine.table.entries):
            raise ConfigurationError("use() after the first event: chains are composed by then; call it at import")
        for one in middleware:
            self._engine.form(one)
        self._engine.middleware.extend(middleware)
        return self

    def include(self, router: Router | str, *, function: str | None = None) -> Resolver:
        """Take in the routes of a group: a Router, or its name, `"shop.reports:router"`, which is imported here.

        function: that of its routes that name none. A named group is then imported in that function only.

        Raises:
            ConfigurationError: it is no Router, or nothing has that name.
        """
        if function is not None or not isinstance(router, Router):
            from router.parts import include

            return include(self, router, function)
        for route in router.routes:
            self._register(route)
        router._settle()
        return self

    def catch(self, *errors: type[Exception]) -> Callable[[F], F]:
        """Decorate a function that handles errors of these classes: the nearest class counts, a group's own first.

        The function takes the error, and then what it asks for: an Event, the Session, the context. Its result is the
        answer of a request or a call. A record fails all the same, unless the function raises `Discard`, `Retry` or
        another error in its place. `catch(Exception)` leaves HTTP errors and signals alone: they have an answer.

        Raises:
            ConfigurationError: it is no exception class, has a function already, or the function asks for more.
        """
        from router.dispatch.catching import check_classes, register

        check_classes(errors)

        def decorate(function: F) -> F:
            self._waits_if(register(self._engine.catchers, errors, function).is_async)
            return function

        return decorate

    if TYPE_CHECKING:
        on_error: OnError
    else:

        def on_error(self, function=None, /, **options):
            """Tell a function, or an `Alerts`, of every error that nothing expected: unhandled ones, failed records.

            It takes the error, and then what it asks for, as with `catch`. The options are those of `Receiver`:
            `resolver.on_error(alerts, also=AppError, ignore="B00001")`. With options alone it is a decorator:
            `@resolver.on_error(every=60)`.

            Raises:
                ConfigurationError: it asks for what nothing gives, or an option makes no sense.
            """
            from router.dispatch.receivers import registered

            return registered(self._add_receiver, function, options)

        def _add_receiver(self, receiver):
            self._engine.receivers.append(receiver)
            self._waits_if(receiver.is_async)

    def before_snapshot(self, function: F) -> F:
        """Decorate a function, sync or async, that SnapStart calls before it takes a snapshot; the last one first.

        The application is ready by then. Connections that are opened here are closed afterwards. An error ends the
        process with 64, and the version is not published.

        Raises:
            ConfigurationError: it cannot be called without arguments.
        """
        self._snapshots().add("before_snapshot", function)
        return function

    def after_restore(self, function: F) -> F:
        """Decorate a function, sync or async, that SnapStart calls when it has restored an environment, in order.

        Together they have 10 seconds. An error ends the process with 65, and the call that waits for it fails.

        Raises:
            ConfigurationError: it cannot be called without arguments.
        """
        self._snapshots().add("after_restore", function)
        return function

    def _snapshots(self) -> Snapshots:
        engine = self._engine
        if engine.snapshots is None:
            from router.dispatch.snapstart import Snapshots

            engine.snapshots = Snapshots(engine)
        return engine.snapshots

    def override(self, provide: Callable[..., Any], replacement: Callable[..., Any]) -> Override:
        """Put a function in the place of a dependency, for tests: `with resolver.override(connect, fake): ...`.

        It holds inside of the `with` block only.

        Raises:
            ConfigurationError: the replacement is not callable.
        """
        from router.dispatch.overriding import Override as _Override

        return _Override(self._engine, provide, replacement)

    @property
    def routes(self) -> tuple[Route, ...]:
        """Return the registered routes, in order; with JUNCTION_FUNCTION those of this function."""
        return tuple(self._engine.table.routes)

    def every_route(self) -> tuple[Route, ...]:
        """Return the routes of all functions, in order, for tools: it imports the groups of the others."""
        parts = self._engine.parts
        return self.routes if parts is None else tuple(parts.every_route())

    @property
    def middleware(self) -> tuple[Any, ...]:
        """Return the middleware around every route, outermost first."""
        return tuple(self._engine.middleware)

    def is_async(self, source: Source) -> bool:
        """Whether the records of a source are handled by anything async; then `resolve_async` is the better door."""
        return self._engine.mode(source)[0]

    def auth_of(self, route: Route) -> Any:
        """Return the `Auth` that counts on a route, with what its groups and the resolver add; None for none.

        What `use(Authenticate(...))` puts around it comes on top of that.
        """
        guard = self._engine.guard
        return route.auth if guard is None else guard.auth_of(route)

    def checks_of(self, route: Route) -> tuple[Any, ...]:
        """Return each `Authenticate` that lets an event of a route in, outermost first: of `auth=` and of `use()`."""
        around = (*self._engine.middleware, *route.middleware)
        if self._engine.guard is not None:
            around = self._engine.guard.around(around, route)
        return tuple(one for one in around if getattr(one, "authenticates", False))

    def requires_of(self, route: Route) -> Mapping[str, tuple[str, ...]]:
        """Return all that a route needs: what it declares, its groups and the resolver. Operations by variable."""
        declared = self._engine.declared
        return {} if declared is None else declared.of(route)

    @property
    def session_policy(self) -> Policy:
        """Return what was given as `session=`, or the default policy."""
        return self._engine.policy

    def _register(self, route: Route) -> None:
        self._add(route)
        if route.tool:
            from router.dispatch.http_tools import register_tool

            register_tool(route, self._add)

    def _add(self, route: Route) -> None:
        from router.dispatch.binding import bind

        engine = self._engine
        if engine.parts is not None and not engine.parts.takes(route):
            return
        if self._denies and route.permission is None and not route.unpacks:
            from router.guards.permissions import unlisted

            route = route.replace(permission=unlisted)
        for middleware in route.middleware:
            engine.form(middleware)
        if route.auth is not None and engine.guard is None:
            from router.guards.guard import Guard

            engine.guard = Guard()
        self._waits_if(
            any(catcher.is_async for table in route.catchers for catcher in table.values())
            or any(receiver.is_async for receiver in route.on_error)
        )
        plan = bind(route, path_parameters(route), typeless=engine.typeless)
        engine.add(route, Entry(route, plan))

    def _shape(self, envelope: Envelope | None, problem_fields: Mapping[str, str]) -> None:
        from router.dispatch.shaping import checked_envelope, checked_fields

        engine = self._engine
        engine.envelope = None if envelope is None else checked_envelope(envelope, "Resolver")
        engine.problem_fields = checked_fields(problem_fields)
        engine.shapes = True

    def _waits_if(self, waits: bool) -> None:
        if waits and not self._engine.waits_on_errors:
            self._engine.waits_on_errors = True
            self._engine.recompose()


def _can_be_told(error: Exception) -> bool:
    """Return whether the runtime client can send the message of an error; else its process ends.

    It cannot where the message holds a lone surrogate, or where the error fails to make one.
    """
    try:
        str(error).encode()
    except Exception:
        return False
    return True
