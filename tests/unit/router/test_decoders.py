"""Records that are not JSON: Avro and Protobuf, through `decoder=` to json(), models and patterns."""

from __future__ import annotations

import builtins
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastavro
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.timestamp_pb2 import Timestamp
from pydantic import BaseModel

from router import ConfigurationError, Event, KafkaEvent, Resolver, read
from router.decoders import Avro, Protobuf, Schema
from router.errors import RecordsFailed
from router.guards import JsonSchema
from router.testing import TestClient, samples

FIRST = {
    "type": "record",
    "name": "Order",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "total", "type": {"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": 2}},
        {"name": "placed", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "note", "type": ["null", "string"], "default": None},
    ],
}
SECOND = {**FIRST, "fields": [*FIRST["fields"], {"name": "source", "type": "string", "default": "web"}]}
AT = datetime(2026, 11, 30, 12, tzinfo=UTC)
VALUE = {"id": "o-1", "total": Decimal("123456789012345678.90"), "placed": AT, "note": None}


def avro(value: Any = VALUE, schema: Any = FIRST) -> bytes:
    """A value as Avro."""
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), value)
    return stream.getvalue()


class Order(BaseModel):
    id: str
    total: Decimal
    placed: datetime
    source: str | None = None


@dataclass
class Line:
    sku: str
    count: int
    tags: list[str]


@dataclass
class Priced:
    total: Decimal
    placed: datetime


def taken(decoder: Any, data: bytes, annotation: Any = Event, **options: Any) -> Any:
    """What a handler gets of a record."""
    seen: list[Any] = []
    resolver = Resolver()

    def handle(given: Any) -> None:
        seen.append(given)

    handle.__annotations__["given"] = annotation
    resolver.on_kafka("orders", decoder=decoder)(handle)
    TestClient(resolver).event(samples.kafka("orders", [data], **options))
    return seen[0]


def failure(decoder: Any, data: bytes, **options: Any) -> str:
    """Why a record failed."""
    with pytest.raises(RecordsFailed) as raised:
        taken(decoder, data, Order, **options)
    return str(raised.value)


# ---- schemas on the event ------------------------------------------------------------------------------------------


def test_the_schemas_of_a_record() -> None:
    [event] = read(samples.kafka("orders", ["x"], keys="k", schema=("AVRO", "7"), key_schema=("JSON", "8")))
    assert isinstance(event, KafkaEvent)
    assert event.schema == Schema("AVRO", "7")
    assert event.key_schema == Schema("JSON", "8")
    assert event.key_body == b"k"
    assert len({event.schema, event.key_schema, Schema("AVRO", "7")}) == 2
    [plain] = read(samples.kafka("orders", ["x"]))
    assert isinstance(plain, KafkaEvent)
    assert (plain.schema, plain.key_schema, plain.key_body) == (None, None, None)


@pytest.mark.parametrize("held", [None, "AVRO", [], {}, {"dataFormat": 5, "schemaId": None}, {"schemaId": 7}])
def test_odd_metadata_is_no_error(held: Any) -> None:
    raw = samples.kafka("orders", ["x"])
    raw["records"]["orders-0"][0]["valueSchemaMetadata"] = held
    [event] = read(raw)
    assert isinstance(event, KafkaEvent)
    assert event.schema in (None, Schema("", ""), Schema("", "7"))


def test_without_a_decoder_the_error_says_what_is_missing() -> None:
    resolver = Resolver()
    resolver.on_kafka("orders")(lambda event: event.json())
    with pytest.raises(RecordsFailed, match="its schema is of AVRO: give its route a decoder="):
        TestClient(resolver).event(samples.kafka("orders", [avro()], schema=("AVRO", "7")))


def test_json_that_the_mapping_made_of_it_needs_no_decoder() -> None:
    resolver, seen = Resolver(), []
    resolver.on_kafka("orders")(lambda event: seen.append(event.json()))
    TestClient(resolver).event(samples.kafka("orders", [{"id": 1}], schema=("AVRO", "7")))
    assert seen == [{"id": 1}]


# ---- Avro ----------------------------------------------------------------------------------------------------------


def test_avro_reaches_json_text_and_body() -> None:
    event = taken(Avro(FIRST), avro(), Event, schema=("AVRO", "7"))
    assert event.json()["placed"] == "2026-11-30T12:00:00+00:00"
    assert json.loads(event.text)["id"] == "o-1"
    assert event.body == avro()


def test_avro_reaches_models_with_every_digit() -> None:
    order = taken(Avro(FIRST), avro(), Order)
    assert (order.id, order.total, order.placed) == ("o-1", VALUE["total"], AT)


def test_avro_reaches_dataclasses() -> None:
    fields = [("sku", "string"), ("count", "long"), ("tags", {"type": "array", "items": "string"})]
    schema = {"type": "record", "name": "L", "fields": [{"name": name, "type": kind} for name, kind in fields]}
    line = {"sku": "a", "count": 2**60, "tags": ["x"]}
    assert taken(Avro(schema), avro(line, schema), Line) == Line("a", 2**60, ["x"])
    assert taken(Avro(FIRST), avro(), Priced) == Priced(VALUE["total"], AT)  # type: ignore[arg-type]


@pytest.mark.parametrize("form", ["dict", "text", "path", "name of a file"])
def test_a_schema_may_be(form: str, tmp_path: Path) -> None:
    file = tmp_path / "order.avsc"
    file.write_text(json.dumps(FIRST))
    forms = {"dict": FIRST, "text": json.dumps(FIRST), "path": file, "name of a file": str(file)}
    assert taken(Avro(forms[form]), avro(), Order).id == "o-1"


@pytest.mark.parametrize("as_function", [False, True])
def test_records_of_older_writers_are_resolved(as_function: bool) -> None:
    asked: list[str] = []
    known = {"1": FIRST, "2": json.dumps(SECOND)}

    def look_up(id: str) -> Any:
        asked.append(id)
        return known.get(id)

    decoder = Avro(SECOND, writers=look_up if as_function else known)
    for _ in range(3):
        assert taken(decoder, avro(), Order, schema=("AVRO", "1")).source == "web"
    assert taken(decoder, avro({**VALUE, "source": "app"}, SECOND), Order, schema=("AVRO", "2")).source == "app"
    assert asked == (["1", "2"] if as_function else [])
    assert "the schema '3' is unknown" in failure(decoder, avro(), schema=("AVRO", "3"))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "cannot be decoded: ValueError: it ends too early"),
        (b"\x06o-1", "cannot be decoded: ValueError: it ends too early"),
        (avro() + b"x", "bytes are left over"),
        (b"\x06\xff\xff\xff" + avro(), "cannot be decoded"),
        (b"{}", "cannot be decoded"),
    ],
)
def test_malformed_avro_fails_its_record_with_its_place(data: bytes, said: str) -> None:
    text = failure(Avro(FIRST), data)
    assert "kafka records.orders-0[0].value: " in text
    assert said in text


def test_another_format_fails_its_record() -> None:
    assert "its schema is of PROTOBUF, not AVRO" in failure(Avro(FIRST), avro(), schema=("PROTOBUF", "7"))


def test_a_schema_that_is_none_fails_when_it_is_written_or_read(tmp_path: Path) -> None:
    for wrong in ("{", str(tmp_path / "none.avsc")):
        with pytest.raises(ConfigurationError):
            Avro(wrong)
    with pytest.raises(ConfigurationError, match="writers="):
        Avro(FIRST, writers=[FIRST])  # type: ignore[arg-type]
    assert "Avro: the schema of the application is none" in failure(Avro({"type": "what"}), avro())


# ---- Protobuf ------------------------------------------------------------------------------------------------------


def messages() -> dict[str, Any]:
    """Message classes as protoc would make them."""
    file = descriptor_pb2.FileDescriptorProto(name="shop.proto", package="shop", syntax="proto3")
    file.dependency.append("google/protobuf/timestamp.proto")
    kind = descriptor_pb2.FieldDescriptorProto
    other = file.message_type.add(name="Other")
    other.field.add(name="id", number=1, type=kind.TYPE_STRING, label=kind.LABEL_OPTIONAL)
    order = file.message_type.add(name="Order")
    line = order.nested_type.add(name="Line")
    line.field.add(name="sku", number=1, type=kind.TYPE_STRING, label=kind.LABEL_OPTIONAL)
    line.field.add(name="count", number=2, type=kind.TYPE_INT64, label=kind.LABEL_OPTIONAL)
    line.field.add(name="tags", number=3, type=kind.TYPE_STRING, label=kind.LABEL_REPEATED)
    entry = order.nested_type.add(name="NotesEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=kind.TYPE_STRING, label=kind.LABEL_OPTIONAL)
    entry.field.add(name="value", number=2, type=kind.TYPE_INT64, label=kind.LABEL_OPTIONAL)
    state = order.enum_type.add(name="State")
    state.value.add(name="NEW", number=0)
    state.value.add(name="PAID", number=1)
    add = order.field.add
    add(name="order_id", number=1, type=kind.TYPE_STRING, label=kind.LABEL_OPTIONAL)
    add(name="total", number=2, type=kind.TYPE_INT64, label=kind.LABEL_OPTIONAL)
    add(name="lines", number=3, type=kind.TYPE_MESSAGE, type_name=".shop.Order.Line", label=kind.LABEL_REPEATED)
    add(name="notes", number=4, type=kind.TYPE_MESSAGE, type_name=".shop.Order.NotesEntry", label=kind.LABEL_REPEATED)
    add(name="state", number=5, type=kind.TYPE_ENUM, type_name=".shop.Order.State", label=kind.LABEL_OPTIONAL)
    add(name="at", number=6, type=kind.TYPE_MESSAGE, type_name=".google.protobuf.Timestamp", label=kind.LABEL_OPTIONAL)
    add(name="blob", number=7, type=kind.TYPE_BYTES, label=kind.LABEL_OPTIONAL)
    add(name="first", number=8, type=kind.TYPE_MESSAGE, type_name=".shop.Order.Line", label=kind.LABEL_OPTIONAL)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(Timestamp.DESCRIPTOR.file.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    names = ("Other", "Order", "Order.Line")
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"shop.{name}")) for name in names}


MESSAGES = messages()


def order_message() -> Any:
    message = MESSAGES["Order"](order_id="o-1", total=2**60, state=1, blob=b"\xff")
    message.lines.add(sku="a", count=2, tags=["x", "y"])
    message.notes["gift"] = 5
    message.at.FromSeconds(1_764_504_000)
    return message


def test_protobuf_reaches_json_with_the_names_of_the_file_and_whole_numbers() -> None:
    event = taken(Protobuf(MESSAGES["Order"]), order_message().SerializeToString())
    assert event.json() == {
        "order_id": "o-1",
        "total": 2**60,
        "lines": [{"sku": "a", "count": 2, "tags": ["x", "y"]}],
        "notes": {"gift": 5},
        "state": "PAID",
        "at": "2025-11-30T12:00:00Z",
        "blob": "/w==",
    }


def test_fields_without_a_value_have_their_default() -> None:
    event = taken(Protobuf(MESSAGES["Order"]), b"")
    assert event.json() == {"order_id": "", "total": 0, "lines": [], "notes": {}, "state": "NEW", "blob": ""}


def test_protobuf_reaches_models() -> None:
    line = MESSAGES["Order.Line"](sku="a", count=2**60)
    assert taken(Protobuf(MESSAGES["Order.Line"]), line.SerializeToString(), Line) == Line("a", 2**60, [])


@pytest.mark.parametrize(
    ("name", "before"),
    [("Other", b"\x00"), ("Other", b"\x02\x00"), ("Order", b"\x02\x02"), ("Order.Line", b"\x04\x02\x00")],
)
def test_what_confluents_client_writes_in_front_is_taken_off(name: str, before: bytes) -> None:
    field = {"Other": "id", "Order": "order_id", "Order.Line": "sku"}[name]
    data = before + MESSAGES[name](**{field: "o-1"}).SerializeToString()
    assert taken(Protobuf(MESSAGES[name]), data, schema=("PROTOBUF", "42")).json()[field] == "o-1"
    others = [MESSAGES[other] for other in MESSAGES if other != name]
    for other in others:
        assert "another message of the file" in failure(Protobuf(other), data, schema=("PROTOBUF", "42"))


def test_what_glues_client_writes_in_front_is_taken_off() -> None:
    data = b"\x01" + MESSAGES["Other"](id="o-1").SerializeToString()
    glue = ("PROTOBUF", "b1ee0b9c-1111-2222-3333-444444444444")
    assert taken(Protobuf(MESSAGES["Other"]), data, schema=glue).json() == {"id": "o-1"}


@pytest.mark.parametrize("data", [b"", b"\xff", b"\xff" * 12, b"\x02"])
def test_a_message_that_ends_in_what_stands_in_front(data: bytes) -> None:
    assert "cannot be decoded" in failure(Protobuf(MESSAGES["Order"]), data, schema=("PROTOBUF", "42"))


def test_malformed_protobuf_fails_its_record_and_quotes_nothing() -> None:
    assert "cannot be decoded: DecodeError" in failure(Protobuf(MESSAGES["Order"]), b"\x0a\xffsecret")
    assert "secret" not in failure(Protobuf(MESSAGES["Order"]), b"\x0a\xffsecret")


@pytest.mark.parametrize("wrong", [object, dict, "Order", None])
def test_what_is_no_message_class_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="message class"):
        Protobuf(wrong)


# ---- routes --------------------------------------------------------------------------------------------------------


def test_a_pattern_and_a_json_schema_look_at_what_was_decoded() -> None:
    resolver, seen = Resolver(), []
    decoder = Avro(FIRST)
    resolver.on_kafka("orders", decoder=decoder, pattern={"body": {"id": ["o-2"]}})(lambda event: seen.append("two"))

    @resolver.on_kafka("orders", decoder=decoder, middleware=[JsonSchema({"required": ["id"]})])
    def other(event: Event) -> None:
        seen.append(event.json()["id"])

    TestClient(resolver).event(samples.kafka("orders", [avro(), avro({**VALUE, "id": "o-2"})]))
    assert seen == ["o-1", "two"]


def test_a_tombstone_is_not_decoded() -> None:
    resolver, seen = Resolver(), []

    @resolver.on_kafka("orders", decoder=Avro(FIRST))
    def handle(event: Event, order: Order | None) -> None:
        seen.append((event.json(), order, event.body))

    TestClient(resolver).event(samples.kafka("orders", [None]))
    assert seen == [(None, None, b"")]


def test_any_function_may_decode() -> None:
    def reversed_text(data: bytes, schema: Schema | None) -> Any:
        return {"text": data.decode()[::-1], "schema": None if schema is None else schema.id}

    assert taken(reversed_text, b"cba", schema=("AVRO", "7")).json() == {"text": "abc", "schema": "7"}
    assert "cannot be decoded: UnicodeDecodeError" in failure(reversed_text, b"\xff")
    assert "cannot be written as JSON" in failure(lambda data, schema: object(), b"x")


def test_one_bad_record_fails_alone_and_its_partition_stops_there() -> None:
    resolver, seen = Resolver(), []
    resolver.on_kafka("orders", decoder=Avro(FIRST), partial=True)(lambda event: seen.append(event.json()["id"]))
    answer = TestClient(resolver).event(samples.kafka("orders", [avro(), b"\x00", avro()]))
    assert answer == {"batchItemFailures": [{"itemIdentifier": {"partition": "orders-0", "offset": 16}}]}
    assert seen == ["o-1"]


def test_batches_and_async_handlers() -> None:
    resolver = Resolver()
    seen: list[Any] = []

    @resolver.on_kafka("orders", decoder=Avro(FIRST), batch=True)
    async def handle(events: list[KafkaEvent]) -> None:
        seen.extend(event.json()["id"] for event in events)

    TestClient(resolver).event(samples.kafka("orders", [avro(), avro()]))
    assert seen == ["o-1", "o-1"]


def test_each_topic_has_its_own() -> None:
    resolver = Resolver()
    seen: list[Any] = []
    resolver.on_kafka("orders", decoder=Avro(FIRST))(lambda event: seen.append(event.json()["id"]))
    resolver.on_kafka("*")(lambda event: seen.append(event.json()))
    client = TestClient(resolver)
    client.event(samples.kafka("orders", [avro()]))
    client.event(samples.kafka("plain", [{"id": 1}]))
    assert seen == ["o-1", {"id": 1}]


@pytest.mark.parametrize("options", [{"decoder": Avro}, {"decoder": "avro"}, {"queue": 1}, {"queue": None}])
def test_options_of_another_kind_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        Resolver().on_kafka("orders", **options)(lambda event: None)


@pytest.mark.parametrize("options", [{"decoder": Avro(FIRST)}, {"queue": True}])
def test_routes_of_one_topic_agree_and_other_sources_have_no_such_option(options: dict[str, Any]) -> None:
    resolver = Resolver()
    resolver.on_kafka("orders", pattern={"body": {"id": [1]}}, **options)(lambda event: None)
    with pytest.raises(ConfigurationError, match="all routes of a topic"):
        resolver.on_kafka("orders")(lambda event: None)
    with pytest.raises(ConfigurationError, match="Kafka"):
        resolver.on("sqs", "orders", **options)(lambda event: None)


@pytest.mark.parametrize(("make", "extra"), [(lambda: Avro(FIRST), "avro"), (lambda: Protobuf(dict), "protobuf")])
def test_without_the_library_the_error_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[], Any], extra: str
) -> None:
    monkeypatch.setattr("router.decoders.find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match=rf"lambda-junction\[{extra}\]"):
        make()


def test_neither_library_is_imported_before_a_record_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    original = builtins.__import__

    def noted(name: str, *args: Any, **kwargs: Any) -> Any:
        asked.append(name)
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", noted)
    Avro(FIRST)
    Protobuf(MESSAGES["Order"])
    assert not [name for name in asked if name.startswith(("fastavro", "google.protobuf"))]


def test_what_is_no_schema_of_avro_is_said_with_the_first_record() -> None:
    with pytest.raises(ConfigurationError, match=r"Avro: the schema of the application is none: UnknownType: .*recor"):
        Avro({"type": "recor", "name": "order", "fields": []})(b"", None)
    decoder = Avro('"string"', writers={"42": {"type": "record"}})
    with pytest.raises(ConfigurationError, match=r"Avro: the schema .42. is none"):
        decoder(b"\x02a", Schema("AVRO", "42"))
