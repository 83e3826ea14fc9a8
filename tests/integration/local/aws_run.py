"""A run with a real MiniStack and the real entrance of events; the application is a function of the test."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Self

import boto3
import pytest
from botocore.config import Config

from router import Resolver
from router.contract.stack import Stack
from router.local.aws.emulator import Emulator
from router.local.aws.plan import plan_of
from router.local.calls import Call, Outcome
from router.local.entries import Entry
from router.local.lambda_api.api import LambdaApi
from router.local.lambda_api.functions import Function
from router.local.settings import Settings
from tests.servers.artefacts import MINISTACK
from tests.servers.asgi import Served
from tests.servers.aws import ACCESS_KEY_ID
from tests.servers.process import wait_until
from tests.servers.requirements import require_artefact

Answer = Callable[[dict[str, Any]], Any]


@dataclass
class Notices:
    """A journal that keeps the notices alone."""

    texts: list[str] = field(default_factory=list)

    def began(self, call_id: str, entry: Entry) -> None: ...

    def ended(self, call_id: str, entries: list[Entry]) -> None: ...

    def add(self, entry: Entry) -> None:
        self.texts.append(entry["name"] or "")


class Application:
    """Calls go to `answer`, each in a thread as in the application's process; what they hold is kept."""

    def __init__(self) -> None:
        self.answer: Answer = lambda event: None
        self.calls: list[Call] = []
        self.at: list[float] = []
        self.broken = False
        self.broken_at: list[float] = []
        self._lock = threading.Lock()

    async def invoke(self, call: Call) -> Outcome:
        if self.broken:
            self.broken_at.append(time.monotonic())
            until = time.monotonic() + (call.patience or call.timeout or 0)
            while self.broken and time.monotonic() < until:  # noqa: ASYNC110 - as the supervisor does
                await asyncio.sleep(0.02)
            if self.broken:
                return Outcome("broken")
        call.is_taken = True
        with self._lock:
            self.calls.append(call)
            self.at.append(time.monotonic())
        try:
            return Outcome("answered", await asyncio.to_thread(self.answer, call.event))
        except Exception as error:
            return Outcome("failed", error={"errorType": type(error).__name__, "errorMessage": str(error)})

    def records(self) -> list[dict[str, Any]]:
        return [record for call in self.calls for record in call.event.get("Records", [call.event])]

    def bodies(self) -> list[str]:
        return [record["body"] for record in self.records()]


@contextmanager
def with_ministack() -> Iterator[pytest.MonkeyPatch]:
    """Lets runs find the MiniStack of the tests, until the block ends."""
    require_artefact(MINISTACK)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("JUNCTION_MINISTACK", str(MINISTACK.folder / "bin" / "python"))
        yield patched


def importable(patched: pytest.MonkeyPatch, module: str, resolver: Resolver) -> str:
    """Puts a resolver into a module, and returns the name by which a stack finds it."""
    made = ModuleType(module)
    made.resolver = resolver  # type: ignore[attr-defined]
    patched.setitem(sys.modules, module, made)
    return f"{module}:resolver"


class Run:
    """AWS for a stack, with the gateway's entrance; a `with` block."""

    def __init__(self, stack: Stack | None = None, **settings: Any) -> None:
        self.stack = stack
        self.application = Application()
        self.notices = Notices()
        given = {"region": "eu-west-1", "aws_port": 0, "account": "0" * 12, **settings}
        self.settings = Settings("tests:resolver", **given)
        self._clients: dict[str, Any] = {}
        self.made: Any = None
        self._server = Served(self._build, self._close)

    def _build(self) -> Any:
        self.emulator = Emulator(self.settings, self.application, self.notices)
        self.api = LambdaApi(
            self.application,
            clients=self.client,
            token=self.emulator.token,
            retry_delays=(0.05,),
        )
        return self.api.app

    async def _close(self) -> None:
        await self.api.close()
        await self.emulator.stop()

    def __enter__(self) -> Self:
        self._server.__enter__()
        try:
            self._server.call(self.emulator.start(self._server.url))
            if self.stack is not None:
                self.made = self.prepare(self.stack)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.__exit__(*exc)

    def prepare(self, stack: Stack) -> Any:
        """Make what a stack needs, as after a change of the application."""
        plan = json.loads(json.dumps(plan_of(stack.infrastructure(), self.emulator.names(), {})))
        region, account = self.settings.region, self.settings.account
        self.api.functions.replace(Function.planned(one, region, account) for one in plan["functions"])
        return self.call(self.emulator.prepare(plan))

    def call(self, work: Any) -> Any:
        """Run a coroutine of the emulator."""
        return self._server.call(work)

    def client(self, service: str) -> Any:
        """A client as the application has it."""
        if service not in self._clients:
            session: Any = boto3.Session(ACCESS_KEY_ID, ACCESS_KEY_ID, region_name=self.settings.region)
            self._clients[service] = session.client(
                service, endpoint_url=self.emulator.url, config=Config(proxies={}, retries={"total_max_attempts": 1})
            )
        return self._clients[service]

    def send(self, queue: str, *bodies: str, **options: Any) -> None:
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        for body in bodies:
            sqs.send_message(QueueUrl=url, MessageBody=body, **options)

    def comes(self, condition: Callable[[], bool], timeout_s: float = 10) -> None:
        """Wait until something has come about."""
        assert wait_until(condition, timeout_s=timeout_s), self.application.calls

    def state(self, queue: str) -> dict[str, Any]:
        found: dict[str, Any] = next(one for one in self.call(self.emulator.queues()) if one["name"] == queue)
        return found
