"""What the application talks to. Nothing is connected before it is used, and warm calls use it again."""

from __future__ import annotations

import os
from functools import cache

from adapters.aws import Aws
from adapters.sns import Sns
from examples.orders.storage import CONNECTIONS, ORDERS, Table
from examples.sockets import Sockets
from router import Session

aws = Aws()  # region, credentials and endpoints: from the environment
sns = Sns(aws)


def orders(session: Session) -> Table:
    """The orders of the session's tenant."""
    return Table(aws, ORDERS, "order_id", session)


def connections(session: Session) -> Table:
    """The WebSocket connections of the session's tenant."""
    return Table(aws, CONNECTIONS, "connection_id", session)


@cache
def sockets() -> Sockets:
    """The way to connected clients; a stream record does not know the endpoint, so the environment tells it."""
    return Sockets(aws, os.environ["WEBSOCKET_ENDPOINT"])
