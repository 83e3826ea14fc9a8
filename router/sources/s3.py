"""S3 notifications: one Event an object. Lambda calls asynchronously, so a call that fails comes again as a whole."""

from __future__ import annotations

from router.event import Source
from router.sources._records import DocumentEvent, iso_moment, placed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from router.event import Event


class S3Event(DocumentEvent):
    """What happened to one object. `keys` tell which: bucket, key (decoded), version, etag, size; None for unknown."""

    __slots__ = ()

    def _id(self) -> str:
        """The request and the object: one request (DeleteObjects) may be told of many, with one request id."""
        request = self.find("responseElements", "x-amz-request-id")
        held = [request, *(self.find("s3", "object", part) for part in ("sequencer", "key", "versionId"))]
        if type(request) is not str and type(held[1]) is not str:
            self.fail("responseElements.x-amz-request-id", "there is none, and no sequencer")
        return ":".join(part for part in held if type(part) is str)

    def _name(self) -> str:
        return self.need(str, "s3", "bucket", "name")

    def _change(self) -> str:
        return self.need(str, "eventName")

    def _keys(self) -> dict[str, Any]:
        return {
            "bucket": self.name,
            "key": self.object_key("s3", "object", "key"),
            "version": self.find("s3", "object", "versionId"),
            "etag": self.find("s3", "object", "eTag"),
            "size": self.find("s3", "object", "size"),
        }

    def _source_ip(self) -> str | None:
        address = self.find("requestParameters", "sourceIPAddress")
        return address if type(address) is str else None

    def _timestamp(self) -> datetime | None:
        return iso_moment(self.find("eventTime"))


def read(source: Source, raw: Any, context: Any) -> list[Event]:
    """One Event an object. `s3:TestEvent`, which S3 sends when notifications are configured, is about none."""
    if "Records" not in raw:
        return []
    return [S3Event(source, raw, context, record, place) for place, record in placed(source, raw)]
