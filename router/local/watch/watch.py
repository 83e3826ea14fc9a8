"""`Watch`: middleware that stands outermost around an application and notes what happens in it.

    watch = Watch()
    watch.install(resolver)
    answer = resolver.resolve(event, context)
    entries = watch.collect(context.aws_request_id)

It looks on: it answers nothing, changes nothing, and an error of its own harms nobody.
"""

from __future__ import annotations

from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING

from router.dispatch.chain import Middleware
from router.dispatch.invocation import current_invocation
from router.local.settings import ACCOUNT
from router.local.watch.aws import AwsCalls, end_process
from router.local.watch.describe import entries_of
from router.local.watch.lines import Lines
from router.local.watch.seen import Seen, Span, here
from router.local.watch.steps import Steps
from router.local.watch.threads import Inheriting
from router.session import current_event
from router.testing.aws_calls import listen, unlisten
from router.testing.faults import Faults

if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

    from router.contract import Stack
    from router.dispatch.chain import Around
    from router.dispatch.invocation import Invocation
    from router.event import Event
    from router.local.entries import Entry
    from router.resolver import Resolver

_KEPT = 1000  # calls that nobody has collected yet


class Watch(Middleware):
    """Note what happens in an application: each event with its session, log lines, errors and calls of AWS.

    A batch is told record by record, up to `router.local.watch.seen.DETAILED` of them; the others are counted.

    account: of AWS, where calls name none.
    stack: what the application declares of its surroundings, where it does.
    """

    outside_auth = True

    def __init__(self, account: str = ACCOUNT, stack: Stack | None = None) -> None:
        self.faults = Faults()
        self._account = account
        self._stack = stack
        self._aws: AwsCalls | None = None
        self._calls: dict[str, Seen] = {}
        self._lock = Lock()
        self._lines = Lines(self.span)
        self._threads = Inheriting()
        self._resolver: Resolver | None = None
        self.durable_plugins = Steps(self.span)  # which the dispatch asks observers for

    def install(self, resolver: Resolver) -> Watch:
        """Put it around an application, outside of all other middleware, and begin to listen.

        Raises:
            RuntimeError: it is around an application already.
        """
        if self._resolver is not None:
            raise RuntimeError("this Watch is installed already; make another one")
        self._resolver = resolver
        engine = resolver._engine
        engine.form(self)
        engine.observers.remove(self)
        engine.observers.insert(0, self)
        engine.middleware.insert(0, self)
        engine.durably = None
        engine._forget_runners()
        engine.recompose()
        self._threads.begin()
        self._lines.begin()
        self._aws = AwsCalls(resolver, self.span, self.faults, self._account, self._stack)
        listen(self._aws)
        return self

    def doom(self, request_id: str) -> None:
        """End this process in the middle of a call, as a fault on purpose.

        It ends right before or after one of its calls of AWS, at the latest before the call is answered.
        """
        if self._aws is not None:
            self._aws.doomed.add(request_id)

    def uninstall(self) -> None:
        """Take it away again, and stop listening: for tests."""
        if self._resolver is None:
            return
        engine = self._resolver._engine
        engine.observers.remove(self)
        engine.middleware.remove(self)
        engine._forms.pop(id(self), None)
        engine._forget_runners()
        engine.recompose()
        if self._aws is not None:
            unlisten(self._aws)
        self._lines.end()
        self._threads.end()
        self._resolver = None

    def collect(self, request_id: str) -> list[Entry]:
        """Return what was seen of a call, and forget it. One that still runs is told as far as it has come.

        request_id: that Lambda's context names; empty for a task.
        """
        with self._lock:
            seen = self._calls.pop(request_id, None)
        if seen is None:
            return []
        if self._aws is not None:
            self._aws.judge(seen)
        return entries_of(seen)

    def span(self) -> Span | None:
        """Return what runs here: an event, a group, or the call around them; None outside of a call."""
        span = here.get()
        if span is not None:
            return None if span.seen.ended else span
        invocation = current_invocation()
        seen: Seen | None = None if invocation is None else invocation.state.get(self)
        if seen is None or seen.ended:
            return None
        event = current_event()  # it is finished: what is logged of its failure is its own
        return seen.whole if event is None else seen.of(event)

    # ---- around events -------------------------------------------------------------------------------------------

    def __call__(self, event: Event) -> Around:
        invocation = current_invocation()
        seen: Seen | None = None if invocation is None else invocation.state.get(self)
        if seen is None:
            yield
            return
        above = here.get()
        if above is not None and above.seen is not seen:
            above = None
        span = seen.enter(event, above)
        member = span.members[-1] if span.members else None
        began = perf_counter()
        token = here.set(span)
        result: Any = None
        error: BaseException | None = None
        try:
            result = yield
        except BaseException as raised:
            error = raised
            raise
        finally:
            try:
                here.reset(token)
            except ValueError:
                pass  # the generator is closed elsewhere: its dispatch was given up
            if member is not None:
                member.left, member.error = perf_counter(), error
                if member.event is span.event:  # the first one of a group is left last
                    span.leave(result, error)
            elif span.event is event:
                span.leave(result, error)
            else:
                seen.count(event, began, error)

    def around_invocation(self, invocation: Invocation) -> Generator[None, None, None]:
        """Keep what is seen of a call; a dispatch inside of a handler belongs to the call around it."""
        outer = invocation.outer
        held: Seen | None = None if outer is None else outer.state.get(self)
        if held is not None and not held.ended:
            invocation.state[self] = held
            yield
            held.failed += invocation.failed
            return
        seen = invocation.state[self] = Seen(invocation, _request_id(invocation.context))
        with self._lock:
            self._calls[seen.request_id] = seen
            while len(self._calls) > _KEPT:
                del self._calls[next(iter(self._calls))]
        yield
        if self._aws is not None and seen.request_id in self._aws.doomed:
            end_process()
        seen.end(invocation)


def _request_id(context: Any) -> str:
    """Return the id of a call. That of a durable execution is one for all of its calls: the one inside counts."""
    if hasattr(context, "durable_execution_arn"):
        context = getattr(context, "_context", context)
    return str(getattr(context, "aws_request_id", "") or "")
