"""Beginning an execution of a durable function before anybody waits for its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.errors import ConfigurationError
from router.local.lambda_api.asynchronous import Waiting
from router.local.lambda_api.refusals import Refusal

if TYPE_CHECKING:
    from router.local.calls import Call
    from router.local.durable.executions import Executions
    from router.local.lambda_api.functions import Named


async def begun(executions: Executions | None, named: Named, call: Call, name: str | None = None) -> Waiting:
    """Return a call that waits to be made; of a durable function its execution has begun then.

    executions: runs durable functions; None where there are none.
    name: that the caller gives the execution.

    Raises:
        Refusal: a function that is not durable has a name, another execution has it, or the local runner is missing.
    """
    if executions is None or not named.function.durable:
        if name:
            message = f"{named.function.name} is not a durable function: its executions have no names"
            raise Refusal(400, "InvalidParameterValueException", message)
        return Waiting(named, call)
    try:
        execution = await executions.start(named, call, name)
    except ConfigurationError as error:
        raise Refusal(400, "InvalidRuntimeException", str(error)) from None
    arn = execution.durable_execution_arn
    return Waiting(named, call, arn=arn, result=lambda limit: executions.result(execution, limit))
