"""SNS: one Event a notification. Lambda calls asynchronously, so a call that fails comes again as a whole."""

from __future__ import annotations

from router.event import Event, Source
from router.sources._records import RecordEvent, iso_moment, placed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any


class TopicEvent(RecordEvent):
    """One notification of a topic."""

    __slots__ = ()

    if TYPE_CHECKING:
        topic: str

    @property
    def subject(self) -> str | None:
        """The subject line, where the publisher gave one."""
        subject = self._find("Sns", "Subject")
        return subject if type(subject) is str else None

    def _id(self) -> str:
        return self._need(str, "Sns", "MessageId")

    def _name(self) -> str:
        return self._need(str, "Sns", "TopicArn").rpartition(":")[2]

    def _topic(self) -> str:
        return self.name

    def _text(self) -> str:
        if self._offloaded is not None:
            return Event._text(self)
        return self._need(str, "Sns", "Message")

    def _body(self) -> bytes:
        if self._offloaded is not None:
            return self._offloaded()
        try:
            return self.text.encode()
        except UnicodeEncodeError as error:
            self._fail("Sns.Message", f"not valid text (character {error.start})")

    def _attributes(self) -> dict[str, Any]:
        from router.sources.sqs import plain_attributes

        return plain_attributes(self, _padded(self._find("Sns", "MessageAttributes")))

    def _session_wire(self, attribute: str) -> Any:
        held = self._find("Sns", "MessageAttributes", attribute)
        if held is None:
            return None
        from router.sources.sqs import plain_attributes

        wire = plain_attributes(self, {attribute: held})[attribute]
        if self.outer is not None:
            from router.sources._envelopes import TOPICS, is_believed

            return wire if is_believed(self, TOPICS, self.name, wire, self.outer) else None
        return wire

    def _check_pointer(self, attribute: str) -> None:
        if self.outer is not None:
            from router.sources._envelopes import check_pointer

            check_pointer(self, self.outer, self.name)

    def _timestamp(self) -> datetime | None:
        return iso_moment(self._find("Sns", "Timestamp"))


def _padded(attributes: Any) -> Any:
    """Return the attributes with binary values at full length: AWS's own sample event of SNS has one without `=`."""
    if type(attributes) is not dict:
        return attributes
    return {name: _padded_one(attribute) for name, attribute in attributes.items()}


def _padded_one(attribute: Any) -> Any:
    if type(attribute) is not dict or attribute.get("Type") != "Binary" or type(attribute.get("Value")) is not str:
        return attribute
    value = attribute["Value"]
    return {**attribute, "Value": value + "=" * (-len(value) % 4)}


def read(source: Source, raw: Any, context: Any) -> list[Event]:
    """Return one Event a notification."""
    return [TopicEvent(source, raw, context, record, place) for place, record in placed(source, raw)]
