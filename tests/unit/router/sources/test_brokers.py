"""Kafka, ActiveMQ, RabbitMQ and DocumentDB as events."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest
from aws_lambda_powertools.utilities.data_classes import KafkaEvent
from aws_lambda_powertools.utilities.data_classes.active_mq_event import ActiveMQEvent
from aws_lambda_powertools.utilities.data_classes.rabbit_mq_event import RabbitMQEvent
from hypothesis import given
from hypothesis import strategies as st

from router.errors import InvalidEvent
from router.event import Source
from router.resolver import Resolver
from router.session import Session
from router.session_policy import SessionPolicy
from router.sources import brokers, kafka
from router.sources._registry import ROWS
from router.testing import samples
from tests.unit.router.sources.payload_cases import FUZZ, mutations, real
from tests.unit.router.sources.record_cases import agree_with_labels, one, read, stays_within_our_errors

NOON = datetime(2024, 5, 4, 12, tzinfo=UTC)
SOURCES = (Source.KAFKA, Source.ACTIVEMQ, Source.RABBITMQ, Source.DOCUMENTDB)
PAYLOADS = {
    Source.KAFKA: [samples.kafka("orders", [{"a": 1}, None], keys=["k", "l"], headers={"h": b"\xff", "i": "x"})],
    Source.ACTIVEMQ: [samples.activemq("orders", ["a", b"\xff"], properties={"p": "v"})],
    Source.RABBITMQ: [samples.rabbitmq("orders", ["a", {"b": 1}], headers={"h": "v", "n": 1})],
    Source.DOCUMENTDB: [samples.documentdb("orders", [{"a": 1}], operation="update")],
}


def test_every_real_payload_is_read_as_its_label_says() -> None:
    agree_with_labels(*SOURCES)


def test_real_payloads_agree_with_powertools() -> None:
    for file, raw, _ in real(Source.KAFKA):
        event, theirs = one(Source.KAFKA, raw), next(KafkaEvent(raw).records)
        assert (event.body, event.json()) == (theirs.decoded_value, theirs.json_value), file
        assert theirs.decoded_key is not None
        assert event.partition_key == theirs.decoded_key.decode(), file
        assert dict(event.headers) == {name: value.decode() for name, value in theirs.decoded_headers.items()}, file
    for file, raw, _ in real(Source.ACTIVEMQ):
        for event, message in zip(read(Source.ACTIVEMQ, raw), ActiveMQEvent(raw).messages, strict=True):
            assert event.id == message.message_id, file
            assert event.name == message.destination_physicalname, file
            if message.message_type == "jms/text-message":
                assert event.text == message.decoded_data, file
    for file, raw, _ in real(Source.RABBITMQ):
        (messages,) = RabbitMQEvent(raw).rmq_messages_by_queue.values()
        assert one(Source.RABBITMQ, raw).text == messages[0].decoded_data, file


def test_the_call_succeeds_or_fails_as_a_whole() -> None:
    assert [ROWS[source].kind for source in SOURCES] == ["ordered", "notify", "notify", "notify"]


# ---- Kafka ---------------------------------------------------------------------------------------------------------


def test_a_kafka_record_has_the_fields_of_a_message() -> None:
    raw = samples.kafka("order-events", [{"id": 1}], keys="k1", headers={"trace": "abc"}, partition=3, timestamp=NOON)
    event = one(Source.KAFKA, raw)
    assert (event.name, event.id) == ("order-events", "order-events-3-15")
    assert (event.json(), event.partition_key) == ({"id": 1}, "k1")
    assert event.attributes == {"trace": "abc"}
    assert event.headers["TRACE"] == "abc"
    assert event.timestamp == NOON
    assert kafka.ordering_key(event) == "order-events-3"


def test_records_of_all_partitions_are_read_in_order() -> None:
    first, second = samples.kafka("a-b", ["1", "2"]), samples.kafka("a-b", ["3"], partition=1)
    raw = {**first, "records": {**first["records"], **second["records"]}}
    events = read(Source.KAFKA, raw)
    assert [(event.id, event.text) for event in events] == [("a-b-0-15", "1"), ("a-b-0-16", "2"), ("a-b-1-15", "3")]
    assert len(events[0].records) == 3


def test_a_tombstone_is_a_record_without_content() -> None:
    absent, null = samples.kafka("orders", [None]), samples.kafka("orders", [None])
    null["records"]["orders-0"][0]["value"] = None
    for raw in (absent, null):
        event = one(Source.KAFKA, raw)
        assert (event.body, event.text, event.json()) == (b"", "", None)


def test_keys_and_headers_are_text_where_they_can_be() -> None:
    raw = samples.kafka("orders", ["a"], headers={"text": "grün", "bytes": b"\xff\x00"})
    record = raw["records"]["orders-0"][0]
    record["headers"] += [{"text": [50]}, {"none": None}]
    record["key"] = "/w=="
    event = one(Source.KAFKA, raw)
    assert event.partition_key == b"\xff"
    assert event.attributes == {"text": "2", "bytes": b"\xff\x00", "none": None}
    assert event.headers.getall("text") == ["grün", "2"]
    assert "bytes" not in event.headers
    assert one(Source.KAFKA, samples.kafka("orders", ["a"])).partition_key is None


def test_a_kafka_record_without_headers_has_none() -> None:
    raw = samples.kafka("orders", ["a"])
    raw["records"]["orders-0"][0]["headers"] = None
    assert one(Source.KAFKA, raw).attributes == {}


def test_a_kafka_header_carries_a_session() -> None:
    raw = samples.kafka("orders", ["a"], headers={"session": '{"tenant":"t1"}', "other": "x"})
    event = one(Source.KAFKA, raw)
    assert event.session == Session("t1")
    assert event.correlation_id == event.id
    assert one(Source.KAFKA, samples.kafka("orders", ["a"])).session == Session()


def test_no_topics_are_no_events() -> None:
    assert read(Source.KAFKA, {"eventSource": "aws:kafka", "records": {}}) == []


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"topic": None}, "name", "topic: must be text, not null or missing"),
        ({"offset": "1"}, "id", "offset: must be a whole number, not text"),
        ({"partition": True}, "id", "partition: must be a whole number, not true or false"),
        ({"value": "?"}, "body", "value: not valid base64"),
        ({"key": 5}, "partition_key", "key: must be text, not a whole number"),
        ({"headers": {}}, "attributes", "headers: must be a list, not an object"),
        ({"headers": ["x"]}, "attributes", "headers[0]: must be an object, not text"),
        ({"headers": [{}, {"h": "x"}]}, "headers", "headers[1].h: must be a list of bytes, not text"),
        ({"headers": [{"session": [256]}]}, "session", "headers[0].session: holds what is no byte"),
        ({"headers": [{"h": [1.5]}]}, "attributes", "headers[0].h: holds what is no byte"),
    ],
)
def test_a_malformed_part_of_a_kafka_record_is_named(changes: dict[str, Any], field: str, message: str) -> None:
    raw = samples.kafka("orders", ["a", "b"])
    raw["records"]["orders-0"][1].update(changes)
    good, bad = read(Source.KAFKA, raw)
    getattr(good, field)
    with pytest.raises(InvalidEvent) as caught:
        getattr(bad, field)
    assert str(caught.value).startswith(f"kafka records.orders-0[1].{message}")


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([], "kafka records: must be an object, not a list"),
        ({"orders-0": {}}, "kafka records.orders-0: must be a list, not an object"),
        ({"orders-0": [{}, 5]}, "kafka records.orders-0[1]: must be an object, not a whole number"),
    ],
)
def test_records_that_are_no_records_fail_the_call(records: Any, message: str) -> None:
    with pytest.raises(InvalidEvent) as caught:
        read(Source.KAFKA, {"eventSource": "aws:kafka", "records": records})
    assert str(caught.value) == message


# ---- ActiveMQ ------------------------------------------------------------------------------------------------------


def test_an_activemq_message_has_the_fields_of_a_message() -> None:
    raw = samples.activemq("orders", ["hello", b"\xff\x00"], properties={"kind": "book"}, timestamp=NOON)
    text, data = read(Source.ACTIVEMQ, raw)
    assert (text.name, text.text, text.attributes) == ("orders", "hello", {"kind": "book"})
    assert (data.body, data.attempt) == (b"\xff\x00", 1)
    assert text.timestamp == NOON
    assert text.id == raw["messages"][0]["messageID"] != data.id
    assert brokers.ordering_key(text) is None


def test_a_message_that_came_before_is_another_attempt() -> None:
    assert one(Source.ACTIVEMQ, samples.activemq("orders", ["a"], redelivered=True)).attempt == 2
    assert one(Source.RABBITMQ, samples.rabbitmq("orders", ["a"], redelivered=True)).attempt == 2


def test_a_property_carries_a_session() -> None:
    raw = samples.activemq("orders", ["a"], properties={"session": '{"tenant":"t1","correlation_id":"c1"}'})
    event = one(Source.ACTIVEMQ, raw)
    assert event.session.tenant == "t1"
    assert event.correlation_id == "c1"


def test_the_correlation_id_of_the_broker_counts_where_the_session_has_none() -> None:
    active, rabbit = samples.activemq("orders", ["a"]), samples.rabbitmq("orders", ["a"])
    assert one(Source.ACTIVEMQ, active).correlation_id == active["messages"][0]["messageID"]
    active["messages"][0]["correlationId"] = "c2"
    rabbit["rmqMessagesByQueue"]["orders::/"][0]["basicProperties"]["correlationId"] = "c3"
    assert one(Source.ACTIVEMQ, active).correlation_id == "c2"
    assert one(Source.RABBITMQ, rabbit).correlation_id == "c3"


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"destination": "orders"}, "name", "destination.physicalName: must be text, not null or missing"),
        ({"messageID": []}, "id", "messageID: must be text, not a list"),
        ({"data": "?"}, "text", "data: not valid base64"),
        ({"properties": "x"}, "attributes", "properties: must be an object, not text"),
    ],
)
def test_a_malformed_part_of_an_activemq_message_is_named(changes: dict[str, Any], field: str, message: str) -> None:
    raw = samples.activemq("orders", ["a"])
    raw["messages"][0].update(changes)
    with pytest.raises(InvalidEvent) as caught:
        getattr(one(Source.ACTIVEMQ, raw), field)
    assert str(caught.value).startswith(f"activemq messages[0].{message}")


def test_messages_that_are_no_list_fail_the_call() -> None:
    with pytest.raises(InvalidEvent, match=r"^activemq messages: must be a list, not null or missing$"):
        read(Source.ACTIVEMQ, {"eventSource": "aws:amq"})


def test_a_message_without_properties_has_no_attributes() -> None:
    raw = samples.activemq("orders", ["a"])
    raw["messages"][0]["properties"] = None
    assert one(Source.ACTIVEMQ, raw).attributes == {}


# ---- RabbitMQ ------------------------------------------------------------------------------------------------------


def rabbit(properties: dict[str, Any] | None = None, **changes: Any) -> Any:
    raw = samples.rabbitmq("orders", ["a"], virtual_host="/eu", timestamp=NOON)
    message = raw["rmqMessagesByQueue"]["orders::/eu"][0]
    message["basicProperties"].update(properties or {})
    message.update(changes)
    return raw


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def test_a_rabbitmq_message_has_the_fields_of_a_message() -> None:
    raw = samples.rabbitmq("orders", [{"id": 1}], headers={"kind": "büro", "raw": b"\xff", "count": 3}, timestamp=NOON)
    event = one(Source.RABBITMQ, raw)
    assert (event.name, event.json()) == ("orders", {"id": 1})
    assert event.attributes == {"kind": "büro", "raw": b"\xff", "count": 3}
    assert event.timestamp == NOON
    assert brokers.ordering_key(event) is None


def test_the_queue_is_named_without_its_virtual_host() -> None:
    assert one(Source.RABBITMQ, rabbit()).name == "orders"


def test_text_inside_tables_and_lists_of_headers_is_decoded() -> None:
    death = [{"queue": {"bytes": [111, 107]}, "count": 2, "routing-keys": [{"bytes": [107]}]}]
    assert one(Source.RABBITMQ, rabbit({"headers": {"x-death": death}})).attributes == {
        "x-death": [{"queue": "ok", "count": 2, "routing-keys": ["k"]}]
    }


def test_a_header_carries_a_session() -> None:
    raw = samples.rabbitmq("orders", ["a"], headers={"session": '{"tenant":"t1"}'})
    assert one(Source.RABBITMQ, raw).session == Session("t1")
    assert one(Source.RABBITMQ, rabbit({"headers": None})).session == Session()


def test_the_message_id_is_the_id_when_the_publisher_gave_one() -> None:
    assert one(Source.RABBITMQ, rabbit({"messageId": "m-1"})).id == "m-1"


def test_without_a_message_id_the_id_is_stable_and_tells_messages_apart() -> None:
    raw = samples.rabbitmq("orders", ["a", "a", "b"])
    ids = [event.id for event in read(Source.RABBITMQ, raw)]
    assert len(set(ids)) == 3
    assert ids == [event.id for event in read(Source.RABBITMQ, copy.deepcopy(raw))]
    assert ids[0] != one(Source.RABBITMQ, samples.rabbitmq("orders", ["a"], timestamp=NOON)).id


def test_properties_that_are_nested_without_end_give_no_id() -> None:
    with pytest.raises(InvalidEvent, match=r"\.basicProperties: nested too deep$"):
        _ = one(Source.RABBITMQ, rabbit({"headers": deep(1_000_000)})).id


@pytest.mark.parametrize(
    ("headers", "attempt"),
    [({"x-delivery-count": 3}, 4), ({"x-delivery-count": -1}, 1), ({"x-delivery-count": "3"}, 1)],
)
def test_a_quorum_queue_counts_its_deliveries(headers: dict[str, Any], attempt: int) -> None:
    assert one(Source.RABBITMQ, rabbit({"headers": headers})).attempt == attempt


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Jan 1, 1970, 12:33:41 AM", datetime(1970, 1, 1, 0, 33, 41, tzinfo=UTC)),
        ("Dec 31, 2024, 12:00:00 PM", datetime(2024, 12, 31, 12, tzinfo=UTC)),
        ("Feb 29, 2024, 1:02:03\u202fPM", datetime(2024, 2, 29, 13, 2, 3, tzinfo=UTC)),
        ("Feb 30, 2024, 1:02:03 PM", None),
        ("Foo 1, 2024, 1:02:03 PM", None),
        ("2024-01-01", None),
        (1714564800, None),
        (None, None),
    ],
)
def test_the_time_of_a_message_is_read_as_java_writes_it(text: Any, moment: datetime | None) -> None:
    assert one(Source.RABBITMQ, rabbit({"timestamp": text})).timestamp == moment


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ([], "basicProperties.headers: must be an object, not a list"),
        ({"h": {"bytes": "x"}}, "basicProperties.headers.h.bytes: must be a list of bytes, not text"),
        ({"h": [{"bytes": [999]}]}, "basicProperties.headers.h[0].bytes: holds what is no byte"),
        ({"h": deep(900)}, "basicProperties.headers.h[0][0]"),
    ],
)
def test_malformed_headers_are_named(headers: Any, message: str) -> None:
    with pytest.raises(InvalidEvent) as caught:
        _ = one(Source.RABBITMQ, rabbit({"headers": headers})).attributes
    assert str(caught.value).startswith(f"rabbitmq rmqMessagesByQueue.orders::/eu[0].{message}")
    assert len(str(caught.value)) < 400


def test_malformed_data_of_a_rabbitmq_message_is_named() -> None:
    with pytest.raises(InvalidEvent, match=r"\.data: not valid base64"):
        _ = one(Source.RABBITMQ, rabbit(data="?")).body


# ---- DocumentDB ----------------------------------------------------------------------------------------------------


def test_a_change_of_a_collection_has_its_documents() -> None:
    raw = samples.documentdb("books", [{"_id": {"$oid": "65"}, "title": "x"}], operation="update", timestamp=NOON)
    raw["events"][0]["event"]["fullDocumentBeforeChange"] = {"title": "w"}
    event = one(Source.DOCUMENTDB, raw)
    assert (event.name, event.change) == ("orders.books", "update")
    assert event.keys == {"_id": {"$oid": "65"}}
    assert (event.old, event.new) == ({"title": "w"}, {"_id": {"$oid": "65"}, "title": "x"})
    assert event.json() == event.new
    assert event.text == '{"_id":{"$oid":"65"},"title":"x"}'
    assert event.timestamp == NOON
    assert event.id == raw["events"][0]["event"]["_id"]["_data"]
    assert event.record is raw["events"][0]
    assert brokers.ordering_key(event) == "orders.books"


def test_what_was_deleted_is_shown_as_it_was() -> None:
    raw = samples.documentdb("books", [{"_id": 1, "title": "x"}], operation="delete")
    event = one(Source.DOCUMENTDB, raw)
    assert (event.new, event.old, event.json()) == (None, None, None)
    raw["events"][0]["event"]["fullDocumentBeforeChange"] = {"_id": 1}
    assert one(Source.DOCUMENTDB, raw).json() == {"_id": 1}


def test_a_change_of_a_whole_database_has_its_name() -> None:
    raw = samples.documentdb("books", [{}], database="shop")
    raw["events"][0]["event"].update({"ns": {"db": "shop"}, "operationType": "dropDatabase"})
    assert one(Source.DOCUMENTDB, raw).name == "shop.*"


def test_the_session_can_stand_in_the_document() -> None:
    event = one(Source.DOCUMENTDB, samples.documentdb("books", [{"session": {"tenant": "t1"}}]))
    event._policy = SessionPolicy(body_field="session")
    assert event.session.tenant == "t1"


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"ns": None}, "name", "event.ns.db: must be text, not null or missing"),
        ({"_id": "x"}, "id", "event._id._data: must be text, not null or missing"),
        ({"operationType": 1}, "change", "event.operationType: must be text, not a whole number"),
        ({"fullDocument": "x"}, "new", "event.fullDocument: must be an object, not text"),
        ({"documentKey": 1.5}, "keys", "event.documentKey: must be an object, not a number"),
    ],
)
def test_a_malformed_part_of_a_change_is_named(changes: dict[str, Any], field: str, message: str) -> None:
    raw = samples.documentdb("books", [{}])
    raw["events"][0]["event"].update(changes)
    with pytest.raises(InvalidEvent) as caught:
        getattr(one(Source.DOCUMENTDB, raw), field)
    assert str(caught.value) == f"documentdb events[0].{message}"


@pytest.mark.parametrize("seconds", [None, "x", True, float("nan"), 10**30])
def test_an_unreadable_cluster_time_is_unknown(seconds: Any) -> None:
    raw = samples.documentdb("books", [{}])
    raw["events"][0]["event"]["clusterTime"] = {"$timestamp": {"t": seconds, "i": 1}}
    assert one(Source.DOCUMENTDB, raw).timestamp is None


# ---- anything else -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", SOURCES)
@FUZZ
@given(data=st.data())
def test_mutations_raise_our_errors_alone(source: Source, data: st.DataObject) -> None:
    raw = data.draw(mutations([*PAYLOADS[source], *(raw for _, raw, _ in real(source))]))
    stays_within_our_errors(source, raw, data)


def test_an_invalidate_of_documentdb_is_an_event_like_the_others() -> None:
    raw = samples.documentdb("books", [{}], database="shop")
    change = raw["events"][0]["event"]
    raw["events"][0]["event"] = {
        "_id": change["_id"],
        "clusterTime": change["clusterTime"],
        "operationType": "invalidate",
    }
    event = one(Source.DOCUMENTDB, raw)
    assert (event.name, event.change, event.keys, event.json()) == ("*.*", "invalidate", None, None)
    called: list[str] = []
    resolver = Resolver()
    resolver.on(Source.DOCUMENTDB, "shop.books")(lambda event: called.append("books"))
    resolver.on(Source.DOCUMENTDB, "shop.*")(lambda event: called.append("shop"))
    resolver.on(Source.DOCUMENTDB)(lambda event: called.append("any"))
    resolver.resolve(raw)
    change.update({"ns": {"db": "shop"}, "operationType": "dropDatabase"})
    raw["events"][0]["event"] = change
    resolver.resolve(raw)
    resolver.resolve(samples.documentdb("books", [{}], database="shop"))
    resolver.resolve(samples.documentdb("books", [{}], database="other"))
    assert called == ["any", "shop", "books", "any"]


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"n": 123456789012345678901234567890}', {"n": 123456789012345678901234567890}),
        (b'{"n": 1.5, "m": 18446744073709551615}', {"n": 1.5, "m": 18446744073709551615}),
        (b'\xef\xbb\xbf{"n": 1}', {"n": 1}),
        (b"5", 5),
        (b"null", None),
        (b'"' + b"x" * 2000 + b'"', "x" * 2000),
    ],
)
def test_json_of_kafka_is_exact_whatever_its_length(body: bytes, value: Any) -> None:
    event = one(Source.KAFKA, samples.kafka("orders", [body]))
    assert event.json() == value
    assert event.body == body


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"a": "\\ud800"}', b"[" * 300 + b"]" * 300])
def test_json_of_kafka_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidEvent):
        one(Source.KAFKA, samples.kafka("orders", [body])).json()
