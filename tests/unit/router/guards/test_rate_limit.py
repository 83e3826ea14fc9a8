"""So many events in so many seconds, for each owner; over HTTP, for records and for calls."""

from __future__ import annotations

from typing import Any

import pytest

from router import ConfigurationError, Event, FromRequest, Resolver, SecurityHeaders, SessionPolicy, TooManyRequests
from router.guards import MemoryBuckets, RateLimit
from router.guards import rate_limit as module
from router.testing import TestClient, samples


class Clock:
    now = 1_700_000_000.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", lambda: clock.now)
    return clock


def application(buckets: Any = None, *, waits: bool = False, **options: Any) -> TestClient:
    resolver = Resolver(session=SessionPolicy(request=FromRequest(tenant_header="x-tenant", user_header="x-user")))
    resolver.use(RateLimit(buckets or MemoryBuckets(), **{"rate": 3, "per": 60, **options}))

    def handle() -> str:
        return "ok"

    async def handle_later() -> str:
        return "ok"

    handler = handle_later if waits else handle
    resolver.get("/")(handler)
    resolver.on_queue("orders")(handler)
    resolver.on_invoke("order")(handler)
    return TestClient(resolver)


def statuses(client: TestClient, count: int, **headers: str) -> list[int]:
    sent = {f"x-{name}": value for name, value in headers.items()}
    return [client.get("/", headers=sent).status for _ in range(count)]


@pytest.mark.parametrize("waits", [False, True])
def test_a_bucket_is_emptied_and_fills_again(clock: Clock, waits: bool) -> None:
    client = application(waits=waits)
    assert statuses(client, 5, user="ann") == [200, 200, 200, 429, 429]
    answer = client.get("/", headers={"x-user": "ann"})
    assert answer.headers["retry-after"] == "20"
    clock.now += 19
    assert statuses(client, 1, user="ann") == [429]
    clock.now += 1
    assert statuses(client, 2, user="ann") == [200, 429]
    clock.now += 1000
    assert statuses(client, 4, user="ann") == [200, 200, 200, 429]


def test_a_burst_is_what_may_come_at_once(clock: Clock) -> None:
    client = application(rate=60, per=60, burst=2)
    assert statuses(client, 3) == [200, 200, 429]
    clock.now += 1
    assert statuses(client, 2) == [200, 429]


class Rounding(MemoryBuckets):
    """Keeps moments to the microsecond, as a table does."""

    def take(self, key: str, interval: float, slack: float, now: float) -> float:
        kept = [float(f"{one:.6f}") for one in (interval, now + slack)]
        return super().take(key, kept[0], kept[1] - now, now)


@pytest.mark.parametrize("buckets", [MemoryBuckets, Rounding])
@pytest.mark.parametrize(
    ("rate", "per", "burst"), [(3, 2, 3), (7, 1, 7), (1000, 60, 1000), (3, 20, 30), (1, 86_400, 1)]
)
def test_all_tokens_of_a_bucket_can_be_had_at_once(clock: Clock, buckets: Any, rate: int, per: int, burst: int) -> None:
    clock.now = 1_764_459_600.123456
    client = application(buckets(), rate=rate, per=per, burst=burst)
    assert statuses(client, burst + 2) == [200] * burst + [429, 429]
    clock.now += per / rate * 0.99 - 0.001
    assert statuses(client, 1) == [429]


@pytest.mark.parametrize(("by", "other"), [("user", {"user": "bob"}), ("tenant", {"tenant": "globex"})])
def test_each_owner_has_a_bucket(clock: Clock, by: Any, other: dict[str, str]) -> None:
    client = application(by=by, rate=1)
    asked = {"user": "ann", "tenant": "acme"}
    assert statuses(client, 2, **asked) == [200, 429]
    assert statuses(client, 2, **(asked | other)) == [200, 429]
    assert statuses(client, 2) == [200, 429]  # nobody's


@pytest.mark.parametrize(
    ("first", "second", "share"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:1:2:3", True),
        ("2001:db8:1:2::1", "2001:0DB8:0001:0002:0:0:0:1", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:203.0.113.7", "203.0.113.7", True),
        ("::ffff:203.0.113.7", "::ffff:cb00:7107", True),
        ("::ffff:203.0.113.7", "::ffff:203.0.113.8", False),
        ("2001:db8::203.0.113.7", "2001:db8::203.0.113.8", True),
        ("not:an:address", "not:an:address:2", False),
    ],
)
def test_a_client_that_changes_its_ipv6_address_stays_in_its_bucket(first: str, second: str, share: bool) -> None:
    resolver = Resolver()
    resolver.use(RateLimit(MemoryBuckets(), rate=1, by="address"))
    resolver.get("/")(lambda: "ok")
    answers = [resolver.resolve(samples.http(source_ip=address))["statusCode"] for address in (first, second)]
    assert answers == [200, 429 if share else 200]


@pytest.mark.parametrize("waits", [False, True])
def test_a_limit_by_address_does_not_hold_up_messages_and_calls(clock: Clock, waits: bool) -> None:
    client = application(by="address", rate=1, waits=waits)
    assert client.queue("orders", ["a", "b", "c"]) == {"batchItemFailures": []}
    assert [client.invoke("order") for _ in range(2)] == ["ok", "ok"]
    without = samples.alb("GET", "/")
    without["headers"].pop("x-forwarded-for")
    assert [client.event(without)["statusCode"] for _ in range(2)] == [200, 429]  # a client may not hide its address


@pytest.mark.parametrize("by", ["user", "tenant", lambda event: event.session.user])
def test_clients_whom_nobody_knows_do_not_hold_up_messages_and_calls(clock: Clock, by: Any) -> None:
    client = application(by=by, rate=1)
    assert statuses(client, 2) == [200, 429]
    assert client.queue("orders", ["a"]) == {"batchItemFailures": []}
    with pytest.raises(TooManyRequests):
        client.invoke("order")  # what has no client shares a bucket, as before


def test_by_address_and_by_a_function(clock: Clock) -> None:
    client = application(by="address", rate=1)
    here, there = (samples.rest("GET", "/", source_ip=address) for address in ("203.0.113.7", "203.0.113.8"))
    assert [client.event(payload)["statusCode"] for payload in (here, here, there)] == [200, 429, 200]
    client = application(by=lambda event: event.headers.get("x-key"), rate=1)
    assert statuses(client, 2, key="a") + statuses(client, 1, key="b") == [200, 429, 200]


def test_two_limits_share_a_store_and_not_a_bucket(clock: Clock) -> None:
    buckets = MemoryBuckets()
    assert statuses(application(buckets, rate=1), 2) == [200, 429]
    assert statuses(application(buckets, rate=2), 3) == [200, 200, 429]
    assert statuses(application(buckets, rate=1, name="other"), 2) == [200, 429]
    assert statuses(application(buckets, rate=1), 1) == [429]


def test_a_record_over_the_rate_comes_again(clock: Clock) -> None:
    waited: list[float] = []
    resolver = Resolver(delay=lambda event, seconds: waited.append(seconds))
    resolver.use(RateLimit(MemoryBuckets(), rate=1, per=60))
    seen: list[str] = []
    resolver.on_queue("orders")(lambda event: seen.append(event.id))
    records = [samples.sqs_record("orders", {}) for _ in range(3)]
    answer = resolver.resolve({"Records": records})
    assert [one["itemIdentifier"] for one in answer["batchItemFailures"]] == [one["messageId"] for one in records[1:]]
    assert waited == [60, 60]
    assert seen == [records[0]["messageId"]]


def test_who_publishes_to_a_channel_is_told_as_a_client_is(clock: Clock) -> None:
    resolver = Resolver()
    resolver.on("appsync-events", "*", middleware=[RateLimit(MemoryBuckets(), rate=1)])(lambda: None)
    answers = [resolver.resolve(samples.SAMPLES["appsync-events"]())["events"][0] for _ in range(2)]
    assert [answer.get("error") for answer in answers] == [None, "too many requests"]


@pytest.mark.parametrize("waits", [False, True])
def test_the_end_of_a_websocket_is_never_refused(clock: Clock, waits: bool) -> None:
    resolver = Resolver()
    resolver.use(RateLimit(MemoryBuckets(), rate=1))
    forgotten: list[str] = []

    def forget(event: Event) -> None:
        forgotten.append(event.name)

    async def forget_later(event: Event) -> None:
        forget(event)

    resolver.on_connect()(lambda: None)
    resolver.on_disconnect()(forget_later if waits else forget)
    client = TestClient(resolver)
    assert [client.connect()["statusCode"] for _ in range(2)] == [200, 429]
    assert [client.disconnect()["statusCode"] for _ in range(2)] == [200, 200]
    assert forgotten == ["$disconnect", "$disconnect"]


def test_a_call_over_the_rate_fails(clock: Clock) -> None:
    client = application(rate=1)
    client.invoke("order")
    with pytest.raises(TooManyRequests):
        client.invoke("order")


class Down:
    def take(self, *args: Any) -> float:
        raise ConnectionError("no table")

    async def take_async(self, *args: Any) -> float:
        raise ConnectionError("no table")


@pytest.mark.parametrize("waits", [False, True])
def test_while_the_buckets_are_down(waits: bool, caplog: pytest.LogCaptureFixture) -> None:
    assert statuses(application(Down(), waits=waits), 1) == [503]
    assert statuses(application(Down(), waits=waits, when_down="run"), 1) == [200]
    assert "the buckets of a rate limit do not answer" in caplog.text


def test_memory_has_a_bound(clock: Clock) -> None:
    client = application(MemoryBuckets(most=2), rate=1)
    assert [statuses(client, 1, user=user) for user in ("a", "b", "c", "c", "a")] == [[200], [200], [200], [429], [200]]


def test_a_clock_that_is_set_back_holds_nobody_up(clock: Clock) -> None:
    client = application(rate=1, per=10)
    assert statuses(client, 1) == [200]
    clock.now -= 3600
    answer = client.get("/")
    assert (answer.status, int(answer.headers["retry-after"])) == (429, 10)
    clock.now += 10
    assert statuses(client, 2) == [200, 429]
    clock.now += 3600
    assert statuses(client, 2) == [200, 429]


@pytest.mark.parametrize("waits", [False, True])
def test_bad_credentials_are_counted_by_address(clock: Clock, waits: bool) -> None:
    class Nobody:
        def authenticate(self, token: str) -> None:
            return None

    resolver = Resolver(auth=Nobody()).use(SecurityHeaders(), RateLimit(MemoryBuckets(), rate=3, by="address"))

    async def handle_later() -> str:
        return "in"

    resolver.get("/")(handle_later if waits else lambda: "in")
    client = TestClient(resolver)
    answers = [client.get("/", headers={"Authorization": f"Bearer guess{n}"}) for n in range(5)]
    assert [answer.status for answer in answers] == [401, 401, 401, 429, 429]
    assert answers[4].headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "options",
    [
        {"rate": 0},
        {"rate": 1.5},
        {"rate": True},
        {"burst": 0},
        {"burst": 10**400},
        {"rate": 10**400},
        {"rate": 1_000_001, "per": 1},
        {"per": 0},
        {"by": "session"},
        {"when_down": "open"},
    ],
)
def test_settings_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        application(**options)
    with pytest.raises(ConfigurationError, match=r"\{\} keeps no buckets"):
        RateLimit({}, rate=1)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="give an instance"):
        RateLimit(MemoryBuckets, rate=1)  # type: ignore[arg-type]

    class Half:
        def take(self, *args: Any) -> float:
            return 0

    with pytest.raises(ConfigurationError, match="both verbs"):  # an async chain would find out with the first event
        RateLimit(Half(), rate=1)  # type: ignore[arg-type]


def test_whose_bucket_it_is_is_text() -> None:
    def number(event: Event) -> Any:
        return 5

    assert statuses(application(by=number), 1) == [500]
