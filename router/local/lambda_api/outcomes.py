"""The outcome of a call in Lambda's words: the payload that the caller gets, the kind of error, the end of the log."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from math import ceil
from typing import TYPE_CHECKING, Any

from router.local.lambda_api.json_text import as_json
from router.local.lambda_api.requests import ANSWER_LIMIT

if TYPE_CHECKING:
    from router.local.calls import Call, Outcome
    from router.local.entries import LogLine
    from router.local.lambda_api.functions import Named

_LOG_TAIL = 4096  # bytes of the log that a caller can ask for


def payload_of(call: Call, outcome: Outcome, named: Named) -> tuple[bytes, bool]:
    """Return the payload of an answer, and whether it tells an error.

    named: the function that was called.
    """
    if outcome.became != "answered":
        return as_json(error_of(call, outcome, named)), True
    payload = as_json(outcome.answer)
    if len(payload) > ANSWER_LIMIT:
        message = f"Response payload size exceeded maximum allowed payload size ({ANSWER_LIMIT} bytes)."
        return as_json({"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message}), True
    return payload, False


def error_of(call: Call, outcome: Outcome, named: Named) -> dict[str, Any]:
    """Return the error of a call that was not answered, as Lambda describes it."""
    if outcome.error is not None:
        return dict(outcome.error)
    if outcome.became == "timed out":
        limit = call.timeout or named.function.timeout
        message = f"RequestId: {call.request_id} Error: Task timed out after {limit:.2f} seconds"
        return {"errorType": "Sandbox.Timedout", "errorMessage": message}
    if outcome.became == "broken":
        return {"errorType": "Runtime.ImportModuleError", "errorMessage": "the application cannot be imported"}
    message = f"RequestId: {call.request_id} Error: Runtime exited without providing a reason"
    return {"errorType": "Runtime.ExitError", "errorMessage": message}


def log_tail(call: Call, outcome: Outcome, named: Named) -> str:
    """Return the end of the log of a call in base64, as a caller with LogType=Tail gets it."""
    function = named.function
    size = f"Memory Size: {function.memory} MB\tMax Memory Used: {function.memory} MB\t"
    took = f"Duration: {outcome.ms:.2f} ms\tBilled Duration: {ceil(outcome.ms)} ms\t"
    lines = [
        f"START RequestId: {call.request_id} Version: {named.version}",
        *(_line(one, call) for one in outcome.logs),
        f"END RequestId: {call.request_id}",
        f"REPORT RequestId: {call.request_id}\t{took}{size}",
    ]
    text = "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")
    return b64encode(text[-_LOG_TAIL:]).decode()


def _line(line: LogLine, call: Call) -> str:
    at = datetime.fromtimestamp(line["at"], UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f"[{line['level']}]\t{at}\t{call.request_id}\t{line['message']}"
