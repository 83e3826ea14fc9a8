"""Make samples whose options come as texts, from a page."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import uuid4, uuid5

from router.testing.samples import named

if TYPE_CHECKING:
    from collections.abc import Mapping

_PARAMETER = re.compile(r"\{\w+(?::(\w+))?\+?\}")
_VALUES = {"int": "7", "float": "7.5", "uuid": "3f2b8c1e-5d4a-4e6f-9a7b-0c1d2e3f4a5b"}
_TYPES_BY_KEY = {"$connect": "CONNECT", "$disconnect": "DISCONNECT"}
_ID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")


@cache
def sources() -> list[dict[str, Any]]:
    """Return all samples with their options: name, type as text, default, and whether the value is plain `text`."""
    return [
        {"source": name, "options": [{**one, "text": named.is_text(one["type"])} for one in named.described(name)]}
        for name in named.NAMES
    ]


def sample(source: str, options: Mapping[str, str]) -> Any:
    """Return a payload. Its ids are new, for what is sent twice are two events; those that are given stay.

    source: of `router.testing.samples.named.NAMES`.
    options: as texts; JSON, except where the option is a text itself. A `path` may be that of a route: its parameters
        are given values then. A `route_key` may be `$connect`: the type of the event is told by it.

    Raises:
        LookupError: there is no such sample.
        ValueError: an option is not known, or its value is not right.
    """
    if source not in named.NAMES:
        raise LookupError(f"there is no sample {source!r}; there are {', '.join(named.NAMES)}")
    made = named.sample(source, named.with_texts(source, _of_route(source, options)))
    return _with_new_ids(made, " ".join(options.values()))


def _of_route(source: str, options: Mapping[str, str]) -> dict[str, str]:
    """Return options of a sample for a route: what the path of a request and the key of a message mean."""
    found = dict(options)
    if "path" in found:
        found["path"] = _PARAMETER.sub(lambda one: _VALUES.get(one[1] or "", "x"), found["path"])
    kind = _TYPES_BY_KEY.get(found.get("route_key", "")) if source == "websocket" else None
    return {"event_type": kind, **found} if kind else found


def _with_new_ids(made: Any, given: str) -> Any:
    run = uuid4()
    # Each by itself, so that an id stays the same wherever else it is in the payload.
    new = {old: str(uuid5(run, old)) for old in _ID.findall(json.dumps(made)) if old not in given}
    return json.loads(_ID.sub(lambda found: new.get(found[0], found[0]), json.dumps(made)))
