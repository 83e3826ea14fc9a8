"""Programs that fetch and build what the tests need."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.servers.locations import SERVERS

_COMMAND_TIMEOUT_S = 900
_OUTPUT_TAIL_LINES = 15


class FetchError(Exception):
    """A program that fetches or builds failed; the message ends with what it printed."""


def run(command: Sequence[str | Path], *, cwd: Path = SERVERS, env: Mapping[str, str] | None = None) -> None:
    """Run a program to its end.

    Raises:
        FetchError: it failed, or took too long.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_COMMAND_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise FetchError(f"{words[0]} took longer than {_COMMAND_TIMEOUT_S} s") from error
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-_OUTPUT_TAIL_LINES:])
        raise FetchError(f"{' '.join(words)} ended with code {done.returncode}:\n{tail}")
