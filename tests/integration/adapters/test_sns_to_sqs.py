"""From a topic to a queue to a route over a real protocol: content, attributes and session arrive as given."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel

from adapters.aws import Aws
from adapters.errors import CredentialsMissing, InvalidMessage, ResourceNotFound
from adapters.messaging import Message, Queue, Topic
from adapters.offload import Offload
from adapters.sns import Sns
from adapters.sqs import Sqs
from router import Event, FromRequest, Resolver, Session, SessionPolicy, Signing, read
from router.testing import TestClient
from tests.integration.adapters.places import aws_of, make_queue, make_topic
from tests.servers.moto import MotoServer

POLICY = SessionPolicy(signing=Signing("s" * 32), request=FromRequest(tenant_header="x-tenant"))


class Made(BaseModel):
    id: str
    total: Decimal


@pytest.fixture
def aws(moto: MotoServer) -> Aws:
    return aws_of(moto)


def deliver(sqs: Sqs, queue: str, resolver: Resolver) -> int:
    """Give everything in a queue to a resolver, as Lambda would; how many messages that were."""
    count = 0
    while records := sqs.receive(queue, wait=0):
        assert resolver.resolve({"Records": records}) == {"batchItemFailures": []}
        sqs.delete_many(queue, records)
        count += len(records)
    return count


@pytest.mark.parametrize("raw", [False, True])
def test_a_session_travels_from_a_request_through_topic_and_queue(aws: Aws, raw: bool):
    _, queue_arn = make_queue(aws, "orders")
    make_topic(aws, "order-events", queue_arn, raw=raw)
    sns, sqs = Sns(aws), Sqs(aws)
    resolver, seen = Resolver(session=POLICY), []

    @resolver.post("/orders/{id}")
    def take(id: str):
        sns.publish("order-events", {"id": id, "total": Decimal("1.10")}, attributes={"kind": "made", "n": 2})
        return {"id": id}

    @resolver.on_queue("orders")
    def order(event: Event, session: Session):
        seen.append(
            (event.json(), event.attributes["kind"], event.attributes["n"], session.tenant, event.correlation_id)
        )

    request = TestClient(resolver).post("/orders/7", headers={"x-tenant": "acme"})
    assert request.json() == {"id": "7"}
    assert deliver(sqs, "orders", resolver) == 1
    ((body, kind, number, tenant, correlation),) = seen
    assert (body, kind, number, tenant) == ({"id": "7", "total": 1.1}, "made", 2, "acme")
    assert correlation


def test_what_is_not_signed_on_the_way_is_refused(aws: Aws):
    make_queue(aws, "orders")
    sqs = Sqs(aws)
    resolver = Resolver(session=POLICY)

    @resolver.on_queue("orders")
    def order(session: Session):
        pytest.fail("it ran as somebody")

    sqs.send("orders", {}, session=Session(user="root"))
    answer: Any = resolver.resolve({"Records": sqs.receive("orders", wait=0)})
    assert len(answer["batchItemFailures"]) == 1


@pytest.mark.parametrize("in_async_code", [False, True])
def test_twenty_five_messages_arrive_in_three_batches(aws: Aws, in_async_code: bool):
    _, queue_arn = make_queue(aws, "orders")
    make_topic(aws, "order-events", queue_arn)
    sns, sqs = Sns(aws), Sqs(aws)
    resolver, seen = Resolver(), []

    @resolver.on_queue("orders", topics=["order-events"])
    def order(event: Event, session: Session):
        seen.append((event.json(), session.tenant, event.attributes.get("kind")))

    messages = [Message({"n": n}, attributes={"kind": f"k{n}"}, session=Session(tenant=f"t{n % 3}")) for n in range(25)]
    if in_async_code:
        ids = asyncio.run(sns.publish_many_async("order-events", messages))
    else:
        ids = sns.publish_many("order-events", messages)
    assert len(set(ids)) == 25
    assert deliver(sqs, "orders", resolver) == 25
    seen.sort(key=lambda one: one[0]["n"])
    assert seen == [({"n": n}, f"t{n % 3}", f"k{n}") for n in range(25)]


def test_every_kind_of_attribute_arrives(aws: Aws):
    make_queue(aws, "orders")
    sqs = Sqs(aws)
    given = {
        "text": "é",
        "whole": 10**20,
        "exact": Decimal("0.10"),
        "bytes": b"\x00\xff",
        "list": [1, "a"],
        "none": None,
    }
    sqs.send("orders", "x", attributes=given)
    resolver, seen = Resolver(), []

    @resolver.on_queue("orders")
    def order(event: Event):
        seen.append(event.attributes)

    assert deliver(sqs, "orders", resolver) == 1
    assert seen == [{name: value for name, value in given.items() if value is not None}]


def test_names_urls_arns_maps_and_templates_lead_to_the_same_queue(moto: MotoServer):
    url, arn = make_queue(aws_of(moto), "shop-dev-orders")
    aws = aws_of(moto, service="shop", stage="dev", queue_name="{service}-{stage}-{name}", queues={"o": url, "p": arn})
    sqs = Sqs(aws)
    derived = Sqs(aws_of(moto, account="123456789012", queues={"orders": "shop-dev-orders"}))
    for queue in ("orders", url, arn, "o", "p"):
        sqs.send(queue, "x")
    derived.send("orders", "x")
    received = sqs.receive("orders", wait=0)
    assert len(received) == 6
    assert {record["eventSourceARN"] for record in received} == {arn}


def test_typed_topic_to_typed_queue(aws: Aws):
    _, queue_arn = make_queue(aws, "made.fifo")
    make_topic(aws, "order-events.fifo", queue_arn)
    events = Topic("order-events.fifo", Made, sns=Sns(aws, content_deduplication=True), group="id")
    queue = Queue("made.fifo", Made, sqs=Sqs(aws))
    events.publish_many([Made(id="1", total=Decimal("1.10")), {"id": "1", "total": "2"}])
    with pytest.raises(InvalidMessage, match="total"):
        events.publish({"id": "1"})
    resolver, seen = Resolver(), []

    @resolver.on_queue(queue.route)
    def made(event: Event, body: Made):
        seen.append(body)

    assert deliver(queue.sqs, "made.fifo", resolver) == 2
    assert seen == [Made(id="1", total=Decimal("1.10")), Made(id="1", total=Decimal(2))]


def test_everything_from_the_environment(moto: MotoServer, monkeypatch: pytest.MonkeyPatch):
    for name, value in moto.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("JUNCTION_STAGE", "dev")
    monkeypatch.setenv("JUNCTION_QUEUE_NAME", "{stage}-{name}")
    aws = aws_of(moto)
    _, queue_arn = make_queue(aws, "dev-orders")
    make_topic(aws, "order-events", queue_arn, raw=True)
    aws.call("s3", "create_bucket", Bucket="bodies", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    offload = Offload("bodies", threshold=10)
    events = Topic("order-events", sns=Sns(offload=offload))
    events.publish("a message that goes by S3")
    Queue("orders").send("short")
    (first, second) = [event for record in Sqs().receive("orders", wait=0) for event in read({"Records": [record]})]
    assert {offload.open(first), offload.open(second)} == {b"short", b"a message that goes by S3"}


class TestErrors:
    def test_a_topic_that_does_not_exist(self, aws: Aws):
        with pytest.raises(ResourceNotFound, match=r"arn:aws:sns:eu-west-1:123456789012:nowhere.*check its name"):
            Sns(aws).publish("nowhere", "x")
        with pytest.raises(ResourceNotFound, match="nowhere"):
            asyncio.run(Sns(aws).publish_many_async("nowhere", ["x"]))

    def test_a_queue_that_does_not_exist_or_is_deleted_meanwhile(self, aws: Aws):
        sqs = Sqs(aws)
        with pytest.raises(ResourceNotFound, match="orders"):
            sqs.send("orders", "x")
        url, _ = make_queue(aws, "orders")
        sqs.send("orders", "x")
        aws.call("sqs", "delete_queue", QueueUrl=url)
        for call in (
            lambda: sqs.send("orders", "x"),
            lambda: sqs.receive(url, wait=0),
            lambda: sqs.delete_many(url, ["handle"]),
        ):
            with pytest.raises(ResourceNotFound, match="orders"):
                call()
        make_queue(aws, "orders")
        assert sqs.send("orders", "x")

    def test_no_credentials(self, moto: MotoServer, monkeypatch: pytest.MonkeyPatch):
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_CONFIG_FILE", "no-such-file")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "no-such-file")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        with pytest.raises(CredentialsMissing, match="orders"):
            Sqs(aws_of(moto, access_key_id=None, secret_access_key=None)).send("orders", "x")
