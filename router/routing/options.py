"""Type the options that decorators of routes take. Only type checkers read this file."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Literal, Protocol, TypedDict, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class Options(TypedDict, total=False):
    """The options of every decorator. See `Route`."""

    pattern: Mapping[str, Any]
    others: Literal["fail", "ignore"]
    middleware: Iterable[Any]
    require: str | Iterable[str]
    requires: Mapping[str, Iterable[str]] | Iterable[str]
    auth: Any  # an Auth, a mode, a credential, or a list of credentials
    permission: Callable[..., bool | Awaitable[bool]]
    name: str
    summary: str
    tags: Iterable[str]
    unsigned_from: str | Iterable[str]
    on_error: Any  # a function, an Alerts or a Receiver, or a list of them
    envelope: Any  # an Envelope, or "off"
    durable: bool
    function: str
    responses: Mapping[int | str, Any]  # by status: a type, a text, or both and more as a mapping
    accepts: Mapping[str, Any]  # by media type: a type, or a JSON Schema
    deprecated: bool
    include_in_schema: bool
    tool: bool | str
    publishes: Published | Iterable[Published]  # typed topics and queues, for documents
    read_only: bool


class RecordOptions(Options, total=False):
    """The further options of decorators for record sources."""

    batch: bool
    by: Literal["session", "tenant"] | Callable[[Any], Any]
    concurrency: int
    topics: Iterable[str]
    bus_sources: Iterable[str]
    aggregated: bool


class Typed(Protocol):
    """A topic or queue that is bound to a model, as in `adapters.messaging`."""

    @property
    def route(self) -> str: ...
    @property
    def model(self) -> Any: ...


class Published(Typed, Protocol):
    """A typed topic or queue that a handler sends to, as in `adapters.messaging`."""

    @property
    def kind(self) -> Literal["queue", "topic"]: ...


class Decorator(Protocol):
    """Registers a handler and gives it back as it was."""

    def __call__(self, handler: F, /) -> F: ...
