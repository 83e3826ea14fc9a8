"""Errors of connections, beside those that every adapter may raise (`adapters.errors`)."""

from __future__ import annotations

from adapters.errors import AdapterError, ResourceNotFound
from router.errors import Gone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class ConnectionGone(ResourceNotFound, Gone):
    """The connection has ended, or was never there: there is nobody to send to. It is removed from the table.

    Over HTTP it is a 410.

    A connection whose `$connect` is not answered yet cannot be sent to either, and is not removed.
    """

    answer = "the connection has ended"

    def __init__(self, connection_id: str, operation: str, why: str = "it has ended") -> None:
        super().__init__(
            f"websocket.{operation} {connection_id}: the connection is not there: {why}",
            service="apigatewaymanagementapi",
            operation=operation,
            resource=connection_id,
            code="GoneException",
        )


class BroadcastFailed(AdapterError):
    """Some connections could not be sent to, though they may well be there; the others were.

    failed: an error by connection id. sent: how many got the message. gone: connections that had ended.
    """

    def __init__(self, failed: Mapping[str, AdapterError], sent: int, gone: Sequence[str]) -> None:
        self.failed = dict(failed)
        self.sent = sent
        self.gone = list(gone)
        first = next(iter(failed.values()))
        super().__init__(
            f"websocket.broadcast: {len(failed)} of {len(failed) + sent + len(gone)} connections were not sent to, "
            f"such as {first.resource}: {first}",
            service=first.service,
            operation="broadcast",
            code=first.code,
            retryable=all(error.retryable for error in failed.values()),
        )
