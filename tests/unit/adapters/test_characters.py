"""JSON goes out escaped, so that no queue on its way refuses it; other text is refused before anything is sent."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from adapters.aws import Aws
from adapters.ecs import Ecs
from adapters.errors import InvalidMessage
from adapters.eventbridge import Bus, OutgoingEvent
from adapters.lambda_invoke import Invoker
from adapters.messaging import Queue, Topic
from adapters.s3 import S3
from adapters.sns import Message, Sns
from adapters.sqs import Sqs
from adapters.stepfunctions import StepFunctions
from router import Session, SessionPolicy, Signing, read
from tests.unit.adapters.fakes import FakeClient, fake_aws, taken

# Every character that XML 1.0 has not, but for halves of surrogate pairs.
REFUSED = [chr(n) for n in (*range(9), 0x0B, 0x0C, *range(0x0E, 0x20), 0xFFFE, 0xFFFF)]
ODD = "".join(REFUSED) + "\t\n\r\x7f\x85é\ufffd\U0001f600"
SESSION = Session(tenant="acme", claims={"note": ODD})


@dataclass
class Order:
    note: str


def everything() -> tuple[Aws, FakeClient]:
    """One client for all services: it takes whatever it is sent."""
    client = FakeClient(
        publish={"MessageId": "m"},
        publish_batch=taken,
        send_message={"MessageId": "m"},
        send_message_batch=taken,
        put_events=lambda asked: {"Entries": [{"EventId": "e"} for _ in asked["Entries"]]},
        start_execution={"executionArn": "arn:execution"},
        invoke=lambda _: {"Payload": io.BytesIO(b"null")},
        run_task={"tasks": [{"taskArn": "arn:task"}]},
    )
    return fake_aws(dict.fromkeys(("sns", "sqs", "events", "stepfunctions", "lambda", "ecs"), client)), client


def texts(sent: Any) -> list[str]:
    """All texts in the parameters of a call."""
    if isinstance(sent, dict):
        return [text for one in sent.values() for text in texts(one)]
    if isinstance(sent, list | tuple):
        return [text for one in sent for text in texts(one)]
    if isinstance(sent, bytes):
        return [sent.decode()]
    return [sent] if isinstance(sent, str) else []


Verb = Callable[[Aws], object]

JSON: dict[str, Verb] = {
    "queue": lambda aws: Sqs(aws).send("orders", {"note": ODD}, session=SESSION),
    "queue, JSON text": lambda aws: Sqs(aws).send("orders", json.dumps({"note": ODD}, ensure_ascii=False)),
    "queue, JSON bytes": lambda aws: Sqs(aws).send("orders", json.dumps(ODD, ensure_ascii=False).encode()),
    "queue, many": lambda aws: Sqs(aws).send_many("orders", [Message({"note": ODD}, session=SESSION)] * 12),
    "queue, async": lambda aws: asyncio.run(Sqs(aws).send_async("orders", {"note": ODD}, session=SESSION)),
    "queue, attribute": lambda aws: Sqs(aws).send("orders", "x", attributes={"notes": [ODD]}),
    "queue, model": lambda aws: Queue("orders", Order, sqs=Sqs(aws)).send(Order(ODD), session=SESSION),
    "topic": lambda aws: Sns(aws).publish("events", {"note": ODD}, session=SESSION),
    "topic, many": lambda aws: Sns(aws).publish_many("events", [Message({"note": ODD}, session=SESSION)] * 12),
    "topic, async": lambda aws: asyncio.run(Sns(aws).publish_async("events", {"note": ODD}, session=SESSION)),
    "topic, attribute": lambda aws: Sns(aws).publish("events", "x", attributes={"notes": [ODD]}),
    "topic, model": lambda aws: Topic("events", Order, sns=Sns(aws)).publish({"note": ODD}, session=SESSION),
    "bus": lambda aws: Bus(aws, source="shop").publish("Made", {"note": ODD}, session=SESSION),
    "bus, many": lambda aws: Bus(aws, source="shop").publish_many([OutgoingEvent("Made", Order(ODD), session=SESSION)]),
    "state machine": lambda aws: StepFunctions(aws).start("fulfil", {"note": ODD}, session=SESSION),
    "function": lambda aws: Invoker(aws).invoke("billing", "charge", {"note": ODD}, session=SESSION),
    "function, later": lambda aws: Invoker(aws).invoke_event("billing", "charge", {"note": ODD}, session=SESSION),
}


@pytest.mark.parametrize("verb", JSON.values(), ids=JSON)
def test_json_arrives_as_it_was_meant_without_such_a_character(verb: Verb):
    aws, client = everything()
    verb(aws)
    sent = [text for _, parameters in client.calls for text in texts(parameters)]
    assert not [text for text in sent if set(text) & set(REFUSED)]
    told = [json.loads(text) for text in sent if text[0] in '{["']
    assert told
    assert all(ODD in texts(one) for one in told)


@pytest.mark.parametrize("policy", [None, SessionPolicy(signing=Signing("k" * 32))], ids=["plain", "signed"])
def test_a_session_is_read_as_it_was_sent(policy: SessionPolicy | None):
    aws, client = everything()
    Sqs(aws, policy=policy).send("orders", "x", session=SESSION)
    [wire] = texts(client.parameters("send_message")[0]["MessageAttributes"])[1:]
    assert not set(wire) & set(REFUSED)
    held = (policy or SessionPolicy()).open(wire, purpose="message")
    assert held.claims["note"] == ODD


@pytest.mark.parametrize("character", [*REFUSED, "\udfff"])
@pytest.mark.parametrize(
    "verb",
    [
        lambda aws, text: Sqs(aws).send("orders", text),
        lambda aws, text: Sqs(aws).send_many("orders", ["x", text]),
        lambda aws, text: Sqs(aws).send("orders", "x", attributes={"kind": text}),
        lambda aws, text: Sns(aws).publish("events", text),
        lambda aws, text: Sns(aws).publish_many("events", ["x", text]),
        lambda aws, text: Sns(aws).publish("events", "x", attributes={"kind": text}),
        lambda aws, text: Sns(aws).publish("events", "x", subject=text),
        lambda aws, text: Bus(aws, source="shop").publish(text, {}),
        lambda aws, text: Bus(aws, source="shop").publish("Made", {}, source=text),
        lambda aws, text: Bus(aws, source="shop").publish("Made", {}, resources=[text]),
        lambda aws, text: StepFunctions(aws).start("fulfil", name=text),
        lambda aws, text: S3(aws, bucket="b").delete_many(["x", text]),
    ],
)
def test_other_text_is_refused_before_anything_is_sent(verb: Callable[[Aws, str], object], character: str):
    aws, client = everything()
    with pytest.raises(InvalidMessage):
        verb(aws, f"a{character}b")
    assert client.calls == []


@pytest.mark.parametrize("content", ["tab\tline\r\nend", "\x7f\x85", "\ue000\ufffd\U0010ffff", '{"not": json'])
def test_what_is_allowed_goes_out_as_it_is(content: str):
    aws, client = everything()
    Sqs(aws).send("orders", content, attributes={"kind": content})
    Sns(aws).publish("events", content)
    assert client.calls[0][1]["MessageBody"] == client.calls[1][1]["Message"] == content
    assert client.calls[0][1]["MessageAttributes"]["kind"]["StringValue"] == content


def test_a_line_break_in_an_attribute_of_a_topic_is_refused():
    aws, client = everything()
    with pytest.raises(InvalidMessage, match=r"attribute 'kind' has the control character U\+0009 at 1"):
        Sns(aws).publish("events", "x", attributes={"kind": "a\tb"})
    assert client.calls == []


def test_the_data_of_a_task_arrives():
    aws, client = everything()
    ecs = Ecs(aws, task_definition="app", container="main", subnets=["s"])
    ecs.run_task("nightly", data={"note": ODD})
    [container] = client.parameters("run_task")[0]["overrides"]["containerOverrides"]
    [event] = read({one["name"]: one["value"] for one in container["environment"]})
    assert event.json() == {"note": ODD}


@pytest.mark.parametrize(
    ("value", "plain", "text"),
    [
        (True, ("String", "true"), "True"),
        (5, ("Number", "5"), "5"),
        (2.5, ("Number", "2.5"), "2.5"),
        ("kept", ("String", "kept"), "kept"),
        ([1], ("String.Array", "[1]"), None),
    ],
)
@pytest.mark.parametrize("sender", [Sns, Sqs])
def test_attributes_as_text_for_filter_policies_that_compare_text(
    sender: Any, value: Any, plain: tuple[str, str], text: str | None
):
    aws, client = everything()
    for one in (sender(aws), sender(aws, attribute_text=str)):
        verb = one.publish if sender is Sns else one.send
        verb("orders", "x", attributes={"a": value}, session=None)
    first, second = (call["MessageAttributes"]["a"] for _, call in client.calls)
    assert (first["DataType"], first["StringValue"]) == plain
    assert (second["DataType"], second["StringValue"]) == (("String", text) if text else plain)


@pytest.mark.parametrize("value", [{"a": 1}, object()])
def test_what_is_no_attribute_does_not_become_text(value: Any):
    aws, _ = everything()
    with pytest.raises(InvalidMessage, match="'a'"):
        Sns(aws, attribute_text=str).publish("events", "x", attributes={"a": value})


def test_text_that_is_none_is_refused():
    aws, _ = everything()
    number: Any = int
    with pytest.raises(InvalidMessage, match="must return text, not int"):
        Sns(aws, attribute_text=number).publish("events", "x", attributes={"a": True})
