"""The places where AWS's local runner is joined to this process: how it calls functions, and how time is skipped."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from aws_durable_execution_sdk_python.execution import DurableExecutionInvocationInput, InitialExecutionState
from aws_durable_execution_sdk_python.lambda_service import ErrorObject, OperationStatus, OperationType
from aws_durable_execution_sdk_python_testing.checkpoint.processor import (
    DEFAULT_MAX_INVOCATION_PAGE_BYTES,
    CheckpointProcessor,
)
from aws_durable_execution_sdk_python_testing.child_dispatcher import (
    ChildOutcome,
    RunInvocation,
    StartChild,
    function_not_found,
    result_outcome,
)
from aws_durable_execution_sdk_python_testing.clock import RealClock, SkipClock
from aws_durable_execution_sdk_python_testing.exceptions import DurableFunctionsTestError
from aws_durable_execution_sdk_python_testing.execution import OperationPaginatorState
from aws_durable_execution_sdk_python_testing.executor import Executor
from aws_durable_execution_sdk_python_testing.invoker import Invoker, InvokeResponse
from aws_durable_execution_sdk_python_testing.model import StartDurableExecutionInput
from aws_durable_execution_sdk_python_testing.scheduler import Scheduler
from aws_durable_execution_sdk_python_testing.threads import DaemonThreadPool
from aws_durable_execution_sdk_python_testing.worker.checkpoint_tasks import CallableTask
from aws_durable_execution_sdk_python_testing.worker.registry import ExecutionRegistry
from aws_durable_execution_sdk_python_testing.worker.status import InvocationState

from router.local.calls import Call
from router.local.lambda_api.json_text import as_json
from router.local.lambda_api.outcomes import error_of
from router.local.lambda_api.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_durable_execution_sdk_python_testing.child_dispatcher import (
        ChainedInvokeRequest,
        DispatchResult,
        FunctionTarget,
    )
    from aws_durable_execution_sdk_python_testing.execution import Execution

    from router.local.calls import Outcome
    from router.local.durable.kept import Kept
    from router.local.lambda_api.functions import Functions, Named

LONGEST_CALL = 24 * 60 * 60
"""Seconds after which the runner itself would give up a call; the application's process ends calls long before."""
THREADS = 32
"""Calls for executions that run at a time."""
RETENTION = 1  # days; nothing outlives the run
_PAUSES = (0.5, 1, 2, 5)  # seconds, while the application cannot be imported; the last one again and again

# What it tells at these levels is in the history of each execution, and errors of handlers are no errors here.
logging.getLogger("aws_durable_execution_sdk_python_testing").setLevel(logging.CRITICAL)


class ApplicationInvoker(Invoker):
    """Call the functions of the application for the runner.

    make: makes a call and waits for it; it is called in threads of the runner.
    functions: those that there are.
    """

    def __init__(self, make: Callable[[Call], Outcome], functions: Functions) -> None:
        self._make = make
        self._functions = functions
        self._first: dict[str, Call] = {}  # by the ARN of the execution
        self.is_closing = False

    def remember(self, arn: str, call: Call) -> None:
        """Note the call that began an execution: those that go on with it come from the same place."""
        self._first[arn] = call

    def forget(self, arn: str) -> None:
        """Forget an execution."""
        self._first.pop(arn, None)

    def create_invocation_input(self, execution: Execution) -> DurableExecutionInvocationInput:
        """Return the envelope of a call."""
        paginator = OperationPaginatorState.pin(execution)
        operations, marker = paginator.page(None, DEFAULT_MAX_INVOCATION_PAGE_BYTES)
        return DurableExecutionInvocationInput(
            durable_execution_arn=execution.durable_execution_arn,
            checkpoint_token=execution.get_new_checkpoint_token(),
            initial_execution_state=InitialExecutionState(operations, marker or ""),
            updated_operation_ids=list(execution.updated_operation_ids),
        )

    def invoke(
        self,
        function_name: str,
        input: DurableExecutionInvocationInput,
        endpoint_url: str | None = None,
        tenant_id: str | None = None,
        account_id: str | None = None,
        region_name: str | None = None,
    ) -> InvokeResponse:
        """Call a function with an envelope. While the application cannot be imported it waits.

        Raises:
            DurableFunctionsTestError: the function failed; the runner calls it again.
        """
        try:
            named = self._functions.find(function_name)
        except Refusal as refusal:
            raise DurableFunctionsTestError(refusal.message) from None
        call = self._call(named, input, tenant_id)
        outcome = self._make(call)
        tries = 0
        while outcome.became == "broken" and not self.is_closing:
            time.sleep(_PAUSES[min(tries, len(_PAUSES) - 1)])
            tries += 1
            outcome = self._make(call)
        if outcome.became == "answered":
            return InvokeResponse.from_output(outcome.answer, call.request_id)
        error = error_of(call, outcome, named)
        raise DurableFunctionsTestError(f"{error.get('errorType')}: {error.get('errorMessage')}")

    def _call(self, named: Named, envelope: DurableExecutionInvocationInput, tenant_id: str | None) -> Call:
        event = dict(envelope.to_json_dict())
        first = self._first.get(envelope.durable_execution_arn)
        if first is None:
            return Call(event, "invoke", named.function.part, timeout=named.function.timeout, tenant_id=tenant_id)
        again = len(envelope.initial_execution_state.operations) > 1
        request_id = str(uuid4()) if again else first.request_id
        return replace(first, event=event, timeout=named.function.timeout, request_id=request_id, streams=False)

    def update_endpoint(self, endpoint_url: str, region_name: str) -> None:
        """Do nothing: there is one application alone."""

    def inherit_endpoint(self, child_execution_arn: str, parent_execution_arn: str) -> None:
        """Note that an execution was begun by another one."""
        if (first := self._first.get(parent_execution_arn)) is not None:
            self._first[child_execution_arn] = replace(first, request_id=str(uuid4()), replay_of=None)


class Dispatcher:
    """Begin what `context.invoke` asks for: an execution of a durable function, or a call of another one."""

    def __init__(self, make: Callable[[Call], Outcome], functions: Functions) -> None:
        self._make = make
        self._functions = functions

    def preflight(self, target: FunctionTarget) -> ChildOutcome | None:
        """Return the error for a function that is not there."""
        try:
            self._functions.find(target.name, target.qualifier)
        except Refusal:
            known = ", ".join(sorted(one.name for one in self._functions))
            return function_not_found(target.name, f" The functions here: {known}.").outcome
        return None

    def dispatch(self, request: ChainedInvokeRequest) -> DispatchResult:
        """Say how a function is called."""
        try:
            named = self._functions.find(request.function_name, request.qualifier)
        except Refusal:
            return function_not_found(request.function_name)
        if named.function.durable:
            return StartChild(start_input(named, request.payload or "{}", tenant_id=request.tenant_id))
        return RunInvocation(lambda: self._run(named, request))

    def _run(self, named: Named, request: ChainedInvokeRequest) -> ChildOutcome:
        from router.local.lambda_api.requests import payload_of

        event = payload_of((request.payload or "").encode())
        call = Call(event, "invoke", named.function.part, timeout=named.function.timeout, tenant_id=request.tenant_id)
        outcome = self._make(call)
        if outcome.became == "answered":
            return result_outcome(as_json(outcome.answer).decode())
        error = error_of(call, outcome, named)
        return ChildOutcome(
            error=ErrorObject(error.get("errorMessage"), error.get("errorType"), None, error.get("stackTrace"))
        )


def start_input(
    named: Named, payload: str, *, name: str | None = None, tenant_id: str | None = None
) -> StartDurableExecutionInput:
    """Return what the runner has to know of a new execution.

    payload: the event, as JSON text. name: of the execution; made up where there is none.
    """
    function = named.function
    return StartDurableExecutionInput(
        account_id=function.account,
        function_name=function.name,
        function_qualifier=named.qualifier or "$LATEST",
        execution_name=name or str(uuid4()),
        execution_timeout_seconds=function.durable,
        execution_retention_period_days=RETENTION,
        invocation_id=str(uuid4()),
        tenant_id=tenant_id,
        input=payload,
    )


class LocalExecutor(Executor):
    """The runner's executor, with the end of a wait before its time."""

    RETRY_BACKOFF_SECONDS = 1  # a developer waits for it

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        # With as few threads as there are processors, a handler that takes long would hold up the others.
        self._invocation_pool = DaemonThreadPool(THREADS, "durable-invocation")

    def begin(self, asked: StartDurableExecutionInput, known: Callable[[str], None]) -> Execution:
        """Begin an execution. known: is told its ARN before the first call, which comes at once."""
        execution: Execution = self._create_execution(asked)
        known(execution.durable_execution_arn)
        self._launch_execution(execution, asked.execution_timeout_seconds)
        return execution

    def skip(self, arn: str) -> int:
        """End the waits of an execution, and its pauses between two tries of a step. Return how many there were."""
        ended: int = self._registry.submit(arn, CallableTask(lambda: self._end_waits(arn))).result()
        if ended:
            self._invoke_execution(arn)
        return ended

    def is_running(self, arn: str) -> bool:
        """Whether the function is being called for an execution at the moment."""
        return self._invocation_gate(arn) is InvocationState.INVOKING

    def forget(self, arn: str) -> None:
        """Forget an execution that is not kept any longer."""
        event: Any = self._completion_events.pop(arn, None)
        if event is not None:
            event.remove()

    def _end_waits(self, arn: str) -> int:
        execution, ended = self.get_execution(arn), 0
        for one in execution.get_assertable_operations():
            if one.operation_type is OperationType.WAIT and one.status is OperationStatus.STARTED:
                execution.complete_wait(one.operation_id, now=self._clock.now())
            elif one.operation_type is OperationType.STEP and one.status is OperationStatus.PENDING:
                execution.complete_retry(one.operation_id)
            else:
                continue
            ended += 1
        if ended:
            self._store.update(execution)
        return ended


class LocalScheduler(Scheduler):
    """The runner's scheduler, which also closes its event loop."""

    def stop(self) -> None:
        """End its thread."""
        super().stop()  # type: ignore[no-untyped-call]
        self._loop.close()


class Runner:
    """The parts of AWS's local runner, joined.

    store: keeps executions. make: makes a call of the application and waits for it.
    skips_time: whether waits end at once; history shows them at their length.
    """

    def __init__(
        self, store: Kept, functions: Functions, make: Callable[[Call], Outcome], region: str, *, skips_time: bool
    ) -> None:
        self.store = store
        self.invoker = ApplicationInvoker(make, functions)
        self._scheduler = LocalScheduler()
        clock = SkipClock() if skips_time else RealClock()
        processor = CheckpointProcessor(store, self._scheduler, clock=clock)
        self._registry = ExecutionRegistry(store, self._scheduler)
        self.executor = LocalExecutor(
            store=store,
            scheduler=self._scheduler,
            invoker=self.invoker,
            checkpoint_processor=processor,
            invocation_timeout_seconds=LONGEST_CALL,
            registry=self._registry,
            clock=clock,
            child_dispatcher=Dispatcher(make, functions),
            region=region,
        )
        processor.add_execution_observer(self.executor)
        processor.set_chained_invoke_preflight(self.executor.preflight_chained_invoke)
        self._scheduler.start()  # type: ignore[no-untyped-call]

    def start(self, asked: StartDurableExecutionInput, call: Call) -> Execution:
        """Begin an execution with a call."""
        return self.executor.begin(asked, lambda arn: self.invoker.remember(arn, call))

    def stop(self) -> None:
        """End all threads. Calls that are under way are not waited for."""
        self.invoker.is_closing = True
        self.executor.shutdown()
        self._registry.shutdown()
        self._scheduler.stop()

    def forget(self, arn: str) -> None:
        """Forget an execution that is not kept any longer."""
        self.executor.forget(arn)
        self.invoker.forget(arn)
