"""Decoders of records that are not JSON: Avro (extra `avro`) and Protobuf (extra `protobuf`).

    @resolver.on_kafka("orders", decoder=Avro("order.avsc"))
    def ordered(order: Order): ...

A decoder is a function of the record's bytes and its `Schema`; anything else that takes both may be one. Neither
library is imported before the first record comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from importlib.util import find_spec
from io import BytesIO
from os import PathLike
from pathlib import Path

import orjson

from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    class Decoder(Protocol):
        """Turns the bytes of a record into plain values.

        schema: what the event source mapping says of the record's schema; None where it says nothing.
        """

        def __call__(self, data: bytes, schema: Schema | None, /) -> Any: ...


class Schema:
    """The schema of a record's key or value, as the event source mapping found it in its registry.

    format: AVRO, JSON or PROTOBUF. It is that of the record in the topic, also where the mapping delivers JSON.
    id: its id in the registry: a UUID in Glue's, a number in Confluent's.
    """

    __slots__ = ("format", "id")

    def __init__(self, format: str, id: str) -> None:
        self.format = format
        self.id = id

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Schema):
            return NotImplemented
        return (self.format, self.id) == (other.format, other.id)

    def __hash__(self) -> int:
        return hash((self.format, self.id))

    def __repr__(self) -> str:
        return f"Schema({self.format!r}, {self.id!r})"


class Avro:
    """Read records of Avro, as the application knows them. Decimals become text, so that no digit is lost.

    schema: a schema as a dict or list, its JSON, or the path of a file that holds it.
    writers: the schemas that records were written with, by their id in the registry; or a function of the id, which is
        asked once for each. A record is then read as it was written, and resolved to `schema`. Without it each record
        is read as `schema`.

    Raises:
        ConfigurationError: fastavro is missing, or a schema is not JSON. Whether it is one of Avro shows with the first
            record: nothing imports the library before.
    """

    def __init__(self, schema: Any, *, writers: Mapping[str, Any] | Callable[[str], Any] | None = None) -> None:
        if not _is_installed("fastavro"):
            raise ConfigurationError('Avro needs fastavro: pip install "lambda-junction[avro]"')
        self._schema = _loaded(schema)
        if isinstance(writers, Mapping):
            writers = {str(id): _loaded(held) for id, held in writers.items()}
        elif writers is not None and not callable(writers):
            raise ConfigurationError(f"Avro(writers=...): give a mapping or a function, not {type(writers).__name__}")
        self._writers = writers
        self._parsed: dict[str, Any] = {}  # by id; that of the application has none

    @property
    def schema(self) -> Any:
        """Return the schema of the application, as plain data."""
        return self._schema

    def __call__(self, data: bytes, schema: Schema | None) -> Any:
        """Return the value of a record.

        Raises:
            ValueError: nothing is known of its schema, it is of another format, or bytes are left over.
        """
        from fastavro import schemaless_reader

        _check_format(schema, "AVRO")
        reader, id = self._schema_of(""), "" if schema is None else schema.id
        writer = reader if self._writers is None or not id else self._schema_of(id)
        stream = BytesIO(data)
        try:
            value = schemaless_reader(stream, writer, None if writer is reader else reader)
        except (EOFError, IndexError):
            raise ValueError("it ends too early: it was cut short, or written with another schema") from None
        if stream.read(1):
            raise ValueError("bytes are left over: it was written with another schema")
        return _exact(value)

    def _schema_of(self, id: str) -> Any:
        """Return a schema as the library needs it, parsed once."""
        parsed = self._parsed.get(id)
        if parsed is None:
            from fastavro import parse_schema
            from fastavro.schema import SchemaParseException, UnknownType

            written = self._written(id) if id else self._schema
            try:
                self._parsed[id] = parsed = parse_schema(written)
            except (SchemaParseException, UnknownType, TypeError, KeyError, AttributeError) as error:
                what = f"the schema {id!r:.80}" if id else "the schema of the application"
                raise ConfigurationError(f"Avro: {what} is none: {type(error).__name__}: {error}") from None
        return parsed

    def _written(self, id: str) -> Any:
        found = self._writers.get(id) if isinstance(self._writers, Mapping) else self._writers and self._writers(id)
        if found is None:
            raise ValueError(f"the schema {id!r:.80} is unknown")
        return _loaded(found)


class Protobuf:
    """Read records of Protobuf, as a message class that `protoc` made.

    message: the class. Fields without a value have the default of their type, as the application would see them; those
        that tell whether they were set (`optional`, messages, `oneof`) are left out.

    Raises:
        ConfigurationError: protobuf is missing, or it is no message class.
    """

    def __init__(self, message: type) -> None:
        if not _is_installed("google.protobuf"):
            raise ConfigurationError('Protobuf needs protobuf: pip install "lambda-junction[protobuf]"')
        if not hasattr(message, "DESCRIPTOR") or not hasattr(message, "ParseFromString"):
            raise ConfigurationError(f"Protobuf({message!r:.80}): give a message class that protoc made")
        self._message: Any = message
        self._place = _place_in_file(self._message.DESCRIPTOR)

    @property
    def message(self) -> Any:
        """Return the message class."""
        return self._message

    def __call__(self, data: bytes, schema: Schema | None) -> Any:
        """Return the value of a record.

        Raises:
            ValueError: it is of another format or message, or malformed.
        """
        _check_format(schema, "PROTOBUF")
        message = self._message()
        message.ParseFromString(data if schema is None or not schema.id else self._without_place(data, schema))
        return _values(message)

    def _without_place(self, data: bytes, schema: Schema) -> bytes:
        """Return a message without what a registry's client writes in front: which one it is of those in the file."""
        first, position = _varint(data, 0)
        if not schema.id.isdigit():
            return data[position:]  # Glue's client: one number, for all messages of the file
        place = []
        for _ in range(_unzigzagged(first)):
            step, position = _varint(data, position)
            place.append(_unzigzagged(step))
        if (place or [0]) != self._place:  # nothing stands for the first message
            raise ValueError("it is another message of the file")
        return data[position:]


def _is_installed(name: str) -> bool:
    """Whether a module can be imported, without doing so."""
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # of the package that it is in
        return False


def _check_format(schema: Schema | None, wanted: str) -> None:
    if schema is not None and schema.format and schema.format.upper() != wanted:
        raise ValueError(f"its schema is of {schema.format}, not {wanted}")


def _loaded(given: Any) -> Any:
    """Return a schema of Avro that may stand in a file, or be JSON."""
    where = "Avro(...)"
    try:
        if isinstance(given, PathLike) or (isinstance(given, str) and given.endswith((".avsc", ".json"))):
            where = f"Avro({str(given)!r:.200})"
            given = Path(given).read_bytes()
        return orjson.loads(given) if isinstance(given, str | bytes) else given
    except OSError as error:
        raise ConfigurationError(f"{where}: {error.strerror}") from None
    except orjson.JSONDecodeError as error:
        raise ConfigurationError(f"{where}: the schema is not JSON: {error}") from None


def _exact(value: Any) -> Any:
    """Return a value with decimals as text: as numbers of JSON they would lose digits on the way to a model."""
    if isinstance(value, dict):
        return {key: _exact(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(held) for held in value]
    return str(value) if isinstance(value, Decimal) else value


# ---- Protobuf ------------------------------------------------------------------------------------------------------


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """Return a number of variable length, and where it ends."""
    value = shift = 0
    while position < len(data) and shift < 64:
        byte = data[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position
        shift += 7
    raise ValueError("it ends within a number")


def _unzigzagged(value: int) -> int:
    return (value >> 1) ^ -(value & 1)


def _place_in_file(descriptor: Any) -> list[int]:
    """Return the place of a message in its file: `[1]` for the second, `[0, 2]` for the third inside of the first."""
    parent = descriptor.containing_type
    siblings = descriptor.file.message_types_by_name.values() if parent is None else parent.nested_types
    at = [one.full_name for one in siblings].index(descriptor.full_name)
    return [at] if parent is None else [*_place_in_file(parent), at]


def _values(message: Any) -> Any:
    """Return a message as plain values, with the names of the file; integers of 64 bits stay numbers."""
    descriptor = message.DESCRIPTOR
    if descriptor.full_name.startswith("google.protobuf."):  # times, durations and the like have a JSON of their own
        from google.protobuf.json_format import MessageToDict

        return MessageToDict(message)
    return {
        field.name: _value(field, getattr(message, field.name))
        for field in descriptor.fields
        if not field.has_presence or message.HasField(field.name)
    }


def _value(field: Any, held: Any) -> Any:
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        of = kind.fields_by_name["value"]
        return {str(key): _one(of, value) for key, value in held.items()}
    is_many = hasattr(held, "append") or (kind is not None and hasattr(held, "add"))
    return [_one(field, one) for one in held] if is_many else _one(field, held)


def _one(field: Any, value: Any) -> Any:
    if field.message_type is not None:
        return _values(value)
    if field.enum_type is not None:
        named = field.enum_type.values_by_number.get(value)
        return value if named is None else named.name
    return value
