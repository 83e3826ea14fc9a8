"""The sources whose answer goes back as it is. Where each keeps its name, its id and the like is a table."""

from __future__ import annotations

import orjson

from router.event import Event, Source
from router.sources._replies import dig, json_bytes, plain_answer, text_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from typing import Any

    Finder = Callable[[Any], str | None]


def _at(*keys: str) -> Finder:
    return lambda raw: text_at(raw, *keys)


def _dashboard(raw: Any) -> str | None:
    # With {"describe": true} the console asks for the widget's documentation.
    return text_at(raw, "widgetContext", "dashboardName") or ("describe" if "describe" in raw else None)


def _lex(raw: Any) -> str | None:
    return text_at(raw, "sessionState", "intent", "name") or text_at(raw, "currentIntent", "name")  # V2, V1


def _alexa(raw: Any) -> str | None:
    return text_at(raw, "request", "intent", "name") or text_at(raw, "request", "type")


def _alexa_home(raw: Any) -> str | None:
    header = dig(raw, "directive", "header") or dig(raw, "header")  # version 3, version 2
    return ".".join(part for part in (text_at(header, "namespace"), text_at(header, "name")) if part)


def _button(raw: Any) -> str | None:
    # IoT 1-Click, the IoT button of before, and devices of 1-Click that are no button.
    clicked = text_at(raw, "deviceEvent", "buttonClicked", "clickType") or text_at(raw, "clickType")
    return clicked or text_at(raw, "deviceInfo", "type")


def _rotation(raw: Any) -> str | None:
    # The token is the same for all four steps of a rotation, the id must not be.
    token, step = text_at(raw, "ClientRequestToken"), text_at(raw, "Step")
    return f"{token}:{step}" if token and step else None


def _after_slash(*keys: str) -> Finder:
    """Return the name at the end of an ARN: `accesspoint/NAME`, `labeling-job/NAME`."""

    def find(raw: Any) -> str | None:
        arn = text_at(raw, *keys)
        return arn.rpartition("/")[2] if arn else None

    return find


def _object_call(raw: Any) -> str | None:
    """Return the call of S3 that an Object Lambda access point got."""
    return next((call for key, call in _OBJECT_CALLS.items() if key in raw), None)


_OBJECT_CALLS = {
    "getObjectContext": "GetObject",
    "headObjectContext": "HeadObject",
    "listObjectsContext": "ListObjects",
    "listObjectsV2Context": "ListObjectsV2",
}
_JOB = ("CodePipeline.job", "data", "actionConfiguration", "configuration", "FunctionName")

NAMES: dict[Source, Finder] = {
    Source.ALARM: _at("alarmData", "alarmName"),
    Source.DASHBOARD: _dashboard,
    Source.CONFIG: _at("configRuleName"),
    Source.CODEPIPELINE: _at(*_JOB),
    Source.CODEDEPLOY: _at("DeploymentId"),
    Source.CONNECT: _at("Name"),
    Source.LEX: _lex,
    Source.ALEXA: _alexa,
    Source.ALEXA_HOME: _alexa_home,
    Source.IOT: _button,
    Source.SECRETSMANAGER: _at("Step"),
    Source.S3_OBJECT: _after_slash("configuration", "accessPointArn"),
    Source.SAGEMAKER: _after_slash("labelingJobArn"),
    Source.WORKMAIL: _at("flowDirection"),
    Source.VPN: _at("endpoint-id"),
}
# Where the payload has an id that a repetition keeps; elsewhere it is the request id of the call.
IDS: dict[Source, Finder] = {
    Source.CODEPIPELINE: _at("CodePipeline.job", "id"),
    Source.CODEDEPLOY: _at("LifecycleEventHookExecutionId"),
    Source.ALEXA: _at("request", "requestId"),
    Source.ALEXA_HOME: _at("directive", "header", "messageId"),
    Source.SECRETSMANAGER: _rotation,
    Source.S3_OBJECT: _at("xAmzRequestId"),
    Source.WORKMAIL: _at("messageId"),
    Source.VPN: _at("connection-id"),
}
_TIMES: dict[Source, Finder] = {Source.ALARM: _at("time"), Source.ALEXA: _at("request", "timestamp")}
_CHANGES: dict[Source, Finder] = {Source.ALARM: _at("alarmData", "state", "value"), Source.S3_OBJECT: _object_call}
_ADDRESSES: dict[Source, Finder] = {Source.VPN: _at("public-ip")}


class DirectEvent(Event):
    """One call; its body is the payload."""

    __slots__ = ()

    def _found(self, table: dict[Source, Finder]) -> str | None:
        find = table.get(self.source)
        return None if find is None else find(self.raw)

    def _name(self) -> str:
        return self._found(NAMES) or ""

    def _id(self) -> str:
        return self._found(IDS) or super()._id()

    def _timestamp(self) -> datetime | None:
        return _moment(self._found(_TIMES))

    def _change(self) -> str:
        return self._found(_CHANGES) or ""

    def _source_ip(self) -> str | None:
        return self._found(_ADDRESSES)

    def _keys(self) -> dict[str, Any] | None:
        if self.source is not Source.SECRETSMANAGER:
            return None
        return {name: self.raw.get(name) for name in ("SecretId", "ClientRequestToken")}

    def _body(self) -> bytes:
        return json_bytes(self, self.json(), "event")

    def _parsed(self) -> Any:
        return self.raw


class ConfigEvent(DirectEvent):
    """A rule of AWS Config to evaluate. The body is the invoking event, which the payload carries as text."""

    __slots__ = ()

    def _parsed(self) -> Any:
        text = self.raw["invokingEvent"]  # detect has seen that it is text
        try:
            return self._checked(text, orjson.loads(text))
        except orjson.JSONDecodeError as error:
            self._refuse(f"config invokingEvent: not valid JSON (line {error.lineno}, column {error.colno})")

    def _timestamp(self) -> datetime | None:
        return _moment(dig(self.json(), "notificationCreationTime"))

    def _change(self) -> str:
        return text_at(self.json(), "messageType") or ""


def _moment(text: Any) -> datetime | None:
    from router.sources._records import iso_moment

    return iso_moment(text)


def read(source: Source, raw: Any, context: Any) -> list[Event]:
    """Return the call."""
    kind = ConfigEvent if source is Source.CONFIG else DirectEvent
    return [kind(source, raw, context, raw)]


def answer(event: Event, result: Any) -> Any:
    """Return the result as the handler returned it, in plain JSON values."""
    return plain_answer(result)
