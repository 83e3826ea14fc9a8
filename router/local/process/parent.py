"""`end_with`: a process that ends when the gateway ends, however that comes."""

from __future__ import annotations

import os
import signal
import sys

GATEWAY_GONE = 71
"""The exit status of a process that finds no gateway."""

_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of Linux
_ADOPT = 36  # PR_SET_CHILD_SUBREAPER


def end_with(parent: int) -> None:
    """Have the system end this process when the gateway ends, where it can: code that never returns hears nothing.

    parent: the gateway's process.
    """
    if _control(_DIE_WITH_PARENT, signal.SIGKILL) and os.getppid() != parent:
        os._exit(GATEWAY_GONE)  # it had ended before the system was asked


def adopt() -> None:
    """Stay above what processes leave behind that were started here, where the system can do that.

    What a daemon's second fork makes would be a process of the system's first one otherwise: the gateway looks below
    this one for what has to end with it. One that ends before is not waited for: the application may wait for it.
    """
    _control(_ADOPT, 1)


def _control(option: int, value: int) -> bool:
    """Set an option of this process, and return whether that could be asked for."""
    if sys.platform != "linux":
        return False
    try:
        import ctypes

        ctypes.CDLL(None).prctl(option, value)
    except (ImportError, OSError, AttributeError):
        return False
    return True
