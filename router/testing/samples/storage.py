"""S3: notifications, batch operations, Object Lambda."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote, quote_plus

from router.testing.samples._common import (
    ACCOUNT,
    REGION,
    alphanumeric_id,
    arn,
    as_json,
    base64_id,
    hex_id,
    iso_millis,
    items,
    moment,
    one_of,
    uuid_id,
)
from router.testing.samples._request import SOURCE_IP

__all__ = ["s3", "s3_batch", "s3_object", "s3_test_event"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from typing import Any

_EVENTS = (
    "ObjectCreated:",
    "ObjectRemoved:",
    "ObjectRestore:",
    "ObjectTagging:",
    "ObjectAcl:",
    "Replication:",
    "ReducedRedundancyLostObject",
    "LifecycleExpiration:",
    "LifecycleTransition",
    "IntelligentTiering",
    "ObjectAnnotation:",
    "ObjectRetention:",
)


def s3(
    bucket: str,
    keys: str | Sequence[str],
    *,
    event: str = "ObjectCreated:Put",
    size: int = 1024,
    version_id: str | None = None,
    source_ip: str = SOURCE_IP,
    region: str = REGION,
    account: str = ACCOUNT,
    timestamp: datetime | None = None,
) -> dict[str, Any]:
    """A notification about objects. Keys are given as they are in S3; in the event they stand URL-encoded.

    `event` is the event name, with or without the "s3:" that a notification configuration puts in front.
    """
    name = event.removeprefix("s3:")
    if not name.startswith(_EVENTS):
        raise ValueError(f"{event!r} is no event of S3, such as ObjectCreated:Put or ObjectRemoved:Delete")
    at = moment(timestamp)
    batch = [keys] if isinstance(keys, str) else items(keys, "keys")
    return {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "awsRegion": region,
                "eventTime": iso_millis(at),
                "eventName": name,
                "userIdentity": {"principalId": f"AWS:AIDA{alphanumeric_id(17, 'principal', account)}"},
                "requestParameters": {"sourceIPAddress": source_ip},
                "responseElements": {
                    "x-amz-request-id": alphanumeric_id(16, "request", bucket, key),
                    "x-amz-id-2": base64_id(57, "host", bucket, key),
                },
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "configurationId": uuid_id("configuration", bucket),
                    "bucket": {
                        "name": bucket,
                        "ownerIdentity": {"principalId": alphanumeric_id(14, "owner", account)},
                        "arn": f"arn:aws:s3:::{bucket}",
                    },
                    "object": _object(bucket, key, event=name, size=size, version_id=version_id, index=index),
                },
                **_restored(name, at),
            }
            for index, key in enumerate(batch)
        ]
    }


def _object(bucket: str, key: str, *, event: str, size: int, version_id: str | None, index: int) -> dict[str, Any]:
    """The object of a notification; a removed one has neither size nor ETag."""
    described: dict[str, Any] = {"key": quote_plus(key, safe="/")}
    if not event.startswith(("ObjectRemoved:", "LifecycleExpiration:")):
        described |= {"size": size, "eTag": hex_id(32, "etag", bucket, key, size)}
    if version_id is not None:
        described["versionId"] = version_id
    return described | {"sequencer": f"0066322C80{index:08X}"}


def _restored(event: str, at: datetime) -> dict[str, Any]:
    """Return what a completed restore from Glacier adds to a record."""
    if event != "ObjectRestore:Completed":
        return {}
    expiry = iso_millis(at + timedelta(days=30))
    restore = {"lifecycleRestorationExpiryTime": expiry, "lifecycleRestoreStorageClass": "GLACIER"}
    return {"glacierEventData": {"restoreEventData": restore}}


def s3_test_event(bucket: str, *, timestamp: datetime | None = None) -> dict[str, Any]:
    """Build the event that S3 sends once when notifications are configured, usually in the body of an SQS message."""
    return {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": iso_millis(moment(timestamp)),
        "Bucket": bucket,
        "RequestId": alphanumeric_id(16, "test event", bucket),
        "HostId": base64_id(57, "test event", bucket),
    }


def s3_batch(
    bucket: str,
    keys: str | Sequence[str],
    *,
    version: str = "2.0",
    arguments: Mapping[str, str] | None = None,
    version_id: str | None = None,
) -> dict[str, Any]:
    """A task of an S3 Batch Operations job (S3 puts one in each event), invocation schema "1.0" or "2.0".

    Keys stand URL-encoded in the event, as a manifest has them. `arguments` are the job's user arguments, in 2.0 only.
    """
    one_of(version, ("1.0", "2.0"), "version")
    if arguments and version == "1.0":
        raise ValueError("invocation schema 1.0 carries no user arguments")
    where = {"s3Bucket": bucket} if version == "2.0" else {"s3BucketArn": f"arn:aws:s3:::{bucket}"}
    job: dict[str, Any] = {"id": uuid_id("job", bucket)}
    if version == "2.0":
        job["userArguments"] = dict(arguments or {})
    return {
        "invocationSchemaVersion": version,
        "invocationId": base64_id(40, "invocation", bucket),
        "job": job,
        "tasks": [
            {
                "taskId": base64_id(15, "task", bucket, key, index),
                "s3Key": quote(key),
                "s3VersionId": version_id,
                **where,
            }
            for index, key in enumerate([keys] if isinstance(keys, str) else items(keys, "keys"))
        ],
    }


def s3_object(
    key: str = "orders/1.json",
    *,
    operation: str = "GetObject",
    access_point: str = "orders-olap",
    supporting_access_point: str = "orders-ap",
    payload: str = "",
    headers: Mapping[str, str] | None = None,
    identity: Mapping[str, Any] | None = None,
    region: str = REGION,
    account: str = ACCOUNT,
) -> dict[str, Any]:
    """A request through S3 Object Lambda; `payload` is what the access point's configuration passes on.

    operation: GetObject, HeadObject, ListObjects or ListObjectsV2; the last two are about the bucket, not a key.
    """
    one_of(operation, ("GetObject", "HeadObject", "ListObjects", "ListObjectsV2"), "operation")
    context = f"{operation[0].lower()}{operation[1:]}Context"
    path = "" if operation.startswith("List") else quote(key)
    olap_host = f"{access_point}-{account}.s3-object-lambda.{region}.amazonaws.com"
    input_host = f"{supporting_access_point}-{account}.s3-accesspoint.{region}.amazonaws.com"
    user = {
        "type": "IAMUser",
        "principalId": f"AIDA{alphanumeric_id(17, 'principal', account)}",
        "arn": arn("iam", "", account, "user/alice"),
        "accountId": account,
        "accessKeyId": f"AKIA{alphanumeric_id(16, 'key', account)}",
        "userName": "alice",
    }
    answered = {"outputRoute": "io-use1-001", "outputToken": base64_id(48, "output", access_point, key)}
    return {
        "xAmzRequestId": uuid_id("object lambda", access_point, key),
        context: {
            "inputS3Url": f"https://{input_host}/{path}?X-Amz-Security-Token={hex_id(32, 'security token', key)}",
            **(answered if operation == "GetObject" else {}),
        },
        "configuration": {
            "accessPointArn": arn("s3-object-lambda", region, account, f"accesspoint/{access_point}"),
            "supportingAccessPointArn": arn("s3", region, account, f"accesspoint/{supporting_access_point}"),
            "payload": payload,
        },
        "userRequest": {
            "url": f"https://{olap_host}/{path}",
            "headers": {"Host": olap_host, "Accept-Encoding": "identity", **(headers or {})},
        },
        "userIdentity": as_json(identity, "identity") if identity else user,
        "protocolVersion": "1.00",
    }


SAMPLES: Mapping[str, Callable[[], Any]] = {
    "s3": lambda: s3("orders", ["new/order 1.json"]),
    "s3-batch": lambda: s3_batch("orders", "new/order 1.json", arguments={"kind": "new"}),
    "s3-object": s3_object,
}
