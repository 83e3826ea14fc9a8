"""Pointers of Amazon's extended clients for SQS and SNS, opened where `Offload` may read."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import pytest

from adapters.errors import OffloadRefused
from adapters.offload import Offload
from router import Event, Resolver, SessionPolicy, Signing
from router.testing import samples
from tests.unit.adapters.fakes import FakeClient, fake_aws, refusal

BODY = json.dumps({"text": "x" * 300_000}).encode()
SIZE = len(BODY)
UUID = "3b2c7e0e-7d4b-4a4e-9d1c-2f0a7f6d1e55"
CLASS = "software.amazon.payloadoffloading.PayloadS3Pointer"
OLDER = "com.amazon.sqs.javamessaging.MessageS3Pointer"


def pointer(bucket: Any = "theirs", key: Any = UUID, kind: str = CLASS) -> list[Any]:
    """The body that an extended client sends."""
    return [kind, {"s3BucketName": bucket, "s3Key": key}]


def message(body: Any = None, size: Any = SIZE, attribute: str = "ExtendedPayloadSize") -> dict[str, Any]:
    """A message of an extended client."""
    return samples.sqs("orders", [pointer() if body is None else body], attributes={attribute: size})


class Shop:
    """An application with a bucket, and what its handler read."""

    def __init__(self, *, asynchronous: bool = False, policy: Any = None, topics: Any = (), **options: Any) -> None:
        self.store = FakeClient(
            get_object=lambda _: {"ContentLength": len(BODY), "Body": io.BytesIO(BODY)},
        )
        self.read: list[Any] = []
        offload = Offload("ours", buckets=["theirs"], aws=fake_aws({"s3": self.store}), **options)
        self.resolver = Resolver(offload=offload, session=policy)
        self.told: list[Exception] = []
        self.resolver.on_error(self.note)
        self.resolver.on_queue("orders", topics=topics)(self.waiting if asynchronous else self.sync)
        self.resolver.on_topic("orders")(self.sync)

    def note(self, error: Exception) -> None:
        self.told.append(error)

    def sync(self, event: Event) -> None:
        self.read.append((event.json(), event.body))

    async def waiting(self, event: Event) -> None:
        await asyncio.sleep(0)
        self.sync(event)

    def fails(self, raw: Any) -> bool:
        return bool(self.resolver.resolve(raw)["batchItemFailures"])

    def refuses(self, raw: Any, told: str) -> bool:
        """Whether the message fails with this error, and nothing was fetched."""
        failed = self.fails(raw)
        return failed and told in str(self.told[-1]) and self.store.calls == [] and self.read == []


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("attribute", ["ExtendedPayloadSize", "SQSLargePayloadSize"])
@pytest.mark.parametrize("kind", [CLASS, OLDER])
def test_the_handler_reads_the_body_itself(asynchronous: bool, attribute: str, kind: str) -> None:
    shop = Shop(asynchronous=asynchronous)
    assert not shop.fails(message(pointer(kind=kind), attribute=attribute))
    assert shop.read == [(json.loads(BODY), BODY)]
    assert shop.store.parameters("get_object") == [{"Bucket": "theirs", "Key": UUID}]


@pytest.mark.parametrize("key", [UUID, UUID.upper(), "offload/any", f"offload/{UUID}"])
@pytest.mark.parametrize("bucket", ["ours", "theirs"])
def test_buckets_and_keys_that_are_allowed(bucket: str, key: str) -> None:
    assert not Shop().fails(message(pointer(bucket, key)))


@pytest.mark.parametrize(
    ("bucket", "key"),
    [
        ("others", UUID),
        ("theirs", "salaries.csv"),
        ("theirs", f"x/{UUID}"),
        ("theirs", UUID + "/x"),
        ("theirs", UUID + "\n"),
        ("theirs", ""),
        ("OURS", UUID),
    ],
)
def test_other_places_are_refused(bucket: str, key: str) -> None:
    assert Shop().refuses(message(pointer(bucket, key)), "names a place that is not allowed")


@pytest.mark.parametrize(
    "body",
    [
        *("text", {}, [], [CLASS], [CLASS, "x"], [CLASS, {}, {}], ["java.lang.Runtime", {}], [{}, {}]),
        {"junction-offload": {"bucket": "ours", "key": "offload/x", "size": 1}},
    ],
)
def test_a_body_that_is_no_pointer_is_refused(body: Any) -> None:
    assert Shop().refuses(message(body), "(ExtendedPayloadSize), and holds no pointer to it")


@pytest.mark.parametrize(
    ("body", "size"), [(pointer(None), 1), (pointer(key=7), 1), ([CLASS, {}], 1), (None, 1.5), (None, "many")]
)
def test_a_malformed_pointer_is_refused(body: Any, size: Any) -> None:
    assert Shop().refuses(message(body, size), "is malformed")


def test_sizes_are_bounded_and_compared() -> None:
    assert Shop().refuses(message(size=-1), "-1 bytes")
    assert Shop(most=1000).refuses(message(), "1000 are the most")
    shop = Shop()
    assert shop.fails(message(size=7))
    assert "the pointer says 7" in str(shop.told[-1])


def test_an_object_that_is_gone_fails_its_record_alone() -> None:
    shop = Shop()
    shop.store._answers["get_object"] = [refusal("NoSuchKey", status=404, operation="GetObject")]
    raw = message()
    raw["Records"] += samples.sqs("orders", [{"small": True}], message_ids=["2"])["Records"]
    assert len(shop.resolver.resolve(raw)["batchItemFailures"]) == 1
    assert [held for held, _ in shop.read] == [{"small": True}]


def test_a_body_alone_is_no_pointer() -> None:
    shop = Shop()
    assert not shop.fails(samples.sqs("orders", [pointer()]))
    assert shop.read[0][0] == pointer()
    assert shop.store.calls == []


def test_our_own_pointer_needs_its_digest_all_the_same() -> None:
    held = {"bucket": "ours", "key": "offload/x", "size": len(BODY)}
    for one in (held, {**held, "sha256": None}):
        raw = samples.sqs("orders", [{"junction-offload": one}], attributes={"junction-offload": 1})
        assert Shop().refuses(raw, "is malformed")


@pytest.mark.parametrize("policy", [None, SessionPolicy(signing=Signing("at least thirty-two bytes of secret text"))])
def test_in_an_envelope_it_counts_only_from_a_named_topic(policy: Any) -> None:
    raw = samples.sns_in_sqs("events", [pointer()], queue="orders", attributes={"ExtendedPayloadSize": len(BODY)})
    shop = Shop(policy=policy)
    assert shop.fails(raw)
    assert shop.store.calls == []
    named = Shop(policy=policy, topics=["events"])
    assert not named.fails(raw)
    assert named.read == [(json.loads(BODY), BODY)]


def test_a_notification_of_sns_likewise() -> None:
    shop = Shop()
    shop.resolver.resolve(samples.sns("orders", [pointer()], attributes={"ExtendedPayloadSize": len(BODY)}))
    assert shop.read == [(json.loads(BODY), BODY)]


def test_it_can_be_opened_without_a_resolver() -> None:
    from router import read

    offload = Offload("theirs", aws=fake_aws({"s3": Shop().store}))
    (event,) = read(message())
    assert offload.open(event) == BODY
    (event,) = read(message(pointer("others")))
    with pytest.raises(OffloadRefused):
        offload.open(event)
