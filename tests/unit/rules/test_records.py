"""One bad record among good ones, at each place: the good ones are done, the bad one comes again, nothing is lost."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from router import Event, RecordsFailed, RouterError, SessionPolicy, Signing, Source, read
from router.sources import Outcome, load
from router.sources._registry import ROWS
from router.testing import samples
from tests.unit.rules.payloads import RECORDS, Application, texts

MODES: dict[str, dict[str, Any]] = {"sync": {}, "async": {"asynchronous": True}, "batch": {"batch": True}}


@pytest.fixture(autouse=True, scope="module")
def _quiet() -> Iterator[None]:
    """Expected errors are not logged."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def records_of(raw: Any, source: Source) -> list[Any]:
    """The list in a payload that holds its records."""
    held = raw[ROWS[source].records]
    found: list[Any] = next(iter(held.values())) if type(held) is dict else held
    return found


def three(source: Source) -> Any:
    """A payload of three records that are alike, apart from what they are known by."""
    raw = samples.SAMPLES[source.value]()
    records = records_of(raw, source)
    records[:] = records[:1]
    known = {read(raw)[0].id, *named(source, all_failed(source, raw))}
    records[:] = [copy.deepcopy(records[0]) for _ in range(3)]
    for position, record in enumerate(records):
        for holder, key, _ in list(texts(record)):
            if holder[key] in known:  # the last digit, so that numbers stay numbers, in order
                holder[key] = f"{holder[key][:-1]}{position}"
    return raw


def all_failed(source: Source, raw: Any) -> Any:
    """The answer to a payload of which every record failed; None where there is no answer."""
    if ROWS[source].kind == "notify":
        return None
    events = load(source).read(source, raw, None)
    return load(source).answer(raw, events, [Outcome(error=ValueError(), started=True)] * len(events))


def named(source: Source, answer: Any) -> list[str]:
    """The records that an answer names as failed."""
    if answer is None:  # the call fails as a whole
        return []
    if ROWS[source].kind in ("items", "ordered"):
        return [one["itemIdentifier"] for one in answer["batchItemFailures"]]
    if "events" in answer:
        return [one["id"] for one in answer["events"] if "error" in one]
    held = answer.get("records") or answer.get("results")
    assert held, f"{source.value}: say in `named` where its answer names what failed: {answer}"
    done = ("Ok", "Dropped", "Succeeded")
    return [one.get("recordId") or one["taskId"] for one in held if not set(one.values()).intersection(done)]


class Run:
    """Three records, of which the handler fails for one; and what became of them."""

    def __init__(self, source: Source, bad: int, spoil: Callable[[Any], None] | None = None, **options: Any) -> None:
        self.source = source
        self.raw = three(source)
        self.numbers = [getattr(event, "sequence_number", event.id) for event in self._read()]
        self.in_order = self._in_order()
        self.records = records_of(self.raw, source)
        self.bad = bad
        self.done: list[int] = []
        if spoil is not None:
            spoil(self.records[bad])
        self.answer = Application(self.handle, sources=(source,), **options).resolve(self.raw)

    def _read(self) -> list[Any]:
        events: list[Any] = load(self.source).read(self.source, self.raw, None)
        return events

    def _in_order(self) -> bool:
        """Whether the records share what has to stay in order, so that nothing after a failure is begun."""
        module = load(self.source)
        key_of = getattr(module, "ordering_key", None)
        if ROWS[self.source].kind == "ordered" or key_of is None:
            return key_of is not None
        is_ordered = getattr(module, "is_ordered", None)
        return (is_ordered is None or is_ordered(self.raw)) and key_of(self._read()[0]) is not None

    def handle(self, event: Event) -> None:
        position = next(number for number, record in enumerate(self.records) if record is event.record)
        if position == self.bad:
            raise ValueError("it cannot be done")
        self.done.append(position)

    def failed_as_a_whole(self, done: list[int]) -> bool:
        """Whether all others were tried and the call failed, so that the order is kept when all come again."""
        return self.done == done and isinstance(self.answer, RecordsFailed)

    def check(self, done: list[int]) -> None:
        """Check that all but these are asked for again, and nothing else."""
        where = f"{self.source.value}, the bad one is {self.bad}"
        lost = [position for position in range(3) if position not in done]
        if isinstance(self.answer, RecordsFailed):
            assert (len(self.answer.failures), self.answer.total) == (len(lost), 3), where
            str(self.answer).encode()
            return
        assert ROWS[self.source].kind != "notify", where
        assert not isinstance(self.answer, Exception), f"{where}: {self.answer!r}"
        if ROWS[self.source].kind == "ordered":  # from there on all comes again
            lost = lost[:1]
        assert named(self.source, self.answer) == [self.numbers[position] for position in lost], where


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("source", RECORDS)
def test_a_bad_record_takes_no_other_with_it(source: Source, mode: str) -> None:
    for bad in range(3):
        run = Run(source, bad, **MODES[mode])
        before, after = list(range(bad)), list(range(bad + 1, 3))
        if mode == "batch":  # one call for all three, which raised: all come again, whatever it had done
            assert run.done == before, source.value
            run.check([])
        else:
            assert run.done in ([before] if run.in_order else [before + after]) or run.failed_as_a_whole(before + after)
            run.check(run.done)


# ---- records that cannot be read -----------------------------------------------------------------------------------

# What a record is known by. Without it nothing could be reported, and the call fails as a whole, which loses nothing.
KEPT = frozenset(
    (
        *("messageId", "eventSource", "EventSource", "eventSourceARN", "eventID", "recordId", "taskId", "MessageId"),
        *("SequenceNumber", "sequenceNumber"),
    )
)


def numbers(record: dict[str, Any]) -> None:
    record.update({name: 5 for name in record if name not in KEPT and type(record[name]) is not dict})


def lone_surrogates(record: dict[str, Any]) -> None:
    for holder, key, path in list(texts(record)):
        if KEPT.isdisjoint(path):
            holder[key] = "\ud800"


def nothing(record: dict[str, Any]) -> None:
    for name in list(record):
        if name not in KEPT:
            del record[name]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("spoil", [numbers, lone_surrogates, nothing])
@pytest.mark.parametrize("source", RECORDS)
def test_a_record_that_cannot_be_read_takes_no_other_with_it(
    source: Source, spoil: Callable[[Any], None], mode: str
) -> None:
    for bad in range(3):
        run = Run(source, bad, spoil, **MODES[mode])
        where = f"{source.value}, the bad one is {bad}"
        if isinstance(run.answer, RouterError) and not isinstance(run.answer, RecordsFailed):
            assert run.done == [], f"{where}: the call fails, but not before something was done"
            continue
        before, after = list(range(bad)), list(range(bad + 1, 3))
        # By itself or with the others of its group and order: what is not done is not acknowledged.
        assert run.done in ([], before, after, before + after), where
        assert isinstance(run.answer, RecordsFailed) or named(source, run.answer), where
        if mode != "batch" and ROWS[source].kind != "ordered" and not run.in_order:
            assert run.done == before + after, where
            run.check(run.done)


# ---- refused sessions ----------------------------------------------------------------------------------------------

SIGNING = SessionPolicy(signing=Signing("the key of this application, 32 bytes at least"), body_field="session")


def note(seen: list[int], event: Event) -> None:
    seen.append(event.json()["number"])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("source", ["sqs", "sns", "kinesis", "activemq", "rabbitmq", "firehose"])
def test_a_refused_session_fails_its_record_alone(source: str, mode: str) -> None:
    """In a batch too: groups are made by session, and one that is refused is in none."""
    for bad in range(3):
        contents: list[Any] = [{"number": number} for number in range(3)]
        contents[bad]["session"] = {"tenant": "evil"}
        build: Any = getattr(samples, source)
        raw = build(contents) if source == "firehose" else build("orders", contents)
        seen: list[int] = []
        answer = Application(partial(note, seen), session=SIGNING, **MODES[mode]).resolve(raw)
        before, after = list(range(bad)), list(range(bad + 1, 3))
        assert seen == (before if source == "kinesis" else before + after)
        if ROWS[Source(source)].kind == "notify":
            assert isinstance(answer, RecordsFailed)
            assert len(answer.failures) == 1
        else:
            assert len(named(Source(source), answer)) == 1
