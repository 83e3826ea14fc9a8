"""Words and errors of Lambda for calls that end without an answer."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

from router.local.process.failures import plain_failure

if TYPE_CHECKING:
    from router.local.entries import Failure, Frame

_SIGNALS: dict[int, str] = {
    signal.SIGSEGV: "segmentation fault",
    signal.SIGKILL: "killed",
    signal.SIGTERM: "terminated",
    signal.SIGABRT: "aborted",
    signal.SIGBUS: "bus error",
    signal.SIGFPE: "floating point exception",
    signal.SIGILL: "illegal instruction",
    signal.SIGINT: "interrupt",
}


def words_of(status: int) -> str:
    """Return how a process ended, as Lambda has it. status: of the exit; of a signal, minus its number."""
    if status >= 0:
        return f"exit status {status}"
    return f"signal: {_SIGNALS.get(-status) or _name_of(-status)}"


def _name_of(number: int) -> str:
    """Return the name of a signal. Most real-time signals have none: their number stands for it, as Go has it."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def exit_error(request_id: str, status: int) -> dict[str, Any]:
    """Return the error of a call whose process ended under way."""
    told = "without providing a reason" if status == 0 else f"with error: {words_of(status)}"
    return {"errorType": "Runtime.ExitError", "errorMessage": f"RequestId: {request_id} Error: Runtime exited {told}"}


def exit_failure(status: int, others: int) -> Failure:
    """Return the same for the console. others: calls that were under way in the same process."""
    found = plain_failure("Runtime.ExitError", f"the process of the application ended: {words_of(status)}")
    if status == -signal.SIGKILL:
        found["notes"].append("something killed it: perhaps the system, because memory was short")
    if others:
        found["notes"].append(
            f"{others} more calls were under way in it, and ended with it; in Lambda each has a process of its own"
        )
    return found


def timeout_error(request_id: str, seconds: float) -> dict[str, Any]:
    """Return the error of a call that took too long."""
    return {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds",
    }


def timeout_failure(seconds: float, frames: list[Frame]) -> Failure:
    """Return the same for the console. frames: where it was then; empty where it did not say."""
    found = plain_failure("Sandbox.Timedout", f"Task timed out after {seconds:.2f} seconds", frames)
    if not frames:
        found["notes"].append("it did not say where it was: code that is not Python held the process")
    return found


def import_error(failure: Failure) -> dict[str, Any]:
    """Return the error of a call that waited for an application that cannot be imported."""
    kind, message = failure["type"], failure["message"]
    module = next((one["file"] for one in reversed(failure["frames"]) if one["own"]), "")
    where = f" in module '{module}'" if module else ""
    if kind in ("ImportError", "ModuleNotFoundError", "CannotLoad"):
        return {"errorType": "Runtime.ImportModuleError", "errorMessage": f"Unable to import module: {message}"}
    if kind.endswith(("SyntaxError", "IndentationError", "TabError")):
        return {"errorType": "Runtime.UserCodeSyntaxError", "errorMessage": f"Syntax error{where}: {message}"}
    return {"errorType": kind, "errorMessage": message}
