"""A handler is stopped when its time is up, and takes no other record with it: sync, async, in threads, in groups."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from router import ConfigurationError, Event, HandlerTimeout, Middleware, QueueEvent, Resolver
from router.dispatch.stopping import Stopped, Target
from router.guards import Idempotent, MemoryStore, Timeout
from router.testing import TestClient, samples

LONG = 20.0  # seconds: nothing in this file waits so long
SHORT = 0.25  # seconds: what is fast takes less, also on a busy machine


class Waits(Middleware):
    """Makes its chain async, around a sync handler as well."""

    async def __call__(self, event: Event) -> Any:
        await asyncio.sleep(0)
        yield


class Context:
    """Says how much time an invocation has left."""

    def __init__(self, left: float) -> None:
        self._end = time.monotonic() + left

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._end - time.monotonic()) * 1000))


pytestmark = pytest.mark.timeout(60, method="thread")  # SIGALRM is what is tested


@pytest.fixture(autouse=True)
def nothing_is_left_behind() -> Iterator[None]:
    started = time.monotonic()
    yield
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
    assert time.monotonic() - started < LONG


def sleeping(event: Event) -> Any:
    time.sleep(LONG if event.body == b"slow" or event.path == "/slow" else 0)


async def waiting(event: Event) -> Any:
    await asyncio.sleep(LONG if event.body == b"slow" or event.path == "/slow" else 0)


KINDS = {
    "sync": ((), sleeping),
    "async": ((), waiting),
    "sync in an async chain": ((Waits(),), sleeping),
    "sync in an async chain, inside": ((), sleeping),
}


def application(kind: str, timeout: Timeout, register: Callable[[Resolver, Any], Any]) -> Resolver:
    outside, handler = KINDS[kind]
    resolver = Resolver().use(*outside, timeout)
    if kind.endswith("inside"):
        resolver.use(Waits())
    register(resolver, handler)
    return resolver


def failures(resolver: Resolver, *bodies: str, context: Any = None) -> list[str]:
    ids = [f"m{at}" for at in range(len(bodies))]
    answer = resolver.resolve(samples.sqs("orders", bodies, message_ids=ids), context)
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_that_takes_too_long_is_a_504(kind: str) -> None:
    resolver = application(kind, Timeout(SHORT), lambda resolver, handler: resolver.get("/{speed}")(handler))
    client = TestClient(resolver)

    answer = client.get("/slow")

    assert (answer.status, answer.headers["content-type"]) == (504, "application/problem+json")
    assert client.get("/fast").status == 204


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_record_that_was_stopped_fails(kind: str) -> None:
    resolver = application(kind, Timeout(SHORT), lambda resolver, handler: resolver.on_queue("orders")(handler))

    assert failures(resolver, "fast", "slow", "fast", "slow", "fast") == ["m1", "m3"]


@pytest.mark.parametrize("kind", KINDS)
def test_by_default_the_invocation_says_how_long(kind: str) -> None:
    timeout = Timeout(margin=0.5)
    resolver = application(kind, timeout, lambda resolver, handler: resolver.on_queue("orders")(handler))
    context = Context(1.1)  # beyond the resolver's own margin of a second

    assert failures(resolver, "fast", "slow", "fast", context=context) == ["m1", "m2"]
    assert context.get_remaining_time_in_millis() > 300  # there was time to answer; what was not begun comes again


def test_without_an_end_of_the_invocation_nothing_is_limited() -> None:
    resolver = application("sync", Timeout(), lambda resolver, handler: resolver.on_queue("orders")(handler))
    assert failures(resolver, "fast") == []


def test_where_there_is_no_time_left_nothing_is_begun() -> None:
    begun: list[str] = []
    resolver = Resolver(deadline_margin=0).use(Timeout(margin=5))
    resolver.on_queue("orders")(lambda event: begun.append(event.id))
    resolver.get("/")(lambda event: begun.append("request"))

    assert failures(resolver, "fast", context=Context(4)) == ["m0"]
    assert resolver.resolve(samples.http(), Context(4))["statusCode"] == 504
    assert begun == []


def test_a_call_fails_with_the_error() -> None:
    resolver = Resolver().use(Timeout(SHORT))
    resolver.on_invoke("slow")(lambda event: time.sleep(LONG))
    resolver.on_message("slow")(lambda event: time.sleep(LONG))

    with pytest.raises(HandlerTimeout, match=r"longer than 0\.25 s, and was stopped"):
        resolver.resolve({"action": "slow"})
    assert resolver.resolve(samples.websocket(route_key="slow"))["statusCode"] == 504


# ---- groups ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_group_has_one_limit_for_its_call(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    outside, handler = KINDS[kind]

    def handle(events: list[QueueEvent]) -> None:
        handler(events[-1])

    async def handle_async(events: list[QueueEvent]) -> None:
        await handler(events[-1])

    resolver = Resolver().use(*outside, Timeout(SHORT), *([Waits()] if kind.endswith("inside") else []))
    resolver.on_queue("orders", batch=True, by=lambda event: event.body)(handle_async if kind == "async" else handle)

    assert failures(resolver, "slow", "fast", "slow", "fast", "slow") == ["m0", "m2", "m4"]
    assert caplog.text.count("Traceback") <= 2  # the error of the group, with its cause: reported once


@pytest.mark.parametrize("asynchronous", [False, True])
def test_an_event_that_is_refused_does_not_end_the_limit_of_its_group(asynchronous: bool) -> None:
    class Picky(Middleware):
        def __call__(self, event: Event) -> Any:
            if event.body == b"bad":
                raise ValueError("no")
            yield

    resolver = Resolver().use(Timeout(SHORT), Picky())

    def handle(events: list[QueueEvent]) -> None:
        time.sleep(LONG)

    async def handle_async(events: list[QueueEvent]) -> None:
        await asyncio.sleep(LONG)

    resolver.on_queue("orders", batch=True)(handle_async if asynchronous else handle)

    assert failures(resolver, "bad", "good", "bad", "good") == ["m0", "m1", "m2", "m3"]


# ---- what the handler sees ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sync", "async", "sync in an async chain"])
def test_except_exception_does_not_swallow_it_and_cleanup_runs(kind: str) -> None:
    seen: list[str] = []

    def handle() -> str:
        try:
            time.sleep(LONG)
        except Exception:
            return "swallowed"
        finally:
            seen.append("cleaned up")
        return "done"

    async def handle_async() -> str:
        try:
            await asyncio.sleep(LONG)
        except Exception:
            return "swallowed"
        finally:
            await asyncio.sleep(0)
            seen.append("cleaned up")
        return "done"

    resolver = Resolver().use(*KINDS[kind][0], Timeout(SHORT))
    resolver.get("/")(handle_async if kind == "async" else handle)

    assert TestClient(resolver).get("/").status == 504
    assert seen == ["cleaned up"]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_who_swallows_it_on_purpose_goes_on(asynchronous: bool) -> None:
    def handle() -> str:
        try:
            time.sleep(LONG)
        except BaseException:
            return "half of it"
        return "done"

    async def handle_async() -> str:
        try:
            await asyncio.sleep(LONG)
        except BaseException:
            return "half of it"
        return "done"

    resolver = Resolver().use(Timeout(SHORT))
    resolver.get("/")(handle_async if asynchronous else handle)
    answer = TestClient(resolver).get("/")

    assert (answer.status, answer.text) == (200, "half of it")


def test_what_a_stopped_handler_began_in_the_background_is_cancelled() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(LONG)
        finally:
            ended.append("work")

    async def handle(event: Event) -> None:
        event.background(work())
        await asyncio.sleep(LONG)

    resolver = Resolver().use(Timeout(SHORT))
    resolver.on_queue("orders")(handle)

    assert failures(resolver, "a") == ["m0"]
    assert ended == ["work"]


def test_the_log_says_where_the_handler_was(caplog: pytest.LogCaptureFixture) -> None:
    resolver = application("sync", Timeout(SHORT), lambda resolver, handler: resolver.get("/{speed}")(handler))
    TestClient(resolver).get("/slow")

    assert "in sleeping" in caplog.text
    assert "HandlerTimeout" in caplog.text


def test_a_catcher_may_answer_in_its_place() -> None:
    resolver = application("sync", Timeout(SHORT), lambda resolver, handler: resolver.get("/{speed}")(handler))

    @resolver.catch(HandlerTimeout)
    def busy(error: HandlerTimeout) -> tuple[str, int]:
        return "busy", 503

    assert TestClient(resolver).get("/slow").status == 503


@pytest.mark.parametrize("asynchronous", [False, True])
def test_middleware_inside_sees_it_and_its_answer_does_not_take_the_place(asynchronous: bool) -> None:
    class Greedy(Middleware):
        def __call__(self, event: Event) -> Any:
            try:
                yield
            except BaseException:
                yield "all is well"

    resolver = Resolver().use(Timeout(SHORT), Greedy())
    resolver.get("/{speed}")(waiting if asynchronous else sleeping)
    resolver.on_queue("orders", batch=True)(lambda events: time.sleep(LONG))

    assert TestClient(resolver).get("/slow").status == 504
    assert failures(resolver, "a", "b") == ["m0", "m1"]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_stopped_record_is_handled_when_it_is_delivered_again(asynchronous: bool) -> None:
    calls: list[str] = []

    def handle(event: QueueEvent) -> None:
        calls.append(event.id)
        time.sleep(LONG if len(calls) == 1 else 0)

    async def handle_async(event: QueueEvent) -> None:
        calls.append(event.id)
        await asyncio.sleep(LONG if len(calls) == 1 else 0)

    resolver = Resolver().use(Timeout(SHORT), Idempotent(MemoryStore()))
    resolver.on_queue("orders")(handle_async if asynchronous else handle)

    assert failures(resolver, "a") == ["m0"]
    assert failures(resolver, "a") == []
    assert failures(resolver, "a") == []
    assert calls == ["m0", "m0"]


# ---- limits inside of limits -------------------------------------------------------------------------------------


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize(("outer", "inner"), [(LONG, SHORT), (SHORT, LONG), (SHORT, SHORT)])
def test_the_shorter_one_of_two_limits_counts(asynchronous: bool, outer: float, inner: float) -> None:
    resolver = Resolver().use(Timeout(outer))
    resolver.get("/{speed}", middleware=[Timeout(inner)])(waiting if asynchronous else sleeping)
    client = TestClient(resolver)

    assert [client.get(path).status for path in ("/slow", "/fast", "/slow")] == [504, 204, 504]


@pytest.mark.parametrize("outer", [0.8, LONG])
def test_the_outer_limit_goes_on_after_an_inner_one(outer: float) -> None:
    inner = Resolver().use(Timeout(SHORT))
    inner.get("/{speed}")(sleeping)
    resolver = Resolver().use(Timeout(outer))
    answers = []

    @resolver.get("/")
    def handle() -> None:
        answers.append(inner.resolve(samples.http(path="/slow"))["statusCode"])
        time.sleep(LONG if outer < 1 else 0)

    assert TestClient(resolver).get("/").status == (504 if outer < 1 else 204)
    assert answers == [504]


# ---- SIGALRM that is somebody else's -----------------------------------------------------------------------------


@pytest.fixture
def alarms() -> Iterator[list[float]]:
    rung: list[float] = []
    signal.signal(signal.SIGALRM, lambda number, frame: rung.append(time.monotonic()))
    yield rung
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


def test_a_timer_of_the_application_goes_on_and_is_put_back(alarms: list[float]) -> None:
    resolver = application("sync", Timeout(SHORT), lambda resolver, handler: resolver.get("/{speed}")(handler))
    before = signal.getsignal(signal.SIGALRM)
    signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)

    assert TestClient(resolver).get("/slow").status == 504
    during = len(alarms)
    assert during >= 3
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL)[1] == pytest.approx(0.02)
    while len(alarms) == during:
        time.sleep(0.005)


def test_a_timer_that_is_due_later_is_put_back_with_the_time_it_had(alarms: list[float]) -> None:
    resolver = application("sync", Timeout(SHORT), lambda resolver, handler: resolver.get("/{speed}")(handler))
    signal.setitimer(signal.ITIMER_REAL, 10)

    assert TestClient(resolver).get("/slow").status == 504
    left, interval = signal.getitimer(signal.ITIMER_REAL)
    assert 5 < left < 10 - SHORT
    assert (interval, alarms) == (0.0, [])


def test_a_handler_may_put_a_handler_of_its_own(alarms: list[float]) -> None:
    resolver = Resolver().use(Timeout(LONG))
    own: list[int] = []

    def ring(number: int, frame: object) -> None:
        own.append(number)

    @resolver.get("/")
    def handle() -> None:
        signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        while not own:
            time.sleep(0.005)

    assert TestClient(resolver).get("/").status == 204
    assert signal.getsignal(signal.SIGALRM) is ring  # which it left there: it is theirs


def in_this(work: Callable[[], Any]) -> Any:
    return work()


def in_thread(work: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result(LONG)


# ---- races -------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_end_in_the_last_moment_is_an_answer_or_a_504() -> None:
    resolver = Resolver().use(Timeout(0.001), *(plain() for _ in range(5)))
    resolver.get("/{count:int}")(lambda event: spin(int(event.params["count"])))
    client = TestClient(resolver)
    statuses = [client.get(f"/{microseconds}").status for microseconds in range(600, 1400, 4)]

    assert set(statuses) == {200, 504}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_end_in_the_last_moment_fails_a_record_or_not() -> None:
    for batch in (False, True):
        resolver = Resolver().use(Timeout(0.001), *(plain() for _ in range(5)))
        resolver.on_queue("orders", batch=batch)(
            (lambda events: spin(int(events[0].body))) if batch else (lambda event: spin(int(event.body)))
        )
        ended = [failures(resolver, str(microseconds)) for microseconds in range(500, 1500, 10)]
        assert [] in ended
        assert ["m0"] in ended


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_end_in_the_last_moment_in_a_thread_is_an_answer_or_a_504() -> None:
    resolver = Resolver().use(Timeout(0.001))
    resolver.get("/{count:int}")(lambda event: spin(int(event.params["count"])))
    client = TestClient(resolver)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # so that the watcher comes in time
    try:
        with ThreadPoolExecutor(1) as pool:
            statuses = list(pool.map(lambda count: client.get(f"/{count}").status, range(500, 2500, 5)))
            assert pool.submit(lambda: "the thread lives").result() == "the thread lives"
    finally:
        sys.setswitchinterval(interval)

    assert set(statuses) == {200, 504}


def test_a_lock_that_the_exception_left_taken_is_given_back() -> None:
    target = Target()  # as on Python 3.14, where the exception may come right after the lock was taken

    def left_taken(_: object) -> None:
        target._lock.acquire()
        raise Stopped

    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(Stopped):
            pool.submit(target.run, left_taken, None).result()
        pool.submit(int).result()
        stopper = threading.Thread(target=target.stop, daemon=True)
        stopper.start()
        stopper.join(10)
        assert not stopper.is_alive()


def plain() -> Callable[[Event], Any]:
    def around(event: Event) -> Any:
        yield

    return around


def spin(microseconds: int) -> str:
    end = time.perf_counter() + microseconds / 1e6
    while time.perf_counter() < end:
        pass
    return "done"


def test_it_is_not_lost_where_python_ignores_exceptions() -> None:
    """An exception inside `__del__` is printed and forgotten."""

    class Slow:
        def __del__(self) -> None:
            spin(600_000)

    resolver = Resolver().use(Timeout(SHORT))

    @resolver.get("/")
    def handle() -> None:
        held = Slow()
        del held
        time.sleep(LONG)

    assert TestClient(resolver).get("/").status == 504


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("run", [in_this, in_thread])
def test_what_got_lost_is_raised_once_more(run: Callable[[Any], Any]) -> None:
    """A callback of the garbage collector cannot be told from other code: what is raised in it is printed."""

    class Held:
        pass

    resolver = Resolver().use(Timeout(SHORT))

    @resolver.get("/")
    def handle() -> None:
        held = Held()
        watched = weakref.ref(held, lambda _: spin(600_000))
        del held
        for _ in range(int(LONG * 1000)):
            time.sleep(0.001)
        assert watched() is None

    assert run(lambda: TestClient(resolver).get("/").status) == 504


@pytest.mark.parametrize("run", [in_this, in_thread])
def test_it_does_not_break_off_what_cleans_up(run: Callable[[Any], Any]) -> None:
    cleaned: list[str] = []
    resolver = Resolver().use(Timeout(SHORT))

    @resolver.get("/")
    def handle() -> None:
        try:
            for _ in range(int(LONG * 1000)):
                time.sleep(0.001)
        finally:
            try:
                raise ValueError("and it fails")
            except ValueError:
                spin(300_000)
            cleaned.append("all of it")

    assert run(lambda: TestClient(resolver).get("/").status) == 504
    assert cleaned == ["all of it"]


@pytest.mark.parametrize("run", [in_this, in_thread])
def test_a_bare_except_that_goes_on_is_stopped_once_more(run: Callable[[Any], Any]) -> None:
    resolver = Resolver().use(Timeout(SHORT))

    @resolver.get("/")
    def handle() -> None:
        try:
            for _ in range(int(LONG * 1000)):
                time.sleep(0.001)
        except:  # noqa: E722
            pass
        for _ in range(int(LONG * 1000)):
            time.sleep(0.001)

    assert run(lambda: TestClient(resolver).get("/").status) == 504


# ---- threads -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sync", "async", "sync in an async chain"])
def test_outside_of_the_main_thread_a_handler_is_stopped_when_it_next_runs_python(kind: str) -> None:
    def busy(event: Event) -> None:
        end = time.monotonic() + LONG
        while event.body == b"slow" and time.monotonic() < end:
            time.sleep(0.001)

    resolver = Resolver().use(*KINDS[kind][0], Timeout(SHORT))
    resolver.on_queue("orders")(waiting if kind == "async" else busy)

    assert in_thread(lambda: failures(resolver, "fast", "slow", "fast", "slow")) == ["m1", "m3"]


@pytest.mark.parametrize("batch", [False, True])
def test_with_concurrency_the_record_fails_in_time_and_its_thread_ends(batch: bool) -> None:
    ended = threading.Event()

    def handle(events: Any) -> None:
        event = events[0] if batch else events
        try:
            end = time.monotonic() + LONG
            while event.body == b"slow" and time.monotonic() < end:
                time.sleep(0.001)
        finally:
            if event.body == b"slow":
                ended.set()

    resolver = Resolver().use(Timeout(SHORT))
    options: dict[str, Any] = {"batch": True, "by": lambda event: event.id} if batch else {}
    resolver.on_queue("orders", concurrency=3, **options)(handle)

    assert failures(resolver, "fast", "slow", "fast", "fast") == ["m1"]
    assert ended.wait(LONG / 4)
    assert failures(resolver, "fast", "fast", "fast", "fast") == []


# ---- mistakes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seconds": 0}, r"Timeout\(\.\.\.\): 0 is out of range"),
        ({"seconds": -1}, "out of range"),
        ({"seconds": True}, "give seconds or a timedelta, not bool"),
        ({"seconds": float("nan")}, "out of range"),
        ({"margin": -1}, r"Timeout\(margin=\.\.\.\): -1 is out of range"),
        ({"margin": "1"}, "not str"),
    ],
)
def test_what_is_no_duration_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Timeout(**options)
