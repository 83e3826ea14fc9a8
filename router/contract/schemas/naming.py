"""Name components, so that each name is one in OpenAPI, in AsyncAPI and, nearly, in programming languages."""

from __future__ import annotations

import itertools
import re
import typing
from types import NoneType
from typing import TYPE_CHECKING, Any

from router.convert.introspect import literal_value, unwrapped
from router.convert.kinds import is_union

if TYPE_CHECKING:
    from collections.abc import Iterator

_OTHER = re.compile(r"[^A-Za-z0-9.]+")


class ByPydantic:
    """Stands for what pydantic reads inside a model, which may differ from what the converter would read.

    kind: a class, or the name of what has none. model: whose settings count for it.
    """

    __slots__ = ("kind", "model")

    def __init__(self, kind: Any, model: Any) -> None:
        self.kind = kind
        self.model = model

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ByPydantic) and (self.kind, self.model) == (other.kind, other.model)

    def __hash__(self) -> int:
        return hash((self.kind, self.model))


def names_of(annotation: Any, ending: str = "") -> Iterator[str]:
    """Return the names that a component may have, the first is the one that it should have.

    `Page_Order` for `Page[Order]`; then with the module in front, `shop_pages_Page_Order`; then with a number.
    """
    annotation = annotation.kind if isinstance(annotation, ByPydantic) else annotation
    kind = typing.get_origin(annotation) or annotation
    name = _name(annotation)
    yield _plain(name) + ending
    outer = getattr(kind, "__qualname__", "").rpartition(".")[0].replace("<locals>", "")
    whole = _plain("_".join([getattr(kind, "__module__", "pydantic"), outer, name]).replace(".", "_"))
    yield whole + ending
    yield from (f"{whole}_{count}{ending}" for count in itertools.count(2))


def is_alias(kind: Any) -> bool:
    """Whether it is made by `type X = ...`."""
    return type(typing.get_origin(kind) or kind).__name__ == "TypeAliasType"


def _plain(name: str) -> str:
    ascii_name = "".join(letter if letter.isascii() else f"_u{ord(letter):x}" for letter in name)
    return _OTHER.sub("_", ascii_name).strip("_")


def _name(annotation: Any) -> str:
    annotation = unwrapped(annotation)
    if isinstance(annotation, str):
        return annotation
    if annotation is None or annotation is NoneType:
        return "None"
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return "_".join(str(literal_value(value)) for value in arguments)
    if is_union(annotation):
        return "_or_".join(_name(argument) for argument in arguments)
    if origin is not None and arguments:
        return "_".join([_name(origin), *[_name(one) for one in arguments if one is not Ellipsis]])
    return str(getattr(annotation, "__name__", None) or annotation)
