"""Write details of entries as text, and cut those that are too long."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import orjson

from router.encode import loggable

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST = 1024 * 1024
"""Bytes of one part of the details; the limit of a message of SQS."""
_SHOWN = 16 * 1024


def packed(details: Mapping[str, Any]) -> bytes:
    """Return details as JSON. A part that is too long is cut, and `cut` names it.

    A cut part is `{"cut": true, "bytes": ..., "start": ...}`: its length, and how its JSON begins.
    """
    try:
        text = _json(details)
    except (orjson.JSONEncodeError, RecursionError):
        text = b""
    if text and len(text) <= LONGEST:
        return text
    kept: dict[str, Any] = {}
    cut: list[str] = []
    for name, value in details.items():
        part = _with_patience(value)
        if len(part) <= LONGEST:
            kept[name] = orjson.Fragment(part)
            continue
        cut.append(name)
        kept[name] = {"cut": True, "bytes": len(part), "start": part[:_SHOWN].decode("utf-8", "ignore")}
    return orjson.dumps({**kept, "cut": cut} if cut else kept)


def _json(value: Any) -> bytes:
    return orjson.dumps(value, loggable, orjson.OPT_NON_STR_KEYS)


def _with_patience(value: Any) -> bytes:
    """Encode also what orjson refuses: integers over 64 bits, half a surrogate pair, keys of any kind, deep nesting."""
    try:
        return _json(value)
    except (orjson.JSONEncodeError, RecursionError):
        pass
    try:
        text = json.dumps(value, default=loggable, skipkeys=True, allow_nan=False)
    except (ValueError, RecursionError, TypeError):
        text = json.dumps(f"not shown: {type(value).__name__} without a JSON form")
    return text.encode()


def without_source(error: Any) -> Any:
    """Return an error whose frames have no lines of source: those of libraries hold any word that one searches for."""
    if type(error) is not dict:
        return error
    found = {name: value for name, value in error.items() if name not in ("frames", "cause", "group")}
    if type(frames := error.get("frames")) is list:
        found["frames"] = [{**one, "source": []} for one in frames]
    if error.get("cause"):
        found["cause"] = without_source(error["cause"])
    if type(group := error.get("group")) is list:
        found["group"] = [without_source(one) for one in group]
    return found


def unpacked(text: str, apart: str | None) -> dict[str, Any]:
    """Return details as they were.

    text: what is searched. apart: the error with its lines of source, which are not.
    """
    found: dict[str, Any] = json.loads(text)  # exact, where orjson would make floats of large integers
    if apart:
        further = json.loads(apart)
        cut = dict.fromkeys((*found.get("cut", ()), *further.get("cut", ())))
        found |= further
        if cut:
            found["cut"] = list(cut)
    return found
