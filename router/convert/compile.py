"""Compiles an annotation, when a route is registered, into a function of a value and the place it came from.

Plain types are in `scalars`; what holds other values (lists, unions, classes) in `annotations`, limits in `limits`.
Those two are loaded when a signature asks for them; with `annotations` comes `typing`, which a cold start would notice.
"""

from __future__ import annotations

from types import GenericAlias, NoneType

from router.convert.kinds import is_union
from router.convert.scalars import plain_converter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.convert.scalars import Converter


def compile_converter(annotation: Any, *, text: bool) -> Converter:
    """Return a function (value, where) -> value of the annotation's type; it raises UnprocessableContent alone.

    text: values are strings (a list of strings for list, set and tuple); else they are parsed JSON, taken strictly.
    Raises ConfigurationError, naming the annotation, for what cannot be converted.
    """
    if isinstance(annotation, type):
        plain = plain_converter(annotation, text)
        if plain is not None:
            return plain
    metadata = getattr(annotation, "__metadata__", ())
    if metadata and all(hasattr(extra, "__router_place__") for extra in metadata):
        # Markers alone take less to read than the words of pydantic.
        convert = compile_converter(annotation.__origin__, text=text)
        if all(isinstance(extra, type) for extra in metadata):
            return convert  # Query[int]
        from router.convert.limits import checked

        return checked(convert, metadata, annotation.__origin__)
    common = _common(annotation, text)
    if common is not None:
        return common
    from router.convert.annotations import compile_annotation

    return compile_annotation(annotation, text)


def _common(annotation: Any, text: bool) -> Converter | None:
    """Return the converter of `int | None` or `list[int]`, of plain types; None for another annotation."""
    if is_union(annotation):
        kinds = [kind for kind in annotation.__args__ if kind is not NoneType]
        convert = _plain(kinds[0], text) if len(kinds) == 1 else None
        if convert is None or text:  # a request has no null: an absent parameter never comes here
            return convert
        from router.convert.containers import or_null

        return or_null(convert)
    if type(annotation) is GenericAlias and annotation.__origin__ in (list, set, frozenset):
        item = _plain(annotation.__args__[0], text)
        if item is not None:
            from router.convert.containers import sequence

            return sequence(item, annotation.__origin__, text)
    return None


def _plain(annotation: Any, text: bool) -> Converter | None:
    return plain_converter(annotation, text) if isinstance(annotation, type) else None
