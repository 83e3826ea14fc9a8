"""Anything as a payload: never an error but the library's own, never a hang, never another record's loss."""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from router import (
    Event,
    FromRequest,
    RecordsFailed,
    Resolver,
    RouterError,
    SessionPolicy,
    Signing,
    Source,
    detect,
    read,
)
from router.sources import cloudformation
from router.sources._registry import HTTP_SOURCES, ROWS
from router.testing import Context, samples
from tests.unit.router.sources.payload_cases import JSON, mutations, read_all, real

FUZZ = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
HTTP = frozenset(HTTP_SOURCES)


def _several(source: str) -> Any:
    """A batch of three, of a source that delivers batches."""
    made = {
        "sqs": lambda: samples.sqs("orders", [{"id": 1}, "b", "c"], attributes={"n": 5}, session={"tenant": "acme"}),
        "sqs, fifo": lambda: samples.sqs("orders.fifo", ["a", "b", "c"], group=["g", "h", "g"]),
        "sns": lambda: samples.sns("orders", ["a", "b", "c"], attributes={"n": 5}),
        "dynamodb": lambda: samples.dynamodb(
            "orders",
            [("INSERT", None, {"id": 1}), ("MODIFY", {"id": 1}, {"id": 1, "n": 2}), ("REMOVE", {"id": 3}, None)],
        ),
        "kinesis": lambda: samples.kinesis("orders", [{"id": 1}, b"\xff", "c"]),
        "kafka": lambda: samples.kafka("orders", [{"id": 1}, "b", "c"], keys=["1", "2", "3"], headers={"kind": "new"}),
        "activemq": lambda: samples.activemq("orders", ["a", "b", "c"], properties={"kind": "new"}),
        "rabbitmq": lambda: samples.rabbitmq("orders", ["a", "b", "c"], headers={"kind": "new"}),
        "documentdb": lambda: samples.documentdb("orders", [{"total": 1}, {"total": 2}, {"total": 3}]),
        "firehose": lambda: samples.firehose([{"id": 1}, "b", "c"]),
        "kinesis-analytics": lambda: samples.kinesis_analytics([{"id": 1}, "b", "c"]),
        "s3": lambda: samples.s3("orders", ["a", "b c", "d"]),
    }
    return made[source]()


BATCHES = (
    *("sqs", "sqs, fifo", "sns", "dynamodb", "kinesis", "kafka"),
    *("activemq", "rabbitmq", "documentdb", "firehose", "kinesis-analytics", "s3"),
)
PAYLOADS = [
    *[build() for build in samples.SAMPLES.values()],
    *[_several(name) for name in BATCHES],
    *[raw for _, raw, _ in real(*Source)],
]
# Payloads with the keys that detection looks at, and anything else in them.
KEYS = st.sampled_from(sorted({key for raw in PAYLOADS if type(raw) is dict for key in raw}))
SHAPES = st.dictionaries(KEYS, JSON | st.sampled_from([raw for raw in PAYLOADS if type(raw) is dict]), max_size=6)


@pytest.fixture(autouse=True, scope="module")
def _quiet_and_offline() -> Iterator[None]:
    """Nothing is sent to CloudFormation, and thousands of expected errors are not logged."""
    logging.disable(logging.CRITICAL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cloudformation, "_put", lambda url, body: (None, False))
        yield
    logging.disable(logging.NOTSET)


class Application:
    """One route for each source; it notes which records it was called with, and each error."""

    def __init__(self, *, reads: bool = True, **options: Any) -> None:
        self.reads = reads
        self.called: list[Event] = []
        self.done: set[int] = set()  # by id() of the record, which the payload keeps alive
        self.errors: list[BaseException] = []
        self.resolver = Resolver(**options)
        self.resolver.on_error(self.note)
        for source in Source:
            if source not in HTTP:
                self.resolver.on(source, "*")(self.handle)
        for path in ("/", "/{rest+}"):
            self.resolver.route(path)(self.handle)

    def note(self, error: BaseException) -> None:
        self.errors.append(error)

    def clear(self) -> Application:
        """Itself, without what it has noted."""
        self.called.clear()
        self.done.clear()
        self.errors.clear()
        return self

    def handle(self, event: Event) -> Any:
        self.called.append(event)
        if self.reads:
            read_all(event)
        elif type(event.record) is dict and event.record.get("fail") is True:
            raise RouterError("asked to")
        self.done.add(id(event.record))
        return {"ok": True} if event._speaks_http else None

    def resolve(self, raw: Any) -> Any:
        """The answer, or the library's own error."""
        try:
            answer = self.resolver.resolve(raw, Context())
        except RouterError as error:
            return error
        json.dumps(answer)
        return answer


READER = Application()
FAILER = Application(reads=False)


def survives(raw: Any) -> None:
    """Recognised, read, dispatched and answered, or refused with an error of the library's own."""
    source = detect(raw)
    assert isinstance(source, Source)
    try:
        for event in read(raw, Context()):
            read_all(event)
    except RouterError:
        pass
    application = READER.clear()
    answer = application.resolve(raw)
    unexpected = [error for error in application.errors if not isinstance(error, RouterError)]
    assert unexpected == []
    if source in HTTP or source is Source.WEBSOCKET:  # every request is answered, and never as if we had failed
        assert answer["statusCode"] in (200, 204, 400, 404, 405)


@FUZZ
@given(JSON | SHAPES | st.lists(SHAPES, max_size=3))
def test_any_json_is_answered_or_refused(raw: Any) -> None:
    survives(raw)


@settings(FUZZ, max_examples=1500)
@given(mutations(PAYLOADS))
def test_a_payload_with_anything_in_any_place_is_answered_or_refused(raw: Any) -> None:
    before = repr(raw)
    survives(raw)
    assert repr(raw) == before


@FUZZ
@given(mutations(PAYLOADS))
def test_with_a_policy_that_asks_for_everything_too(raw: Any) -> None:
    policy = SessionPolicy(
        signing=Signing("0123456789abcdef" * 2),
        request=FromRequest(tenant_claim="tenant", tenant_header="x-tenant", user_claim="sub", claims=True),
        require=("tenant", "user"),
        lambda_tenant=True,
        body_field="session",
    )
    application = Application(session=policy)
    application.resolve(raw)
    assert [error for error in application.errors if not isinstance(error, RouterError)] == []
    # Nobody can make up the tenant and user of a signed session; where none can arrive, events belong to nobody.
    assert [event for event in application.called if event.session.tenant or event.session.user] == []


@pytest.mark.parametrize("name", samples.SAMPLES)
def test_deep_nesting_at_any_key_is_answered_or_refused(name: str) -> None:
    raw = samples.SAMPLES[name]()
    deep: Any = "x"
    for level in range(900):
        deep = [deep] if level % 2 else {"a": deep}
    for holder in [raw, *([raw["Records"][0]] if type(raw) is dict and "Records" in raw else [])]:
        for key in list(holder if type(holder) is dict else ()):
            kept, holder[key] = holder[key], deep
            survives(raw)
            holder[key] = kept


@pytest.mark.parametrize("name", samples.SAMPLES)
def test_every_key_missing_or_of_another_type(name: str) -> None:
    """Without chance: each key of each object, once with each kind of value in its place."""
    raw = samples.SAMPLES[name]()

    def places(value: Any) -> Iterator[tuple[Any, Any]]:
        for key in list(value if type(value) is dict else range(len(value)) if type(value) is list else ()):
            yield value, key
            yield from places(value[key])

    for holder, key in list(places(raw)):
        kept = holder[key]
        for value in (None, True, -1, 1.5, "", "text", "\ud800", [], [None], {}, {"": None}):
            holder[key] = value
            survives(raw)
        if type(holder) is dict:
            del holder[key]
            survives(raw)
        holder[key] = kept


# ---- batches -------------------------------------------------------------------------------------------------------

# Where each kind of record stands in its payload, and what it is reported by.
IDENTIFIERS: dict[str, Any] = {
    "sqs": lambda record: record["messageId"],
    "kinesis": lambda record: record["kinesis"]["sequenceNumber"],
    "dynamodb": lambda record: record["dynamodb"]["SequenceNumber"],
    "firehose": lambda record: record["recordId"],
    "kinesis-analytics": lambda record: record["recordId"],
    "s3-batch": lambda record: record["taskId"],
}


def records_of(raw: Any) -> list[Any]:
    """The records of a payload, wherever it has them."""
    for key in ("Records", "records", "tasks", "messages", "events", "rmqMessagesByQueue"):
        held = raw.get(key)
        if held is not None:
            return [record for records in held.values() for record in records] if type(held) is dict else held
    raise AssertionError("no records")


def _can_stay(data: Any) -> bool:
    """Whether data can be sent back to Firehose as it came: an answer is text of ASCII."""
    return type(data) is str and data.isascii()


def check_answer(raw: Any, application: Application, answer: Any) -> None:
    """Each record is done or reported, and nothing is reported that is not in the batch."""
    source, records = detect(raw), records_of(raw)
    undone = [record for record in records if id(record) not in application.done]
    kind = ROWS[source].kind
    if kind == "notify" or source is Source.KAFKA:
        if isinstance(answer, RecordsFailed):
            assert (len(answer.failures), answer.total) == (len(undone), len(records))
            assert undone
        else:
            assert answer is None
            assert undone == []
        return
    identify = IDENTIFIERS[source]
    if kind == "transform":
        answered = [(record["recordId"], record["result"] != "Ok") for record in answer["records"]]
        # A record without data, or whose data is not Base64, cannot be Ok as it is, whatever its handler did.
        failed = [id(record) not in application.done or not _can_stay(record.get("data")) for record in records]
        assert answered == list(zip(map(identify, records), failed, strict=True))
        return
    reported = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
    assert all(type(identifier) is str and identifier for identifier in reported)
    if kind == "items":
        assert reported == [identify(record) for record in undone]
    else:  # Lambda delivers again from the lowest reported number on
        assert bool(reported) == bool(undone)
        assert set(reported) <= {identify(record) for record in records}
        if undone:
            first = min(int(number) for number in reported)
            assert all(int(identify(record)) >= first for record in undone)


@st.composite
def batches_with_one_broken_record(draw: Any) -> tuple[Any, int]:
    """A batch of three in which one record has anything in up to three places, and which one it is."""
    raw = _several(draw(st.sampled_from(BATCHES)))
    records = records_of(raw)
    broken = draw(st.integers(0, len(records) - 1))
    changed = draw(mutations([records[broken]]))
    records[broken].clear()
    records[broken].update(changed)
    return raw, broken


@settings(FUZZ, max_examples=1000)
@given(batches_with_one_broken_record())
def test_a_broken_record_never_takes_another_with_it(batch: tuple[Any, int]) -> None:
    raw, broken = batch
    source = detect(raw)
    try:
        expected = len(read(raw)) == 3 and source in {detect(_several(name)) for name in BATCHES}
    except RouterError:
        return  # a failure of this record could not be reported: the whole call fails and comes again
    if not expected:
        return  # the record that names the source was the broken one
    application = READER.clear()
    answer = application.resolve(raw)
    assert [error for error in application.errors if not isinstance(error, RouterError)] == []
    records = records_of(raw)
    called = [id(event.record) for event in application.called]
    assert len(called) == len(set(called))
    ordered = ROWS[source].kind == "ordered" or "orders.fifo" in json.dumps(raw)
    for position, record in enumerate(records):
        if position != broken and not (ordered and position > broken):
            assert id(record) in application.done
    if _numbered(source, records):
        check_answer(raw, application, answer)


def _numbered(source: Source, records: list[Any]) -> bool:
    """Whether the identifiers are still such that the answer can be checked by them alone."""
    identify = IDENTIFIERS.get(source)
    if identify is None:
        return True
    identifiers = [identify(record) for record in records]
    return len(set(identifiers)) == len(identifiers) and (
        source not in (Source.KINESIS, Source.DYNAMODB) or all(text.isdigit() for text in identifiers)
    )


@FUZZ
@given(st.sampled_from(BATCHES), st.lists(st.booleans(), min_size=3, max_size=3))
def test_whatever_fails_the_answer_names_exactly_that(name: str, failing: list[bool]) -> None:
    raw = copy.deepcopy(_several(name))
    for record, fails in zip(records_of(raw), failing, strict=True):
        record["fail"] = fails
    application = FAILER.clear()
    check_answer(raw, application, application.resolve(raw))
