"""`python -m tests.servers.run ferretdb -- COMMAND...`: runs a command with MONGODB_URI of a server of its own.

Builds the server first where that has not been done, passes signals on to the command, stops the server after it, and
ends with the command's code. Where MONGODB_URI is set already nothing is built or started.
Where the server cannot be built for want of a tool, one line says what is left out, and the code is 0; with CI=true 1.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType

from tests.servers.artefacts import FERRETDB
from tests.servers.commands import FetchError
from tests.servers.process import ServerError
from tests.servers.tools import MissingTool, find, in_ci

URI = "MONGODB_URI"
USAGE = "usage: python -m tests.servers.run ferretdb -- COMMAND..."
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """A signal that asks for an end came while there was no command to pass it on to."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def main(arguments: Sequence[str]) -> int:
    """Runs the command and returns the exit code."""
    if len(arguments) < 3 or tuple(arguments[:2]) != (FERRETDB.name, "--"):
        print(USAGE, file=sys.stderr)
        return 2
    words = arguments[2:]
    try:
        with _listening() as command:
            return command.run(words) if os.environ.get(URI) else _run_with_server(command, words)
    except MissingTool as missing:
        print(f"left out: {shlex.join(words)} needs a MongoDB. {missing}, or set {URI}.", flush=True)
        return 1 if in_ci() else 0
    except (FetchError, ServerError) as error:
        print(error, file=sys.stderr)
        return 1
    except Stopped as stopped:
        return 128 + stopped.number


def _run_with_server(command: Command, words: Sequence[str]) -> int:
    if not FERRETDB.is_present:
        for tool in FERRETDB.tools:
            find(tool)
        print("building FerretDB, which is done once and takes a minute or two", flush=True)
        FERRETDB.fetch()
    from tests.servers.ferretdb import FerretDB

    with FerretDB() as server:
        return command.run(words, {URI: server.uri})


class Command:
    """A command that is run here, and the signals that are meant for it."""

    def __init__(self) -> None:
        self._starting = False
        self._early: list[int] = []
        self._child: subprocess.Popen[bytes] | None = None

    def run(self, words: Sequence[str], variables: Mapping[str, str] | None = None) -> int:
        """Runs it to its end and gives its exit code, 128 and the signal's number after a signal.

        Raises ServerError when there is no such program.
        """
        self._starting = True
        try:
            # In a group of its own: Ctrl-C in a terminal would reach it twice, directly and passed on.
            child = subprocess.Popen(words, env={**os.environ, **(variables or {})}, process_group=0)
        except OSError as error:
            raise ServerError(f"{words[0]} cannot be started: {error.strerror}") from None
        self._child = child
        for number in self._early:
            child.send_signal(number)
        code = child.wait()
        return code if code >= 0 else 128 - code

    def pass_on(self, number: int, frame: FrameType | None) -> None:
        """A signal has come: it is for the command, or ends what would come before it."""
        if self._child is not None:
            self._child.send_signal(number)
        elif self._starting:
            self._early.append(number)
        else:
            raise Stopped(number)


@contextmanager
def _listening() -> Iterator[Command]:
    """A command that hears the signals of this process."""
    command = Command()
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    # One that is ignored, as SIGINT is in a background job of a shell, stays so, for the command as well.
    heard = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
    for number in heard:
        signal.signal(number, command.pass_on)
    try:
        yield command
    finally:
        for number in heard:
            signal.signal(number, before[number])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
