"""What the client of the odd application hands to AWS: actions, messages and events, with names as in JSON."""

from __future__ import annotations

import asyncio
import io
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import InvalidMessage
from adapters.eventbridge import Bus
from adapters.lambda_invoke import FunctionFailed, Invoker
from adapters.sister import UnexpectedAnswer
from adapters.sns import Sns
from adapters.sqs import Sqs
from router import Envelope, Resolver, Session, set_session
from tests.unit.adapters.fakes import FakeClient, fake_aws
from tests.unit.router.contract.client import odd_shop
from tests.unit.router.contract.client.made import imported, text_of

URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders.fifo"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return imported(text_of(odd_shop.resolver, "OddClient"), tmp_path_factory.mktemp("client"), "odd_sending")


def answering(result: Any) -> FakeClient:
    def answer(parameters: dict[str, Any]) -> dict[str, Any]:
        return {"Payload": io.BytesIO(json.dumps(result).encode())}

    return FakeClient(invoke=answer)


def invoked(client: FakeClient) -> dict[str, Any]:
    [held] = client.parameters("invoke")
    return {**held, "Payload": json.loads(held["Payload"])}


def test_an_action_is_called_with_the_session_and_its_result_is_read(made: Any) -> None:
    function = answering({"items": [{"kind": "cash", "amount": 1.5}], "next": None})
    client = made.OddClient(function="odd:live", invoker=Invoker(fake_aws({"lambda": function})))
    with set_session(Session("acme")):
        found = client.invoke.re_build(made.Node(name="root"))
    assert found == made.PageCardOrCash(items=[made.Cash(kind="cash", amount=Decimal("1.5"))], next=None)
    assert invoked(function)["FunctionName"] == "odd:live"
    assert invoked(function)["Payload"] == {
        "action": "re-build",
        "data": {"name": "root", "children": [], "parent": None},
        "session": {"tenant": "acme"},
    }


def test_an_action_is_handed_over(made: Any) -> None:
    function = answering(None)
    client = made.OddClient(function="odd", invoker=Invoker(fake_aws({"lambda": function})))
    asyncio.run(client.invoke.report_event_async("report-sales", {"day": 1}))
    assert invoked(function)["InvocationType"] == "Event"
    assert invoked(function)["Payload"] == {"action": "report-sales", "data": {"day": 1}}


def test_a_result_of_another_form_is_refused(made: Any) -> None:
    invoker = Invoker(fake_aws({"lambda": answering({"items": "secret"})}))
    client = made.OddClient(function="odd", invoker=invoker)
    with pytest.raises(UnexpectedAnswer, match=r"answer\.items: a list is expected.*\(and 1 more\)"):
        client.invoke.re_build(made.Node(name="root"))


def test_a_message_has_the_names_of_json_and_the_session(made: Any) -> None:
    queue = FakeClient(send_message={"MessageId": "1"}, get_queue_url={"QueueUrl": URL})
    client = made.OddClient(sqs=Sqs(fake_aws({"sqs": queue})))
    with set_session(Session("acme")):
        client.queues.orders_fifo.send(
            made.Priced(unitPrice=Decimal("0.30"), from_=date(2026, 3, 1)), group="one", deduplication="1"
        )
    [sent] = queue.parameters("send_message")
    assert json.loads(sent["MessageBody"]) == {
        "unitPrice": 0.3,
        "from": "2026-03-01",
        "at": None,
        "color": "red",
        "size": 1,
        "rate": 1.0,
        "least": 0.1,
    }
    assert '"0.30"' not in sent["MessageBody"]
    assert "acme" in sent["MessageAttributes"]["session"]["StringValue"]


def test_a_queue_of_a_pattern_is_named_by_the_caller(made: Any) -> None:
    queue = made.OddClient(sqs=Sqs(fake_aws({}))).queues.parcels("parcels-berlin")
    assert queue.name == "parcels-berlin"
    assert queue.message({"any": 1}).content == {"any": 1}


def test_a_value_that_is_not_of_the_model_is_refused(made: Any) -> None:
    topic = made.OddClient(sns=Sns(fake_aws({}))).topics.n2fa
    with pytest.raises(InvalidMessage, match="Node"):
        topic.message("text")


def test_an_event_has_the_source_that_its_route_asks_for(made: Any) -> None:
    events = FakeClient(put_events={"Entries": [{"EventId": "1"}], "FailedEntryCount": 0})
    client = made.OddClient(bus=Bus(fake_aws({"events": events}), source="storefront"))
    with set_session(Session("acme")):
        client.events.closed({"day": "monday"})
        asyncio.run(client.events.order_placed_async(made.Node(name="root")))
    first, second = (held["Entries"][0] for held in events.parameters("put_events"))
    assert (first["DetailType"], first["Source"]) == ("Closed", "shop.hours")
    assert (second["DetailType"], second["Source"]) == ("OrderPlaced", "storefront")
    detail = json.loads(second["Detail"])
    assert detail["name"] == "root"
    assert "acme" in json.dumps(detail["metadata"])


def test_nobody_but_aws_publishes_its_events(made: Any) -> None:
    assert not hasattr(made.OddClient().events, "ec2_instance_state_change_notification")


def test_the_envelope_of_a_result_is_opened(tmp_path: Path) -> None:
    resolver = Resolver(envelope=Envelope())
    resolver.on_invoke("count")(count)
    made = imported(text_of(resolver), tmp_path, "enveloped_actions")
    good = {"code": "S00000", "message": "Call Success", "duration": 1, "data": 7}
    client = made.ShopClient(function="odd", invoker=Invoker(fake_aws({"lambda": answering(good)})))
    assert client.invoke.count() == 7
    bad = {"code": "B00017", "message": "sold out", "data": None}
    client = made.ShopClient(function="odd", invoker=Invoker(fake_aws({"lambda": answering(bad)})))
    with pytest.raises(FunctionFailed) as caught:
        client.invoke.count()
    assert caught.value.app_code == "B00017"


def count() -> int:
    return 7
