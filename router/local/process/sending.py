"""`Sending`: the chunks of one streamed answer, no faster than they are taken."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from router.errors import HandlerTimeout
from router.local.process.wire import chunk_frame
from router.streaming import ClientGone

if TYPE_CHECKING:
    from router.local.process.wire import Wire
    from router.runtime.context import LambdaContext

WINDOW = 256 * 1024
"""The most bytes that are on their way and not taken yet."""

_PIECE = 64 * 1024
_MARGIN_MS = 200  # a stream is ended this long before the call would be


class Sending:
    """Send chunks of the answer of a call.

    number: of the call. context: says how much time is left.
    """

    def __init__(self, number: int, wire: Wire, context: LambdaContext) -> None:
        self._number = number
        self._wire = wire
        self._context = context
        self._room = WINDOW
        self._is_gone = False
        self._changed = threading.Condition()

    def credit(self, size: int) -> None:
        """Take note that so many bytes were taken; negative: nobody takes the rest."""
        with self._changed:
            if size < 0:
                self._is_gone = True
            else:
                self._room += size
            self._changed.notify()

    def write(self, chunk: bytes) -> None:
        """Send a chunk, when the ones before it were taken.

        Raises:
            ClientGone: nobody takes it.
            HandlerTimeout: the time of the call is up.
        """
        for start in range(0, len(chunk), _PIECE):
            piece = chunk[start : start + _PIECE]
            self._wait(len(piece))
            try:
                self._wire.send(chunk_frame(self._number, piece))
            except OSError as error:
                raise ClientGone(f"the gateway is gone: {error}") from error

    def _wait(self, size: int) -> None:
        with self._changed:
            while not self._is_gone and self._room < size:
                self._check_time()
                left = self._context.get_remaining_time_in_millis() - _MARGIN_MS
                self._changed.wait(max(left, 1) / 1000)
            if self._is_gone:
                raise ClientGone("nobody takes the rest of the answer")
            self._room -= size
        self._check_time()

    def _check_time(self) -> None:
        if self._context.get_remaining_time_in_millis() < _MARGIN_MS:
            raise HandlerTimeout("the time of the call was up while its answer was on the way")
