"""Keys are fetched when they must be, and neither an issuer that is down nor made-up key ids log anybody out."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from router import snapshots
from router.errors import ConfigurationError, ServiceUnavailable
from router.guards import Jwt, KeySet
from router.guards import keys as keys_module
from router.guards.fetching import fetch
from tests.servers.issuer import DISCOVERY, KEYS, Issuer


class Clock:
    """The monotonic clock of the key sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(keys_module, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer() as running:
        yield running


def jwt_of(issuer: Issuer, **options: Any) -> Jwt:
    """A check of the issuer's tokens, with time for a machine that is busy with other tests."""
    return Jwt(issuer.url, "orders", keys=KeySet(issuer=issuer.url, **{"budget": 30, **options}))


def user(check: Jwt, token: str) -> str | None:
    identity = check.authenticate(token)
    return identity.user if identity else None


def test_one_fetch_serves_many_checks(issuer: Issuer) -> None:
    check = jwt_of(issuer)
    assert [user(check, issuer.token(sub=name)) for name in ("ann", "bob", "eve")] == ["ann", "bob", "eve"]
    assert issuer.asked == {DISCOVERY: 1, KEYS: 1}


def test_nothing_is_fetched_before_the_first_check(issuer: Issuer) -> None:
    jwt_of(issuer)
    assert not issuer.asked


def test_keys_are_fetched_anew_when_they_are_old(issuer: Issuer, clock: Clock) -> None:
    check = jwt_of(issuer)
    before = issuer.token()
    assert user(check, before) == "ann"
    issuer.rotate("k2")
    clock.now += 299
    assert user(check, before) == "ann"
    clock.now += 2
    assert user(check, before) is None  # the issuer took its key back
    assert user(check, issuer.token()) == "ann"
    assert issuer.asked == {DISCOVERY: 1, KEYS: 2}


def test_a_new_key_counts_at_once(issuer: Issuer) -> None:
    check = jwt_of(issuer)
    assert user(check, issuer.token()) == "ann"
    issuer.rotate("k2")
    assert user(check, issuer.token()) == "ann"
    assert issuer.asked[KEYS] == 2


def test_a_thousand_unknown_key_ids_are_one_fetch(issuer: Issuer, clock: Clock) -> None:
    check = jwt_of(issuer)
    good = issuer.token()
    bad = issuer.token()
    assert user(check, good) == "ann"
    body = bad.split(".", 1)[1]
    for number in range(1000):
        header = encoded({"alg": "RS256", "kid": f"made-up-{number}"})
        assert check.authenticate(f"{header}.{body}") is None
    assert issuer.asked[KEYS] == 2
    assert user(check, good) == "ann"
    clock.now += 301
    assert check.authenticate(f"{encoded({'alg': 'RS256', 'kid': 'x'})}.{body}") is None
    assert issuer.asked[KEYS] == 3  # the keys were old; just fetched, they are not asked for again


def encoded(header: dict[str, Any]) -> str:
    import base64
    import json

    return base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()


def test_the_last_keys_count_while_the_issuer_is_down(issuer: Issuer, clock: Clock) -> None:
    check = jwt_of(issuer, stale_for=600)
    token = issuer.token()
    assert user(check, token) == "ann"
    with issuer.down():
        clock.now += 400
        assert [user(check, token) for _ in range(20)] == ["ann"] * 20
        assert issuer.asked[KEYS] == 2  # a pause follows each failure
        clock.now += 501
        with pytest.raises(ServiceUnavailable) as refused:  # 901 seconds old: the bound is reached
            check.authenticate(token)
        assert 1 <= int(refused.value.headers["retry-after"]) <= 30
    clock.now += 31
    assert user(check, token) == "ann"


def test_pauses_grow_to_half_a_minute(issuer: Issuer, clock: Clock) -> None:
    check = jwt_of(issuer)
    with issuer.down():
        for _ in range(600):
            with pytest.raises(ServiceUnavailable):
                check.authenticate(issuer.token())
            clock.now += 1
    # 1, 2, 4, 8, 16 and then 30 seconds, each a quarter less at most.
    assert 18 <= issuer.asked[DISCOVERY] <= 34


def test_a_garbled_answer_changes_nothing(issuer: Issuer, clock: Clock) -> None:
    check = jwt_of(issuer)
    token = issuer.token()
    assert user(check, token) == "ann"
    for body in (
        b"",
        b"{",
        b"[]",
        b'{"keys": 5}',
        b'{"keys": []}',
        b'{"keys": [5, null]}',
        b"[" * 5000,
        b"x" * 600_000,
    ):
        issuer.behaviour = {KEYS: body}
        clock.now += 331
        assert user(check, token) == "ann"
    assert issuer.asked[KEYS] == 9


def test_many_threads_make_one_fetch(issuer: Issuer) -> None:
    check = jwt_of(issuer)
    token = issuer.token()
    issuer.holding.clear()
    found: list[str | None] = []
    threads = [threading.Thread(target=lambda: found.append(user(check, token))) for _ in range(16)]
    for thread in threads:
        thread.start()
    issuer.holding.set()
    for thread in threads:
        thread.join()
    assert found == ["ann"] * 16
    assert issuer.asked == {DISCOVERY: 1, KEYS: 1}


def test_an_issuer_that_hangs_costs_the_budget_and_no_more(issuer: Issuer) -> None:
    check = jwt_of(issuer, budget=0.1)
    issuer.holding.clear()
    with pytest.raises(ServiceUnavailable):
        check.authenticate(issuer.token())
    asked = issuer.asked.total()
    with pytest.raises(ServiceUnavailable):
        check.authenticate(issuer.token())  # at once, in the pause
    assert issuer.asked.total() == asked


@pytest.mark.parametrize(
    "answer",
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500000\r\n\r\n", b" "),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (b"HTTP/1.1 200 OK\r\nx-long: ", b"x"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["body", "chunks", "header", "continue"],
)
def test_an_answer_that_drips_keeps_no_thread(answer: tuple[bytes, bytes]) -> None:
    begin, more = answer
    gone = threading.Event()

    def drip(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(begin)
            try:
                while not gone.wait(0.01):
                    connection.sendall(more)
            except OSError:
                gone.set()  # nobody reads any longer

    with socket.create_server(("127.0.0.1", 0)) as server:
        dripping = threading.Thread(target=drip, args=(server,), daemon=True)
        dripping.start()
        with pytest.raises(ServiceUnavailable):
            KeySet(f"http://127.0.0.1:{server.getsockname()[1]}/", budget=0.2).find("k", "RS256")
        assert gone.wait(20)


def test_no_issuer_of_the_network_has_its_keys_on_this_machine() -> None:
    asked: list[str] = []

    def get(url: str, seconds: float) -> bytes:
        asked.append(url)
        return b'{"issuer": "https://login.example.com", "jwks_uri": "http://127.0.0.1:9001/next"}'

    with pytest.raises(ServiceUnavailable):
        KeySet(issuer="https://login.example.com", get=get).find("k", "RS256")
    assert asked == ["https://login.example.com/.well-known/openid-configuration"]


def test_what_comes_too_late_counts_as_nothing(issuer: Issuer, clock: Clock) -> None:
    check = jwt_of(issuer)
    token = issuer.token()
    assert user(check, token) == "ann"
    clock.now += 400
    release = threading.Event()
    waiting = threading.Event()

    def late(url: str, seconds: float) -> bytes:
        waiting.set()
        release.wait(10)
        return b'{"keys": [{"kty": "oct", "k": "AAAA"}]}'

    keys: Any = check.keys
    keys._get = late
    slow = threading.Thread(target=check.authenticate, args=(token,))
    slow.start()
    assert waiting.wait(10)
    clock.now += 31  # beyond the budget
    assert user(check, token) == "ann"
    release.set()
    slow.join()
    assert user(check, token) == "ann"


@pytest.mark.parametrize("to", ["/other", "http://127.0.0.1:9/keys"])
def test_redirects_are_not_followed(issuer: Issuer, to: str) -> None:
    issuer.behaviour = {KEYS: to}
    with pytest.raises(ServiceUnavailable):
        jwt_of(issuer).authenticate(issuer.token())
    assert issuer.asked["/other"] == 0


@pytest.mark.parametrize(
    "document",
    [
        b'{"issuer": "https://other.example.com", "jwks_uri": "http://127.0.0.1/keys"}',
        b'{"jwks_uri": "http://127.0.0.1/keys"}',
        b'{"issuer": "ISSUER", "jwks_uri": "http://keys.example.com/keys"}',
        b'{"issuer": "ISSUER", "jwks_uri": "file:///etc/passwd"}',
        b'{"issuer": "ISSUER"}',
        b'{"issuer": "ISSUER/", "jwks_uri": "ISSUER/keys"}',
        b"[]",
    ],
)
def test_discovery_must_name_the_issuer_and_a_safe_url(issuer: Issuer, document: bytes) -> None:
    issuer.behaviour = {DISCOVERY: document.replace(b"ISSUER", issuer.url.encode())}
    with pytest.raises(ServiceUnavailable):
        jwt_of(issuer).authenticate(issuer.token())
    assert issuer.asked[KEYS] == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://login.example.com",
        "ftp://login.example.com",
        "https://",
        "login.example.com",
        "https://ann:secret@login.example.com",
        "https://login.example.com/#x",
        "https://login.example.com/ x",
        "https://login.example.com:99999",
        "file:///etc/passwd",
        "",
        None,
        5,
    ],
)
def test_an_unsafe_url_is_refused_at_the_start(url: Any) -> None:
    with pytest.raises(ConfigurationError):
        Jwt(url, "orders")
    with pytest.raises(ConfigurationError):
        KeySet(url)


def test_a_key_set_has_a_url_or_an_issuer() -> None:
    with pytest.raises(ConfigurationError):
        KeySet("https://a.example.com/keys", issuer="https://a.example.com")


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_fetches_for_itself(issuer: Issuer) -> None:
    check = jwt_of(issuer)
    token = issuer.token()
    assert user(check, token) == "ann"
    child = os.fork()
    if child == 0:
        os._exit(0 if user(check, token) == "ann" else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert issuer.asked[KEYS] == 2


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_lock_that_a_thread_held_at_the_fork_is_free_in_the_child(issuer: Issuer) -> None:
    check = jwt_of(issuer)
    keys: Any = check.keys
    with keys._changed:  # the parent is looking for a key
        child = os.fork()
        if child == 0:
            os._exit(0 if _finished(lambda: user(check, issuer.token())) == ["ann"] else 1)
    assert os.waitpid(child, 0)[1] == 0


def _finished(work: Callable[[], Any]) -> list[Any]:
    """Return what some work came to in another thread; nothing where it does not end."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(work()), daemon=True)
    thread.start()
    thread.join(10)
    return found


def test_keys_from_before_a_snapshot_are_not_young_after_it(issuer: Issuer) -> None:
    check = jwt_of(issuer)
    assert user(check, issuer.token()) == "ann"
    snapshots.begin_again()  # by the monotonic clock no second has gone by, though it may be weeks
    assert user(check, issuer.token()) == "ann"
    assert issuer.asked[KEYS] == 2


def test_a_fetch_from_before_a_snapshot_brings_no_keys_after_it(issuer: Issuer) -> None:
    entered, leave = threading.Event(), threading.Event()

    def get(url: str, timeout: float) -> bytes:
        answer = fetch(url, timeout)
        if url.endswith(KEYS) and not entered.is_set():
            entered.set()
            leave.wait(10)
        return answer

    check, token = jwt_of(issuer, get=get), issuer.token()
    found: list[str | None] = []
    before = threading.Thread(target=lambda: found.append(user(check, token)), daemon=True)
    before.start()
    assert entered.wait(10)
    snapshots.begin_again()
    leave.set()
    before.join(10)
    assert found == ["ann"]
    assert issuer.asked[KEYS] == 2  # the keys of the first answer may be weeks old


@pytest.mark.parametrize(
    "wrong",
    [{}, {"keys": []}, {"keys": "k"}, 5, {"keys": [object()]}],
    ids=["empty", "none", "text", "number", "object"],
)
def test_what_is_no_key_set_is_refused_at_the_start(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"Jwt\(keys=...\): "):
        Jwt("https://login.example.com", "orders", keys=wrong)
