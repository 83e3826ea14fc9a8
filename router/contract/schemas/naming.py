"""Name components, so that each name is one in OpenAPI, in AsyncAPI and, nearly, in programming languages."""

from __future__ import annotations

import re
import typing
from types import NoneType
from typing import Any

from router.convert.introspect import literal_value, unwrapped
from router.convert.kinds import is_union

_OTHER = re.compile(r"[^A-Za-z0-9_.]+")


def name_of_component(annotation: Any) -> str:
    """Return the name of a class, `Page_Order` for `Page[Order]`."""
    return _plain(_name(annotation))


def qualified(annotation: Any) -> str:
    """Return the name with the module in front: `shop_billing_Order`."""
    kind = typing.get_origin(annotation) or annotation
    outer = getattr(kind, "__qualname__", "").rpartition(".")[0].replace("<locals>.", "").replace("<locals>", "")
    return _plain("_".join(part for part in (kind.__module__, outer, _name(annotation)) if part)).replace(".", "_")


def _plain(name: str) -> str:
    ascii_name = "".join(letter if letter.isascii() else f"_u{ord(letter):x}" for letter in name)
    return _OTHER.sub("_", ascii_name).strip("_")


def _name(annotation: Any) -> str:
    annotation = unwrapped(annotation)
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
