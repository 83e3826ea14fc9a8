"""A handler run by the real runtime client, in the process and the environment that Lambda would give it."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from tests.servers.locations import REPOSITORY
from tests.servers.process import ChildProcess, ServerError
from tests.servers.runtime_api import FUNCTION_NAME, Invocation, RuntimeApi

_INIT_TIMEOUT_S = 30.0


class LambdaProcess:
    """One execution environment of a Lambda function: a runtime API and a `python -m awslambdaric` that asks it.

    Args:
        handler: `module.function`, as in a function's configuration.
        cwd: The folder with the code (Lambda's /var/task); the repository unless given.
        pythonpath: Further folders to import from; the repository always is one.
        env: Environment variables on top of those that Lambda sets. Of the tests' own environment nothing is handed
            on but PATH and the settings of coverage measurement.
        memory_mb: What the function is told to have; not enforced.
        command: What is run, in the place of the runtime client.
    """

    def __init__(
        self,
        handler: str = "app.handler",
        *,
        cwd: Path | None = None,
        pythonpath: Sequence[Path] = (),
        env: Mapping[str, str] | None = None,
        memory_mb: int = 512,
        command: Sequence[str | Path] | None = None,
    ) -> None:
        self._handler = handler
        self._cwd = cwd or REPOSITORY
        self._pythonpath = [*pythonpath, REPOSITORY]
        self._extra_env = dict(env or {})
        self._memory_mb = memory_mb
        self._command = command or [sys.executable, "-m", "awslambdaric", handler]
        self._api = RuntimeApi()
        self._child: ChildProcess | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.init_duration = 0.0
        """Seconds from starting the process to its first poll, the imports of the handler's module among them."""

    def start(self) -> None:
        """Starts the process and waits until it polls.

        A handler that cannot be loaded is no error here: as in Lambda, the invocations report it.
        """
        self._folder = tempfile.TemporaryDirectory(prefix="lambda-")
        try:
            self._api.start()
            self._start_process(Path(self._folder.name) / "output.log")
        except BaseException:
            self.stop()
            raise

    def _start_process(self, log: Path) -> None:
        started = time.perf_counter()
        child = self._child = ChildProcess(
            "lambda",
            self._command,
            log=log,
            env=self._environment(),
            cwd=self._cwd,
        )
        threading.Thread(target=self._watch, args=(child,), name="lambda-watch", daemon=True).start()
        if not self._api.wait_for_runtime(_INIT_TIMEOUT_S):
            raise child.failure(f"did not ask for an event within {_INIT_TIMEOUT_S:.0f} s")
        self.init_duration = time.perf_counter() - started

    def _watch(self, child: ChildProcess) -> None:
        """Turns the end of the process into an error of the invocations that wait for it."""
        code = child.wait()
        how = f"signal: {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
        self._api.runtime_ended(f"Runtime exited with error: {how}")

    def _environment(self) -> dict[str, str]:
        passed_on = {
            name: value for name, value in os.environ.items() if name == "PATH" or name.startswith("COVERAGE_")
        }
        return {
            **passed_on,
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "PYTHONPATH": os.pathsep.join(str(folder) for folder in self._pythonpath),
            "LAMBDA_TASK_ROOT": str(self._cwd),
            "_HANDLER": self._handler,
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
            "AWS_LAMBDA_FUNCTION_NAME": FUNCTION_NAME,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self._memory_mb),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{FUNCTION_NAME}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "2030/01/01/[$LATEST]0123456789abcdef0123456789abcdef",
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_SESSION_TOKEN": "testing",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
            **self._extra_env,
        }

    def invoke(self, payload: Any, *, timeout_s: float = 30.0, **options: Any) -> Invocation:
        """Invokes the handler once, with the arguments of `RuntimeApi.invoke`.

        A handler that is not done after `timeout_s` seconds is killed with its process, as Lambda does it; later
        invocations fail then, for Lambda would go on in a new environment.
        """
        invocation = self._api.invoke(payload, timeout_s=timeout_s, **options)
        if invocation.error is not None and invocation.error.get("errorType") == "Sandbox.Timedout":
            self.kill()
        return invocation

    @property
    def snapshots(self) -> int:
        """How many snapshots of the environment were taken (AWS_LAMBDA_INITIALIZATION_TYPE=snap-start)."""
        return self._api.snapshots

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._running.pid

    @property
    def logs(self) -> str:
        """All that the process printed, standard output and standard error in one, as a log group shows it."""
        return "" if self._child is None else self._child.output

    @property
    def exit_code(self) -> int | None:
        """The exit code, minus the signal's number after a signal, or None while the process runs."""
        return self._running.exit_code

    def wait(self) -> int:
        """Waits until the process has ended by itself, and returns its exit code."""
        return self._running.wait()

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Sends the process a signal, by default the one that cannot be caught."""
        self._running.signal(number)

    def stop(self) -> None:
        """Ends the process as Lambda ends an environment: SIGTERM, and a kill when that does not do."""
        if self._child is not None:
            self._child.signal(signal.SIGTERM)
        # A runtime client that waits for the next event runs its signal handlers only after that call returns.
        self._api.stop()
        if self._child is not None:
            self._child.finish()
        if self._folder is not None:
            self._folder.cleanup()

    @property
    def _running(self) -> ChildProcess:
        if self._child is None:
            raise ServerError("the Lambda process was not started")
        return self._child

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()
