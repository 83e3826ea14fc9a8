"""Tells what an annotation is for, without compiling it: a model, many values, none at all."""

from __future__ import annotations

from collections.abc import Collection
from types import NoneType, UnionType

from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def is_pydantic(kind: type) -> bool:
    """Whether a class is a pydantic model, told without importing pydantic."""
    return hasattr(kind, "model_validate") and hasattr(kind, "model_fields")


def is_model(annotation: Any) -> bool:
    """Whether it is a dataclass or a pydantic model, also of a generic one: Page[Order]."""
    base = getattr(annotation, "__origin__", annotation)
    return isinstance(base, type) and (hasattr(base, "__dataclass_fields__") or is_pydantic(base))


def holds_model(annotation: Any) -> bool:
    """Whether it is a model or is made of one: `Order | None`, `list[Order]`."""
    if hasattr(annotation, "__metadata__"):
        return holds_model(annotation.__origin__)
    for inner in ("__supertype__", "__value__"):  # of NewType, of `type X = ...`
        if hasattr(annotation, inner):
            return holds_model(getattr(annotation, inner))
    return is_model(annotation) or any(holds_model(member) for member in getattr(annotation, "__args__", ()))


def wants_many(annotation: Any) -> bool:
    """Whether text for it comes as a list of strings: a list, set or tuple, also within a union or Annotated."""
    if hasattr(annotation, "__metadata__"):
        return wants_many(annotation.__origin__)
    for inner in ("__supertype__", "__value__"):
        if hasattr(annotation, inner):
            return wants_many(getattr(annotation, inner))
    origin = getattr(annotation, "__origin__", annotation)
    if isinstance(origin, type) and issubclass(origin, Collection):
        return not issubclass(origin, str | bytes)
    return any(wants_many(member) for member in getattr(annotation, "__args__", ()))


def takes_text(annotation: Any) -> bool:
    """Whether an empty text may be a value of it: a str, alone, in a union, as an item or as a choice."""
    if hasattr(annotation, "__metadata__"):
        return takes_text(annotation.__origin__)
    for inner in ("__supertype__", "__value__"):
        if hasattr(annotation, inner):
            return takes_text(getattr(annotation, inner))
    if annotation in (str, object, "") or repr(annotation) == "typing.Any":
        return True
    if isinstance(annotation, type) and hasattr(annotation, "__members__"):  # an Enum
        return "" in [member.value for member in annotation]  # type: ignore[attr-defined]
    return any(takes_text(member) for member in getattr(annotation, "__args__", ()))


def is_union(annotation: Any) -> bool:
    """Whether it is `A | B`, `Optional[A]` or `Union[A, B]`."""
    return isinstance(annotation, UnionType) or str(getattr(annotation, "__origin__", "")) == "typing.Union"


def takes_none(annotation: Any) -> bool:
    """Whether it is a union with None."""
    if hasattr(annotation, "__metadata__"):
        return takes_none(annotation.__origin__)
    return is_union(annotation) and NoneType in annotation.__args__


def plain(annotation: Any) -> Any:
    """Return an annotation without Annotated and without `| None`."""
    while hasattr(annotation, "__metadata__"):
        annotation = annotation.__origin__
    if is_union(annotation) and len(annotation.__args__) == 2 and NoneType in annotation.__args__:
        first, second = annotation.__args__
        return plain(second if first is NoneType else first)
    return annotation


def alias_of(annotation: Any) -> str | None:
    """Return the name on the wire that Annotated gives a value: `Query(alias=...)`, pydantic's `Field(alias=...)`.

    Raises ConfigurationError for an alias that is not one name, and for a default in a `Field`.
    """
    if not hasattr(annotation, "__metadata__"):
        return None
    alias = alias_of(annotation.__origin__)
    for extra in annotation.__metadata__:
        if isinstance(extra, type):
            continue  # Query of Query[int]
        if hasattr(extra, "is_required") and not extra.is_required():
            raise ConfigurationError("a default inside Field(...) is not used; write it after the annotation")
        alias = getattr(extra, "validation_alias", None) or getattr(extra, "alias", None) or alias
    if alias is not None and not isinstance(alias, str):
        raise ConfigurationError(f"{alias!r} is not the name of one parameter")
    return alias


def wire_name(where: str, name: str, alias: str | None) -> str:
    """Return the name on the wire of an argument or field."""
    if alias is not None:
        return alias
    return name.replace("_", "-") if where == "header" else name
