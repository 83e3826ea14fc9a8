"""`Kept`: the executions of a local run, the newest of them."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from aws_durable_execution_sdk_python.lambda_service import OperationType
from aws_durable_execution_sdk_python_testing.execution import ExecutionStatus
from aws_durable_execution_sdk_python_testing.stores.base import BaseExecutionStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_durable_execution_sdk_python_testing.execution import Execution


_PLAIN = 20  # executions


class Kept(BaseExecutionStore):
    """Keep executions, and tell of those that end.

    region: of the functions.
    most: how many executions that have ended are kept. Of those in which nothing durable happened only the last few
        are, so that requests to other routes do not push the others out.
    ended: is told of an execution that has ended, by its ARN, in any thread.
    dropped: is told of an execution that is not kept any longer.
    """

    def __init__(
        self, region: str, most: int, ended: Callable[[Execution], None], dropped: Callable[[str], None]
    ) -> None:
        self._region = region
        self._most = most
        self._ended = ended
        self._dropped = dropped
        self._held: dict[str, Execution] = {}
        self._done: dict[str, None] = {}  # ARNs, the oldest first
        self._plain: dict[str, None] = {}
        self._lock = Lock()

    def save(self, execution: Execution) -> None:
        """Keep an execution. A new one gets its ARN: the runner makes up another kind of name."""
        if not execution.durable_execution_arn.startswith("arn:"):
            execution.durable_execution_arn = self._arn(execution)
        self.update(execution)

    def update(self, execution: Execution) -> None:
        """Keep an execution that has changed."""
        arn = execution.durable_execution_arn
        with self._lock:
            self._held[arn] = execution
            ends = execution.is_complete and arn not in self._done and arn not in self._plain
            dropped = self._end(execution) if ends else []
        if ends:
            self._ended(execution)
        for one in dropped:
            self._dropped(one)

    def load(self, execution_arn: str) -> Execution:
        """Return an execution. Raises KeyError where it is not there, or not kept any longer."""
        with self._lock:
            return self._held[execution_arn]

    def list_all(self) -> list[Execution]:
        """Return all executions, the oldest first."""
        with self._lock:
            return list(self._held.values())

    def _end(self, execution: Execution) -> list[str]:
        """Note that an execution has ended, and return the ARNs of those that are dropped."""
        held, most = (self._plain, _PLAIN) if is_plain(execution) else (self._done, self._most)
        held[execution.durable_execution_arn] = None
        over = list(held)[: max(len(held) - most, 0)]
        for one in over:
            del held[one], self._held[one]
        return over

    def _arn(self, execution: Execution) -> str:
        asked = execution.start_input
        function = f"arn:aws:lambda:{self._region}:{asked.account_id}:function:{asked.function_name}"
        version = execution.executed_version()
        return f"{function}:{version}/durable-execution/{asked.execution_name}/{asked.invocation_id}"


def is_plain(execution: Execution) -> bool:
    """Whether an execution has ended well without anything durable: a route that is not durable took its event."""
    return (
        execution.is_complete
        and execution.current_status() is ExecutionStatus.SUCCEEDED
        and all(one.operation_type is OperationType.EXECUTION for one in execution.operations)
    )
