"""For the tests of sources: real payloads where the folder is there, and payloads with anything in any place."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st

from router.errors import RouterError
from router.event import Event, Source
from router.sources import load
from router.sources._registry import ROWS, detect

FOLDER = Path(__file__).resolve().parents[4].parent / "shared" / "events"
FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))

# Python's own parser, which the runtime client uses, also makes lone surrogates and integers of any size.
_texts = st.text(st.characters(), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=6,
)


class Context:
    """What the runtime client hands over with a payload."""

    aws_request_id = "request-1"
    log_stream_name = "2024/06/01/[1]abc"


def real(*sources: Source) -> list[tuple[str, Any, dict[str, Any]]]:
    """Real payloads of these sources as (file, payload, label)."""
    if not FOLDER.is_dir():
        return []
    labels = json.loads((FOLDER / "labels.json").read_text())
    return [
        (name, json.loads((FOLDER / name).read_text()), label)
        for name, label in labels.items()
        if label["source"] in sources
    ]


def read_one(payload: Any, context: Any = None) -> Any:
    """The one Event of a payload."""
    source = detect(payload)
    events = load(source).read(source, payload, context)
    assert len(events) == 1
    return events[0]


@st.composite
def mutations(draw: Any, payloads: list[Any]) -> Any:
    """One of the payloads with up to three places replaced, removed or added."""
    payload = copy.deepcopy(draw(st.sampled_from(payloads)))
    for _ in range(draw(st.integers(0, 3))):
        places = list(_places(payload))
        if places:
            holder, key = draw(st.sampled_from(places))
            if draw(st.booleans()):
                holder[key] = draw(JSON)
            elif type(holder) is dict:
                del holder[key]
                holder[draw(_texts)] = draw(JSON)
    return payload


def _places(value: Any) -> Any:
    if type(value) in (dict, list):
        for key in value if type(value) is dict else range(len(value)):
            yield value, key
            yield from _places(value[key])


def survives(payload: Any, sources: set[Source], results: list[Any]) -> None:
    """Whatever a payload holds: only the library's own errors, in reading and in answering, and nothing changed."""
    source = detect(payload)
    assume(source in sources)
    before = repr(payload)
    module = load(source)
    try:
        events = module.read(source, payload, Context())
    except RouterError:
        return
    for event in events:
        read_all(event)
        _answer_all(module, event, results)
    assert repr(payload) == before


def read_all(event: Event) -> None:
    """Read each field; the library's own errors are fine."""
    for field in (*Event.__slots__, "json", "__repr__"):
        if field == "_json":
            continue
        try:
            value = getattr(event, field)
            if field in ("json", "__repr__"):
                value()
        except RouterError:
            pass


def _answer_all(module: Any, event: Event, results: list[Any]) -> None:
    for result in results if ROWS[event.source].kind == "reply" else ():
        try:
            module.answer(event, result)
        except RouterError:
            pass
    for error in (RouterError("known"), ValueError("unknown")) if hasattr(module, "failed") else ():
        try:
            module.failed(event, error)
        except (RouterError, ValueError):
            pass
