"""SES receipt rules and CodeCommit triggers: one Event a notice."""

from __future__ import annotations

from router.errors import ConfigurationError
from router.event import Source
from router.sources._records import DocumentEvent, iso_moment, placed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from typing import Any

    from router.event import Event
    from router.sources import Outcome

# What SES does next (SES developer guide, Lambda action).
DISPOSITIONS = ("CONTINUE", "STOP_RULE", "STOP_RULE_SET")


class SesEvent(DocumentEvent):
    """One mail that a receipt rule took; without its text, which SES stores elsewhere.

    `name` is the first address that the rule matched, in lower case: `*@example.com` takes a domain, `orders@*` an
    address. All of them are in `json()["receipt"]["recipients"]`, where a route's `pattern=` finds them too.
    """

    __slots__ = ()

    def _document(self) -> Any:
        return self._need(dict, "ses")

    def _id(self) -> str:
        return self._need(str, "ses", "mail", "messageId")

    def _name(self) -> str:
        addresses = self._find("ses", "receipt", "recipients") or self._find("ses", "mail", "destination")
        first = addresses[0] if type(addresses) is list and addresses else None
        if type(first) is not str:
            self._fail("ses.receipt.recipients", "must be a list of addresses")
        return first.lower()

    def _timestamp(self) -> datetime | None:
        return iso_moment(self._find("ses", "mail", "timestamp"))


class CodeCommitEvent(DocumentEvent):
    """One push to a repository, which is its name."""

    __slots__ = ()

    def _id(self) -> str:
        return self._need(str, "eventId")

    def _name(self) -> str:
        return self._need(str, "eventSourceARN").rpartition(":")[2]

    def _change(self) -> str:
        return self._need(str, "eventName")

    def _timestamp(self) -> datetime | None:
        return iso_moment(self._find("eventTime"))


def read(source: Source, raw: Any, context: Any) -> list[Event]:
    """Return one Event a mail or push."""
    kind = SesEvent if source is Source.SES else CodeCommitEvent
    return [kind(source, raw, context, record, place) for place, record in placed(source, raw)]


def answer(raw: Any, events: Sequence[Event], outcomes: Sequence[Outcome]) -> dict[str, Any] | None:
    """Return what SES does with the mail next, when its rule waits for the function (RequestResponse).

    A handler decides by returning `{"disposition": "STOP_RULE"}` or the word alone. None lets SES go on, and is all
    that a rule which does not wait (Event) can be told. Raises ConfigurationError for a word that SES does not know:
    it would go on with a mail that the handler meant to stop.
    """
    for event, outcome in zip(events, outcomes, strict=True):
        result = outcome.result if isinstance(event, SesEvent) else None
        disposition = result.get("disposition") if isinstance(result, dict) else result
        if disposition in DISPOSITIONS:
            return {"disposition": disposition}
        if isinstance(result, dict) and disposition is not None:
            raise ConfigurationError(f"disposition {disposition!r}: SES knows {', '.join(DISPOSITIONS)}")
    return None
