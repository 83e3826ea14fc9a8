"""Hold what the routes take and answer. Annotations stay as they are written; `router.contract.schemas` reads them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from router.contract.checks import check_types, refuse
from router.contract.model import named

if TYPE_CHECKING:
    from router.contract.model import Place
    from router.event import Source
    from router.routing.route import Route

NOTHING: Any = inspect.Parameter.empty
"""Stands for a default that is not there, and for an annotation that nobody wrote."""


@dataclass(frozen=True, slots=True)
class Info:
    """Name an application and its version, for the documents.

    title: of the application. version: of its interface, such as "1.4.0".
    description: in Markdown.
    servers: where it answers, the URL of each, with what it is: `{"https://api.shop.example": "production"}`.
    tags: what each tag of the routes means.
    contact: a URL or an e-mail address. license: its SPDX name.

    Raises:
        ConfigurationError: a field is not a text, or the title is empty.
    """

    title: str
    version: str = "1"
    description: str = ""
    servers: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    contact: str = ""
    license: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.description, str) and "\n" in self.description:
            check_types(Info(self.title, self.version, "", self.servers, self.tags, self.contact, self.license))
        else:
            check_types(self)
        for name in ("title", "version"):
            if not getattr(self, name):
                refuse("Info", f"{name}= is empty")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value that a route takes by name.

    name: on the wire. place: "path", "query", "header", "cookie", or "argument" of the call of a tool.
    argument: of the handler or of its dependency.
    annotation: its type, with its limits. default: NOTHING where it has to be sent.
    """

    name: str
    place: str
    argument: str
    annotation: Any
    default: Any = NOTHING
    description: str = ""
    examples: tuple[Any, ...] = ()
    deprecated: bool = False

    @property
    def required(self) -> bool:
        """Return whether it has to be sent."""
        return self.default is NOTHING


@dataclass(frozen=True, slots=True)
class Payload:
    """The body of a request, a message, an event or a call.

    annotation: its type; NOTHING where the handler reads it by itself.
    media_types: what it may be sent as, the first is the usual one.
    required: whether there must be one.
    """

    annotation: Any
    media_types: tuple[str, ...] = ("application/json",)
    required: bool = True
    description: str = ""
    examples: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a route.

    status: of HTTP: "200", "4XX" or "default"; "" where the source knows no status.
    annotation: its type; None for no content, NOTHING where it is not said.
    media_type: what it comes as. Problem documents have "application/problem+json".
    headers: names with what they mean.
    """

    status: str
    description: str
    annotation: Any = NOTHING
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    examples: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that somebody may ask for, or send: a route, for one of its methods.

    name: tells it from all others, and never changes as long as the route keeps its name.
    route: as it was registered. source: that of its events; of HTTP "http", whichever kind of API it is.
    method, path: of HTTP; the path as OpenAPI writes it, `/orders/{order_id}`.
    greedy: the parameter of the path that may hold slashes; "" for none.
    summary: one line. description: the docstring without its first line, in Markdown.
    parameters: in the order of the signature. payload: the body; None for none.
    answers: of the handler and of what stands around it.
    auth: the `Auth` that counts on it; None for none.
    place: of the handler in the source.
    """

    name: str
    route: Route
    source: Source
    method: str
    path: str
    summary: str
    description: str
    tags: tuple[str, ...]
    deprecated: bool
    parameters: tuple[Parameter, ...]
    payload: Payload | None
    answers: tuple[Answer, ...]
    auth: Any
    place: Place | None
    greedy: str = ""

    @property
    def where(self) -> str:
        """Return how messages name it: the route with the file and line of its handler."""
        return named(self.route)


@dataclass(frozen=True, slots=True)
class Interface:
    """Everything that an application takes and answers.

    info: of the documents. operations: in the order of the routes.
    resolver: whose routes they are.
    """

    info: Info
    operations: tuple[Operation, ...]
    resolver: Any

    def of(self, *sources: Source) -> tuple[Operation, ...]:
        """Return the operations of some sources."""
        return tuple(one for one in self.operations if one.source in sources)
