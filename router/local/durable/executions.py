"""`Executions`: durable functions in a local run. Each call of one begins an execution, which may wait for days."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any

from router.errors import ConfigurationError
from router.local.calls import Outcome
from router.local.lambda_api.functions import Named
from router.local.lambda_api.json_text import as_json
from router.local.lambda_api.refusals import Refusal
from router.local.settings import REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

    from aws_durable_execution_sdk_python_testing.execution import Execution

    from router.local.calls import Call, Invoker
    from router.local.durable.sdk import Runner
    from router.local.lambda_api.functions import Functions

KEPT = 1000
"""How many executions that have ended are kept."""
SYNCHRONOUS = 15 * 60
"""Seconds that a caller waits for the end of an execution, a queue and a stream among them."""
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class Executions:
    """Run durable functions, and every other function as it is: it stands between callers and the application.

    invoker: calls the application. functions: those that there are; `Function.durable` tells which are durable.
    skips_time: whether waits end at once, for tests.
    keep: how many executions that have ended are kept.
    """

    def __init__(self, invoker: Invoker, functions: Functions, *, skips_time: bool = False, keep: int = KEPT) -> None:
        self._invoker = invoker
        self._functions = functions
        self._skips_time = skips_time
        self._keep = keep
        self._runner: Runner | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._starting, self._naming = asyncio.Lock(), asyncio.Lock()
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}
        self._named: dict[tuple[str, str], tuple[str, str]] = {}  # ARN and payload by function and name
        self._listeners: list[Callable[[str], None]] = []

    # ---- calls -----------------------------------------------------------------------------------------------------

    async def invoke(self, call: Call) -> Outcome:
        """Make a call; of a durable function, begin an execution and wait for its end.

        The envelope of a call that is sent again begins another execution with the event inside.
        """
        function = self._functions.of_part(call.function)
        if function is None or not function.durable:
            return await self._invoker.invoke(call)
        call.event = _unwrapped(call.event)
        call.is_taken = True  # the execution goes on, whatever becomes of its caller
        try:
            execution = await self.start(Named(function, ""), call)
        except ConfigurationError as error:
            return Outcome("failed", error={"errorType": "ConfigurationError", "errorMessage": str(error)})
        return await self.result(execution, SYNCHRONOUS)

    async def start(self, named: Named, call: Call, name: str | None = None) -> Execution:
        """Begin an execution, and return it; the one which exists, where it has the name and the event.

        name: of the execution; made up where there is none.

        Raises:
            Refusal: it is not a name, or an execution of that name has another event.
            ConfigurationError: the package of the local runner is missing.
        """
        payload = as_json(call.event).decode()
        if name is None:
            return await self._begin(named, call, payload, None)
        async with self._naming:  # two callers at a time get one execution
            if (known := self._known(named, name, payload)) is not None:
                return self._find(known)
            execution = await self._begin(named, call, payload, name)
            self._named[named.function.name, name] = (execution.durable_execution_arn, payload)
            return execution

    async def _begin(self, named: Named, call: Call, payload: str, name: str | None) -> Execution:
        runner = await self._started()
        from router.local.durable.sdk import start_input

        asked = start_input(named, payload, name=name, tenant_id=call.tenant_id)
        return await asyncio.to_thread(runner.start, asked, call)

    async def result(self, execution: Execution, limit: float | None = None) -> Outcome:
        """Wait for the end of an execution, and return what came of it.

        limit: seconds after which nobody waits any more; the execution goes on.
        """
        if not execution.is_complete:
            ended = asyncio.get_running_loop().create_future()
            self._waiting.setdefault(execution.durable_execution_arn, []).append(ended)
            if not execution.is_complete:
                await asyncio.wait([ended], timeout=limit)
                if not ended.done():
                    message = f"{execution.durable_execution_arn} goes on: a caller waits for {limit:g} s at most"
                    return Outcome("timed out", error={"errorType": "Sandbox.Timedout", "errorMessage": message})
        return _outcome(execution)

    async def close(self) -> None:
        """Stop. Executions that have not ended are gone."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await asyncio.to_thread(runner.stop)
        for waiting in self._waiting.values():
            for one in waiting:
                if not one.done():
                    one.set_result(None)
        self._waiting.clear()

    # ---- what the console shows and does ---------------------------------------------------------------------------

    def on_end(self, listener: Callable[[str], None]) -> None:
        """Call a function with the ARN of each execution that has ended."""
        self._listeners.append(listener)

    async def executions(self) -> list[dict[str, Any]]:
        """Return the executions, the newest first; without those of events that no durable route took."""
        if self._runner is None:
            return []
        from router.local.durable.kept import is_plain
        from router.local.durable.views import summary

        runner = self._runner
        return [
            summary(one, is_running=runner.executor.is_running(one.durable_execution_arn))
            for one in reversed(runner.store.list_all())
            if not is_plain(one)
        ]

    async def execution(self, execution_id: str) -> dict[str, Any]:
        """Return an execution with its steps. execution_id: its id, or its ARN.

        Raises:
            LookupError: there is none.
        """
        execution = self._find(execution_id)
        from router.local.durable.views import details

        return details(execution, is_running=self._there().executor.is_running(execution.durable_execution_arn))

    async def callback(
        self, execution_id: str, callback_id: str, *, result: Any = None, error: str | Mapping[str, Any] | None = None
    ) -> None:
        """Answer a callback with a result, or with an error.

        callback_id: the id of the callback, or of its step. error: its message, or an error as Lambda tells it.

        Raises:
            LookupError: there is no such execution.
            ValueError: it does not wait for such a callback.
        """
        execution = self._find(execution_id)
        from router.local.durable.answers import error_object, result_text, waiting_callback

        token = waiting_callback(execution, callback_id)
        executor = self._there().executor
        if error is not None:
            await asyncio.to_thread(executor.send_callback_failure, token, error_object(error))
        else:
            await asyncio.to_thread(executor.send_callback_success, token, result_text(result))

    async def skip(self, execution_id: str) -> None:
        """End what an execution waits for, where that is time: a wait, or the pause before a step is tried again.

        Raises:
            LookupError: there is no such execution.
            ValueError: it does not wait for time.
        """
        execution = self._find(execution_id)
        ended = 0
        if not execution.is_complete:
            ended = await asyncio.to_thread(self._there().executor.skip, execution.durable_execution_arn)
        if not ended:
            raise ValueError(f"the execution {execution_id} does not wait for time")

    # ---- within ----------------------------------------------------------------------------------------------------

    @property
    def runner(self) -> Runner | None:
        """Return the runner; None before the first execution."""
        return self._runner

    def _there(self) -> Runner:
        if self._runner is None:
            raise LookupError("there are no executions")
        return self._runner

    def _find(self, execution_id: str) -> Execution:
        if self._runner is not None:
            for one in self._runner.store.list_all():
                if execution_id in (one.durable_execution_arn, one.start_input.invocation_id):
                    return one
        raise LookupError(f"there is no execution {execution_id!r:.200}")

    def _known(self, named: Named, name: str, payload: str) -> str | None:
        if not _NAME.fullmatch(name):
            message = f"{name!r:.100} is not the name of an execution: 1 to 64 letters, digits, - and _"
            raise Refusal(400, "InvalidParameterValueException", message)
        arn, before = self._named.get((named.function.name, name), (None, payload))
        if before != payload:
            message = f"the execution {name} of {named.function.name} was started with another payload"
            raise Refusal(409, "DurableExecutionAlreadyStartedException", message)
        return arn

    async def _started(self) -> Runner:
        async with self._starting:
            if self._runner is None:
                self._loop = asyncio.get_running_loop()
                self._runner = await asyncio.to_thread(self._make)
            return self._runner

    def _make(self) -> Runner:
        sdk = _sdk()
        from router.local.durable.kept import Kept

        region = next((one.region for one in self._functions), REGION)
        kept = Kept(region, self._keep, self._told, self._dropped)
        runner: Runner = sdk.Runner(kept, self._functions, self._call, region, skips_time=self._skips_time)
        return runner

    def _call(self, call: Call) -> Outcome:
        """Make a call from a thread of the runner."""
        assert self._loop is not None  # noqa: S101 - set before there is a runner
        return asyncio.run_coroutine_threadsafe(self._invoker.invoke(call), self._loop).result()

    def _told(self, execution: Execution) -> None:
        """Take the end of an execution, in a thread of the runner."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end, execution.durable_execution_arn)

    def _end(self, arn: str) -> None:
        for one in self._waiting.pop(arn, ()):
            if not one.done():
                one.set_result(None)
        for listener in self._listeners:
            listener(arn)

    def _dropped(self, arn: str) -> None:
        if self._runner is not None:
            self._runner.forget(arn)
        for key, (known, _) in list(self._named.items()):
            if known == arn:
                self._named.pop(key, None)


def _sdk() -> ModuleType:
    try:
        from router.local.durable import sdk
    except ImportError as error:
        raise ConfigurationError(
            "durable functions need AWS's local runner, aws-durable-execution-sdk-python-testing: "
            f'pip install "lambda-junction[local]" ({error})'
        ) from None
    return sdk


def _unwrapped(event: Any) -> Any:
    """Return the event inside of an envelope; every other event as it is."""
    if not (isinstance(event, dict) and "DurableExecutionArn" in event and "CheckpointToken" in event):
        return event
    try:
        return json.loads(event["InitialExecutionState"]["Operations"][0]["ExecutionDetails"]["InputPayload"])
    except (KeyError, IndexError, TypeError, ValueError):
        return event


def _outcome(execution: Execution) -> Outcome:
    """Return what came of an execution."""
    if not execution.is_complete:
        stopped = {"errorType": "Runtime.ExitError", "errorMessage": "the local run was stopped"}
        return Outcome("died", error=stopped)
    from router.local.durable.views import error_data

    ended = execution.result
    started = execution.get_operation_execution_started()
    ms = 0.0
    if started.start_timestamp is not None and started.end_timestamp is not None:
        ms = (started.end_timestamp - started.start_timestamp).total_seconds() * 1000
    if ended is not None and execution.current_status().value == "SUCCEEDED":
        return Outcome("answered", json.loads(ended.result) if ended.result else None, ms=ms)
    error = error_data(ended.error if ended is not None else None)
    return Outcome("failed", error=error or {"errorType": "Error", "errorMessage": ""}, ms=ms)
