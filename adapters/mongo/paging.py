"""Paging by key: the documents after another one, in an order, as a filter. No page costs more than the first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf, isnan

from adapters._core.page_tokens import seal, unseal
from adapters.mongo.document_errors import SERVICE, InvalidFilter, InvalidPageToken, InvalidRequest
from adapters.mongo.filters import checked_field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    Order: TypeAlias = list[tuple[str, int]]

_PURPOSE = b"junction.mongo.page.v1"


def order_of(sort: str | Iterable[str] | None, rename: Callable[[str], str]) -> Order:
    """Return the order as the driver takes it: `"-placed"` is descending. Raises InvalidFilter."""
    names = () if sort is None else (sort,) if isinstance(sort, str) else sort
    if isinstance(names, Mapping) or not isinstance(names, Iterable):
        raise InvalidFilter("sort: give a field, or a list of them; '-placed' is descending")
    order: Order = []
    for name in names:
        if not isinstance(name, str):
            raise InvalidFilter(f"sort: names of fields are text, not {type(name).__name__}")
        field = rename(checked_field(name.removeprefix("-")))
        if any(field == known for known, _ in order):
            raise InvalidFilter(f"sort: {field} is named twice")
        order.append((field, -1 if name.startswith("-") else 1))
    return order


def with_id(order: Order) -> Order:
    """Return the order with `_id` at its end, so that no two documents are equal in it."""
    return order if any(field == "_id" for field, _ in order) else [*order, ("_id", 1)]


def after(order: Order, values: list[Any]) -> dict[str, Any]:
    """Return the filter for what comes after a document with these values.

    A field that is missing counts as None, which sorts before everything, and NaN before all numbers; comparisons of
    MongoDB leave both out, and values of other types than theirs (comparison and sort order, MongoDB manual).
    """
    ways: list[dict[str, Any]] = []
    same: list[dict[str, Any]] = []
    for (field, direction), value in zip(order, values, strict=True):
        ways += [{"$and": [*same, way]} if same else way for way in _beyond(field, direction, value)]
        same.append({field: {"$eq": value}})
    return {"$or": ways}


# Written without a NaN, at which FerretDB drops the connection.
_NAN = {"$type": "number", "$not": {"$gte": -inf}}


def _beyond(field: str, direction: int, value: Any) -> list[dict[str, Any]]:
    if value is None:
        return [{field: {"$ne": None}}] if direction > 0 else []
    if isinstance(value, float) and isnan(value):
        return [{field: {"$gte": -inf}}] if direction > 0 else [{field: {"$eq": None}}]
    if direction > 0:
        return [{field: {"$gt": value}}]
    less = [{field: {"$lt": value}}, {field: {"$eq": None}}]
    return [*less, {field: _NAN}] if isinstance(value, int | float) else less


class DocumentPages:
    """Makes and reads the page tokens of one selection.

    A token holds the values of the last document in the fields of the order, and a check over all that the selection is
    about: cluster, database, collection, filter, order.
    """

    __slots__ = ("_collection", "_order", "_scope", "_secret")

    def __init__(self, collection: str, scope: Mapping[str, Any], order: Order, secret: bytes) -> None:
        self._collection = collection
        self._order = order
        about = {**scope, "collection": collection, "order": [list(one) for one in order]}
        self._scope = _PURPOSE + _bytes(collection, about)
        self._secret = secret

    def token(self, document: Mapping[str, Any]) -> str:
        """Return the token of the page that begins after a document."""
        values = [_value(document, field) for field, _ in self._order]
        for (field, _), value in zip(self._order, values, strict=True):
            if isinstance(value, list):
                raise InvalidRequest(
                    f"{self._collection}: the order goes by {field}, which holds a list", service=SERVICE
                )
        return seal(_bytes(self._collection, {"v": values}), self._secret, self._scope)

    def filter(self, token: str) -> dict[str, Any]:
        """Return the filter for what comes after. Raises InvalidPageToken."""
        payload = unseal(token, self._secret, self._scope)
        if payload is None:
            raise self._refused()
        import bson
        from bson.errors import BSONError

        try:
            values = bson.decode(payload, _codec_options()).get("v")
        except (BSONError, ValueError):
            raise self._refused() from None
        if type(values) is not list or len(values) != len(self._order):
            raise self._refused()
        return after(self._order, values)

    def _refused(self) -> InvalidPageToken:
        detail = "the page token was altered, or is of another list"
        return InvalidPageToken(f"{self._collection}: {detail}", resource=self._collection)


def _codec_options() -> Any:
    from bson.binary import UuidRepresentation
    from bson.codec_options import CodecOptions

    # Decimal128 is left as it is: it goes back into a filter.
    return CodecOptions(tz_aware=True, uuid_representation=UuidRepresentation.STANDARD)


def _bytes(collection: str, values: Mapping[str, Any]) -> bytes:
    import bson
    from bson.errors import BSONError

    from adapters.mongo.documents import plain

    try:
        return bson.encode(plain(values), codec_options=_codec_options())
    except (BSONError, OverflowError):
        raise InvalidRequest(
            f"{collection}: the list cannot be paged: a value is not of a type that is stored"
        ) from None


def _value(document: Mapping[str, Any], path: str) -> Any:
    """Return the value at a path of plain fields; None where there is none, as in sorting."""
    held: Any = document
    for part in path.split("."):
        held = held.get(part) if isinstance(held, dict) else held if isinstance(held, list) else None
    return held
