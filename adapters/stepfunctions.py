"""Step Functions: start executions, with the session attached.

    machines = StepFunctions()
    machines.start("fulfil-order", {"order": "1"}, name="order-1")

The session travels under the key `session` of the input. A state that calls a Lambda function with the whole input
hands it on, and the function's session is then that of whoever started the execution. The role needs
`states:StartExecution` on the machine.
"""

from __future__ import annotations

import re

import orjson

from adapters._core.adapter import Adapter
from adapters._core.outgoing import CURRENT, legacy_session, reserved_keys, session_entry
from adapters._core.partitions import partition
from adapters._core.payloads import as_object, to_json
from adapters._core.steps import BlockingCall
from adapters.errors import AdapterError, InvalidMessage, MessageTooLarge
from router.errors import ConfigurationError, Conflict
from router.trace_context import current_trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from adapters._core.outgoing import Outgoing
    from adapters._core.steps import Steps
    from adapters.aws.aws import Aws
    from router.session import Policy

# Step Functions API reference, StartExecution.
_LARGEST = 262_144
_NAME = re.compile(r"[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]{1,80}")


class ExecutionExists(AdapterError, Conflict):
    """There is an execution of that name with another input, or one that has ended: it was started before.

    Over HTTP it is a 409.
    """

    answer = "it was started before"


class StepFunctions(Adapter):
    """Starts executions of state machines.

    aws: makes the calls; by default one made of the environment.
    policy: signs sessions where no resolver runs.

    A machine is a name or an ARN, that of a version or an alias included.
    """

    def __init__(self, aws: Aws | None = None, *, policy: Policy | None = None) -> None:
        super().__init__(aws)
        self.policy = policy

    def start(self, machine: str, input: Any = None, *, name: str | None = None, session: Outgoing = CURRENT) -> str:
        """Start an execution and return its ARN.

        input: a mapping, model or dataclass: it has to be a JSON object.
        name: of the execution, 80 characters at most; the same name and input again, while it runs, starts nothing and
            returns the same ARN, so that a repeated message does no harm. The session is part of the input; a signed
            one differs from second to second.
        session: the current one unless another is given; None attaches none.

        Raises:
            InvalidMessage: the input or the name cannot be sent as it is.
            ExecutionExists: it was started before, with another input, or has ended.
            AdapterError: Step Functions refused it.
        """
        return self._run(self._start(machine, self._request(input, name, session)), "start")

    async def start_async(
        self, machine: str, input: Any = None, *, name: str | None = None, session: Outgoing = CURRENT
    ) -> str:
        """`start` from async code, without blocking its loop."""
        return await self.aws.run_async(self._start(machine, self._request(input, name, session)))

    def _request(self, input: Any, name: str | None, session: Outgoing) -> dict[str, Any]:
        key, wire = session_entry(session, self.policy, purpose="execution")
        held = {} if input is None else as_object(input, "stepfunctions.start_execution: the input")
        for reserved in reserved_keys(session, self.policy, key):
            held.pop(reserved, None)  # `session=` alone decides
        if wire is not None:
            held[key] = orjson.Fragment(wire)
        old = legacy_session(session, self.policy, purpose="execution")
        if old is not None:
            held[old[0]] = orjson.Fragment(old[1])
        text = to_json(held, "stepfunctions.start_execution: the input")
        size = len(text.encode())
        if size > _LARGEST:
            raise MessageTooLarge(
                f"stepfunctions.start_execution: the input has {size:,} bytes, and {_LARGEST:,} are the most; put the "
                "large part into S3 and pass where it is"
            )
        # Beside the input, which a repeated start has to repeat to the letter.
        trace = current_trace()
        xray = None if trace is None else trace.xray
        request = {"input": text} if xray is None else {"input": text, "traceHeader": xray}
        if name is None:
            return request
        if not isinstance(name, str) or _NAME.fullmatch(name) is None:
            raise InvalidMessage(
                f"stepfunctions.start_execution: the name {str(name)[:80]!r} must be 1 to 80 characters, without "
                "spaces, brackets and other special characters"
            )
        return {**request, "name": name}

    def _start(self, machine: str, request: dict[str, Any]) -> Steps[str]:
        arn = yield BlockingCall(self._arn, machine)
        try:
            answer = yield self.aws.step(
                "stepfunctions", "start_execution", parameters={"stateMachineArn": arn, **request}
            )
        except AdapterError as error:
            if error.code != "ExecutionAlreadyExists":
                raise
            raise ExecutionExists(
                f"stepfunctions.start_execution {arn}: there is an execution named {request.get('name')!r} already, "
                "with another input or at its end",
                service="stepfunctions",
                operation="start_execution",
                resource=arn,
                code=error.code,
                request_id=error.request_id,
            ) from None
        return str(answer["executionArn"])

    def _arn(self, machine: str) -> str:
        if not isinstance(machine, str) or not machine:
            raise ConfigurationError(f"stepfunctions: give the name or ARN of a state machine, not {machine!r}")
        if machine.startswith("arn:"):
            return machine
        region = self.aws.region
        return f"arn:{partition(region)}:states:{region}:{self.aws.account()}:stateMachine:{machine}"
