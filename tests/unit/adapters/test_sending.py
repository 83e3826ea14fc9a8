"""Publishing and sending: batches, retries, what is refused early, sessions, audit and rate limit."""

from __future__ import annotations

import asyncio
import inspect
import json
import threading
from decimal import Decimal
from typing import Any

import pytest
from botocore.stub import Stubber

from adapters.aws import Aws
from adapters.errors import (
    AccessDenied,
    InvalidMessage,
    MessageTooLarge,
    PartialFailure,
    ResourceNotFound,
    Throttled,
)
from adapters.messaging import Queue, Topic
from adapters.offload import Offload
from adapters.sns import Message, Sns
from adapters.sqs import Sqs
from router import (
    ConfigurationError,
    Event,
    FromRequest,
    Resolver,
    Session,
    SessionPolicy,
    Signing,
    reset_session,
    set_session,
)
from router.testing import TestClient
from tests.unit.adapters.fakes import (
    QUEUE_URL,
    SETTINGS,
    TOPIC_ARN,
    FakeClient,
    fake_aws,
    refusal,
    sent_ids,
    taken,
)

TAKES_ALL = {"publish": {"MessageId": "m"}, "publish_batch": taken}


def publisher(sleeps=None, options=None, **answers):
    client = FakeClient(**{**TAKES_ALL, **answers})
    return Sns(fake_aws({"sns": client}, sleeps), **(options or {})), client


def sender(sleeps=None, options=None, **answers):
    client = FakeClient(**{"send_message": {"MessageId": "m"}, "send_message_batch": taken, **answers})
    return Sqs(fake_aws({"sqs": client}, sleeps), **(options or {})), client


@pytest.fixture
def as_ann():
    token = set_session(Session(tenant="acme", user="ann"))
    yield
    reset_session(token)


class TestRequests:
    def test_one_message_with_everything(self):
        sns, client = publisher()
        id = sns.publish("order-events", {"total": Decimal("1.10")}, attributes={"kind": "made", "n": 2}, subject="Hi")
        assert id == "m"
        assert client.calls == [
            (
                "publish",
                {
                    "TopicArn": TOPIC_ARN,
                    "Message": '{"total":1.10}',
                    "Subject": "Hi",
                    "MessageAttributes": {
                        "kind": {"DataType": "String", "StringValue": "made"},
                        "n": {"DataType": "Number", "StringValue": "2"},
                    },
                },
            )
        ]

    def test_a_queue_message_with_everything(self):
        sqs, client = sender()
        sqs.send("orders", "text", delay=1.2, attributes={"b": b"\x01"})
        sqs.send("orders.fifo", b"bytes", group="g", deduplication="d")
        assert client.calls == [
            (
                "send_message",
                {
                    "QueueUrl": QUEUE_URL,
                    "MessageBody": "text",
                    "DelaySeconds": 2,
                    "MessageAttributes": {"b": {"DataType": "Binary", "BinaryValue": b"\x01"}},
                },
            ),
            (
                "send_message",
                {
                    "QueueUrl": f"{QUEUE_URL}.fifo",
                    "MessageBody": "bytes",
                    "MessageGroupId": "g",
                    "MessageDeduplicationId": "d",
                },
            ),
        ]

    def test_a_message_object_where_keywords_win(self):
        sqs, client = sender()
        sqs.send("orders", Message("x", delay=5), delay=7)
        assert client.parameters("send_message")[0]["DelaySeconds"] == 7

    def test_batches_are_cut_by_number(self):
        sns, client = publisher()
        assert sns.publish_many("order-events", range(25)) == [f"m{n}" for n in range(25)]
        assert [len(ids) for ids in sent_ids(client, "publish_batch")] == [10, 10, 5]

    def test_batches_are_cut_by_size(self):
        sns, client = publisher()
        sns.publish_many("order-events", ["x" * 100_000] * 5)
        assert [len(ids) for ids in sent_ids(client, "publish_batch")] == [2, 2, 1]

    def test_nothing_to_send_asks_nothing(self):
        sns, client = publisher()
        assert sns.publish_many("order-events", []) == []
        assert client.calls == []

    def test_async_twins_send_the_same(self):
        async def both():
            sns, topic = publisher()
            sqs, queue = sender()
            ids = [await sns.publish_async("order-events", 1), await sqs.send_async("orders", 2, delay=3)]
            more = await sns.publish_many_async("order-events", range(12))
            more += await sqs.send_many_async("orders", range(12))
            return ids, more, topic, queue

        ids, more, topic, queue = asyncio.run(both())
        assert ids == ["m", "m"]
        assert more == [f"m{n}" for n in range(12)] * 2
        assert [len(ids) for ids in sent_ids(topic, "publish_batch")] == [10, 2]
        assert queue.parameters("send_message")[0]["DelaySeconds"] == 3

    def test_async_twins_send_every_option_on(self):
        shared = {"attributes": {"a": "b"}, "group": "g", "deduplication": "d", "session": Session(user="u-1")}
        sns, topic = publisher()
        sqs, queue = sender()
        sns.publish("order-events.fifo", "x", subject="s", **shared)
        asyncio.run(sns.publish_async("order-events.fifo", "x", subject="s", **shared))
        sqs.send("orders.fifo", "x", **shared)
        asyncio.run(sqs.send_async("orders.fifo", "x", **shared))
        for client, verb in ((topic, "publish"), (queue, "send_message")):
            first, second = client.parameters(verb)
            assert first == second
            assert first["MessageAttributes"].keys() == {"a", "session"}

    def test_content_deduplication_only_when_told(self):
        sqs, client = sender()
        sqs.send("orders.fifo", "x", group="g")
        telling, told = sender(options={"content_deduplication": True})
        telling.send_many("orders.fifo", [Message("x", group="g"), Message("x", group="g", deduplication="own")])
        assert "MessageDeduplicationId" not in client.parameters("send_message")[0]
        first, second = told.parameters("send_message_batch")[0]["Entries"]
        assert len(first["MessageDeduplicationId"]) == 64
        assert second["MessageDeduplicationId"] == "own"

    def test_a_group_may_hold_every_character_that_sqs_takes(self):
        sqs, client = sender()
        everything = "".join(map(chr, range(ord("!"), ord("~") + 1)))
        sqs.send("orders.fifo", "x", group=everything, deduplication="!" * 128)
        (sent,) = client.parameters("send_message")
        assert (sent["MessageGroupId"], sent["MessageDeduplicationId"]) == (everything, "!" * 128)

    def test_a_group_on_a_standard_queue_makes_it_a_fair_one(self):
        sqs, client = sender()
        sqs.send("orders", "x", group="tenant-1")
        assert client.parameters("send_message")[0]["MessageGroupId"] == "tenant-1"


class TestIdsOfMany:
    """Groups and deduplication ids of FIFO for messages that have none of their own."""

    MESSAGES = ({"id": 1, "customer": "ann"}, Message({"id": 2, "customer": "bob"}, group="own", deduplication="own-2"))
    IDS = (("ann", "id-1"), ("own", "own-2"))

    @staticmethod
    def ids(client, operation):
        [asked] = client.parameters(operation)
        entries = asked.get("PublishBatchRequestEntries") or asked["Entries"]
        return tuple((one["MessageGroupId"], one["MessageDeduplicationId"]) for one in entries)

    @pytest.mark.parametrize("asynchronous", [False, True])
    def test_are_functions_of_the_content(self, asynchronous):
        options = {"group": lambda held: held["customer"], "deduplication": lambda held: f"id-{held['id']}"}
        sqs, queue = sender()
        sns, topic = publisher()
        if asynchronous:
            asyncio.run(sqs.send_many_async("orders.fifo", self.MESSAGES, **options))
            asyncio.run(sns.publish_many_async("orders.fifo", self.MESSAGES, **options))
        else:
            sqs.send_many("orders.fifo", self.MESSAGES, **options)
            sns.publish_many("orders.fifo", self.MESSAGES, **options)
        assert self.ids(queue, "send_message_batch") == self.ids(topic, "publish_batch") == self.IDS

    def test_one_group_for_all(self):
        sqs, client = sender(options={"content_deduplication": True})
        sqs.send_many("orders.fifo", [1, 2, Message(3, group="own")], group="g")
        entries = client.parameters("send_message_batch")[0]["Entries"]
        assert [one["MessageGroupId"] for one in entries] == ["g", "g", "own"]
        assert len({one["MessageDeduplicationId"] for one in entries}) == 3

    def test_one_deduplication_id_for_all_would_lose_all_but_the_first(self):
        sqs, client = sender()
        one: Any = "d"
        with pytest.raises(ConfigurationError, match="function of the content"):
            sqs.send_many("orders.fifo", [1, 2], group="g", deduplication=one)
        assert client.calls == []

    def test_one_that_is_not_an_id_is_named_by_its_position(self):
        sqs, client = sender()
        with pytest.raises(InvalidMessage, match="#1: group= must be"):
            sqs.send_many("orders.fifo", ["a", "b c"], group=str)
        assert client.calls == []

    @pytest.mark.parametrize("verb", ["{}", "{}_async", "{}_many", "{}_many_async"])
    @pytest.mark.parametrize(
        ("channel", "name"), [(Sqs, "send"), (Queue, "send"), (Sns, "publish"), (Topic, "publish")]
    )
    def test_the_signatures_name_them(self, channel, name, verb):
        named = inspect.signature(getattr(channel, verb.format(name))).parameters
        assert {"group", "deduplication"} <= named.keys()


class TestNames:
    def test_of_topics(self):
        settings = SETTINGS.replace(topics={"audit": "arn:aws:sns:eu-west-1:9:audit", "events": "order-events"})
        client = FakeClient(**TAKES_ALL)
        sns = Sns(fake_aws({"sns": client}, settings=settings))
        for topic in ("audit", "events", "order-events", TOPIC_ARN):
            sns.publish(topic, "x")
        arns = [held["TopicArn"] for held in client.parameters("publish")]
        assert arns == ["arn:aws:sns:eu-west-1:9:audit", TOPIC_ARN, TOPIC_ARN, TOPIC_ARN]

    @pytest.mark.parametrize(
        ("region", "prefix"),
        [("cn-north-1", "arn:aws-cn:sns"), ("us-gov-west-1", "arn:aws-us-gov:sns"), ("us-east-1", "arn:aws:sns")],
    )
    def test_of_topics_elsewhere_on_earth(self, region, prefix):
        client = FakeClient(**TAKES_ALL)
        Sns(fake_aws({"sns": client}, settings=SETTINGS.replace(region=region))).publish("t", "x")
        assert client.parameters("publish")[0]["TopicArn"] == f"{prefix}:{region}:123456789012:t"

    def test_the_account_is_asked_once(self):
        sts = FakeClient(get_caller_identity={"Account": "210987654321"})
        client = FakeClient(**TAKES_ALL)
        sns = Sns(fake_aws({"sns": client, "sts": sts}, settings=SETTINGS.replace(account=None)))
        for topic in ("a", "b", "a"):
            sns.publish(topic, "x")
        assert len(sts.calls) == 1
        assert client.parameters("publish")[1]["TopicArn"] == "arn:aws:sns:eu-west-1:210987654321:b"

    def test_of_queues(self):
        settings = SETTINGS.replace(queues={"audit": "https://sqs.eu-west-1.amazonaws.com/9/audit"})
        client = FakeClient(send_message={"MessageId": "m"})
        sqs = Sqs(fake_aws({"sqs": client}, settings=settings))
        for queue in ("audit", "orders", QUEUE_URL, "arn:aws:sqs:eu-west-1:123456789012:orders"):
            sqs.send(queue, "x")
        urls = [held["QueueUrl"] for held in client.parameters("send_message")]
        assert urls == ["https://sqs.eu-west-1.amazonaws.com/9/audit", QUEUE_URL, QUEUE_URL, QUEUE_URL]
        assert [sqs.url("audit"), asyncio.run(sqs.url_async("orders"))] == urls[:2]

    def test_a_queue_that_was_made_again_is_looked_up_again(self):
        client = FakeClient(
            get_queue_url=[{"QueueUrl": "https://sqs/1/old"}, {"QueueUrl": "https://sqs/1/new"}],
            send_message=[refusal("QueueDoesNotExist"), {"MessageId": "m"}],
        )
        sqs = Sqs(fake_aws({"sqs": client}, settings=SETTINGS.replace(account=None)))
        with pytest.raises(ResourceNotFound, match="https://sqs/1/old"):
            sqs.send("orders", "x")
        sqs.send("orders", "x")
        sqs.send("orders", "x")
        assert [held["QueueUrl"] for held in client.parameters("send_message")] == [
            "https://sqs/1/old",
            "https://sqs/1/new",
            "https://sqs/1/new",
        ]

    def test_another_region_gets_a_client_of_its_own(self):
        aws = Aws(SETTINGS)
        client = aws.client("sns", "us-east-1")
        assert client.meta.region_name == "us-east-1"
        arn = "arn:aws:sns:us-east-1:123456789012:t"
        with Stubber(client) as stub:
            stub.add_response("publish", {"MessageId": "there"}, {"TopicArn": arn, "Message": "x"})
            assert Sns(aws).publish(arn, "x") == "there"
        url = "https://sqs.us-east-1.amazonaws.com/123456789012/orders"
        with Stubber(aws.client("sqs", "us-east-1")) as stub:
            for _ in range(2):
                stub.add_response("send_message", {"MessageId": "there"}, {"QueueUrl": url, "MessageBody": "x"})
            assert Sqs(aws).send(url, "x") == "there"
            assert Sqs(aws).send("arn:aws:sqs:us-east-1:123456789012:orders", "x") == "there"

    @pytest.mark.parametrize("name", ["", None, 3])
    def test_that_are_none(self, name):
        with pytest.raises(ConfigurationError, match="name, ARN or URL"):
            publisher()[0].publish(name, "x")


class TestRefusedEarly:
    @pytest.mark.parametrize(
        ("content", "options", "said"),
        [
            ("", {}, "empty"),
            (b"\xff", {}, "UTF-8"),
            (object(), {}, "builtins.object"),
            ("\ud800", {}, "surrogate"),
            ("x", {"subject": "a\nb"}, "one line"),
            ("x", {"subject": "x" * 101}, "one line"),
            ("x", {"deduplication": "d"}, "FIFO"),
            ("x", {"attributes": {"a": {}}}, "'a'"),
            ("x", {"attributes": {f"a{n}": 1 for n in range(11)}}, "11 attributes"),
        ],
    )
    def test_by_sns(self, content, options, said):
        sns, client = publisher()
        with pytest.raises(InvalidMessage, match="order-events message #0") as raised:
            sns.publish("order-events", content, **options)
        assert said in str(raised.value)
        assert client.calls == []

    @pytest.mark.parametrize(
        ("queue", "content", "options", "said"),
        [
            ("orders", "a\x00b", {}, "U+0000 at 1"),
            ("orders", "\ufffe", {}, "U+FFFE"),
            ("orders", "x", {"delay": 901}, "from 0 to 900"),
            ("orders", "x", {"delay": "5"}, "seconds or a timedelta"),
            ("orders.fifo", "x", {}, "group="),
            ("orders.fifo", "x", {"group": "g", "delay": 5}, "delay of the queue"),
            ("orders.fifo", "x", {"group": "a b"}, "group= must"),
            ("orders.fifo", "x", {"group": "\x7f"}, "group= must"),
            ("orders.fifo", "x", {"group": ""}, "group= must"),
            ("orders.fifo", "x", {"group": "g", "deduplication": "x" * 129}, "deduplication= must"),
        ],
    )
    def test_by_sqs(self, queue, content, options, said):
        sqs, client = sender()
        with pytest.raises(InvalidMessage) as raised:
            sqs.send(queue, content, **options)
        assert said in str(raised.value)
        assert client.calls == []

    def test_what_is_of_the_other_service(self):
        with pytest.raises(InvalidMessage, match="no delay="):
            publisher()[0].publish_many("t", [Message("x", delay=1)])
        with pytest.raises(InvalidMessage, match="no subject"):
            sender()[0].send("q", Message("x", subject="s"))

    def test_the_attributes_of_a_body_in_s3_count_all_the_same(self):
        store = FakeClient(put_object={})
        sqs, queue = sender(options={"offload": Offload("bodies", aws=fake_aws({"s3": store}))})
        sqs.send("orders", "x" * 1_048_577)
        (sent,) = queue.parameters("send_message")
        assert len(sent["MessageBody"]) < 500
        # Without the attribute the receiver would take the pointer for the body.
        assert sent["MessageAttributes"] == {"junction-offload": {"DataType": "Number", "StringValue": "1048577"}}
        with pytest.raises(MessageTooLarge, match="1,048,576 are the most"):
            sqs.send("orders", "x", attributes={"a": "y" * 1_048_576})
        assert (len(store.calls), len(queue.calls)) == (2, 1)

    def test_the_size_counts_attributes(self):
        sns, client = publisher()
        sns.publish("order-events", "x" * (262_144 - 8), attributes={"a": "b"})  # a, String, b
        with pytest.raises(MessageTooLarge, match="262,145 bytes"):
            sns.publish("order-events", "x" * (262_144 - 7), attributes={"a": "b"})
        sqs, queue = sender()
        sqs.send("orders", "x" * 1_048_576)
        with pytest.raises(MessageTooLarge, match="1,048,576 are the most"):
            sqs.send("orders", "x" * 1_048_577)
        assert len(client.calls) == len(queue.calls) == 1

    def test_nothing_is_sent_when_one_of_many_is_bad(self):
        sns, client = publisher()
        with pytest.raises(InvalidMessage, match="#24") as raised:
            sns.publish_many("order-events", [*range(24), object()])
        assert raised.value.resource == TOPIC_ARN
        assert client.calls == []


class TestRetries:
    def test_refused_entries_alone_are_sent_again(self):
        pauses: list[float] = []
        sns, client = publisher(pauses, publish_batch=[lambda p: taken(p, "1", "3"), lambda p: taken(p, "3"), taken])
        assert sns.publish_many("order-events", range(5)) == [f"m{n}" for n in range(5)]
        assert sent_ids(client, "publish_batch") == [["0", "1", "2", "3", "4"], ["1", "3"], ["3"]]
        assert len(pauses) == 2

    def test_pauses_double_at_most_and_are_random(self):
        def all_pauses():
            pauses: list[float] = []
            settings = SETTINGS.replace(backoff=1.0, attempts=6)
            client = FakeClient(publish_batch=lambda p: taken(p, "0"))
            with pytest.raises(PartialFailure):
                Sns(fake_aws({"sns": client}, pauses, settings)).publish_many("order-events", [1])
            return pauses

        first, second = all_pauses(), all_pauses()
        for pause, bound in zip(first, (1, 2, 4, 5, 5), strict=True):
            assert 0 <= pause <= bound
        assert first != second

    def test_what_is_refused_for_good_is_raised_with_every_entry(self):
        entries = [{"n": n} for n in range(25)]
        sns, client = publisher(publish_batch=lambda p: taken(p, "3", "12", "24"))
        with pytest.raises(PartialFailure) as raised:
            sns.publish_many("order-events", entries)
        failure = raised.value
        assert [(one.index, one.entry, one.code) for one in failure.failed] == [
            (n, {"n": n}, "InternalError") for n in (3, 12, 24)
        ]
        assert failure.sent == {n: f"m{n}" for n in range(25) if n not in (3, 12, 24)}
        assert "3 of 25 messages failed: #3, #12, #24" in str(failure)
        assert (failure.service, failure.resource, failure.retryable) == ("sns", TOPIC_ARN, True)
        assert len(sent_ids(client, "publish_batch")) == 9

    def test_all_refused_is_raised_too(self):
        sns, _ = publisher(publish_batch=lambda p: taken(p, "0", "1"))
        with pytest.raises(PartialFailure, match="2 of 2"):
            sns.publish_many("order-events", [1, 2])

    def test_the_senders_own_fault_is_not_tried_again(self):
        sns, client = publisher(publish_batch=lambda p: taken(p, "0", fault=True))
        with pytest.raises(PartialFailure) as raised:
            sns.publish_many("order-events", [1, 2])
        assert raised.value.retryable is False
        assert len(client.calls) == 1

    def test_an_entry_the_answer_forgets_has_failed(self):
        sqs, _ = sender(send_message_batch={"Successful": [{"Id": "0", "MessageId": "m0"}]})
        with pytest.raises(PartialFailure, match="#1: NoAnswer"):
            sqs.send_many("orders", [1, 2])

    def test_a_call_that_fails_at_first_is_raised_as_it_is(self):
        sns, client = publisher(publish_batch=refusal("AuthorizationError", "no", 403))
        with pytest.raises(AccessDenied, match=TOPIC_ARN):
            sns.publish_many("order-events", range(30))
        assert len(client.calls) == 1

    def test_a_call_that_fails_later_says_what_was_sent(self):
        sns, client = publisher(publish_batch=[taken, refusal("ThrottlingException", "slow down")])
        with pytest.raises(PartialFailure) as raised:
            sns.publish_many("order-events", range(30))
        failure = raised.value
        assert sorted(failure.sent) == list(range(10))
        assert [one.code for one in failure.failed] == ["ThrottlingException"] * 10 + ["NotTried"] * 10
        assert type(failure.__cause__) is Throttled
        assert "slow down" in str(failure)
        assert len(client.calls) == 2


class TestFifo:
    def many(self, *answers):
        sqs, client = sender(send_message_batch=list(answers))
        messages = [Message(n, group="even" if n % 2 == 0 else "odd") for n in range(12)]
        try:
            sqs.send_many("orders.fifo", messages)
        except PartialFailure as failure:
            return {one.index: one.code for one in failure.failed}, sent_ids(client, "send_message_batch")
        return {}, sent_ids(client, "send_message_batch")

    def test_a_message_does_not_overtake_one_of_its_group(self):
        failed, batches = self.many(lambda p: taken(p, "3"), taken)
        # 5 went through behind 3, so 3 cannot be sent any more and 11 has to wait; the other group goes on.
        assert failed == {3: "InternalError", 11: "NotTried"}
        assert batches == [[str(n) for n in range(10)], ["10"]]

    def test_the_last_of_its_group_is_sent_again(self):
        failed, batches = self.many(lambda p: taken(p, "7", "9"), taken)
        assert failed == {}
        assert batches == [[str(n) for n in range(10)], ["7", "9"], ["10", "11"]]

    def test_what_is_behind_a_fault_is_not_sent(self):
        failed, _ = self.many(
            lambda p: {
                **taken(p, "7", "9"),
                "Failed": [
                    {"Id": "7", "Code": "Bad", "Message": "", "SenderFault": True},
                    {"Id": "9", "Code": "InternalError", "Message": "", "SenderFault": False},
                ],
            },
            taken,
        )
        assert failed == {7: "Bad", 9: "NotTried", 11: "NotTried"}


@pytest.mark.usefixtures("as_ann")
class TestSession:
    def test_goes_with_every_message(self):
        sns, client = publisher()
        sns.publish("order-events", 1)
        sns.publish_many("order-events", [1, Message(2)])
        held = [client.parameters("publish")[0], *client.parameters("publish_batch")[0]["PublishBatchRequestEntries"]]
        wires = [json.loads(one["MessageAttributes"]["session"]["StringValue"]) for one in held]
        assert wires == [{"tenant": "acme", "user": "ann"}] * 3

    def test_is_left_out_or_another_when_told(self):
        sns, client = publisher()
        entries = [Message(1, session=None), Message(2, session=Session(user="bob")), 3]
        sns.publish_many("order-events", entries)
        sns.publish("order-events", 4, session=None)
        sns.publish("order-events", Message(5), session=None)
        first, second, third = client.parameters("publish_batch")[0]["PublishBatchRequestEntries"]
        assert "MessageAttributes" not in first
        assert json.loads(second["MessageAttributes"]["session"]["StringValue"]) == {"user": "bob"}
        assert "ann" in third["MessageAttributes"]["session"]["StringValue"]
        assert all("MessageAttributes" not in asked for asked in client.parameters("publish"))

    def test_is_never_written_into_what_the_caller_gave(self):
        sns, client = publisher()
        attributes = {"kind": "made"}
        content = {"id": 1}
        message = Message(content, attributes=attributes)
        entries = [message, content]
        sns.publish("order-events", content, attributes=attributes)
        sns.publish_many("order-events", entries)
        set_session(Session(tenant="other"))
        sns.publish("order-events", content, attributes=attributes)
        assert (attributes, content, entries) == ({"kind": "made"}, {"id": 1}, [message, content])
        sent = client.parameters("publish")[-1]["MessageAttributes"]
        assert json.loads(sent["session"]["StringValue"]) == {"tenant": "other"}

    def test_cannot_be_forged_by_an_attribute_of_the_caller(self):
        sns, client = publisher()
        sns.publish("order-events", 1, attributes={"session": '{"user": "root"}'})
        assert "root" not in str(client.calls)


class TestSessionOfAPolicy:
    POLICY = SessionPolicy(signing=Signing("k" * 32), request=FromRequest(tenant_header="x-tenant"), attribute="who")

    def publish_in_a_request(self, session=None):
        sns, client = publisher()
        resolver = Resolver(session=self.POLICY)

        @resolver.post("/orders")
        def order():
            options = {} if session is None else {"session": session}
            sns.publish("order-events", 1, **options)

        assert TestClient(resolver).post("/orders", headers={"x-tenant": "acme"}).status < 300
        return client.parameters("publish")[0]["MessageAttributes"]

    def test_is_signed_under_its_own_name(self):
        (sent,) = self.publish_in_a_request().items()
        assert sent[0] == "who"
        assert self.POLICY.open(sent[1]["StringValue"]).tenant == "acme"

    def test_that_a_handler_makes_is_signed_too_and_keeps_the_correlation(self):
        sent = self.publish_in_a_request(Session(tenant="acme", user="system"))
        opened = self.POLICY.open(sent["who"]["StringValue"])
        assert opened.user == "system"
        assert opened.correlation_id

    def test_signs_where_no_resolver_runs(self):
        sns, client = publisher(options={"policy": self.POLICY})
        sns.publish("order-events", 1, session=Session(user="cron"))
        sns.publish("order-events", 1)
        first, second = client.parameters("publish")
        assert self.POLICY.open(first["MessageAttributes"]["who"]["StringValue"]).user == "cron"
        assert "MessageAttributes" not in second


class TestAudit:
    def test_is_told_of_each_message_without_its_body(self):
        told: list = []
        sns, _ = publisher(
            options={"on_sent": told.append},
            publish=[{"MessageId": "m"}, refusal("NotFound", "", 404)],
            publish_batch=lambda p: taken(p, "1", fault=True),
        )
        sns.publish("order-events", "secret text", attributes={"kind": "a"})
        with pytest.raises(PartialFailure):
            sns.publish_many("order-events", ["secret text", Message("secret text", group="g")])
        with pytest.raises(ResourceNotFound):
            sns.publish("order-events", "secret text")
        assert [(one.id, one.error, one.group) for one in told] == [
            ("m", "", None),
            (None, "InternalError", "g"),
            ("m0", "", None),
            (None, "NotFound", None),
        ]
        first = told[0]
        assert (first.service, first.resource, first.size, first.attributes) == ("sns", TOPIC_ARN, 22, ("kind",))
        assert "secret" not in repr(told)

    def test_has_bodies_when_asked(self):
        told: list = []
        sqs, _ = sender(options={"on_sent": told.append, "audit_bodies": True})
        sqs.send("orders", {"a": 1})
        assert told[0].body == '{"a":1}'

    def test_cannot_make_a_sent_message_fail(self, caplog):
        def broken(record):
            raise KeyError("mine")

        sqs, _ = sender(options={"on_sent": broken})
        assert sqs.send("orders", 1) == "m"
        assert "on_sent" in caplog.text

    def test_of_a_batch_that_failed_as_a_whole(self):
        told: list = []
        sqs, _ = sender(options={"on_sent": told.append}, send_message_batch=refusal("AccessDenied", "", 403))
        with pytest.raises(AccessDenied):
            sqs.send_many("orders", range(12))
        assert [one.error for one in told] == ["AccessDenied"] * 12


class TestRateLimit:
    def test_paces_each_queue_by_itself(self):
        pauses: list[float] = []
        sqs, _ = sender(pauses, options={"rate": 10, "burst": 10})
        sqs.send_many("orders", range(30))
        sqs.send("other", 1)
        assert len(pauses) == 2
        assert pauses[0] == pytest.approx(1, abs=0.2)
        assert pauses[1] == pytest.approx(2, abs=0.2)

    @pytest.mark.parametrize(("rate", "first"), [(0.5, 1), (5, 5)])
    def test_without_a_burst_that_of_a_second_goes_out_at_once_and_one_at_least(self, rate, first):
        pauses: list[float] = []
        sqs, _ = sender(pauses, options={"rate": rate})
        for n in range(first + 1):
            sqs.send("orders", n)
        assert pauses == [pytest.approx(1 / rate, abs=0.2)]

    @pytest.mark.parametrize("options", [{"rate": 0}, {"rate": 1, "burst": 0}, {"burst": 5}])
    def test_that_makes_no_sense(self, options):
        with pytest.raises(ConfigurationError):
            Sqs(fake_aws({}), **options)


class TestInAsyncCode:
    def test_errors_come_out_as_they_do_elsewhere(self):
        sns, _ = publisher(publish_batch=lambda p: taken(p, "0"), publish=refusal("NotFound", "", 404))
        with pytest.raises(PartialFailure):
            asyncio.run(sns.publish_many_async("order-events", [1, 2]))
        with pytest.raises(ResourceNotFound):
            asyncio.run(sns.publish_async("order-events", 1))
        with pytest.raises(InvalidMessage):
            asyncio.run(sns.publish_async("order-events", ""))

    @pytest.mark.parametrize(("count", "on_the_loop"), [(10, True), (11, False), (500, False)])
    def test_many_messages_are_prepared_beside_the_loop(self, count, on_the_loop):
        """Writing thousands of them as JSON takes seconds, in which nothing else would get its turn."""
        prepared_in: set[str] = set()

        class Noting(dict):
            def items(self):
                prepared_in.add(threading.current_thread().name)
                return super().items()

        sqs, _ = sender(send_message_batch=taken)
        messages = [Message(number, attributes=Noting(kind="a")) for number in range(count)]

        async def send():
            return await sqs.send_many_async("orders", messages), threading.current_thread().name

        ids, loop = asyncio.run(send())
        assert len(ids) == count
        assert (prepared_in == {loop}) == on_the_loop
        assert on_the_loop or loop not in prepared_in

    def test_one_that_is_cancelled_while_it_waits_leaves_the_others_alone(self):
        sqs, client = sender(options={"rate": 0.001, "burst": 1})
        most = 2 * SETTINGS.threads

        async def cancel_one():
            await sqs.send_async("orders", "the only one that is let through")
            waiting = asyncio.create_task(sqs.send_async("orders", "for a thousand seconds"))
            for _ in range(5):
                await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            turns = [sqs.aws._pools().turn() for _ in range(most + 1)]
            for turn in turns[:most]:
                await asyncio.wait_for(turn.__aenter__(), 1)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(turns[most].__aenter__(), 0.01)

        asyncio.run(cancel_one())
        assert len(client.calls) == 1

    def test_the_session_is_that_of_the_task(self):
        sns, client = publisher()
        resolver = Resolver()

        @resolver.on_queue("orders", concurrency=5)
        async def order(event: Event):
            await asyncio.sleep(0)
            await sns.publish_async("order-events", event.text)

        records = TestClient(resolver)
        for tenant in ("a", "b", "c"):
            records.queue("orders", [tenant] * 5, session=Session(tenant=tenant))
        for held in client.parameters("publish"):
            wire = json.loads(held["MessageAttributes"]["session"]["StringValue"])
            assert wire["tenant"] == held["Message"]
