"""Instances as documents and documents as instances, for the repositories.

The field `id` of a class is `_id` in the database, and so is one whose pydantic alias, or whose name, is `_id`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from adapters._codec.codec import Codec, Dialect
from adapters._codec.fields import Unstorable, checked_text, stored_names
from adapters._codec.scalar_readers import from_number, from_text
from adapters.mongo.bson_values import again, decoded, encode, encode_fields, is_decimal128, is_object_id
from adapters.mongo.document_errors import InvalidDocument, InvalidId, InvalidRequest, UnreadableDocument
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")


def plain(value: Any, place: str = "") -> Any:
    """Return a value as BSON can hold it, for documents, filters and updates. place: the field, for the error.

    Raises InvalidDocument, naming the place and never the value. What is given is not changed.
    """
    try:
        return encode(value)
    except Unstorable as error:
        raise _invalid(error, place) from None
    except RecursionError:
        raise _invalid(Unstorable("is nested too deeply"), place) from None


def document_of(value: Any) -> dict[str, Any]:
    """Return a mapping, a dataclass or a pydantic model as a document. Raises InvalidDocument, naming the field."""
    if not isinstance(value, Mapping) and (isinstance(value, type) or stored_names(type(value)) is None):
        raise InvalidDocument(f"a document is a mapping, a dataclass or a pydantic model, not a {type(value).__name__}")
    document = plain(value)
    return document if type(document) is dict else dict(document)  # bson's own mappings stay what they are in `plain`


def _invalid(error: Unstorable, place: str) -> InvalidDocument:
    error.way.append(place)
    return InvalidDocument(str(error) if place or error.way[:-1] else f"the value {error}")


class Documents:
    """Stores and reads the documents of one repository.

    model: dict, or a dataclass or pydantic model. ids: "objectid" or "str". id_field: the field that is `_id` in the
    database, None for a class without one. names: the fields of the class, None for dict.
    """

    __slots__ = ("_codec", "id_field", "ids", "model", "names")

    def __init__(self, model: Any = dict, ids: str = "objectid") -> None:
        if ids not in ("objectid", "str"):
            raise ConfigurationError(f"ids={ids!r}: the ids of documents are 'objectid' or 'str'")
        self.model = model
        self.ids = ids
        self._codec = None if _is_dict(model) else Codec(model, DIALECT)
        self.names = None if self._codec is None else self._codec.names
        self.id_field = "_id" if self.names is None else _id_field(model, self.names)

    def write(self, instance: Any) -> dict[str, Any]:
        """Return the document of an instance, with `_id` where the instance has one.

        Raises InvalidDocument or InvalidId.
        """
        if self._codec is None:
            document = document_of(instance)
        elif isinstance(instance, getattr(self.model, "__origin__", self.model)):
            document = self._codec.write(instance)
        else:
            raise InvalidDocument(
                f"{self._codec.kind.__name__}: an instance is expected, not {type(instance).__name__}"
            )
        # A pydantic model without a field for the id may have it among the fields that it takes in addition.
        held = document.pop(self.id_field or "_id", None)
        document.pop("_id", None)
        return document if held is None else {"_id": self.id_of(held), **document}

    def read(self, document: Mapping[str, Any]) -> Any:
        """Return the instance of a document. What the class does not have is left out. Raises UnreadableDocument."""
        return document if self._codec is None else self._codec.read(self._by_field(document))

    def read_back(self, document: Mapping[str, Any]) -> Any:
        """Return the instance of a document that `write` made, as a later read gives it. Raises UnreadableDocument."""
        return self.read(decoded(document))

    def read_some(self, document: Mapping[str, Any], whole: frozenset[str]) -> dict[str, Any]:
        """Return some fields of a document. whole: those that are there as a whole, and so get the field's type."""
        if self._codec is None:
            return dict(document)
        fields = {name: held for name, held in self._by_field(document).items() if name in self._codec.names}
        return self._codec.read_some(fields, whole)

    def plain(self, value: Any, field: str) -> Any:
        """Return a value of a field, or of a path in it, as BSON can hold it. Raises InvalidDocument."""
        return plain(value, field if self._codec is None else f"{self._codec.kind.__name__}.{field}")

    def checked(self, field: str, value: Any) -> Any:
        """Return a new value for a field, validated where the class is a pydantic model. Raises InvalidRequest."""
        return value if self._codec is None or field not in self._codec.names else self._codec.checked(field, value)

    def id_of(self, value: Any) -> Any:
        """Return a given id as it is stored.

        Raises InvalidId, which says what is expected and never repeats the value.
        """
        return _object_id(value) if self.ids == "objectid" else _text_id(value)

    def new_id(self) -> Any:
        """Return an id that no document has yet."""
        if self.ids == "objectid":
            from bson import ObjectId

            return ObjectId()
        from uuid import uuid4

        return uuid4().hex

    def _by_field(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a document under the names of the class."""
        if self.id_field in (None, "_id") or "_id" not in document:
            return document
        fields = dict(document)
        fields[self.id_field] = fields.pop("_id")
        return fields


def _is_dict(model: Any) -> bool:
    kind = getattr(model, "__origin__", model)
    return isinstance(kind, type) and issubclass(kind, dict)


def _id_field(kind: Any, names: tuple[str, ...]) -> str | None:
    for name, field in getattr(kind, "model_fields", {}).items():
        aliases = field.alias, field.serialization_alias, *getattr(field.validation_alias, "choices", ())
        if "_id" in (*aliases, field.validation_alias):
            return str(name)
    return next((name for name in ("_id", "id") if name in names), None)


# ---- ids --------------------------------------------------------------------------------------------------------


def _object_id(value: Any) -> Any:
    if is_object_id(value):
        return value
    # bytes.fromhex, by which ObjectId reads text, would also take blanks.
    if isinstance(value, str) and len(value) == 24 and _HEX_DIGITS.issuperset(value):
        from bson import ObjectId

        return ObjectId(value)
    raise InvalidId("an id of 24 hexadecimal digits is expected")


def _text_id(value: Any) -> str:
    text = str(value) if isinstance(value, UUID) else value
    if not isinstance(text, str) or not text:
        raise InvalidId("an id that is a text, and not empty, is expected")
    try:
        return checked_text(str.__str__(text))
    except Unstorable:
        raise InvalidId("an id that has a UTF-8 form is expected") from None


# ---- values that other programs store otherwise ---------------------------------------------------------------------


def _usual_text(value: Any) -> Any:
    """Return the text of an ObjectId, such as a reference that the class calls a str."""
    return str(value) if type(value) is not str and is_object_id(value) else value


def _usual_integer(value: Any) -> Any:
    """Return a plain int of bson's Int64, and of the whole doubles that JavaScript stores."""
    if type(value) is int or isinstance(value, bool):
        return value
    return int(value) if isinstance(value, int) or (isinstance(value, float) and value.is_integer()) else value


def _usual_float(value: Any) -> Any:
    if type(value) is float:
        return value
    value = _usual_decimal(value)
    return float(value) if isinstance(value, Decimal) else value


def _usual_decimal(value: Any) -> Any:
    if isinstance(value, Decimal | bool):
        return value
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, float):
        return Decimal(float.__repr__(value))  # the shortest digits that give the same float again
    return value.to_decimal() if is_decimal128(value) else value


def _usual_uuid(value: Any) -> Any:
    """Return a UUID of its text, as ids and keys are."""
    if not isinstance(value, str):
        return value
    try:
        return UUID(value)
    except ValueError:
        return value


def _usual_date(value: Any) -> Any:
    """Return the text of a day that was stored as the moment of its beginning: BSON has no dates."""
    if isinstance(value, datetime) and value.time() == time.min:
        return value.date().isoformat()
    return value


DIALECT = Dialect(
    encode=encode_fields,
    again=again,
    readers={
        date: from_text(date.fromisoformat, "the text of a date"),
        time: from_text(time.fromisoformat, "the text of a time"),
        timedelta: from_number(lambda seconds: timedelta(seconds=seconds), "a number of seconds", (int, float)),
        bytearray: bytearray,
    },
    usual={
        str: _usual_text,
        int: _usual_integer,
        float: _usual_float,
        Decimal: _usual_decimal,
        UUID: _usual_uuid,
        date: _usual_date,
    },
    unstorable=InvalidDocument,
    unreadable=UnreadableDocument,
    refused=InvalidRequest,
)
