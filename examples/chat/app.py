"""The chat: one function for a connection that opens, speaks and closes.

Clients send `{"action": "join", "room": "tea"}` and `{"action": "send", "text": "hello"}`; the route selection
expression of the API is `$request.body.action`. The authorizer of `$connect` says who somebody is.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from adapters.aws import Aws
from examples.chat.rooms import DynamoRooms, Member, Rooms
from examples.sockets import Sockets
from router import Depends, Forbidden, FromRequest, Resolver, Session, SessionPolicy, SocketEvent, Unauthorized

LOBBY = "lobby"
aws = Aws()
resolver = Resolver(session=SessionPolicy(request=FromRequest(user_claim="user")))


@dataclass
class Join:
    """The body of a message that moves somebody into a room."""

    room: str


@dataclass
class Send:
    """The body of a message that says something."""

    text: str


@cache
def rooms() -> Rooms:
    """The members; one client for all warm calls."""
    return DynamoRooms(aws, os.environ["MEMBERS_TABLE"])


def sockets(event: SocketEvent) -> Sockets:
    """The way back to the clients of the stage that this event came from."""
    return Sockets(aws, event.endpoint)


def member(event: SocketEvent, rooms: Annotated[Rooms, Depends(rooms)]) -> Member:
    """Return the member who sent this."""
    found = rooms.find(event.connection_id)
    if found is None:
        raise Forbidden("connect first")
    return found


Members = Annotated[Rooms, Depends(rooms)]
Clients = Annotated[Sockets, Depends(sockets)]
Sender = Annotated[Member, Depends(member)]


@resolver.on_connect()
def connect(event: SocketEvent, session: Session, rooms: Members) -> None:
    """Somebody enters the lobby. Nothing can be sent yet: the connection is open when this has answered."""
    if not session.user:
        raise Unauthorized("say who you are")
    rooms.put(Member(event.connection_id, session.user, LOBBY))


@resolver.on_message("join")
def join(body: Join, sender: Sender, rooms: Members, clients: Clients) -> None:
    """Somebody changes rooms; both rooms hear of it."""
    rooms.put(Member(sender.connection_id, sender.user, body.room))
    tell(sender.room, {"left": sender.user}, rooms, clients)
    tell(body.room, {"joined": sender.user}, rooms, clients)


@resolver.on_message("send")
def send(body: Send, sender: Sender, rooms: Members, clients: Clients) -> None:
    """Somebody says something to their room."""
    tell(sender.room, {"from": sender.user, "text": body.text}, rooms, clients)


@resolver.on_message()
def anything_else(event: SocketEvent, clients: Clients) -> None:
    """Answer what no other route takes."""
    clients.send(event.connection_id, {"error": 'the action is "join" or "send"'})


@resolver.on_disconnect()
def disconnect(event: SocketEvent, sender: Sender, rooms: Members, clients: Clients) -> None:
    """Somebody has left."""
    rooms.remove(event.connection_id)
    tell(sender.room, {"left": sender.user}, rooms, clients)


def tell(room: str, message: dict[str, Any], rooms: Rooms, clients: Sockets) -> None:
    """Send a message to everybody in a room, and forget those who turn out to be gone."""
    for gone in clients.send_to_all([each.connection_id for each in rooms.members(room)], message):
        rooms.remove(gone)


def handler(event: Any, context: Any) -> Any:
    """Handle a call of Lambda."""
    return resolver.resolve(event, context)
