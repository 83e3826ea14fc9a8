"""Offloading: a body that is too large for a topic or queue waits in S3, and a pointer to it travels.

    offload = Offload("my-bodies")
    Sqs(offload=offload).send("orders", large)                # over the limit: by S3; else as always
    offload.open(event)                                       # the body, wherever it is

The receiver reads only from the buckets and the prefix that it was given, and compares size and SHA-256. Objects are
named by what they hold, so a message that is sent twice is stored once. A receiver never deletes them, as a topic has
several; let the bucket expire them with `offload.lifecycle_rule()`, by default after 15 days: queues keep messages for
14 at most.
Pointers of Amazon's extended clients for SQS and SNS are opened, too: in the same buckets, where the key is a UUID, as
those clients make them, or begins with the prefix.
The sender needs `s3:PutObject` and `s3:PutObjectTagging`, the receiver `s3:GetObject`, on `<prefix>*`.
"""

from __future__ import annotations

import re
from hashlib import sha256
from math import ceil

import orjson

from adapters._core.adapter import Adapter
from adapters._core.blocking import IN_A_THREAD, refuse_blocking
from adapters.errors import InvalidMessage, OffloadMissing, OffloadRefused, ResourceNotFound
from router.durations import seconds
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from adapters.aws.aws import Aws
    from router.durations import Duration
    from router.environment.needs import Need
    from router.event import Event

_KEY = "junction-offload"
# Of the extended clients: the attribute that announces a pointer, with the size, and the class that stands before it.
_EXTENDED = ("ExtendedPayloadSize", "SQSLargePayloadSize")
_POINTERS = ("software.amazon.payloadoffloading.PayloadS3Pointer", "com.amazon.sqs.javamessaging.MessageS3Pointer")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DAY = 86_400


class ExtendedPointer(dict[str, object]):
    """A pointer of an extended client: bucket, key and size. It holds no digest, so none is compared."""


class Offload(Adapter):
    """Where large bodies wait.

    bucket, prefix: where bodies are put, and the only place they are read from.
    buckets: further buckets to read from, with the same prefix.
    threshold: bytes from which a body goes there; by default the limit of the topic or queue.
    most: the largest body that is fetched, in bytes.
    kms_key: encrypts in place of the bucket's own setting.
    tags: on each object, beside `junction=offload`.
    aws: makes the calls; by default that of the sender, else one made of the environment.
    """

    attribute = _KEY

    def __init__(
        self,
        bucket: str,
        *,
        prefix: str = "offload/",
        threshold: int | None = None,
        buckets: Iterable[str] = (),
        most: int = 256 * 1024 * 1024,
        kms_key: str | None = None,
        tags: Mapping[str, str] | None = None,
        aws: Aws | None = None,
    ) -> None:
        if not bucket or not prefix:
            raise ConfigurationError("Offload: give a bucket and a prefix")
        if threshold is not None and threshold < 1:
            raise ConfigurationError(f"Offload(threshold={threshold!r}): give bytes from 1")
        super().__init__(aws)
        self.bucket = bucket
        self.prefix = prefix
        self.threshold = threshold
        self.most = most
        self.kms_key = kms_key
        self.tags = {"junction": "offload", **(tags or {})}
        self._buckets = {bucket, *([buckets] if isinstance(buckets, str) else buckets)}

    def needs(self) -> list[Need]:
        """Return what sending and fetching need: the objects, and operations on them. Policies give it."""
        from router.environment.needs import Need

        own = Need(("s3:GetObject", "s3:PutObject", "s3:PutObjectTagging"), "objects", f"{self.bucket}/{self.prefix}*")
        others = sorted(self._buckets - {self.bucket})
        key = [Need(("kms:Decrypt", "kms:GenerateDataKey"), "key", self.kms_key)] if self.kms_key else []
        return [own, *key, *(Need(("s3:GetObject",), "objects", f"{bucket}/*") for bucket in others)]

    def lifecycle_rule(self, keep: Duration = 15 * _DAY) -> dict[str, Any]:
        """Return the rule that expires the objects, for the bucket's lifecycle configuration.

        keep: seconds, or a timedelta, for which an object is kept; S3 counts in days, so it is rounded up to these.
        """
        days = ceil(seconds(keep, "lifecycle_rule(keep=...)", least=1) / _DAY)
        return {
            "ID": "junction-offload",
            "Status": "Enabled",
            "Filter": {"And": {"Prefix": self.prefix, "Tags": [{"Key": "junction", "Value": "offload"}]}},
            "Expiration": {"Days": days},
        }

    # ---- sending -----------------------------------------------------------------------------------------------

    def wants(self, size: int, limit: int) -> bool:
        """Return whether a message of that many bytes goes by S3."""
        return size > limit or (self.threshold is not None and size >= self.threshold)

    def store(self, body: str, aws: Aws | None = None) -> tuple[str, dict[str, int]]:
        """Put a body into S3. Return the body that travels in its place, and the attribute that says so.

        aws: makes the call where this has none of its own.
        """
        refuse_blocking(self, "store", IN_A_THREAD)
        try:
            held = body.encode()
        except (AttributeError, UnicodeEncodeError):
            raise InvalidMessage("Offload.store: the body must be valid text") from None
        digest = sha256(held).hexdigest()
        key = f"{self.prefix}{digest}"
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.kms_key} if self.kms_key else {}
        from urllib.parse import urlencode

        (self._aws or aws or self.aws).call(
            "s3",
            "put_object",
            resource=f"s3://{self.bucket}/{key}",
            Bucket=self.bucket,
            Key=key,
            Body=held,
            Tagging=urlencode(self.tags),
            **encryption,
        )
        pointer = {"bucket": self.bucket, "key": key, "size": len(held), "sha256": digest}
        return orjson.dumps({_KEY: pointer}).decode(), {_KEY: len(held)}

    # ---- receiving ---------------------------------------------------------------------------------------------

    def pointer(self, event: Event) -> dict[str, Any] | None:
        """Return the pointer that an event carries in place of its body, or None.

        The attribute decides: a body alone, which may come from a client, is never taken for a pointer.

        Raises:
            OffloadRefused: the attribute is there, and the body is not a pointer.
            InvalidEvent: the attribute is that of an SNS envelope which anyone may have written.
        """
        if _KEY not in event.attributes:
            announced = next((name for name in _EXTENDED if name in event.attributes), None)
            return None if announced is None else _extended(event, announced)
        event._check_pointer(_KEY)
        try:
            held = orjson.loads(event.text)
        except orjson.JSONDecodeError:
            held = None
        pointer = held.get(_KEY) if type(held) is dict else None
        if type(pointer) is not dict:
            raise OffloadRefused(f"the message says that its body is in S3 ({_KEY}), and holds no pointer to it")
        return pointer

    def open(self, event: Event) -> bytes:
        """Return the body of an event: fetched when it is in S3, else its own."""
        refuse_blocking(self, "open")
        pointer = self.pointer(event)
        return event.body if pointer is None else self._checked(pointer)

    async def open_async(self, event: Event) -> bytes:
        """`open` from async code, without blocking its loop."""
        pointer = self.pointer(event)
        return event.body if pointer is None else await self.fetch_async(pointer)

    def fetch(self, pointer: Mapping[str, Any]) -> bytes:
        """Return the body that a pointer names.

        Raises:
            OffloadRefused: the pointer is malformed, names another place, or does not fit the object.
            OffloadMissing: the object is not there (any more).
            AdapterError: S3 refused.
        """
        refuse_blocking(self, "fetch")
        return self._checked(pointer)

    async def fetch_async(self, pointer: Mapping[str, Any]) -> bytes:
        """`fetch` from async code, without blocking its loop."""
        return await self.aws.in_thread(self._checked, pointer)

    def _checked(self, pointer: Mapping[str, Any]) -> bytes:
        """Return the body that a pointer names, if it is the one."""
        bucket, key, size, digest = self._read_pointer(pointer)
        body = self._fetch(bucket, key, size)
        if digest is not None and sha256(body).hexdigest() != digest:
            raise OffloadRefused(f"s3://{bucket}/{key}: its SHA-256 is not the one of the pointer")
        return body

    def _fetch(self, bucket: str, key: str, size: int) -> bytes:
        """Return an object of a known size. Raises OffloadMissing, OffloadRefused, AdapterError."""
        where = f"s3://{bucket}/{key}"
        try:
            answer = self.aws.call("s3", "get_object", resource=where, Bucket=bucket, Key=key)
        except ResourceNotFound as error:
            raise OffloadMissing(
                f"{where}: the body of a message is not there (any more); let the bucket keep objects longer than "
                "queues keep messages",
                service="s3",
                operation="get_object",
                resource=where,
                code=error.code,
            ) from None
        if answer["ContentLength"] != size:
            raise OffloadRefused(f"{where}: it has {answer['ContentLength']} bytes, and the pointer says {size}")
        body: bytes = answer["Body"].read()
        return body

    def _read_pointer(self, pointer: Mapping[str, Any]) -> tuple[str, str, int, str | None]:
        """Return bucket, key, size, and digest or None. Raises OffloadRefused for a place that is not allowed."""
        if not hasattr(pointer, "get"):
            raise OffloadRefused("the pointer to a body in S3 is malformed")
        extended = isinstance(pointer, ExtendedPointer)
        bucket: Any = pointer.get("bucket")
        key: Any = pointer.get("key")
        size: Any = pointer.get("size")
        digest: Any = pointer.get("sha256")
        kinds = (type(bucket), type(key), type(size), type(digest))
        if kinds != (str, str, int, type(None) if extended else str):
            raise OffloadRefused("the pointer to a body in S3 is malformed")
        if bucket not in self._buckets or not (key.startswith(self.prefix) or (extended and _UUID.fullmatch(key))):
            raise OffloadRefused(
                "the pointer to a body names a place that is not allowed; Offload(buckets=...) allows more buckets"
            )
        if not 0 <= size <= self.most:
            raise OffloadRefused(f"the pointer names a body of {size} bytes, and {self.most} are the most")
        return bucket, key, size, digest


def _extended(event: Event, announced: str) -> ExtendedPointer:
    """Return the pointer of an extended client: `["class", {"s3BucketName": ..., "s3Key": ...}]`.

    Raises:
        OffloadRefused: the body is no pointer.
        InvalidEvent: the attribute is that of an SNS envelope which anyone may have written.
    """
    event._check_pointer(announced)
    try:
        held = orjson.loads(event.text)
    except orjson.JSONDecodeError:
        held = None
    if type(held) is not list or len(held) != 2 or held[0] not in _POINTERS or type(held[1]) is not dict:
        raise OffloadRefused(f"the message says that its body is in S3 ({announced}), and holds no pointer to it")
    return ExtendedPointer(
        bucket=held[1].get("s3BucketName"), key=held[1].get("s3Key"), size=event.attributes[announced]
    )
