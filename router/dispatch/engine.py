"""`Engine`: what a Resolver holds of its routes and settings, and the first step of every dispatch."""

from __future__ import annotations

from router.dispatch.plan import Entry, Plan
from router.errors import ConfigurationError, NoRoute, WrongFunction
from router.event import Source
from router.routing.table import Table
from router.session import Policy
from router.sources import load
from router.sources._registry import ROWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

    from router.dispatch.accepting import Accepted
    from router.dispatch.catching import Catcher
    from router.dispatch.chain import Form
    from router.dispatch.envelope import Envelope
    from router.dispatch.offload import Offload
    from router.dispatch.receivers import Receiver
    from router.dispatch.snapstart import Snapshots
    from router.environment.declared import Declared
    from router.event import Event
    from router.response import Response
    from router.routing.parts import Parts
    from router.routing.route import Route

    Runner = Callable[[Any, Any], Any]


def _with_session(plan: Plan, policy: Policy) -> Plan:
    """Return a plan that checks the session first: the policy refuses some, whether the handler asks or not."""
    call, check = plan.call, policy.check

    def check_and_call(event: Event) -> Any:
        check(event)
        return call(event)

    return Plan(check_and_call, plan.is_async, plan.check, plan.asked)


class Runners(dict[Source, "Runner"]):
    """Keep the runner of each source, made when its first event arrives."""

    __slots__ = ("_engine",)

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __missing__(self, source: Source) -> Runner:
        engine = self._engine
        if engine.declared is not None:
            try:
                engine.declared.load_for(source)
            except Exception as error:
                return engine.failing(source, error)  # for this call alone: the next one tries again
        self[source] = runner = engine.runner(source)
        return runner


class Engine:
    """Routes, middleware and settings of one application; no state of any invocation."""

    __slots__ = (
        "_accepted_runners",
        "_forms",
        "_handing_on",
        "_modes",
        "_replaced",
        "accepted",
        "aggregated",
        "catchers",
        "deadline_margin_ms",
        "declared",
        "delay",
        "durably",
        "envelope",
        "guard",
        "has_durable",
        "kafka_options",
        "middleware",
        "observers",
        "offload",
        "overrides",
        "parts",
        "policy",
        "problem_fields",
        "receivers",
        "runners",
        "shapes",
        "snapshots",
        "strip_prefixes",
        "table",
        "typeless",
        "unrouted",
        "waits_on_errors",
    )

    def __init__(self, policy: Policy, unrouted: str, deadline_margin: Any) -> None:
        if unrouted not in ("fail", "ignore"):
            raise ConfigurationError(f"Resolver(unrouted={unrouted!r}): use 'fail' or 'ignore'")
        if not isinstance(policy, Policy):
            raise ConfigurationError(f"Resolver(session=...) takes a SessionPolicy, not {type(policy).__name__}")
        self.policy = policy
        self.unrouted = unrouted
        if deadline_margin != 1.0:  # the default needs no check, nor the module that checks
            from router.durations import seconds

            deadline_margin = seconds(deadline_margin, "Resolver(deadline_margin=...)")
        self.deadline_margin_ms = 1000 * deadline_margin  # as Lambda's context tells the time
        self.accepted: Accepted | None = None  # the sources; None for every one
        self.aggregated = False  # whether a route wants aggregates of Kinesis split
        self.kafka_options = False  # whether a route of Kafka has a decoder, or takes records without an order
        self.table = Table()
        self.parts: Parts | None = None  # of a process that is one function of several
        self.middleware: list[Any] = []
        self.observers: list[Any] = []  # the middleware that stands around invocations, too
        self.declared: Declared | None = None  # what is needed of the environment; None while no `requires=` is used
        self.has_durable = False  # whether any route is
        self.durably: Runner | None = None  # runs durable routes inside of AWS's SDK, once there was one
        self.guard: Any = None  # what puts authentication into chains; None while no `auth=` is used
        self.catchers: dict[type[BaseException], Catcher] = {}
        self.receivers: list[Receiver] = []  # of errors
        self.snapshots: Snapshots | None = None  # the hooks of SnapStart
        self.shapes = False  # whether answers are put into an envelope, or problem documents have further fields
        self.envelope: Envelope | None = None
        self.problem_fields: dict[str, str] = {}
        self.delay: Callable[..., Any] | None = None  # what makes Retry(after=...) wait
        self.offload: Offload | None = None  # what fetches bodies that travel elsewhere
        self.overrides: dict[Any, Any] = {}
        self._replaced: dict[int, tuple[Any, Any]] = {}  # what each override replaces, in the order of their beginning
        self.typeless = False  # whether a JSON body may come without a content type
        self.strip_prefixes: tuple[str, ...] = ()  # which no path of a request keeps
        self.waits_on_errors = False  # whether a catcher or a receiver is async
        self._forms: dict[int, tuple[Any, Form]] = {}
        self._handing_on: list[Entry] = []  # what dispatches events of its own to other routes
        self._accepted_runners: dict[Source, Runner] = {}
        self.runners = Runners(self)
        self._modes: dict[Source, tuple[bool, bool]] = {}

    def runner(self, source: Source) -> Runner:
        """Return what dispatches the payloads of invocations that are recognised as one of a source.

        A payload that imitates an environment is an invoke like any other: a task is what `run_task` was given.
        """
        run = self.accepted_runner(source)
        run = self.watched(source, run)
        return self._unwrapping(run) if source is Source.INVOKE else run

    def failing(self, source: Source, error: Exception) -> Runner:
        """Return what fails a call that came before the application could start, where observers see it."""

        def fail(raw: Any, context: Any) -> Any:
            raise error

        return self.watched(source, fail)

    def accepted_runner(self, source: Source) -> Runner:
        """Return what dispatches payloads of a source, where that is accepted; without what looks on."""
        run = self._accepted_runners.get(source)
        if run is None:
            run = self.dispatcher(Source.INVOKE if source is Source.TASK else source)
            run = run if self.accepted is None else self.accepted.guard(source, run)
            self._accepted_runners[source] = run
        return run

    def _unwrapping(self, run: Runner) -> Runner:
        """Return a runner that also takes the envelope of a durable function, which looks like a direct invoke."""

        def run_invoke(raw: Any, context: Any) -> Any:
            if type(raw) is dict and "DurableExecutionArn" not in raw:
                return run(raw, context)
            from router.sources.durable import is_envelope

            if not is_envelope(raw):
                return run(raw, context)
            from router.dispatch.durable import answer_envelope

            return answer_envelope(self, raw, context)

        return run_invoke

    def watched(self, source: Source, run: Runner) -> Runner:
        """Return a runner with the middleware around it that looks on while a whole call runs."""
        if not self.observers:
            return run
        from router.dispatch.invocation import observed

        return observed(self.observers, self.middleware, source, run)

    def task_runner(self) -> Runner:
        """Return what runs the route of a task's environment: `run(environ, None)`."""
        return self.watched(Source.TASK, self.dispatcher(Source.TASK))

    def dispatcher(self, source: Source) -> Runner:
        """Return what dispatches the events of a source: `run(raw, context)`.

        It returns the answer, or a coroutine of it when something about it is async.
        """
        if self.parts is not None:
            self.parts.check()
        module, row = load(source), ROWS[source]
        if row.kind != "reply":
            from router.dispatch.batches import batch_runner

            return batch_runner(self, module, source, row.kind)
        from router.dispatch.reply import reply_runner

        single = reply_runner(self, module, source)
        if row.kind_of_list is None:
            return single
        from router.dispatch.batches import batch_runner

        many = batch_runner(self, module, source, row.kind_of_list)
        return lambda raw, context: (many if type(raw) is list else single)(raw, context)

    def around(self, route: Route) -> tuple[Any, ...]:
        """Return the middleware of a route, outermost first, with what authenticates."""
        around = (*self.middleware, *route.middleware)
        return around if self.guard is None else self.guard.around(around, route)

    def prepare(self, entry: Entry, *, overridable: bool = True, passed: Collection[int] = ()) -> None:
        """Compose the chain of a route, when it is first used.

        passed: the ids of the middleware that stands around the requests in which its events come.
        """
        route, plan = entry.route, entry.plan
        if self.overrides and overridable:
            from router.dispatch.binding import bind

            plan = bind(route, entry.parameters, self.overrides, typeless=self.typeless)
        if route.unpacks:
            from router.dispatch.unpack import unpacking

            plan = unpacking(self, plan.asked)
        if self.shapes and not route.batch:
            from router.dispatch.shaping import enveloped_plan

            plan = enveloped_plan(self, route, plan)
        around = self.around(route)
        if hasattr(route.handler, "plan_in"):
            plan = route.handler.plan_in(self, around, plan)
        if around:
            from router.dispatch.chain import refuse_outside_auth

            refuse_outside_auth(route, around)
        forms = [self.form(one) for one in around if id(one) not in passed or not getattr(one, "once", False)]
        if route.batch:
            from router.dispatch.group_chain import GroupChain

            group = GroupChain(route, plan, forms, self._on_error, self.policy, self.waits_on_errors)
            call: Callable[..., Any] = group.run
            is_async = group.is_async
            if self.has_durable:
                from router.dispatch.durable_calls import refusing

                call = refusing(route, call)
        else:
            # What is inside is checked by itself: a notification of S3 in a queue has no session.
            asks = self.policy.enforces or bool(route.require) or route.unsigned_from is not None
            checks = overridable and asks and not route.unpacks
            if entry.plan.durable:
                from router.dispatch.durable_calls import escaping

                plan = escaping(plan)
            call, is_async = self._compose(route, plan, forms, checks=checks)
            if self.has_durable:
                from router.dispatch.durable_calls import recorded

                call = recorded(route, entry.plan.durable, call, is_async)
        # All at the end: another thread may be using the entry, and must never see it without its middleware.
        entry.is_async = is_async
        entry.call = call
        entry.ready = True

    def _compose(self, route: Route, plan: Plan, forms: list[Form], *, checks: bool) -> tuple[Callable[..., Any], bool]:
        """Return the chain of a route as a function of the event, and whether that returns a coroutine."""
        if checks:
            plan = _with_session(plan, self.policy)
        if not (forms or route.permission is not None or route.concurrency > 1 or self.waits_on_errors):
            return plan.call, plan.is_async
        # Imported here: an application without middleware starts without it.
        from router.dispatch.chain import compose

        return compose(route, plan, forms, self._on_error, self.waits_on_errors)

    async def _on_error(self, event: Event, error: Exception) -> Response:
        from router.dispatch.errors import on_error

        return await on_error(self, event, error)

    def form(self, middleware: Any) -> Form:
        """Return a middleware as the chain needs it, looked at once. Raises ConfigurationError when it is none."""
        known = self._forms.get(id(middleware))
        if known is None:
            from router.dispatch.chain import Form

            self._forms[id(middleware)] = known = (middleware, Form(middleware))
            if hasattr(middleware, "around_invocation"):
                self.observers.append(middleware)
                self._forget_runners()
        return known[1]

    def replace(self, override: object, provide: Any, replacement: Any) -> None:
        """Put a function in the place of a dependency, until `restore` is called for this override."""
        self._replaced[id(override)] = provide, replacement
        self._apply_overrides()

    def restore(self, override: object) -> None:
        """End an override; others that are running, whenever they began, go on."""
        self._replaced.pop(id(override), None)
        self._apply_overrides()

    def _apply_overrides(self) -> None:
        self.overrides.clear()
        self.overrides.update(self._replaced.values())
        self.recompose()

    def _forget_runners(self) -> None:
        self._accepted_runners.clear()
        self.runners.clear()

    def recompose(self) -> None:
        """Let every chain be composed anew: the overrides have changed."""
        for entry in self.table.entries:
            entry.ready = False
        self._modes.clear()

    def add(self, route: Route, entry: Entry) -> None:
        """Register a route. Raises RouteConflict."""
        self.table.add(route, entry)
        self.aggregated = self.aggregated or route.aggregated
        self.kafka_options = self.kafka_options or route.queue or route.decoder is not None
        if route.requires or route.group_requires:
            self.declaring().reopen()
            self._forget_runners()
        if route.envelope is not None and not self.shapes:
            self.shapes = True
            self._forget_runners()
        if entry.plan.durable and not self.has_durable:
            self.has_durable = True
            self.recompose()
        if route.unsigned_from is not None and type(self.policy) is Policy:
            self._look_at_signatures()
        if route.unpacks or hasattr(route.handler, "plan_in"):
            self._handing_on.append(entry)
        for known in self._handing_on:
            known.ready = False  # the new route may be async
        self._modes.clear()

    def declaring(self) -> Declared:
        """Return what keeps the declarations, made when there is the first."""
        if self.declared is None:
            from router.environment.declared import Declared

            self.declared = Declared(self.table.routes)
        return self.declared

    def _look_at_signatures(self) -> None:
        """Put the policy that asks where an unsigned session is from in the place of the default, which does not."""
        from router.session_policy import SessionPolicy

        self.policy = SessionPolicy()
        self._forget_runners()
        self.recompose()

    def mode(self, source: Source) -> tuple[bool, bool]:
        """Return how the batches of a source are run: whether anything about them is async, and whether in order."""
        mode = self._modes.get(source)
        if mode is None:
            entries = self.table.entries_of(source)
            for entry in entries:
                if not entry.ready:
                    self.prepare(entry)
            is_async = self.waits_on_errors or any(entry.is_async for entry in entries)
            in_order = not any(entry.route.batch or entry.route.concurrency > 1 for entry in entries)
            self._modes[source] = mode = is_async, in_order
        return mode

    def find(self, event: Event) -> Entry:
        """Return the entry for a record or call, ready to be called. Raises NoRoute."""
        entry: Entry | None = self.table.find_record(event)
        if entry is None:
            from router.dispatch.unrouted import acknowledging

            return acknowledging(event)
        if not entry.ready:
            self.prepare(entry)
        event.route = entry.route
        return entry

    def ignores(self, event: Event, error: BaseException) -> bool:
        """Whether a record without a route is to be acknowledged."""
        ignored = isinstance(error, NoRoute) and not isinstance(error, WrongFunction)
        return self.unrouted == "ignore" and ignored and event.route is None
