"""For the tests of record sources: their events, the outcomes of records, and answers under any of them."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import strategies as st

from router.errors import RouterError
from router.event import Source
from router.signals import Discard, Retry
from router.sources import Outcome, load
from tests.unit.router.sources.payload_cases import JSON, read_all, real

# What subclasses have beside the fields of an Event.
_PROPERTIES = ("subject", "partition_key", "sequence_number", "shard", "data_key", "is_output", "window")


def read(source: Source, raw: Any, context: Any = None) -> list[Any]:
    return load(source).read(source, raw, context)


def one(source: Source, raw: Any) -> Any:
    (event,) = read(source, raw)
    return event


def agree_with_labels(*sources: Source) -> None:
    """Each real payload gives as many events as its label says, of its name; all fields are there; nothing changes."""
    for file, raw, label in real(*sources):
        before = copy.deepcopy(raw)
        source = Source(label["source"])
        events = read(source, raw)
        assert label["records"] in (None, len(events)), file
        for event in events:
            assert label["name"] in (None, event.name), file
            assert event.id, file
            for field in event._lazy - {"typed", "text"}:  # not every body is text
                getattr(event, field)
            assert any(record is event.record for record in event.records), file
        assert raw == before, file


def outcome(result: Any = None, error: BaseException | None = None, *, started: bool = True) -> Outcome:
    made = Outcome()
    made.result, made.error, made.started = result, error, started
    return made


def answer(source: Source, raw: Any, *outcomes: Outcome) -> Any:
    """The answer to a payload whose records ended like this."""
    answered = load(source).answer(raw, read(source, raw), list(outcomes))
    json.dumps(answered)  # the runtime client can write it
    return answered


OUTCOMES = st.builds(
    outcome,
    st.none() | st.binary(max_size=4) | JSON | st.just(object()),
    st.none() | st.sampled_from([ValueError("x"), Discard("x"), Retry(reason="x"), RouterError("x")]),
    started=st.booleans(),
)


def stays_within_our_errors(source: Source, raw: Any, data: st.DataObject) -> None:
    """Read a payload, every field of its events, and answer: nothing but an error of router.errors comes out."""
    module = load(source)
    before = repr(raw)
    try:
        events = module.read(source, raw, None)
    except RouterError:
        return
    for event in events:
        read_all(event)
        for name in _PROPERTIES:
            if hasattr(type(event), name):
                _tolerate(lambda event=event, name=name: getattr(event, name))
        for hook in ("ordering_key", "partition_key"):
            if hasattr(module, hook):
                hash(getattr(module, hook)(event))
    if hasattr(module, "answer"):
        outcomes = data.draw(st.lists(OUTCOMES, min_size=len(events), max_size=len(events)))
        json.dumps(_tolerate(lambda: module.answer(raw, events, outcomes)))
    assert repr(raw) == before


def _tolerate(action: Any) -> Any:
    try:
        return action()
    except RouterError:
        return None
