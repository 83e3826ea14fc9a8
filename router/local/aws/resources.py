"""Make queues, topics, tables, streams, buckets, buses and secrets. What is there already is changed, or left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from router.local.aws.clients import Clients
    from router.local.aws.shapes import BucketPlan, QueuePlan, SecretPlan, StreamPlan, TablePlan, TopicPlan

_FIRST_REGION = "us-east-1"  # S3 takes no location there


def code_of(error: BaseException) -> str:
    """Return the code of an error of AWS; empty for any other error."""
    answer: Any = getattr(error, "response", None)
    return str(answer.get("Error", {}).get("Code", "")) if isinstance(answer, dict) else ""


def url_of(clients: Clients, name: str) -> str:
    """Return the URL of a queue."""
    found: str = clients("sqs").get_queue_url(QueueName=name)["QueueUrl"]
    return found


def _queue(clients: Clients, queue: QueuePlan, there: bool) -> str | None:
    sqs, name, attributes = clients("sqs"), queue["name"], queue["attributes"]
    try:
        sqs.create_queue(QueueName=name, Attributes=attributes)
    except sqs.exceptions.ClientError as error:
        if "Exist" not in code_of(error):
            raise
        changed = {key: held for key, held in attributes.items() if key != "FifoQueue"}
        sqs.set_queue_attributes(QueueUrl=url_of(clients, name), Attributes=changed)
    else:
        if there:  # created with the same name, it may keep what it had
            changed = {key: held for key, held in attributes.items() if key != "FifoQueue"}
            sqs.set_queue_attributes(QueueUrl=url_of(clients, name), Attributes=changed)
    return None


def _topic(clients: Clients, topic: TopicPlan, there: bool) -> str | None:
    attributes = {"FifoTopic": "true", "ContentBasedDeduplication": "true"} if topic["fifo"] else {}
    clients("sns").create_topic(Name=topic["name"], Attributes=attributes)
    return None


def _table(clients: Clients, table: TablePlan, there: bool) -> str | None:
    dynamodb, name, definition = clients("dynamodb"), table["name"], table["definition"]
    told = None
    try:
        dynamodb.create_table(TableName=name, **definition)
    except dynamodb.exceptions.ResourceInUseException:
        told = _change_table(dynamodb, name, definition)
    if table["ttl"] and "StreamSpecification" not in definition:  # of the others `Expiry` takes care
        _expire(dynamodb, name, table["ttl"])
    return told


def _change_table(dynamodb: Any, name: str, definition: dict[str, Any]) -> str | None:
    """Turn the stream of a table on. Return a problem where it has another layout, which its data keeps it to."""
    held = dynamodb.describe_table(TableName=name)["Table"]
    if "StreamSpecification" in definition and not held.get("StreamSpecification", {}).get("StreamEnabled"):
        dynamodb.update_table(TableName=name, StreamSpecification=definition["StreamSpecification"])
    if _layout(held) != _layout(definition):
        return "it is there with other keys or indexes, and keeps them with its items: start again for the new ones"
    return None


def _layout(definition: dict[str, Any]) -> Any:
    """Return what the keys and the indexes of a table are, without their order."""
    indexes = [
        (one["IndexName"], [(key["AttributeName"], key["KeyType"]) for key in one["KeySchema"]])
        for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")
        for one in definition.get(kind) or ()
    ]
    return [(key["AttributeName"], key["KeyType"]) for key in definition["KeySchema"]], sorted(indexes)


def _expire(dynamodb: Any, name: str, attribute: str) -> None:
    try:
        dynamodb.update_time_to_live(
            TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": attribute}
        )
    except dynamodb.exceptions.ClientError as error:
        if code_of(error) != "ValidationException":  # so it is on already
            raise


def _stream(clients: Clients, stream: StreamPlan, there: bool) -> str | None:
    kinesis = clients("kinesis")
    try:
        kinesis.create_stream(StreamName=stream["name"], ShardCount=stream["shards"])
    except kinesis.exceptions.ResourceInUseException:
        held = len(kinesis.list_shards(StreamName=stream["name"])["Shards"])
        if held < stream["shards"]:
            return f"it is there with {held} shards: start again for {stream['shards']}"
    return None


def _bucket(clients: Clients, bucket: BucketPlan, there: bool) -> str | None:
    s3, name = clients("s3"), bucket["name"]
    region = s3.meta.region_name
    where = {} if region == _FIRST_REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        s3.create_bucket(Bucket=name, **where)
    except s3.exceptions.ClientError as error:
        if not code_of(error).startswith("BucketAlready"):
            raise
    if bucket["versioned"] or there:
        status = "Enabled" if bucket["versioned"] else "Suspended"
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": status})
    return None


def _bus(clients: Clients, bus: str, there: bool) -> str | None:
    events = clients("events")
    try:
        events.create_event_bus(Name=bus)
    except events.exceptions.ResourceAlreadyExistsException:
        pass
    return None


def _secret(clients: Clients, secret: SecretPlan, there: bool) -> str | None:
    secrets = clients("secretsmanager")
    try:
        secrets.create_secret(Name=secret["name"], SecretString=secret["value"])
    except secrets.exceptions.ResourceExistsException:
        pass  # whoever put another value there wants it
    return None


MAKERS: dict[str, Callable[[Clients, Any, bool], str | None]] = {
    "queues": _queue,
    "topics": _topic,
    "tables": _table,
    "streams": _stream,
    "buckets": _bucket,
    "buses": _bus,
    "secrets": _secret,
}
"""By kind of the plan, what makes one of it: it takes whether this run has made it before, and returns a problem."""
