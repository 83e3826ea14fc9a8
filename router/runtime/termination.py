"""The end of the process: SIGTERM, which must be heard whatever the process is doing when it comes."""

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType


class Termination:
    """Ends the process in order on SIGTERM, from the moment it is made until the application handles it itself.

    Lambda sends it where an extension runs. The default would end the process without cleaning up, and so would the
    handler of a tool that was there before, such as that of coverage: it does its work when the process exits.

    An exception in a signal handler is not enough. Python drops one in a finalizer (io.IOBase does so without a word),
    and a signal right before a system call does not end that. So the handler also remembers that it was called, and
    Python writes to a pipe, which whoever waits reads.
    """

    def __init__(self) -> None:
        self._reads, writes = os.pipe()
        self._is_due = False
        os.set_blocking(writes, False)
        signal.set_wakeup_fd(writes, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._on_signal)

    def fileno(self) -> int:
        """Return a descriptor that can be read when a signal has come."""
        return self._reads

    def hear(self) -> None:
        """Read what woke the process, and end the process if that was SIGTERM. Raises SystemExit."""
        os.read(self._reads, 4096)
        if self._is_due:
            sys.exit(0)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._is_due = True
        sys.exit(0)
