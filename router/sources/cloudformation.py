"""CloudFormation custom resources: the answer is a document that is sent to the URL which the request names.

A handler returns the attributes of the resource (`Fn::GetAtt`), its physical id as text, or a mapping with any of
`PhysicalResourceId`, `Data`, `NoEcho` and `Reason`. Called by the provider framework of the CDK, which sends the
document itself, the answer is returned.
"""

from __future__ import annotations

from router.encode import dumps
from router.errors import AnswerTooLarge, ConfigurationError, InvalidEvent, RouterError
from router.event import Event, Source
from router.sources._replies import json_bytes, object_at, plain_answer, reported, text_at, written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.event import MaybeNone

# Of the whole document (CloudFormation user guide, custom resource response objects).
LIMIT = 4096
TIMEOUT = 10.0  # seconds for each attempt to deliver it
PAUSES = (0.5, 2.0)  # seconds before the second and the third attempt
# Without a route for custom resources nothing is sent: a payload that imitates one must not make the function call out.
NEEDS_ROUTE = True
# The buckets that CloudFormation names (user guide, crpg-ref-responses), in every partition.
_BUCKET = "cloudformation-custom-resource-response-"
_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu")
_PARTS = ("PhysicalResourceId", "Data", "NoEcho", "Reason")
_COPIED = ("StackId", "RequestId", "LogicalResourceId")


class _Undelivered(RouterError):
    """The document did not arrive: CloudFormation waits, and Lambda has to call again."""


class CloudFormationEvent(Event):
    """A resource to create, update or delete (`change`). Its body, and `new`, are the properties of the resource."""

    __slots__ = ()

    if TYPE_CHECKING:
        keys: dict[str, Any]
        old: dict[str, Any] | MaybeNone
        new: dict[str, Any] | MaybeNone

    def _id(self) -> str:
        return text_at(self.raw, "RequestId") or super()._id()

    def _name(self) -> str:
        return text_at(self.raw, "ResourceType") or ""

    def _change(self) -> str:
        return text_at(self.raw, "RequestType") or ""

    def _parsed(self) -> Any:
        return object_at(self.raw, "ResourceProperties")

    def _body(self) -> bytes:
        return json_bytes(self, self.json(), "ResourceProperties")

    def _new(self) -> dict[str, Any] | None:
        return None if self.change == "Delete" else object_at(self.raw, "ResourceProperties")

    def _old(self) -> dict[str, Any] | None:
        if self.change == "Delete":
            return object_at(self.raw, "ResourceProperties")
        return object_at(self.raw, "OldResourceProperties") if self.change == "Update" else None

    def _keys(self) -> dict[str, Any]:
        return {name: self.raw.get(name) for name in ("StackId", "LogicalResourceId", "PhysicalResourceId")}

    @property
    def response_url(self) -> str | None:
        """Where the document is sent; None when the provider framework of the CDK does it."""
        url = self.raw.get("ResponseURL")
        return str(url) if url is not None else None


def read(source: Source, raw: Any, context: Any) -> list[Event]:
    """Return the request. Refuse one that could not be answered: its stack would wait for an hour."""
    event = CloudFormationEvent(source, raw, context, raw)
    if event.response_url is not None:
        if not _is_response_url(raw["ResponseURL"]):
            raise InvalidEvent("cloudformation ResponseURL: is no https URL of a response bucket")
        for name in _COPIED:
            if text_at(raw, name) is None:
                raise InvalidEvent(f"cloudformation {name}: must be text")
    return [event]


def _is_response_url(url: Any) -> bool:
    """Whether CloudFormation sends such a URL: https, and its own bucket as host (`BUCKET.s3.REGION.amazonaws.com`)."""
    if type(url) is not str or not url.startswith("https://") or not url.isprintable():
        return False
    host = url[8:].replace("?", "/").replace("#", "/").replace("\\", "/").partition("/")[0].removesuffix(":443")
    bucket, dot, rest = host.partition(".")
    return (
        bool(dot)
        and bucket.startswith(_BUCKET)
        and all(char.isascii() and (char.isalnum() or char in "-.") for char in host)
        and rest.startswith(("s3.", "s3-"))
        and rest.endswith(_DOMAINS)
    )


def answer(event: CloudFormationEvent, result: Any) -> Any:
    """Send success to CloudFormation. Raises AnswerTooLarge; what is raised here is sent as a failure in its place."""
    result = plain_answer(result)
    if event.response_url is None and type(result) is dict and "IsComplete" in result:
        return result  # of the framework's second handler, which is asked until it is done
    parts = _parts(event, result)
    parts["PhysicalResourceId"] = _physical_id(event, parts)
    if event.response_url is None:
        return written(parts)
    document = {"Status": "SUCCESS", **_copied(event), **parts}
    size = len(dumps(document))
    if size > LIMIT:
        raise AnswerTooLarge(f"the answer has {size:,} bytes; CloudFormation takes {LIMIT:,}")
    _deliver(event, document)
    return document


def failed(event: CloudFormationEvent, error: Exception) -> Any:
    """Send failure to CloudFormation. With the provider framework the call fails; it reports that itself."""
    if event.response_url is None or isinstance(error, _Undelivered):
        raise error
    document = {"Status": "FAILED", **_copied(event), "PhysicalResourceId": _physical_id(event, {})}
    # JSON makes at most six bytes of a character of the reason; what has no place is in the log.
    document["Reason"] = _reason(event, error)[: max(100, (LIMIT - len(dumps(document))) // 6 - 3)]
    _deliver(event, document)
    return document


def _parts(event: CloudFormationEvent, result: Any) -> dict[str, Any]:
    """Return what the handler said about the resource: its attributes alone, its id alone, or parts of the document."""
    if result is None:
        return {}
    if type(result) is str:
        return {"PhysicalResourceId": result}
    if type(result) is not dict:
        raise ConfigurationError(f"the handler of {event.name} must return a mapping, text or None")
    if result.keys().isdisjoint(_PARTS):
        return {"Data": result}
    unknown = result.keys() - set(_PARTS)
    if unknown:
        raise ConfigurationError(f"the handler of {event.name} returned {', '.join(sorted(unknown))} beside its Data")
    if type(result.get("Data", {})) is not dict:
        raise ConfigurationError(f"the handler of {event.name}: Data must be a mapping")
    return dict(result)


def _physical_id(event: CloudFormationEvent, parts: dict[str, Any]) -> str:
    """Return the id of the resource. A new one makes an update a replacement; a delete keeps the one it was sent."""
    held = text_at(event.raw, "PhysicalResourceId")
    if event.change == "Delete" and held is not None:
        return held
    given = parts.get("PhysicalResourceId")
    if given is None:
        return held or _derived_id(event)
    if type(given) is not str or not 1 <= len(given.encode()) <= 1024:
        raise ConfigurationError(f"the handler of {event.name}: PhysicalResourceId must be text of 1 to 1,024 bytes")
    return given


def _derived_id(event: CloudFormationEvent) -> str:
    """Return an id that is the same for each attempt to create one resource of one stack, and for no other."""
    from hashlib import sha256

    stack, resource = (text_at(event.raw, name) or "" for name in ("StackId", "LogicalResourceId"))
    return f"{resource[:200]}-{sha256(dumps([stack, resource])).hexdigest()[:16]}"


def _copied(event: CloudFormationEvent) -> dict[str, str]:
    return {name: event.raw[name] for name in _COPIED}


def _reason(event: CloudFormationEvent, error: Exception) -> str:
    """Return what anyone who may look at the stack can read: of errors that are not the library's, only the type."""
    reason = reported(error)
    if reason == type(error).__name__:
        stream = getattr(event.context, "log_stream_name", None)
        reason += f": see the log stream {stream}" if isinstance(stream, str) else ": see the log"
    return reason.encode(errors="replace").decode()


def _deliver(event: CloudFormationEvent, document: dict[str, Any]) -> None:
    """Send the document to the URL (PUT), which is signed and therefore never shown."""
    from time import sleep

    body = dumps(document)
    problem, again = _put(str(event.response_url), body)
    for pause in PAUSES:
        if again:
            sleep(pause)
            problem, again = _put(str(event.response_url), body)
    if problem is not None:
        raise _Undelivered(f"cloudformation: the response could not be delivered: {problem}")


def _put(url: str, body: bytes) -> tuple[str | None, bool]:
    """Return what went wrong, or None; and whether trying again makes sense."""
    from http.client import HTTPException, InvalidURL
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    try:
        # Without a content type of its own, urllib would set one that the URL was not signed for.
        request = Request(url, data=body, method="PUT", headers={"content-type": ""})  # noqa: S310 - read checked it
        with urlopen(request, timeout=TIMEOUT):  # noqa: S310
            return None, False
    except HTTPError as error:
        with error:
            return f"status {error.code}", error.code >= 500
    except (InvalidURL, ValueError):
        return "ResponseURL is no URL", False
    except (OSError, HTTPException) as error:
        return type(error).__name__, True
