"""MiniStack as a process beside the gateway: started, watched, stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from router.errors import ConfigurationError
from router.local.aws import serve_ministack
from router.local.aws.clients import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Callable

_START_S = 60.0
_LOG_LINES = 15
# Nothing else of the environment reaches it: an option of its own may be set for another run, and a profile of AWS is
# nobody's business there.
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "SYSTEMROOT", "SSL_CERT_FILE", "LD_LIBRARY_PATH")


class Server:
    """MiniStack in a process and a process group of its own.

    python: the interpreter that has it.
    port: 0 for any that is free; it stays the same when the server is started again.
    region, account: of AWS.
    """

    def __init__(self, python: Path, port: int, *, region: str, account: str) -> None:
        self._python = python
        self._port = port
        self._region = region
        self._account = account
        self._process: subprocess.Popen[str] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.url = ""

    @property
    def pid(self) -> int | None:
        """Return the number of its process; None while there is none."""
        return self._process.pid if self._process else None

    def start(self, ended: Callable[[int], None]) -> None:
        """Start it, and wait until it answers.

        ended: is told the exit status when it ends without having been stopped, in a thread of its own.

        Raises:
            ConfigurationError: its port is taken, or it does not start.
        """
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="junction-aws-")
        folder = Path(self._folder.name)
        command = [str(self._python), "-I", serve_ministack.__file__, "--with-parent", "--port", str(self._port)]
        try:
            with (folder / "output.log").open("w") as log:
                process = subprocess.Popen(  # noqa: S603 - the launcher of this package
                    command,
                    stdin=subprocess.PIPE,  # closed when this process ends, however it does
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    cwd=folder,
                    env=self._environment(folder),
                    start_new_session=True,  # Ctrl-C reaches the gateway alone, which stops it in order
                )
        except OSError as error:
            self.stop()
            raise ConfigurationError(f"{self._python} cannot be started: {error}") from error
        self._process = process
        try:
            self._wait(process)
        except BaseException:
            self.stop()
            raise
        threading.Thread(target=self._watch, args=(process, ended), name="junction-aws-watch", daemon=True).start()

    def _environment(self, folder: Path) -> dict[str, str]:
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        return {
            **kept,
            "TMPDIR": str(folder),
            "MINISTACK_REGION": self._region,
            "AWS_DEFAULT_REGION": self._region,
            "MINISTACK_ACCOUNT_ID": self._account,
        }

    def _wait(self, process: subprocess.Popen[str]) -> None:
        """Wait for the line with its URL, and for a first answer."""
        waker = threading.Timer(_START_S, process.kill)
        waker.start()
        try:
            line = process.stdout.readline().strip() if process.stdout else ""
        finally:
            waker.cancel()
        if not line:
            status = process.wait()
            if status == serve_ministack.TAKEN:
                raise ConfigurationError(
                    f"the port {self._port} for AWS is taken: stop what listens there, or choose another with "
                    "--aws-port (0 for any that is free)"
                )
            raise ConfigurationError(f"MiniStack did not start (status {status}):\n{self._last_lines()}")
        self.url = line
        self._port = int(line.rpartition(":")[2])
        deadline = time.monotonic() + _START_S
        while not self._answers():
            if process.poll() is not None or time.monotonic() > deadline:
                raise ConfigurationError(f"MiniStack does not answer:\n{self._last_lines()}")
            time.sleep(0.01)

    def _answers(self) -> bool:
        try:
            with LOOPBACK.open(f"{self.url}/_ministack/health", timeout=5) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    def _last_lines(self) -> str:
        if self._folder is None:
            return ""
        log = Path(self._folder.name) / "output.log"
        return "\n".join(log.read_text(errors="replace").splitlines()[-_LOG_LINES:]) if log.exists() else ""

    def _watch(self, process: subprocess.Popen[str], ended: Callable[[int], None]) -> None:
        status = process.wait()
        if self._process is process:  # else it was stopped
            self._process = None
            self._end(process)
            ended(status)

    def stop(self) -> None:
        """End it, and remove its files. Nothing happens where it has ended."""
        process, self._process = self._process, None
        if process is not None:
            self._end(process)
        folder, self._folder = self._folder, None
        if folder is not None:
            folder.cleanup()

    def _end(self, process: subprocess.Popen[str]) -> None:
        """End a process with those that it started. All that it holds is in memory, so nothing is asked of it."""
        with suppress(ProcessLookupError, PermissionError):  # macOS says so of a group whose processes have all ended
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()


def ended_by(status: int) -> str:
    """Return how a process ended, in words."""
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by the signal {-status}"
