"""Read what a handler returns to whoever sent a message."""

from __future__ import annotations

import typing
from types import NoneType
from typing import TYPE_CHECKING, Any

from router.contract.asyncapi.messages import JSON, Shape, name_of, schema_of
from router.contract.asyncapi.samples import plain_values
from router.contract.interface.model import NOTHING
from router.convert.kinds import is_union
from router.response import Response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from router.contract.interface.model import Operation
    from router.contract.schemas import Schemas


def replies_of(operation: Operation, schemas: Schemas) -> Iterator[Shape]:
    """Return the messages that a handler returns: none where nobody said what they are.

    Raises:
        ConfigurationError: a type has no schema.
    """
    for answer in operation.answers:
        annotation = content_of(answer.annotation)
        if annotation is NOTHING or annotation is None:
            continue
        schema = schema_of(annotation, schemas, f"{operation.where}, the answer", output=True)
        name = name_of(annotation, f"{operation.name}_reply")
        yield Shape(
            name if not answer.status else f"{name}_{answer.status}",
            key="reply",
            payload=schema,
            is_typed=True,
            content_type=answer.media_type or JSON,
            description=answer.description,
            examples=tuple(plain_values(answer.examples)),
        )


def content_of(annotation: Any) -> Any:
    """Return the type of what is sent: without None, which sends nothing, and without answers that say no type."""
    if annotation is NOTHING or annotation is NoneType:
        return None if annotation is NoneType else NOTHING
    if typing.get_origin(annotation) is tuple and len(typing.get_args(annotation)) == 2:
        second = typing.get_args(annotation)[1]
        if second is int or typing.get_origin(second) is typing.Literal:  # with the status
            return content_of(typing.get_args(annotation)[0])
    if is_union(annotation):
        kinds = [one for one in typing.get_args(annotation) if one is not NoneType]
        if any(_is_response(one) for one in kinds):
            return NOTHING
        return typing.Union[tuple(kinds)]  # noqa: UP007 - of values, which `|` does not take
    return NOTHING if _is_response(annotation) else annotation


def _is_response(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Response)
