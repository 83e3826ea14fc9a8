"""Queues, topics, tables, streams, buckets, buses and secrets: encrypted, and kept when the stack goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.contract.declarations import DAY_S, Bucket, Bus, Queue, Secret, Stream, Table, Topic
from router.contract.names import arn, physical
from router.contract.sam.document import attribute, called_arn, function_id, literal, resource_id, sub
from router.event import Source

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from router.contract.declarations import Resource
    from router.contract.model import Part, Trigger
    from router.contract.sam.document import Document

_KEPT = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
_DEAD_KEPT_S = 14 * DAY_S


def add_resources(document: Document) -> None:
    """Add all resources that the stack makes."""
    for resource in document.infrastructure.resources:
        make = _MAKE.get(type(resource))
        if make is not None and not resource.exists:
            make(document, resource)


def triggers_of(document: Document, resource: Resource) -> list[tuple[Part, Trigger]]:
    """Return what a resource triggers."""
    return [found for found in document.infrastructure.triggers if found[1].resource is resource]


def _queue(document: Document, queue: Queue) -> None:
    made_for = str(queue)
    properties: dict[str, Any] = {"QueueName": sub(physical(queue))}
    if queue.fifo:
        properties["FifoQueue"] = True
    properties["MessageRetentionPeriod"] = queue.retention
    properties["SqsManagedSseEnabled"] = True
    properties["VisibilityTimeout"] = visibility(document, queue)
    own = dead_of(document, queue)
    if own is not None:
        properties["RedrivePolicy"] = {
            "deadLetterTargetArn": sub(arn(own)) if own.exists else attribute(resource_id(own), "Arn"),
            "maxReceiveCount": queue.dead_letter,
        }
    elif queue.dead_letter:
        dead = document.add(
            f"{resource_id(queue)}Dead",
            "AWS::SQS::Queue",
            {
                "QueueName": sub(dead_name(queue)),
                **({"FifoQueue": True} if queue.fifo else {}),
                "MessageRetentionPeriod": _DEAD_KEPT_S,
                "SqsManagedSseEnabled": True,
                # Only this queue may use it.
                "RedriveAllowPolicy": {"redrivePermission": "byQueue", "sourceQueueArns": [sub(arn(queue))]},
            },
            made_for,
            **_KEPT,
        )
        properties["RedrivePolicy"] = {
            "deadLetterTargetArn": attribute(dead, "Arn"),
            "maxReceiveCount": queue.dead_letter,
        }
    document.add(resource_id(queue), "AWS::SQS::Queue", properties, made_for, **_KEPT)


def dead_name(queue: Queue) -> str:
    """Return the name of the dead-letter queue of a queue."""
    name = physical(queue)
    return f"{name.removesuffix('.fifo')}-dead.fifo" if queue.fifo else f"{name}-dead"


def dead_of(document: Document, queue: Queue) -> Queue | None:
    """Return the dead-letter queue of a queue, where it is one of the stack: of a route, or declared."""
    if not queue.dead_letter:
        return None
    return next(
        (
            one
            for one in document.infrastructure.resources
            if isinstance(one, Queue)
            and one.name
            and document.filled(physical(one)) == document.filled(dead_name(queue))
        ),
        None,
    )


def visibility(document: Document, queue: Queue) -> int:
    """Return the seconds for which messages of a queue are hidden.

    Six times the function's limit, and the window (AWS Lambda Developer Guide, "Configuring a queue for use with
    Lambda").
    """
    if queue.visibility is not None:
        return queue.visibility
    limits = [part.function.timeout for part, _ in triggers_of(document, queue)]
    return min(6 * max(limits, default=30) + queue.window, DAY_S // 2)


def _topic(document: Document, topic: Topic) -> None:
    properties: dict[str, Any] = {"TopicName": sub(physical(topic)), "KmsMasterKeyId": "alias/aws/sns"}
    if topic.fifo:
        properties["FifoTopic"] = True
        properties["ContentBasedDeduplication"] = True
    document.add(resource_id(topic), "AWS::SNS::Topic", properties, str(topic))


def _table(document: Document, table: Table) -> None:
    keys = [name for name in (table.pk, table.sk) if name]
    definition: dict[str, Any] = dict(
        table.layout
        or {
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in keys],
            "KeySchema": [
                {"AttributeName": name, "KeyType": kind} for name, kind in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
        }
    )
    definition["TableName"] = sub(physical(table))
    definition["PointInTimeRecoverySpecification"] = {"PointInTimeRecoveryEnabled": True}
    definition["SSESpecification"] = {"SSEEnabled": True}
    if table.ttl:
        definition["TimeToLiveSpecification"] = {"AttributeName": table.ttl, "Enabled": True}
    if any(trigger.source is Source.DYNAMODB for _, trigger in triggers_of(document, table)):
        definition["StreamSpecification"] = {"StreamViewType": table.stream}
    document.add(resource_id(table), "AWS::DynamoDB::Table", dict(sorted(definition.items())), str(table), **_KEPT)


def _stream(document: Document, stream: Stream) -> None:
    properties: dict[str, Any] = {
        "Name": sub(physical(stream)),
        "RetentionPeriodHours": -(-stream.retention // 3600),
        "StreamEncryption": {"EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"},
        "StreamModeDetails": {"StreamMode": "PROVISIONED" if stream.shards else "ON_DEMAND"},
    }
    if stream.shards:
        properties["ShardCount"] = stream.shards
    document.add(resource_id(stream), "AWS::Kinesis::Stream", properties, str(stream), **_KEPT)


def _bucket(document: Document, bucket: Bucket) -> None:
    encryption = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    closed = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    properties: dict[str, Any] = {
        "BucketName": sub(physical(bucket)),
        "BucketEncryption": {"ServerSideEncryptionConfiguration": [encryption]},
        "PublicAccessBlockConfiguration": dict.fromkeys(closed, True),
    }
    if bucket.versioned:
        properties["VersioningConfiguration"] = {"Status": "Enabled"}
    told = [
        {
            "Event": one.event,
            **_filter(one.prefix, one.suffix),
            "Function": called_arn(part),
        }
        for part, trigger in triggers_of(document, bucket)
        for one in trigger.notifications
    ]
    further: dict[str, Any] = dict(_KEPT)
    if told:
        properties["NotificationConfiguration"] = {"LambdaConfigurations": told}
        # S3 asks whether it may call the function when the notification is made.
        further["DependsOn"] = [permission_id(part, bucket) for part, _ in triggers_of(document, bucket)]
    document.add(resource_id(bucket), "AWS::S3::Bucket", properties, str(bucket), **further)


def permission_id(part: Part, resource: Resource) -> str:
    """Return the logical id of the permission of a resource to call a function."""
    return f"{resource_id(resource)}Calls{function_id(part)}"


def _filter(prefix: str, suffix: str) -> dict[str, Any]:
    rules = [
        {"Name": name, "Value": literal(value)} for name, value in (("prefix", prefix), ("suffix", suffix)) if value
    ]
    return {"Filter": {"S3Key": {"Rules": rules}}} if rules else {}


def _bus(document: Document, bus: Bus) -> None:
    document.add(resource_id(bus), "AWS::Events::EventBus", {"Name": sub(physical(bus))}, str(bus))


def _secret(document: Document, secret: Secret) -> None:
    document.add(
        resource_id(secret),
        "AWS::SecretsManager::Secret",
        {"Name": sub(physical(secret)), "GenerateSecretString": {"PasswordLength": 64, "ExcludePunctuation": True}},
        str(secret),
        **_KEPT,
    )


_MAKE: dict[type[Resource], Callable[[Document, Any], None]] = {
    Queue: _queue,
    Topic: _topic,
    Table: _table,
    Stream: _stream,
    Bucket: _bucket,
    Bus: _bus,
    Secret: _secret,
}
