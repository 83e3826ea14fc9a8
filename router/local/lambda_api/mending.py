"""Events of the emulator as AWS has them, where it spells them in another way."""

from __future__ import annotations

from typing import Any

# What MiniStack takes from the messages that subscribers get over HTTP; records for functions have other names.
_OF_TOPICS = {"SigningCertURL": "SigningCertUrl", "UnsubscribeURL": "UnsubscribeUrl"}


def mended(event: Any) -> Any:
    """Return an event as AWS would hand it to a function."""
    records = event.get("Records") if isinstance(event, dict) else None
    for record in records if isinstance(records, list) else ():
        message = record.get("Sns") if isinstance(record, dict) else None
        if isinstance(message, dict) and not _OF_TOPICS.keys().isdisjoint(message):
            record["Sns"] = {_OF_TOPICS.get(name, name): value for name, value in message.items()}
    return event
