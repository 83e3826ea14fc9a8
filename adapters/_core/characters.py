"""Characters that AWS does not take in text: those that XML 1.0 has not.

SQS refuses a message that holds one (SQS API reference, SendMessage). So does a queue, or a queue for what failed, that
is told by SNS, EventBridge or Lambda: there what was sent is lost, and its sender never hears of it. JSON has an escape
for each of them, so JSON can always be sent.
"""

from __future__ import annotations

import re

import orjson

from adapters.errors import InvalidMessage

_REFUSED = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_IN_A_LINE = re.compile("[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def escaped(json: str) -> str:
    """Return JSON text in which no such character is left. An encoder escapes all of them but these two."""
    if json.isascii():
        return json
    return json.replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")


def sendable(text: str, what: str) -> str:
    """Return text as AWS takes it: what is valid JSON is escaped.

    what: names the text in the error, which does not quote it.

    Raises:
        InvalidMessage: it is not JSON, and holds a character that AWS does not take.
    """
    found = _REFUSED.search(text)
    if found is None:
        return text
    if "\ud800" <= found[0] <= "\udfff":
        raise InvalidMessage(f"{what} is not valid text: half of a surrogate pair at {found.start()}")
    held = escaped(text)
    if _REFUSED.search(held) is None and _is_json(text):
        return held
    raise InvalidMessage(
        f"{what} has the character U+{ord(found[0]):04X} at {found.start()}, which SQS does not take, nor a queue that "
        "gets it from SNS or EventBridge; send JSON, which escapes it, or base64"
    )


def check_line(text: str, what: str) -> None:
    """Refuse text that is not one line of characters that XML has, for a name or a key.

    what: names the text in the error.

    Raises:
        InvalidMessage: it has a control character, a line break included, or another one that XML has not.
    """
    found = None if text.isprintable() else _NOT_IN_A_LINE.search(text)
    if found is not None:
        raise InvalidMessage(f"{what} has the control character U+{ord(found[0]):04X} at {found.start()}")


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True
