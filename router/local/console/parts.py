"""Name what the console shows and drives by small protocols: it knows none of the parts themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from router.local.calls import Invoker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from router.local.settings import Settings
    from router.local.store import Store


class Application(Invoker, Protocol):
    """Call the application's process, and tell how it is."""

    @property
    def state(self) -> Mapping[str, Any]:
        """Return how it is: at least `state`, such as "ready" or "broken", and `error`, why it is broken."""

    @property
    def routes(self) -> Sequence[Mapping[str, Any]]:
        """Return its routes, each at least with `source`, `route` (text as in entries), `handler`, `file`, `line`."""

    async def run_task(
        self, name: str, environment: Mapping[str, str] | None = None, /, *, call: str, replay_of: str | None
    ) -> int:
        """Run a task in a process of its own, and return its exit status. call: of its entry."""


class Queues(Protocol):
    """Show the queues of the emulator. Each method raises LookupError for a queue that is not there."""

    async def queues(self) -> Sequence[Mapping[str, Any]]:
        """Return all, as `router.local.aws.queues.QueueState`."""

    async def messages(self, name: str) -> Sequence[Mapping[str, Any]]:
        """Return messages of a queue without taking them."""

    async def redrive(self, name: str) -> Mapping[str, Any]:
        """Send the messages of a dead-letter queue back. Raises ValueError where it is not one."""


class Connections(Protocol):
    """Show the open WebSockets."""

    def connections(self) -> Sequence[Mapping[str, Any]]:
        """Return all, each at least with `id` and `opened`, in epoch seconds."""

    async def send(self, connection_id: str, text: str) -> bool:
        """Send a message to a client, and return whether it was there."""

    async def close(self, connection_id: str) -> bool:
        """End a connection, and return whether it was there."""


class Executions(Protocol):
    """Show the durable executions. Each method raises LookupError for one that is not there."""

    async def executions(self) -> Sequence[Mapping[str, Any]]:
        """Return all, each at least with `id`, `name`, `status` and `started`."""

    async def execution(self, execution_id: str) -> Mapping[str, Any]:
        """Return one with its steps."""

    async def callback(
        self, execution_id: str, callback_id: str, *, result: Any, error: str | Mapping[str, Any] | None
    ) -> None:
        """Answer what it waits for, with a result or an error. Raises ValueError where it does not wait."""

    async def skip(self, execution_id: str) -> None:
        """End its current wait at once. Raises ValueError where it does not wait for time."""


class Faults(Protocol):
    """Keep the rules of faults on purpose."""

    def rules(self) -> Sequence[Mapping[str, Any]]:
        """Return all, with how often each has hit."""

    def replace(self, rules: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        """Take rules in place of all others, and return them. Raises ValueError for one that is not in order."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Hold all that the console needs. What is None is not there, and its endpoints say so.

    urls: returns where the gateway can be reached, by what is there: `http`, `websocket`, `aws`.
    variables: returns the environment of the application, to name the resources of calls by their variables.
    """

    settings: Settings
    store: Store
    application: Application
    queues: Queues | None = None
    connections: Connections | None = None
    executions: Executions | None = None
    faults: Faults | None = None
    urls: Callable[[], Mapping[str, str]] = dict
    variables: Callable[[], Mapping[str, str]] = dict
