"""Describe one call of a sister service: how it is asked, and how its answer is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, TypeVar

from adapters.errors import AdapterError
from router.errors import ConfigurationError, UnprocessableContent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeAlias


class UnexpectedAnswer(AdapterError):
    """A sister service answered something that does not fit the type. The message names the places, and no values."""


class Form(Enum):
    """Stands for an answer that is not read into a type."""

    ANYTHING = "JSON, a text or bytes, as its content type says"
    CONTENT = "its bytes"
    NOTHING = "no content"
    TEXT = "a text"


ANYTHING, CONTENT, NOTHING, TEXT = Form.ANYTHING, Form.CONTENT, Form.NOTHING, Form.TEXT

T = TypeVar("T")

if TYPE_CHECKING:
    Read: TypeAlias = Callable[[Any], Any] | Form


@dataclass(frozen=True, slots=True)
class Enveloped:
    """The form around each JSON answer of a service that has one (`router.Envelope`).

    code, message, data: the names of its fields. success: the code of what succeeded.
    """

    code: str
    message: str
    data: str
    success: str

    def holds(self, value: Any) -> bool:
        """Return whether a parsed answer is in it."""
        return isinstance(value, dict) and isinstance(value.get(self.code), str) and self.data in value

    def is_success(self, value: dict[str, Any]) -> bool:
        """Return whether an answer in it is a result, and no error."""
        return bool(value[self.code] == self.success)


@dataclass(frozen=True, slots=True)
class Operation(Generic[T]):
    """One request of HTTP.

    path: as OpenAPI writes it, `/orders/{order_id}`.
    answers: how each is read, by its status; another status from 200 is read like the first of them.
    greedy: the parameter of the path that may hold slashes.
    media_type: of the body, where it is not JSON.
    envelope: around each JSON answer, errors included.
    """

    method: str
    path: str
    answers: Mapping[str, Read] = field(default_factory=dict)
    greedy: str = ""
    media_type: str = ""
    envelope: Enveloped | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def read_of(self, status: int) -> Read:
        """Return how the answer with a status is read."""
        text = str(status)
        for name in (text, f"{text[0]}XX", "default"):
            if name in self.answers:
                return self.answers[name]
        return next(iter(self.answers.values()), ANYTHING)


@dataclass(frozen=True, slots=True)
class Action(Generic[T]):
    """One action of a function.

    name: of its `@on_invoke` route; a pattern where `*` is in it.
    read: how its result is read.
    envelope: around its result.
    """

    name: str
    read: Read = ANYTHING
    envelope: Enveloped | None = None


def read_json(read: Read, value: Any, what: str, service: str) -> Any:
    """Return parsed JSON as the type of an answer.

    what: the call, for messages. service: which was called.

    Raises:
        UnexpectedAnswer: it does not fit.
    """
    if isinstance(read, Form):
        return None if read is NOTHING else value
    try:
        return read(value)
    except UnprocessableContent as error:  # a 422, which would be this service's own answer
        problem = error.detail
    raise UnexpectedAnswer(
        f"{service} {what}: the answer does not fit: {problem}; export the client again, or tell who keeps the service",
        service=service,
        operation=what,
    )


def text_of(value: Any) -> str:
    """Return a value of a path, query or header as the router of the service reads it."""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, bool):
        return "true" if value else "false"
    written = getattr(value, "isoformat", None)  # of dates and times: a `T` in between
    return str(value) if written is None else str(written())


def given(value: T | None, what: str) -> T:
    """Return what a call needs.

    Raises:
        ConfigurationError: the client was made without it.
    """
    if not value:
        raise ConfigurationError(f"the client was made without {what}, which this call needs")
    return value
