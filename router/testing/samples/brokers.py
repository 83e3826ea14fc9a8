"""Messages of brokers: Kafka (Amazon MSK and self-managed), ActiveMQ, RabbitMQ."""

from __future__ import annotations

from router.testing.samples._common import (
    ACCOUNT,
    REGION,
    arn,
    as_base64,
    as_bytes,
    epoch_millis,
    hex_id,
    items,
    moment,
    month_name,
    one_each,
    uuid_id,
)

__all__ = ["activemq", "kafka", "rabbitmq"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from typing import Any


def kafka(
    topic: str,
    messages: Sequence[Any],
    *,
    self_managed: bool = False,
    keys: str | Sequence[str] | None = None,
    headers: Mapping[str, str | bytes] | None = None,
    partition: int = 0,
    offset: int = 15,
    cluster: str = "orders",
    region: str = REGION,
    account: str = ACCOUNT,
    timestamp: datetime | None = None,
    schema: tuple[str, str] | None = None,
    key_schema: tuple[str, str] | None = None,
) -> dict[str, Any]:
    """Messages of one partition of a Kafka topic. `None` among `messages` is a tombstone: a record without a value.

    schema, key_schema: format and id, as a mapping with a schema registry adds them: `("AVRO", "42")`.
    """
    batch = items(messages, "messages")
    each_key = [None] * len(batch) if keys is None else one_each(keys, len(batch), "keys")
    records = []
    for index, message in enumerate(batch):
        record: dict[str, Any] = {
            "topic": topic,
            "partition": partition,
            "offset": offset + index,
            "timestamp": epoch_millis(moment(timestamp)) + index,
            "timestampType": "CREATE_TIME",
            "headers": [{name: _signed(value)} for name, value in (headers or {}).items()],
        }
        if (key := each_key[index]) is not None:
            record["key"] = as_base64(key, "key")
        if message is not None:
            record["value"] = as_base64(message, "message")
        for name, found in (("keySchemaMetadata", key_schema), ("valueSchemaMetadata", schema)):
            if found is not None:
                record[name] = {"dataFormat": found[0], "schemaId": found[1]}
        records.append(record)
    host = f"{cluster}.{hex_id(6, 'kafka', account)}.c2.kafka.{region}.amazonaws.com"
    payload: dict[str, Any] = {
        "eventSource": "aws:SelfManagedKafka" if self_managed else "aws:kafka",
        "bootstrapServers": f"b-1.{host}:9092,b-2.{host}:9092",
        "records": {f"{topic}-{partition}": records},
    }
    if not self_managed:
        cluster_id = f"cluster/{cluster}/{uuid_id('kafka', cluster)}-2"
        payload["eventSourceArn"] = arn("kafka", region, account, cluster_id)
    return payload


def _signed(value: str | bytes) -> list[int]:
    """A header value as the poller writes it: Java bytes, which run from -128 to 127."""
    return [byte - 256 if byte > 127 else byte for byte in as_bytes(value, "header")]


def activemq(
    queue: str,
    messages: Sequence[Any],
    *,
    properties: Mapping[str, str] | None = None,
    redelivered: bool = False,
    broker: str = "orders",
    region: str = REGION,
    account: str = ACCOUNT,
    timestamp: datetime | None = None,
) -> dict[str, Any]:
    """Messages of an ActiveMQ queue: bytes come as a JMS bytes message, all else as a text message."""
    sent = epoch_millis(moment(timestamp))
    broker_id = f"b-{uuid_id('activemq', broker)}"
    return {
        "eventSource": "aws:amq",
        "eventSourceArn": arn("mq", region, account, f"broker:{broker}:{broker_id}"),
        "messages": [
            {
                "messageID": f"ID:{broker_id}-1.mq.{region}.amazonaws.com-37557-{sent}-4:1:1:1:{index + 1}",
                "messageType": "jms/bytes-message" if isinstance(message, bytes | bytearray) else "jms/text-message",
                "deliveryMode": 1,
                "replyTo": None,
                "type": None,
                "expiration": "60000",
                "priority": 1,
                "correlationId": None,
                "connectionId": hex_id(12, "connection", broker),
                "redelivered": redelivered,
                "destination": {"physicalName": queue},
                "data": as_base64(message, "message"),
                "timestamp": sent,
                "brokerInTime": sent,
                "brokerOutTime": sent + 1,
                "properties": dict(properties or {}),
            }
            for index, message in enumerate(items(messages, "messages"))
        ],
    }


def rabbitmq(
    queue: str,
    messages: Sequence[Any],
    *,
    headers: Mapping[str, str | bytes | int] | None = None,
    redelivered: bool = False,
    virtual_host: str = "/",
    broker: str = "orders",
    region: str = REGION,
    account: str = ACCOUNT,
    timestamp: datetime | None = None,
) -> dict[str, Any]:
    """Messages of a RabbitMQ queue in one virtual host."""
    at = moment(timestamp)
    clock = f"{at.hour % 12 or 12}:{at:%M:%S} {'AM' if at.hour < 12 else 'PM'}"
    properties = {
        "contentEncoding": None,
        "deliveryMode": 2,
        "priority": 0,
        "correlationId": None,
        "replyTo": None,
        "expiration": None,
        "messageId": None,
        "timestamp": f"{month_name(at)} {at.day}, {at.year}, {clock}",
        "type": None,
        "userId": "orders",
        "appId": None,
        "clusterId": None,
    }
    named = {
        name: value if isinstance(value, int) else {"bytes": _signed(value)} for name, value in (headers or {}).items()
    }
    return {
        "eventSource": "aws:rmq",
        "eventSourceArn": arn("mq", region, account, f"broker:{broker}:b-{uuid_id('rabbitmq', broker)}"),
        "rmqMessagesByQueue": {
            f"{queue}::{virtual_host}": [
                {
                    "basicProperties": {
                        **properties,
                        "contentType": "text/plain" if isinstance(message, str | bytes) else "application/json",
                        "headers": named,
                        "bodySize": len(as_bytes(message, "message")),
                    },
                    "redelivered": redelivered,
                    "data": as_base64(message, "message"),
                }
                for message in items(messages, "messages")
            ]
        },
    }


SAMPLES: Mapping[str, Callable[[], Any]] = {
    "kafka": lambda: kafka("orders", [{"id": 1}, {"id": 2}], keys=["1", "2"], headers={"kind": "new"}),
    "activemq": lambda: activemq("orders", [{"id": 1}, {"id": 2}], properties={"kind": "new"}),
    "rabbitmq": lambda: rabbitmq("orders", [{"id": 1}, {"id": 2}], headers={"kind": "new"}),
}
