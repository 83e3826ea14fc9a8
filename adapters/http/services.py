"""`Services`: the verbs, and the pooled clients that send."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from contextlib import nullcontext

from adapters._core.blocking import checked_mode, refuse_blocking
from adapters._core.delivery import backoff
from adapters._core.loop_end import closed_with_loop
from adapters._core.outgoing import CURRENT
from adapters._core.steps import Wait, run, run_async
from adapters.errors import InvalidMessage
from adapters.http.request import checked_base, origin_of, outline, with_standing
from adapters.http.service_errors import PASSING, ServiceFailed, unreachable
from router.durations import seconds
from router.errors import ConfigurationError
from router.snapshots import renewed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
    from contextlib import AbstractAsyncContextManager, AbstractContextManager
    from typing import Any, Protocol, TypedDict, Unpack

    import httpx

    from adapters._core.outgoing import Outgoing
    from adapters._core.steps import Steps
    from adapters.errors import AdapterError
    from adapters.http.request import Outline, Path, TokenSource
    from router.durations import Duration
    from router.session import Policy

    class Breaker(AbstractContextManager[Any], AbstractAsyncContextManager[Any], Protocol):
        """Refuses calls by an exception as it is entered, and sees how those end that it let through."""

    class RequestOptions(TypedDict, total=False):
        """The keyword arguments of `Services.request`.

        params: the query; None leaves one out.
        json: anything that JSON can hold.
        content: a body as it is.
        headers: further ones.
        timeout: seconds, or a timedelta.
        session: the current one unless another is given; None attaches none.
        idempotent: whether it may be sent twice; by default GET, HEAD, OPTIONS, PUT and DELETE may.
        """

        params: Mapping[str, Any] | None
        json: Any
        content: bytes | str | None
        headers: Mapping[str, str] | None
        timeout: Duration | None
        session: Outgoing
        idempotent: bool | None


_NO_BREAKER = nullcontext()
HEADER = "x-junction-session"
_MOST_REDIRECTS = 5
_LONGEST_WAIT = 5.0  # seconds; a service that asks for more is not waited for


class Services:
    """Sister services by name.

    Durations are seconds, or a timedelta.

    services: name to URL.
    policy: signs sessions where no resolver runs.
    header: carries the session.
    token: a bearer token that each call has, or a function that returns it; a mapping has them by service. A call whose
        `headers=` have `authorization` sends that instead.
    tenant_header: a header that tells each service the session's tenant, for those that read no session.
    timeout, connect_timeout: for each step of a call (to connect; to send; until the next bytes come).
    attempts: tries of a call, the first included: for calls that may be repeated, when nothing is answered or the
        answer is 408, 425, 429, 502, 503 or 504; for others only when the request never left.
    backoff: the n-th wait is random between 0 and backoff * 2**n, unless the service says how long.
    verify: False or an `ssl.SSLContext` in place of the usual check of certificates.
    transport: an httpx transport, for tests.
    sleep: waits between the tries of sync code.
    breakers: service name to what its calls are made in, such as `router.guards.CircuitBreaker`. A call with all of its
        attempts counts once.
    blocking: what a verb for sync code does in async code: "error" refuses it; "warn" lets it block the event loop, and
        the log says so.
    plain_http: whether a URL may be `http://` on a host of the public network.

    Redirects are followed within the service's own scheme, host and port. Cookies are not kept: the client is shared
    by everybody's calls. Safe to use from several threads, after a fork, and from any number of event loops.
    """

    def __init__(
        self,
        services: Mapping[str, str],
        *,
        policy: Policy | None = None,
        header: str = HEADER,
        token: TokenSource | Mapping[str, TokenSource] = None,
        tenant_header: str | None = None,
        timeout: Duration = 10,
        connect_timeout: Duration = 3,
        attempts: int = 3,
        backoff: Duration = 0.1,
        verify: Any = True,
        transport: Any = None,
        sleep: Callable[[float], object] = time.sleep,
        breakers: Mapping[str, Breaker] | None = None,
        blocking: str = "error",
        plain_http: bool = False,
    ) -> None:
        if type(attempts) is not int or attempts < 1:
            raise ConfigurationError(f"Services(attempts={attempts!r}): give an integer from 1")
        self.services = {name: checked_base(name, url, plain_http=plain_http) for name, url in services.items()}
        self._breakers = dict(breakers or {})
        if unknown := sorted(self._breakers.keys() - self.services.keys()):
            raise ConfigurationError(f"Services(breakers=...): there is no service {', '.join(unknown)}")
        self.policy = policy
        self.header = header.lower()
        self._tokens: Mapping[str, TokenSource] = (
            token if isinstance(token, Mapping) else dict.fromkeys(self.services, token)
        )
        if unknown := sorted(self._tokens.keys() - self.services.keys()):
            raise ConfigurationError(f"Services(token=...): there is no service {', '.join(unknown)}")
        self._tenant_header = None if tenant_header is None else tenant_header.lower()
        self.timeout = seconds(timeout, "Services(timeout=...)", least=0.001)
        self.connect_timeout = seconds(connect_timeout, "Services(connect_timeout=...)", least=0.001)
        self.attempts = attempts
        self.backoff = seconds(backoff, "Services(backoff=...)")
        self._verify = verify
        self._transport = transport
        self._sleep = sleep
        self.blocking = checked_mode(blocking, "Services")
        self._lock = threading.Lock()
        self._clients: _Clients = _Clients()
        renewed(self)

    def _renew(self, *, forked: bool) -> None:
        self._lock = threading.Lock()
        if forked:
            self._clients_of_process()
        else:
            self.close()  # those of a loop are closed with it

    def __repr__(self) -> str:
        return f"Services({self.services!r})"

    # ---- verbs -------------------------------------------------------------------------------------------------

    def request(self, service: str, method: str, path: Path, **options: Unpack[RequestOptions]) -> httpx.Response:
        """Call a service. path: under its URL; a text, or a list of segments, each of which is escaped.

        Raises ServiceFailed for an answer from 400, ConnectionFailed for none.
        """
        return self._request("request", service, method, path, **options)

    async def request_async(
        self, service: str, method: str, path: Path, **options: Unpack[RequestOptions]
    ) -> httpx.Response:
        """`request` from async code, without blocking its loop."""
        steps = self._steps(self._outline(service, method, path, **options))
        async with self._breakers.get(service, _NO_BREAKER):
            return await run_async(steps, self._send_async)

    def get(self, service: str, path: Path, **options: Unpack[RequestOptions]) -> httpx.Response:
        """GET."""
        return self._request("get", service, "GET", path, **options)

    async def get_async(self, service: str, path: Path, **options: Unpack[RequestOptions]) -> httpx.Response:
        """GET from async code."""
        return await self.request_async(service, "GET", path, **options)

    def post(self, service: str, path: Path, **options: Unpack[RequestOptions]) -> httpx.Response:
        """POST."""
        return self._request("post", service, "POST", path, **options)

    async def post_async(self, service: str, path: Path, **options: Unpack[RequestOptions]) -> httpx.Response:
        """POST from async code."""
        return await self.request_async(service, "POST", path, **options)

    def put(self, service: str, path: Path, **options: Unpack[RequestOptions]) -> httpx.Response:
        """PUT."""
        return self._request("put", service, "PUT", path, **options)

    async def put_async(self, service: str, path: Path, **options: Unpack[RequestOptions]) -> httpx.Response:
        """PUT from async code."""
        return await self.request_async(service, "PUT", path, **options)

    def patch(self, service: str, path: Path, **options: Unpack[RequestOptions]) -> httpx.Response:
        """PATCH."""
        return self._request("patch", service, "PATCH", path, **options)

    async def patch_async(self, service: str, path: Path, **options: Unpack[RequestOptions]) -> httpx.Response:
        """PATCH from async code."""
        return await self.request_async(service, "PATCH", path, **options)

    def delete(self, service: str, path: Path, **options: Unpack[RequestOptions]) -> httpx.Response:
        """DELETE."""
        return self._request("delete", service, "DELETE", path, **options)

    async def delete_async(self, service: str, path: Path, **options: Unpack[RequestOptions]) -> httpx.Response:
        """DELETE from async code."""
        return await self.request_async(service, "DELETE", path, **options)

    # ---- how ---------------------------------------------------------------------------------------------------

    @property
    def _blocking(self) -> str:
        return self.blocking

    def _request(
        self, verb: str, service: str, method: str, path: Path, **options: Unpack[RequestOptions]
    ) -> httpx.Response:
        refuse_blocking(self, verb)
        steps = self._steps(self._outline(service, method, path, **options))
        with self._breakers.get(service, _NO_BREAKER):
            return run(steps, self._send)

    def _outline(
        self,
        service: str,
        method: str,
        path: Path,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        content: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: Duration | None = None,
        session: Outgoing = CURRENT,
        idempotent: bool | None = None,
    ) -> Outline:
        return outline(
            self.services,
            service,
            method,
            path,
            header=self.header,
            policy=self.policy,
            session=session,
            timeout=self.timeout if timeout is None else seconds(timeout, "timeout", least=0.001),
            params=params,
            json=json,
            content=content,
            headers=with_standing(headers, self._token_of(service), self._tenant_header, session),
            idempotent=idempotent,
        )

    def _token_of(self, service: Any) -> TokenSource:
        return self._tokens.get(service) if isinstance(service, str) else None

    def _steps(self, call: Outline) -> Steps[httpx.Response]:
        """Send, and send again where that can do no harm. The steps are taken by sync or by async code."""
        client = library()
        attempt = 1
        while True:
            failure: AdapterError
            wait = backoff(attempt - 1, self.backoff)
            try:
                response = yield from self._followed(call)
            except client.InvalidURL:
                raise InvalidMessage(f"{call.service} {call.method}: the URL is not valid, or too long") from None
            except client.RequestError as error:
                failure = unreachable(call, error)
                again = call.idempotent or isinstance(error, _never_sent())
            else:
                if response.status_code < 400:
                    return response
                failure = ServiceFailed(call, response)
                wait = _asked_to_wait(response, wait)
                again = call.idempotent and response.status_code in PASSING and wait <= _LONGEST_WAIT
            if not again or attempt == self.attempts:
                raise failure  # not in the except block: httpx's error holds the request, and with it the session
            yield Wait(wait)
            attempt += 1

    def _followed(self, call: Outline) -> Steps[httpx.Response]:
        """Send a request, and follow redirects that stay with the service."""
        client = library()
        timeout = client.Timeout(call.timeout, connect=min(self.connect_timeout, call.timeout))
        request = client.Request(
            call.method,
            call.url,
            headers=call.headers,
            content=call.content,
            extensions={"timeout": timeout.as_dict()},
        )
        for _ in range(_MOST_REDIRECTS + 1):
            response: httpx.Response = yield request
            if response.next_request is None:
                return response
            request = response.next_request
            if origin_of(str(request.url)) != call.origin:
                raise ServiceFailed(call, response, " and sent the call to another host, which is not followed")
        raise ServiceFailed(call, response, " again and again: too many redirects")

    def _send(self, step: httpx.Request | Wait) -> Any:
        return self._sleep(step.seconds) if isinstance(step, Wait) else self._client().send(step)

    def _send_async(self, step: httpx.Request | Wait) -> Awaitable[Any]:
        from asyncio import sleep

        return sleep(step.seconds) if isinstance(step, Wait) else self._async_client().send(step)

    # ---- clients -----------------------------------------------------------------------------------------------

    def _client(self) -> httpx.Client:
        with self._lock:
            clients = self._clients_of_process()
            if clients.sync is None:
                clients.sync = library().Client(**self._client_options())
            return clients.sync

    def _async_client(self) -> httpx.AsyncClient:
        """Return the client of the running event loop, with which it ends: connections cannot change over."""
        from asyncio import get_running_loop

        loop = get_running_loop()
        with self._lock:
            clients = self._clients_of_process()
            held = clients.loops.get(loop)
            if held is None:
                client = library().AsyncClient(**self._client_options())
                held = client, closed_with_loop(client.aclose)
                open_ones = {known: kept for known, kept in clients.loops.items() if not known.is_closed()}
                clients.loops = {**open_ones, loop: held}
            return held[0]

    def _clients_of_process(self) -> _Clients:
        if self._clients.pid != os.getpid():
            _of_parent.append(self._clients)
            self._clients = _Clients()
        return self._clients

    def _client_options(self) -> dict[str, Any]:
        from http.cookiejar import CookieJar, DefaultCookiePolicy

        options: dict[str, Any] = {"cookies": CookieJar(DefaultCookiePolicy(allowed_domains=()))}
        if self._transport is not None:
            return {**options, "transport": self._transport}
        # A proxy of the environment has no way to this machine's loopback address.
        here = {f"all://{host}": None for host in ("localhost", "127.0.0.1", "[::1]")}
        return {**options, "verify": self._verify, "mounts": here}

    def close(self) -> None:
        """Close the connections of sync code; a later call makes new ones."""
        with self._lock:
            client, self._clients.sync = self._clients.sync, None
        if client is not None:
            client.close()

    async def aclose(self) -> None:
        """Close the connections of the running event loop."""
        from asyncio import get_running_loop

        with self._lock:
            held = self._clients.loops.pop(get_running_loop(), None)
        if held is not None:
            await held[1].aclose()


class _Clients:
    """Clients, which must not be shared over a fork."""

    __slots__ = ("loops", "pid", "sync")

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.sync: httpx.Client | None = None
        self.loops: dict[AbstractEventLoop, tuple[httpx.AsyncClient, AsyncGenerator[None, None]]] = {}


# Clients inherited through fork(). Kept: to collect one would wake up the parent's event loop.
_of_parent: list[_Clients] = []


def library() -> Any:
    """httpx, imported when first needed. Raises ConfigurationError where it is not installed."""
    try:
        import httpx
    except ImportError:
        raise ConfigurationError('the HTTP adapter needs httpx: pip install "lambda-junction[http]"') from None
    return httpx


def _never_sent() -> tuple[type[Exception], ...]:
    client = library()
    return client.ConnectError, client.ConnectTimeout, client.PoolTimeout


def _asked_to_wait(response: Any, otherwise: float) -> float:
    """Return the seconds as the service asks for in Retry-After (RFC 9110 §10.2.3; dates are not looked at)."""
    asked = response.headers.get("retry-after", "")
    return float(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else otherwise
