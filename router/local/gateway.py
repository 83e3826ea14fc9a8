"""`Gateway`: all parts of a local run, started and stopped in order."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.routing import Route

from router import __version__
from router.errors import ConfigurationError
from router.event import Source
from router.local.aws.emulator import Emulator
from router.local.console.api import console_routes
from router.local.console.guard import guarded
from router.local.console.parts import Parts
from router.local.console.static import page_routes
from router.local.durable.executions import Executions
from router.local.ecs import PATH as ECS
from router.local.ecs import EcsApi
from router.local.fault_rules import FaultRules
from router.local.front import Front
from router.local.lambda_api.api import LambdaApi
from router.local.lambda_api.functions import Function, Functions
from router.local.process.failures import CANNOT_LOAD
from router.local.process.supervisor import Supervisor
from router.local.server import by_path, server_for
from router.local.settings import LOOPBACK
from router.local.sockets import address_of, listen
from router.local.store import Store
from router.local.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from router.local.calls import Invoker
    from router.local.settings import Settings

CONSOLE = "/_console"
_OF_LAMBDA = ("/_local", "/2014-11-13", "/2015-03-31", "/2019-09-25", "/2021-11-15", "/2025-12-01")
_ANY = ("", "0.0.0.0", "::")  # noqa: S104 - they are recognised, not listened to
_INTERRUPTED = 130


def run(settings: Settings, *, as_json: bool = False, open_console: bool = False) -> int:
    """Run an application until Ctrl-C, and return the exit status: 0, or 130 where it was stopped twice.

    settings: of the run.
    as_json: whether lines are JSON.
    open_console: whether a browser is opened.

    Raises:
        ConfigurationError: a port is taken, AWS cannot be started, or there is no such application.
    """
    return asyncio.run(Gateway(settings, as_json=as_json).run(open_console=open_console))


class Gateway:
    """A local run of an application. It calls the application in place of its process while that is being made.

    settings: of the run.
    as_json: whether what happens is printed as JSON, an object a line.

    Raises:
        ConfigurationError: the port is taken.
    """

    def __init__(self, settings: Settings, *, as_json: bool = False) -> None:
        self.settings = settings
        self._socket = listen(settings.host, settings.port, "--port")
        self.store = Store(settings.keep)
        self.terminal = Terminal(self.store, as_json=as_json)
        self.supervisor = Supervisor(
            settings, self.terminal, environment=self._environment, prepare=self._prepare, names=self._names
        )
        functions = Functions()
        self.executions = Executions(self.supervisor, functions, skips_time=settings.skips_time)
        self.emulator = Emulator(settings, self.executions, self.terminal, self.terminal.say)
        self.front = Front(settings, self.executions, self.terminal)
        self.faults = FaultRules(self.supervisor)
        self.functions = LambdaApi(
            self.executions,
            functions,
            executions=self.executions,
            clients=self.emulator.client,
            token=self.emulator.token,
            retry_delays=settings.retry_delays,
            tell=self.terminal.warn,
        )
        self.tasks = EcsApi(self.supervisor.run_task, self._tasks, region=settings.region, account=settings.account)
        self._server, self._sockets = server_for(self._app(), self._socket, self.front)
        self._stop, self._again = asyncio.Event(), asyncio.Event()
        self._interrupts = 0
        self._plan: Any = None

    # ---- where it is -------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Return the URL of the application; the console is below it."""
        host, port = address_of(self._socket)
        return f"http://{_named(host)}:{port}"

    @property
    def urls(self) -> dict[str, str]:
        """Return where everything is."""
        found = {
            "http": self.url,
            "websocket": self.url.replace("http", "ws", 1),
            "console": f"{self.url}{CONSOLE}",
            "aws": self.emulator.url,
            "ecs": f"{self.url}{ECS}",
        }
        return {name: url for name, url in found.items() if url}

    def _app(self) -> Any:
        parts = Parts(
            self.settings,
            self.store,
            _Application(self.supervisor, self.executions),
            queues=None if self.settings.aws == "none" else self.emulator,
            connections=self.front,
            executions=self.executions,
            faults=self.faults,
            urls=lambda: self.urls,
            variables=lambda: self.supervisor.variables,
        )
        console = Starlette(routes=[*console_routes(parts), *page_routes()])
        own = [(CONSOLE, guarded(console, self.settings))]
        lambda_api = guarded(self.functions.app, self.settings)
        ecs = Starlette(routes=[Route(ECS, self.tasks.handle, methods=["POST"])])
        own.append((ECS, guarded(ecs, self.settings)))
        own += [(beginning, lambda_api) for beginning in _OF_LAMBDA]
        return by_path(self.front.http, self.front.websocket, *own)

    # ---- its life ----------------------------------------------------------------------------------------------------

    async def run(self, *, open_console: bool = False) -> int:
        """Run until Ctrl-C, SIGTERM or the end of the terminal, and return the exit status.

        open_console: whether a browser is opened.

        Raises:
            ConfigurationError: as of `start`.
        """
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self._interrupted)
        serving = asyncio.create_task(self._server.serve(sockets=self._sockets))
        try:
            if await self._started():
                self._welcome()
                self.supervisor.teller.tell()
                if open_console:
                    await asyncio.to_thread(_open, f"{self.url}{CONSOLE}")
                await self._stop.wait()
        finally:
            await self._end(serving)
        return 0 if self._interrupts < 2 else _INTERRUPTED

    async def _started(self) -> bool:
        """Start everything, and return whether that came before the wish to stop: an import may take for ever."""
        starting, stopping = asyncio.create_task(self.start()), asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait([starting, stopping], return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
            return not self._stop.is_set()
        finally:
            for one in (starting, stopping):
                one.cancel()
            await asyncio.gather(starting, stopping, return_exceptions=True)

    async def start(self) -> None:
        """Start AWS and the application.

        Raises:
            ConfigurationError: AWS cannot be started, or nothing that can run has the name of the application.
        """
        self.supervisor.on_change(self._changed)
        await self.emulator.start(self.url, self.url)
        self.supervisor.teller.keep()  # until it is told where everything is
        await self.supervisor.start()
        error = (await self.supervisor.settled())["error"]
        # What is wrong inside of a module is healed by a change of a file; a name on the command line is not.
        if error is not None and error["type"] == CANNOT_LOAD:
            name, why = repr(self.settings.application), error["message"]
            raise ConfigurationError(f"APP {why}" if why.startswith(name) else f"APP {name}: {why}")

    async def stop(self) -> None:
        """Stop everything, in the order in which nothing is lost: first who calls, then who is called."""
        await self.front.stop()
        await self.functions.close()
        await self.executions.close()
        await self.tasks.close()
        await self.supervisor.stop()
        await self.emulator.stop()

    async def _end(self, serving: asyncio.Task[None]) -> None:
        """Stop everything; at once, where it is asked for a second time."""
        stopping = asyncio.create_task(self.stop())
        impatient = asyncio.create_task(self._again.wait())
        await asyncio.wait([stopping, impatient], return_when=asyncio.FIRST_COMPLETED)
        impatient.cancel()
        if not stopping.done():
            stopping.cancel()
            self.supervisor.kill()
            await asyncio.wait([stopping], timeout=2)
            await self.emulator.stop()
        self.store.end_subscriptions()  # of pages that are open
        self._server.should_exit = self._server.force_exit = True
        with suppress(asyncio.CancelledError):
            await asyncio.wait([serving], timeout=5)
        await asyncio.to_thread(self.store.close)

    def _interrupted(self) -> None:
        self._interrupts += 1
        if self._interrupts == 1:
            self.supervisor.expect_end()
            self.terminal.say("stopping; Ctrl-C again stops at once", "yellow")
            self._stop.set()
        else:
            self._again.set()

    # ---- between the parts -------------------------------------------------------------------------------------------

    def _environment(self) -> Mapping[str, str]:
        """Return the environment of the application's process."""
        if problem := getattr(self.settings.environment, "problem", ""):
            self.terminal.warn(f"the variables stay as they were: {problem}")
        found = {**self.emulator.environment(os.environ), **self.front.environment(self.url)}
        if self.emulator.is_there:
            found |= {"AWS_ENDPOINT_URL_LAMBDA": self.url, "AWS_ENDPOINT_URL_ECS": f"{self.url}{ECS}"}
        # Durable executions are here also where all of AWS is elsewhere.
        found.setdefault("AWS_ENDPOINT_URL_LAMBDA", self.url)
        return found

    def _tasks(self) -> Sequence[Mapping[str, Any]]:
        return () if self._plan is None else self._plan["tasks"]

    def _names(self) -> Mapping[str, Any]:
        return asdict(self.emulator.names())

    async def _prepare(self, plan: Any) -> Mapping[str, str]:
        """Make what an application needs, and return the variables that tell it where that is."""
        made = await self.emulator.prepare(plan)
        for problem in made.problems:
            self.terminal.warn(f"AWS: {problem}")
        if made.made:
            self.terminal.say(f"AWS: {_count(len(made.made), 'resource')} made in {made.ms:,.0f} ms")
        for gone in made.removed:
            self.terminal.say(f"AWS: {gone} is not in use any more")
        self._plan = plan
        held: dict[str, str] = plan["variables"]
        return held

    def _changed(self) -> None:
        """Tell the parts of a new version of the application."""
        if self.supervisor.state["state"] == "ready":
            plan = self._plan or {}
            self.front.describe(self.supervisor.routes, plan.get("apis", ()))
            region, account = self.settings.region, self.settings.account
            self.functions.functions.replace(
                Function.planned(one, region, account) for one in plan.get("functions", ())
            )
        self.store.state_changed()

    def _welcome(self) -> None:
        """Print where everything is."""
        lines = {"application": f"{self.url}   {self._how()}", "console": f"{self.url}{CONSOLE}"}
        if self.emulator.url:
            lines["AWS"] = self.emulator.url
        self.terminal.welcome(
            f"Junction {__version__}: {self.settings.application}",
            lines,
            {**self.urls, "application": self.settings.application},
            self._exports(),
        )

    def _exports(self) -> list[str]:
        """Return what boto3 and the command line of AWS need in another terminal."""
        if not self.emulator.url:
            return []
        return [
            f"export AWS_ENDPOINT_URL={self.emulator.url} AWS_DEFAULT_REGION={self.settings.region}",
            "export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test",
        ]

    def _how(self) -> str:
        """Return how the application is there, in words."""
        if self.supervisor.state["state"] != "broken":
            return _FRONTS[self.settings.source]
        return "not running: waiting for a change of a file" if self.settings.reload else "not running"


class _Application:
    """Show the application, and call it: an event of a durable function begins an execution."""

    def __init__(self, supervisor: Supervisor, invoker: Invoker) -> None:
        self._supervisor = supervisor
        self.invoke = invoker.invoke
        self.run_task = supervisor.run_task

    @property
    def state(self) -> Mapping[str, Any]:
        """Return how it is."""
        return self._supervisor.state

    @property
    def routes(self) -> Sequence[Mapping[str, Any]]:
        """Return its routes."""
        return self._supervisor.routes


_FRONTS = {
    Source.HTTP: "as behind an HTTP API",
    Source.REST: "as behind a REST API",
    Source.URL: "as behind a function URL",
    Source.ALB: "as behind a load balancer",
}


def _named(host: str) -> str:
    """Return a host as a URL has it; of all addresses that of this machine."""
    if host in _ANY:
        return LOOPBACK
    return f"[{host}]" if ":" in host else host


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _open(url: str) -> None:
    import webbrowser

    webbrowser.open(url)
