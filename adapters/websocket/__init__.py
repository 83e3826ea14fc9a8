"""WebSocket connections: who is connected, sending to them, and their sessions.

    connections = Connections(table="connections")
    resolver.use(TrackConnections(connections))

    connections.join(event.connection_id, "room-1")
    connections.send(connection_id, {"hello": "you"})
    connections.broadcast({"hello": "all"}, group="room-1")

Connections are kept in a DynamoDB table; messages go through the management API of API Gateway. Every verb has an
`_async` twin. A broadcast stays within one tenant. The role needs `dynamodb:GetItem`, `UpdateItem`, `Query` and
`BatchWriteItem` on the table and its indexes, and `execute-api:ManageConnections` on the API.
"""

from __future__ import annotations

from adapters.websocket.connection import Connection, Member
from adapters.websocket.connection_errors import BroadcastFailed, ConnectionGone
from adapters.websocket.connections import Broadcast, Connections
from adapters.websocket.tracking import TrackConnections

__all__ = [
    "Broadcast",
    "BroadcastFailed",
    "Connection",
    "ConnectionGone",
    "Connections",
    "Member",
    "TrackConnections",
]
