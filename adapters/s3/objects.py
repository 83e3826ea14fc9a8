"""The metadata of S3 objects, and their errors."""

from __future__ import annotations

from dataclasses import dataclass, field

from adapters.errors import AdapterError, InvalidMessage, ResourceNotFound
from router.errors import BadRequest, Conflict, NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from typing import Any


class ObjectExists(AdapterError, Conflict):
    """There is an object with the key already, and `only_new=True` was asked for. Over HTTP it is a 409."""

    answer = "it exists already"


class ObjectNotFound(ResourceNotFound, NotFound):
    """There is no object with this key or version. Over HTTP it is a 404."""

    answer = "it does not exist"


class InvalidObjectKey(InvalidMessage, BadRequest):
    """A key, or a prefix of keys, that no object may have. Over HTTP it is a 400."""

    answer = "the key is not valid"


class InvalidObjectPage(AdapterError, BadRequest):
    """A page token that S3 does not know, such as one that was altered. Over HTTP it is a 400."""

    answer = "the page token does not belong to this list; start again without one"


@dataclass(frozen=True, slots=True)
class S3Object:
    """An object, as far as the call that gave it knows. A list knows neither content type nor metadata.

    key: without the tenant's prefix. size: bytes. etag: changes with the content. version: where the bucket keeps them.
    """

    key: str
    size: int
    etag: str = ""
    version: str | None = None
    modified: datetime | None = None
    content_type: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ObjectPage:
    """A part of a list. folders: with `delimiter`, the prefixes up to it. token: asks for what follows, if anything."""

    objects: Sequence[S3Object]
    folders: Sequence[str] = ()
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Presigned:
    """A request that whoever holds it may make: with this method, and with these headers."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)


def described(key: str, answer: Mapping[str, Any], size: int | None = None) -> S3Object:
    """Return an answer of S3, or an entry of a list, as an S3Object."""
    version = answer.get("VersionId")
    return S3Object(
        key,
        size if size is not None else int(answer.get("ContentLength", answer.get("Size", 0))),
        str(answer.get("ETag", "")).strip('"'),
        None if version in (None, "null") else str(version),
        answer.get("LastModified"),
        answer.get("ContentType"),
        dict(answer.get("Metadata") or {}),
    )
