"""S3 notifications as events."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus

import pytest
from aws_lambda_powertools.utilities.data_classes import S3Event
from hypothesis import given
from hypothesis import strategies as st

from router import Resolver
from router.errors import InvalidEvent
from router.event import Source
from router.session import Session
from router.sources._registry import ROWS
from router.testing import TestClient, samples
from tests.unit.router.sources.payload_cases import FUZZ, mutations, real
from tests.unit.router.sources.record_cases import agree_with_labels, one, read, stays_within_our_errors

PAYLOADS = [samples.s3("photos", ["a b.jpg", "c"], version_id="v1"), *(raw for _, raw, _ in real(Source.S3))]


def changed(*path: str, value: Any) -> Any:
    """A notification with one part of its record replaced."""
    raw = samples.s3("photos", "cats/a.jpg")
    held = raw["Records"][0]
    for key in path[:-1]:
        held = held[key]
    held[path[-1]] = value
    return raw


def test_every_real_payload_is_read_as_its_label_says() -> None:
    agree_with_labels(Source.S3)


def test_real_payloads_agree_with_powertools() -> None:
    for file, raw, _ in real(Source.S3):
        for event, theirs in zip(read(Source.S3, raw), S3Event(raw).records, strict=True):
            assert event.name == theirs.s3.bucket.name, file
            assert event.keys["key"] == unquote_plus(theirs.s3.get_object.key), file
            assert event.change == theirs.event_name, file
            assert event.source_ip == theirs.request_parameters.source_ip_address, file


def test_a_notification_tells_what_happened_to_which_object() -> None:
    raw = samples.s3(
        "photos", "cats/täglich 1+1.jpg", size=42, version_id="v7", timestamp=datetime(2024, 5, 4, tzinfo=UTC)
    )
    event = one(Source.S3, raw)
    held = raw["Records"][0]["s3"]["object"]
    assert (event.name, event.change) == ("photos", "ObjectCreated:Put")
    assert event.keys == {
        "bucket": "photos",
        "key": "cats/täglich 1+1.jpg",
        "version": "v7",
        "etag": held["eTag"],
        "size": 42,
    }
    assert event.json() == raw["Records"][0]
    assert event.timestamp == datetime(2024, 5, 4, tzinfo=UTC)
    assert event.session == Session()


def test_a_plus_is_a_space_and_an_encoded_plus_a_plus() -> None:
    assert one(Source.S3, changed("s3", "object", "key", value="red+flower%2B1.jpg")).keys["key"] == "red flower+1.jpg"


def test_a_removed_object_has_neither_size_nor_etag() -> None:
    keys = one(Source.S3, samples.s3("photos", "a", event="ObjectRemoved:Delete")).keys
    assert (keys["key"], keys["etag"], keys["size"], keys["version"]) == ("a", None, None, None)


def test_ids_are_stable_and_tell_the_objects_of_one_request_apart() -> None:
    raw = samples.s3("photos", ["a", "b"], event="ObjectRemoved:Delete")
    for record in raw["Records"]:  # of one DeleteObjects
        record["responseElements"]["x-amz-request-id"] = "R1"
        record["s3"]["object"]["sequencer"] = "S1"
    first, second = read(Source.S3, raw)
    assert first.id != second.id
    assert first.id == read(Source.S3, copy.deepcopy(raw))[0].id
    assert first.id.startswith("R1:S1:")


def test_an_event_without_a_sequencer_has_an_id_too() -> None:
    raw = samples.s3("photos", "a", event="ObjectRestore:Completed")
    del raw["Records"][0]["s3"]["object"]["sequencer"]
    assert one(Source.S3, raw).id.endswith(":a")


def test_the_test_event_is_about_no_object() -> None:
    assert read(Source.S3, samples.s3_test_event("photos")) == []


@pytest.mark.parametrize(
    ("raw", "field", "message"),
    [
        (changed("s3", "bucket", value=5), "name", "s3.bucket.name: must be text, not null or missing"),
        (changed("s3", "object", "key", value=None), "keys", "s3.object.key: must be text, not null or missing"),
        (
            changed("s3", "object", "key", value="%ff"),
            "keys",
            "s3.object.key: has a percent-encoding that is not UTF-8",
        ),
        (changed("eventName", value=[]), "change", "eventName: must be text, not a list"),
        (changed("awsRegion", value="\ud800"), "body", ": cannot be written as JSON"),
    ],
)
def test_a_malformed_field_is_named(raw: Any, field: str, message: str) -> None:
    with pytest.raises(InvalidEvent) as caught:
        getattr(one(Source.S3, raw), field)
    assert str(caught.value).startswith("s3 Records[0]" + (message if message[0] == ":" else f".{message}"))


def test_an_event_that_nothing_identifies_has_no_id() -> None:
    raw = changed("responseElements", value=None)
    raw["Records"][0]["s3"]["object"]["sequencer"] = None
    with pytest.raises(InvalidEvent, match=r"x-amz-request-id: there is none, and no sequencer$"):
        _ = one(Source.S3, raw).id


def test_an_address_that_is_no_text_is_unknown() -> None:
    assert one(Source.S3, changed("requestParameters", value=[])).source_ip is None


def test_the_call_succeeds_or_fails_as_a_whole() -> None:
    assert ROWS[Source.S3].kind == "notify"


@FUZZ
@given(mutations(PAYLOADS), st.data())
def test_mutations_raise_our_errors_alone(raw: Any, data: st.DataObject) -> None:
    stays_within_our_errors(Source.S3, raw, data)


def test_what_is_told_of_the_object_can_be_read_by_name():
    (event,) = read(Source.S3, samples.s3("orders", "new/order 1.json", size=7, version_id="v1"))
    assert (event.bucket, event.key, event.version, event.size) == ("orders", "new/order 1.json", "v1", 7)
    assert event.etag == event.record["s3"]["object"]["eTag"]
    (removed,) = read(Source.S3, samples.s3("orders", "a", event="ObjectRemoved:Delete"))
    assert (removed.key, removed.version, removed.size, removed.etag) == ("a", None, None, None)


def test_every_event_that_s3_knows_can_be_named_and_its_family() -> None:
    from botocore.loaders import Loader

    for name in Loader().load_service_model("s3", "service-2")["shapes"]["Event"]["enum"]:
        Resolver().on_object("uploads", events=[name])(lambda: None)
        Resolver().on_object("uploads", events=[name.removeprefix("s3:")])(lambda: None)


@pytest.mark.parametrize("change", ["ObjectAnnotation:Put", "ObjectAnnotation:Delete", "ObjectRetention:Put"])
def test_new_events_reach_their_route(change: str) -> None:
    resolver, seen = Resolver(), []
    resolver.on_object("uploads", events=[f"{change.partition(':')[0]}:*"])(lambda event: seen.append(event.change))
    TestClient(resolver).object("uploads", "a.txt", event=change)
    assert seen == [change]
