"""`TrackConnections`: keeps the table of connections, and gives each message the session of its connection."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

from adapters._core.blocking import refuse_blocking
from adapters.websocket.connection import seconds
from adapters.websocket.connection_errors import ConnectionGone
from router.background import loop_runs
from router.durations import seconds as to_seconds
from router.errors import ConfigurationError, SessionError, Unauthorized

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Iterable
    from typing import Any, TypeAlias

    from adapters._core.steps import Steps
    from adapters.websocket.connection import Connection
    from adapters.websocket.connections import Connections
    from router.durations import Duration
    from router.event import Event
    from router.session import Session

    Around: TypeAlias = Generator[None, Any, None]
    AsyncAround: TypeAlias = AsyncGenerator[None, Any]


class TrackConnections:
    """Middleware: keep connections at `$connect`, forget them at `$disconnect`, restore the session for messages.

    Put it inside of what authenticates, and outside of all that asks for the session. `event.state["connection"]` is
    the Connection, or None. On other sources it does nothing. `Authenticate(connections=...)` takes it to check
    messages by their session. Around an async handler it does not block the event loop.

    connections: the table of connections.
    require: "tenant", "user": a `$connect` without it is refused with 401 before it is kept, and so is a message whose
        connection is unknown.
    touch_every: seconds, or a timedelta, within which `last_seen` is not written again.
    """

    def __init__(self, connections: Connections, *, require: Iterable[str] = (), touch_every: Duration = 60) -> None:
        self.connections = connections
        self._require = (require,) if isinstance(require, str) else tuple(require)
        unknown = set(self._require) - {"tenant", "user"}
        if unknown:
            raise ConfigurationError(
                f"TrackConnections(require=...): {', '.join(sorted(unknown))} unknown; use tenant, user"
            )
        self._touch_every = timedelta(seconds=to_seconds(touch_every, "TrackConnections(touch_every=...)"))

    def __call__(self, event: Event) -> Around:
        if event.source != "websocket":
            return
        if loop_runs():
            _warn_of_blocking()
        run = self.connections.aws.run
        run(self._before(event))
        refused = True
        try:
            refused = (yield).status >= 400
        finally:
            run(self._after(event, refused))

    async def call_async(self, event: Event) -> AsyncAround:
        """Do the same in an async chain, without blocking its event loop."""
        if event.source != "websocket":
            return
        run = self.connections.aws.run_async
        await run(self._before(event))
        refused = True
        try:
            refused = (yield).status >= 400
        finally:
            await run(self._after(event, refused))

    def restore(self, event: Event) -> None:
        """Give a message the session of its connection now, for what stands further outside and asks for it."""
        refuse_blocking(self, "restore")
        self.connections.aws.run(self._before(event))

    async def restore_async(self, event: Event) -> None:
        """`restore` from async code, without blocking its loop."""
        await self.connections.aws.run_async(self._before(event))

    @property
    def _blocking(self) -> str:
        return self.connections.settings.blocking

    def _before(self, event: Any) -> Steps[None]:
        """Keep a connection that opens; find the one that a message is of, and restore its session."""
        connection: Connection | None
        if "connection" in event.state:
            return  # restored already
        if event.name == "$connect":
            self._check(event.session)
            connection = yield from self.connections._add(
                event.connection_id, event.endpoint, event.session, data=None, groups=()
            )
        else:
            connection = yield from self.connections._get(event.connection_id)
            if event.name != "$disconnect":
                yield from self._restore(event, connection)
            elif connection is not None:
                self._restore_if_valid(event, connection)
        event.state["connection"] = connection

    def _restore(self, event: Event, connection: Connection | None) -> Steps[None]:
        if connection is not None:
            try:
                event.session = _session(event, connection)
            except SessionError as error:
                raise Unauthorized(f"the session of this connection is not valid: {error}") from None
        self._check(event.session)
        if connection is not None and datetime.now(UTC) - connection.last_seen >= self._touch_every:
            now = seconds(datetime.now(UTC))
            try:
                yield from self.connections._set(connection.connection_id, connection.tenant, "last_seen", now, "touch")
            except ConnectionGone:
                pass  # it has ended while it spoke

    def _restore_if_valid(self, event: Event, connection: Connection) -> None:
        """At the end of a connection: a session that is refused must not keep it in the table."""
        try:
            event.session = _session(event, connection)
        except SessionError:
            pass

    def _after(self, event: Any, refused: bool) -> Steps[None]:
        """Forget a connection that has closed, or whose opening was refused."""
        if event.name == "$disconnect" or (event.name == "$connect" and refused):
            yield from self.connections._remove(event.connection_id)

    def _check(self, session: Session) -> None:
        for field in self._require:
            if not getattr(session, field):
                raise Unauthorized(f"this connection needs a {field}")


@cache
def _warn_of_blocking() -> None:
    """Warn once a process: each event would say the same."""
    from logging import getLogger

    getLogger("adapters").warning("TrackConnections blocks the event loop: make the handlers of its routes async def")


def _session(event: Event, connection: Connection) -> Session:
    """Return the session that a connection was opened with. Raises SessionError when it was altered."""
    wire = connection.stored_session
    return event._policy.nobody if wire is None else event._policy.open(wire, "connection")
