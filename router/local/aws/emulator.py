"""`Emulator`: AWS beside the application. Its process, what is made in it, and what brings its events."""

from __future__ import annotations

import asyncio
import secrets
import time
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from router.errors import ConfigurationError
from router.local.aws.clients import LOOPBACK, Clients, environment, import_boto
from router.local.aws.clock import Clock
from router.local.aws.delivering import Deliveries
from router.local.aws.expiring import Expired, Expiry
from router.local.aws.installing import interpreter
from router.local.aws.making import Made, Making
from router.local.aws.names import Names
from router.local.aws.polling.mappings import Mappings
from router.local.aws.queues import Queues
from router.local.aws.server import Server, ended_by
from router.local.entries import new_entry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from router.local.aws.queues import Message, QueueState, Redriven
    from router.local.aws.shapes import Plan
    from router.local.calls import Invoker
    from router.local.entries import Journal
    from router.local.settings import Settings

T = TypeVar("T")
NONE, EMBEDDED = "none", "embedded"
_RESTARTS = 5  # within a minute; a server that ends again and again is left
_WITHIN_S = 60.0
_PAUSE_S = 1.0  # before a start that failed is tried again
_LASTS, _LASTING_S = 4, 60.0  # errors of one mapping that are worth a notice, and within which time
_SOURCE = "aws"
_ABSENT = "there is no AWS in this run: it was started with --aws none"
_WARMED = ("sqs", "sns", "dynamodb", "lambda", "s3", "events")


class Emulator:
    """AWS beside the application.

    With `--aws none` there is nothing, and each method says so. With `--aws URL` it is an emulator that runs already.

    settings: of the run.
    invoker: calls functions with what queues and streams hold.
    journal: takes notices.
    say: takes lines about work that takes long.
    """

    def __init__(
        self,
        settings: Settings,
        invoker: Invoker,
        journal: Journal,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._settings = settings
        self._invoker = invoker
        self._journal = journal
        self._say = say
        self.token = secrets.token_urlsafe(32)
        """What forwarders have to show."""
        self._seed = secrets.token_hex(32)
        self._server: Server | None = None
        self._clients: Clients | None = None
        self._making: Making | None = None
        self._mappings: Mappings | None = None
        self._clock: Clock | None = None
        self._expiry: Expiry | None = None
        self._plan: Plan | None = None
        self._gateway = ""
        self._socket = ""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._one = asyncio.Lock()
        self._recovering: asyncio.Task[None] | None = None
        self._restarts: list[float] = []
        self._unwell: dict[str, list[float]] = {}
        self._stopped = False

    @property
    def url(self) -> str:
        """Return the URL of AWS; empty where there is none."""
        if self._server is not None:
            return self._server.url
        return self._settings.aws.rstrip("/") if self._is_elsewhere else ""

    @property
    def pid(self) -> int | None:
        """Return the number of the emulator's process; None where this run has started none."""
        return self._server.pid if self._server else None

    @property
    def is_there(self) -> bool:
        """Whether there is an emulator."""
        return self._clients is not None

    @property
    def _is_elsewhere(self) -> bool:
        return self._settings.aws not in (NONE, EMBEDDED)

    def names(self) -> Names:
        """Return where AWS is; the application's process makes its plan with it."""
        return Names(self.url, self._settings.region, self._settings.account, self._socket, self._seed)

    def environment(self, inherited: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of the application's process: with the emulator in the place of all of AWS.

        Without an emulator it is what it was: whoever chooses that says where AWS is.

        inherited: the environment that it would have had.
        """
        if not self.is_there:
            return dict(inherited)
        return environment(inherited, self.url, self._settings.region, self._settings.account)

    # ---- its process -------------------------------------------------------------------------------------------------

    async def start(self, gateway: str, socket: str = "") -> None:
        """Start the emulator, or find the one that runs already.

        gateway: the URL of the gateway, which events are handed to.
        socket: the value of a WebSocketApi's variable: the URL in front of `/@connections`.

        Raises:
            ConfigurationError: MiniStack cannot be installed or started, its port is taken, or nothing answers at the
                URL that was given.
        """
        self._gateway, self._socket = gateway, socket
        self._loop = asyncio.get_running_loop()
        if self._settings.aws == NONE:
            return
        begin = partial(_check, self.url) if self._is_elsewhere else self._start
        await asyncio.gather(asyncio.to_thread(begin), asyncio.to_thread(import_boto))
        clients = self._clients = Clients(self.url, self._settings.region)
        # The models of services take long to load: they are there when the plan comes.
        self._warming = asyncio.ensure_future(asyncio.to_thread(_warm, clients))
        self._making = Making(clients, Deliveries(clients, self.names(), gateway, self.token))
        expired = Expired()
        self._mappings = Mappings(clients, self.names(), self._invoker, self._mapping_failed, expired.mark)
        self._expiry = Expiry(clients, expired, self._mapping_failed)
        self._clock = Clock(self.names(), gateway, self.token, self._schedule_failed)

    def _start(self) -> None:
        server = self._server
        if server is None:
            python = interpreter(self._say)
            server = Server(
                python, self._settings.aws_port, region=self._settings.region, account=self._settings.account
            )
        server.start(self._ended)
        self._server = server

    async def stop(self) -> None:
        """End the emulator, and all that reads from it. An emulator that ran already goes on."""
        self._stopped = True
        if self._recovering is not None:
            self._recovering.cancel()
        if self._server is not None:  # first: nobody waits for answers then
            await asyncio.to_thread(self._server.stop)
        for part in (self._clock, self._expiry, self._mappings):
            if part is not None:
                await part.stop()

    def _ended(self, status: int) -> None:
        """Hear that the server has ended by itself, in a thread."""
        if self._loop is not None and not self._stopped:
            self._loop.call_soon_threadsafe(self._recover, status)

    def _recover(self, status: int) -> None:
        if not self._stopped:
            self._recovering = asyncio.ensure_future(self._restart(status))

    async def _restart(self, status: int) -> None:
        """Start the server again, make everything again, and say what is lost."""
        self._notice(
            f"AWS {ended_by(status)}. All that it held is lost: messages, items, objects, and the executions of "
            "state machines; what handlers were about is not finished there."
        )
        async with self._one:
            if not await self._started_again() or self._making is None or self._mappings is None:
                return
            self._making.forget()
            self._unwell.clear()
            await self._mappings.end_all()
            if self._plan is None:
                self._notice(f"AWS runs again at {self.url}, and is empty")
                return
            made = await self._make(self._plan)
        problems = f"; {len(made.problems)} were not: {'; '.join(made.problems)}" if made.problems else ""
        told = f"{len(made.made)} resources were made again; queues, tables and buckets are empty"
        self._notice(f"AWS runs again at {self.url}: {told}{problems}")

    async def _started_again(self) -> bool:
        """Start the server again; return whether it runs. One that ends again and again is left."""
        while True:
            now = time.monotonic()
            self._restarts = [*(one for one in self._restarts if now - one < _WITHIN_S), now]
            if len(self._restarts) > _RESTARTS:
                self._notice(f"AWS ended {len(self._restarts)} times within a minute, and is not started again")
                return False
            try:
                await asyncio.to_thread(self._start)
            except ConfigurationError as error:
                self._notice(f"AWS could not be started again: {error}")
                await asyncio.sleep(_PAUSE_S)
            else:
                return True

    def _mapping_failed(self, name: str, error: Exception) -> None:
        """Say once that a mapping cannot read, if that lasts: a server that is started again says so itself."""
        now = time.monotonic()
        times = [*(one for one in self._unwell.get(name, ()) if now - one < _LASTING_S), now]
        self._unwell[name] = times
        if len(times) == _LASTS and not self._stopped:
            self._notice(f"{name} cannot be read: {error}")

    def _schedule_failed(self, name: str, error: Exception) -> None:
        self._notice(f"{name} is not run: {error}")

    def _notice(self, text: str) -> None:
        self._journal.add(new_entry("notice", _SOURCE, origin=_SOURCE, outcome="done", name=text))

    # ---- what is in it -----------------------------------------------------------------------------------------------

    async def prepare(self, plan: Plan) -> Made:
        """Make what a plan says, and return what came of it.

        After a change of the application what is new is made, and what is gone calls the application no longer.
        """
        if self._making is None:
            self._plan = plan
            return Made()
        async with self._one:
            self._plan = plan
            return await self._make(plan)

    async def _make(self, plan: Plan) -> Made:
        if self._making is None or self._mappings is None or self._clock is None:
            return Made()
        began = time.perf_counter()
        await self._warming
        made = await asyncio.to_thread(self._making.prepare, plan)
        for kind, running in (("mapping", self._mappings), ("schedule", self._clock)):
            begun, ended = await running.follow(plan)
            made.made += [f"{kind} {one}" for one in begun]
            made.removed += [f"{kind} {one}" for one in ended]
        if self._expiry is not None:
            await self._expiry.follow(plan)
        made.ms = (time.perf_counter() - began) * 1000
        return made

    def client(self, service: str) -> Any:
        """Return the client of boto3 for a service of the emulator.

        Raises:
            ConfigurationError: there is no emulator.
        """
        if self._clients is None:
            raise ConfigurationError(_ABSENT)
        return self._clients(service)

    async def queues(self) -> list[QueueState]:
        """Return the queues, by name; none where there is no emulator."""
        return await self._in_thread(Queues.all) if self.is_there else []

    async def messages(self, name: str) -> list[Message]:
        """Return the first messages of a queue, and leave them where they are.

        Raises:
            ConfigurationError: there is no emulator.
            LookupError: there is no such queue.
        """
        return await self._in_thread(partial(Queues.messages, name=name))

    async def redrive(self, name: str) -> Redriven:
        """Move the messages of a dead-letter queue back to where they came from.

        Raises:
            ConfigurationError: there is no emulator.
            LookupError: there is no such queue.
            ValueError: no queue sends its dead letters there.
        """
        return await self._in_thread(partial(Queues.redrive, name=name))

    async def send(self, name: str, body: str, **options: Any) -> str:
        """Send a message to a queue, and return its id. Raises as `messages` does.

        options: as of `Queues.send`.
        """
        return await self._in_thread(partial(Queues.send, name=name, body=body, **options))

    async def _in_thread(self, call: Callable[[Queues], T]) -> T:
        if self._clients is None:
            raise ConfigurationError(_ABSENT)
        return await asyncio.to_thread(call, Queues(self._clients))


def _check(url: str) -> None:
    """Refuse a URL at which nothing answers, or which is not one.

    Raises:
        ConfigurationError: it is so.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(f"--aws takes embedded, none or the URL of an emulator, not {url!r:.200}")
    if parts.hostname.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws")):
        raise ConfigurationError(f"--aws {url}: that is AWS itself; nothing is made there")
    try:
        with LOOPBACK.open(url, timeout=5):
            return
    except OSError as error:
        if hasattr(error, "code"):  # an answer, if none that says much
            return
        raise ConfigurationError(f"nothing answers at {url}: {error}") from error


def _warm(clients: Clients) -> None:
    for service in _WARMED:
        clients(service)
