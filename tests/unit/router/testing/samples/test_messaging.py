"""Messages of queues, topics and brokers, read back with the data classes of aws-lambda-powertools."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from typing import Any

from aws_lambda_powertools.utilities import data_classes
from aws_lambda_powertools.utilities.data_classes.active_mq_event import ActiveMQEvent
from aws_lambda_powertools.utilities.data_classes.rabbit_mq_event import RabbitMQEvent

from router.testing import samples

SESSION = {"tenant": "acme", "user": "alice"}
SESSION_TEXT = '{"tenant":"acme","user":"alice"}'


def test_sqs_messages_read_back() -> None:
    attributes = {"kind": "new", "count": 3, "ratio": Decimal("0.50"), "blob": b"\x00\xff", "tags": ["a", 1]}
    payload = samples.sqs("orders", ["text", b"bytes", {"id": 1}], attributes=attributes, receive_count=4)
    first, second, third = data_classes.SQSEvent(payload).records
    assert (first.body, second.body, third.json_body) == ("text", "bytes", {"id": 1})
    assert first.md5_of_body == hashlib.md5(b"text").hexdigest()
    assert first.attributes.approximate_receive_count == "4"
    assert (first.queue_url, first.aws_region) == (
        "https://sqs.us-east-1.amazonaws.com/123456789012/orders",
        "us-east-1",
    )
    assert len({first.message_id, second.message_id, third.message_id}) == 3
    typed = {name: (each["dataType"], each.get("stringValue")) for name, each in _attributes(payload).items()}
    assert typed == {
        "kind": ("String", "new"),
        "count": ("Number", "3"),
        "ratio": ("Number", "0.50"),
        "blob": ("Binary", None),
        "tags": ("String.Array", '["a",1]'),
    }
    assert _attributes(payload)["blob"]["binaryValue"] == "AP8="


def _attributes(payload: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = payload["Records"][0]["messageAttributes"]
    return found


def test_sqs_checksum_of_attributes_is_the_published_one() -> None:
    record = samples.sqs_record("orders", "hi", attributes={"someattr": "someval"})
    assert record["md5OfMessageAttributes"] == "1e4b169c724503f3886d943e5bbe88e5"  # as SQS answered it
    assert "md5OfMessageAttributes" not in samples.sqs_record("orders", "hi")


def test_a_redelivered_message_keeps_its_id_and_equal_messages_differ() -> None:
    once, again = (samples.sqs_record("orders", "a", receive_count=count) for count in (1, 2))
    assert once["messageId"] == again["messageId"]
    assert once["receiptHandle"] != again["receiptHandle"]
    twins = samples.sqs("orders", ["a", "a"])["Records"]
    assert twins[0]["messageId"] != twins[1]["messageId"]
    assert samples.sqs("orders", ["a"], message_ids=["m-1"])["Records"][0]["messageId"] == "m-1"


def test_fifo_messages_have_groups_and_rising_sequence_numbers() -> None:
    records = samples.sqs("orders.fifo", ["a", "b", "c"], group=["x", "y", "x"])["Records"]
    assert [each["attributes"]["MessageGroupId"] for each in records] == ["x", "y", "x"]
    numbers = [int(each["attributes"]["SequenceNumber"]) for each in records]
    assert numbers == sorted(set(numbers))
    assert samples.sqs("orders.fifo", ["a"])["Records"][0]["attributes"]["MessageGroupId"] == "default"
    assert "MessageGroupId" not in samples.sqs("orders", ["a"])["Records"][0]["attributes"]


def test_sessions_are_put_where_each_source_carries_them() -> None:
    given = dict(SESSION)
    detail = {"id": 1, "metadata": {"trace": "t"}}
    assert _attributes(samples.sqs("q", ["a"], session=given))["session"]["stringValue"] == SESSION_TEXT
    assert _attributes(samples.sqs("q", ["a"], session="v1.signed"))["session"]["stringValue"] == "v1.signed"
    notice = samples.sns("t", ["a"], session=given)["Records"][0]["Sns"]
    assert notice["MessageAttributes"]["session"] == {"Type": "String", "Value": SESSION_TEXT}
    envelope = json.loads(samples.sns_in_sqs("t", ["a"], session=given)["Records"][0]["body"])
    assert envelope["MessageAttributes"]["session"]["Value"] == SESSION_TEXT
    raw = samples.sns_in_sqs("t", ["a"], session=given, raw=True)
    assert _attributes(raw)["session"]["stringValue"] == SESSION_TEXT
    metadata = samples.eventbridge("Placed", detail, session=given)["detail"]["metadata"]
    assert metadata == {"trace": "t", "session": SESSION}
    assert samples.invoke("rebuild", {"id": 1}, session=given)["session"] == SESSION
    assert samples.task("nightly", session=given)["SESSION"] == SESSION_TEXT
    assert samples.task("nightly", session="v1.signed")["SESSION"] == "v1.signed"
    assert (given, detail) == (SESSION, {"id": 1, "metadata": {"trace": "t"}})


def test_sns_notifications_read_back_directly_and_through_a_queue() -> None:
    attributes = {"kind": "new", "blob": b"\xff"}
    record = next(data_classes.SNSEvent(samples.sns("t", [{"id": 1}], subject="s", attributes=attributes)).records)
    assert (record.sns.message, record.sns.subject) == ('{"id":1}', "s")
    assert record.sns.topic_arn == "arn:aws:sns:us-east-1:123456789012:t"
    assert {name: (each.get_type, each.value) for name, each in record.sns.message_attributes.items()} == {
        "kind": ("String", "new"),
        "blob": ("Binary", "/w=="),
    }
    assert record.sns.signing_cert_url.startswith("https://sns.us-east-1.amazonaws.com/")
    queued = next(data_classes.SQSEvent(samples.sns_in_sqs("t", [{"id": 1}], queue="q", subject="s")).records)
    assert queued.event_source_arn.endswith(":q")
    envelope = queued.decoded_nested_sns_event
    assert (envelope.message, envelope.subject) == ('{"id":1}', "s")
    assert queued.json_body.keys() >= {"SigningCertURL", "UnsubscribeURL"}  # not spelt as in a Lambda event
    bare = samples.sns_in_sqs("t", ["a"])["Records"][0]
    assert json.loads(bare["body"]).keys().isdisjoint({"Subject", "MessageAttributes"})


def test_brokers_read_back() -> None:
    record = data_classes.KafkaEvent(
        samples.kafka("orders", [{"id": 1}], keys=["k"], headers={"kind": "né"}, partition=2)
    ).record
    assert (record.topic, record.partition, record.json_value) == ("orders", 2, {"id": 1})
    assert record.decoded_key == b"k"
    assert record.headers == [{"kind": [110, -61, -87]}]  # Java's bytes are signed
    assert record.decoded_headers["kind"] == "né".encode()
    assert "value" not in samples.kafka("orders", [None])["records"]["orders-0"][0]
    text, blob = ActiveMQEvent(samples.activemq("orders", [{"id": 1}, b"\xff"], properties={"a": "b"})).messages
    assert (text.message_type, text.json_data, text.destination_physicalname) == (
        "jms/text-message",
        {"id": 1},
        "orders",
    )
    assert (blob.message_type, blob.data) == ("jms/bytes-message", "/w==")
    rabbit = RabbitMQEvent(samples.rabbitmq("orders", [{"id": 1}], headers={"n": 1, "kind": "new"}))
    message = rabbit.rmq_messages_by_queue["orders::/"][0]
    assert (message.json_data, message.basic_properties.body_size) == ({"id": 1}, 8)
    assert message.basic_properties.headers == {"n": 1, "kind": {"bytes": [110, 101, 119]}}
    assert message.basic_properties.timestamp == "May 1, 2024, 12:00:00 PM"


def test_more_than_ten_attributes_are_fine_without_raw_delivery() -> None:
    many = {f"a{number}": "x" for number in range(12)}
    assert len(_attributes(samples.sqs("orders", ["a"], attributes=many))) == 12
