"""S3 notifications: one Event an object. Lambda calls asynchronously, so a call that fails comes again as a whole."""

from __future__ import annotations

from router.event import Source
from router.sources._records import DocumentEvent, iso_moment, placed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from router.event import Event, MaybeNone


class ObjectEvent(DocumentEvent):
    """One object: what happened to it, or of S3 Batch, what to do with it. `keys` are the properties as a mapping."""

    __slots__ = ()

    if TYPE_CHECKING:
        keys: dict[str, Any]

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return self.name

    @property
    def key(self) -> str:
        """The object's key, decoded."""
        key: str = self.keys["key"]
        return key

    @property
    def version(self) -> str | None:
        """The version; None in a bucket without versions."""
        version: str | None = self.keys["version"]
        return version

    @property
    def size(self) -> int | MaybeNone:
        """The size in bytes; None where it is not told, as of a removed object."""
        return self.keys.get("size")

    @property
    def etag(self) -> str | MaybeNone:
        """The entity tag; None where it is not told, as of a removed object."""
        return self.keys.get("etag")


class ObjectChangeEvent(ObjectEvent):
    """A change of an object (`change`)."""

    __slots__ = ()

    def _id(self) -> str:
        """Return the request and the object: one request (DeleteObjects) may be told of many, with one request id."""
        request = self._find("responseElements", "x-amz-request-id")
        held = [request, *(self._find("s3", "object", part) for part in ("sequencer", "key", "versionId"))]
        if type(request) is not str and type(held[1]) is not str:
            self._fail("responseElements.x-amz-request-id", "there is none, and no sequencer")
        return ":".join(part for part in held if type(part) is str)

    def _name(self) -> str:
        return self._need(str, "s3", "bucket", "name")

    def _change(self) -> str:
        return self._need(str, "eventName")

    def _keys(self) -> dict[str, Any]:
        return {
            "bucket": self.name,
            "key": self._object_key("s3", "object", "key"),
            "version": self._find("s3", "object", "versionId"),
            "etag": self._find("s3", "object", "eTag"),
            "size": self._find("s3", "object", "size"),
        }

    def _source_ip(self) -> str | None:
        address = self._find("requestParameters", "sourceIPAddress")
        return address if type(address) is str else None

    def _timestamp(self) -> datetime | None:
        return iso_moment(self._find("eventTime"))


def read(source: Source, raw: Any, context: Any) -> list[Event]:
    """Return one Event an object. `s3:TestEvent`, which S3 sends when notifications are configured, is about none."""
    if "Records" not in raw:
        return []
    return [ObjectChangeEvent(source, raw, context, record, place) for place, record in placed(source, raw)]
