"""One file for one source or family: how its payload is read, and what Lambda expects back.

A source's module is imported when its first event comes. Each answers the same questions:

    KIND    how its events are delivered: "reply", "items", "ordered", "transform" or "notify" (docs/delivery.md)
    read(source, raw, context) -> list[Event]     the request, or one Event a record; never alters raw
    answer(...)     by kind:
        reply       answer(event, result) -> what Lambda expects; results of HTTP sources are Response objects
        items, ordered, transform    answer(raw, events, outcomes) -> the same, from one Outcome a record
        notify      no answer: the call succeeds or fails as a whole
"""

from __future__ import annotations

from router.errors import Discard
from router.event import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from router.event import Event

_FAMILIES: dict[str, tuple[Source, ...]] = {
    "http": (Source.REST, Source.HTTP, Source.URL, Source.ALB, Source.LATTICE),
    "websocket": (Source.WEBSOCKET,),
    "sqs": (Source.SQS,),
    "sns": (Source.SNS,),
    "streams": (Source.DYNAMODB, Source.KINESIS),
    "brokers": (Source.KAFKA, Source.ACTIVEMQ, Source.RABBITMQ, Source.DOCUMENTDB),
    "firehose": (Source.FIREHOSE, Source.KINESIS_ANALYTICS),
    "s3": (Source.S3,),
    "s3_batch": (Source.S3_BATCH,),
    "bus": (Source.EVENTBRIDGE, Source.SCHEDULE),
    "logs": (Source.LOGS,),
    "authorizer": (Source.AUTHORIZER, Source.APPSYNC_AUTHORIZER),
    "cognito": (Source.COGNITO, Source.COGNITO_SYNC),
    "appsync": (Source.APPSYNC,),
    "notices": (Source.SES, Source.CODECOMMIT),
    "bedrock": (Source.BEDROCK_AGENT,),
    "cloudformation": (Source.CLOUDFORMATION,),
    "cloudfront": (Source.CLOUDFRONT,),
    "invoke": (Source.INVOKE, Source.TASK),
}
_MODULES = {source: name for name, sources in _FAMILIES.items() for source in sources}


def load(source: Source) -> ModuleType:
    """The module of a source. Sources whose answer goes back as it is share `direct`."""
    from importlib import import_module

    return import_module(f"{__name__}.{_MODULES.get(source, 'direct')}")


def read(raw: Any, context: Any = None) -> list[Event]:
    """Read a payload as Events, without dispatching it.

    Return the request, or one Event for each record. Raise InvalidEvent, which names what is wrong and where.
    """
    from router.sources._registry import detect

    source = detect(raw)
    events: list[Event] = load(source).read(source, raw, context)
    return events


class Outcome:
    """What became of one record."""

    __slots__ = ("error", "result", "started")

    def __init__(self, result: object = None, error: BaseException | None = None, *, started: bool = False) -> None:
        self.result = result
        self.error = error  # Discard: acknowledged all the same
        self.started = started  # false when the deadline, or a failure before it in its order, kept it from running

    @property
    def failed(self) -> bool:
        """Whether the record must come again."""
        if self.error is None:
            return not self.started
        return not self.started or not isinstance(self.error, Discard)
