"""`router.contract.asyncapi`: who sends and receives which messages, as AsyncAPI 3.0.0 has it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from pydantic import BaseModel, Field

from adapters.messaging import Queue as TypedQueue
from adapters.messaging import Topic as TypedTopic
from router import Env, Event, Resolver, SessionPolicy, Signing
from router.contract import Queue, Topic
from router.contract.asyncapi import asyncapi
from router.contract.interface import Info, describe
from router.errors import ConfigurationError
from router.guards import ApiKey, Bearer, Jwt
from tests.clock import processor_time
from tests.unit.router.contract.asyncapi.messaged import resolver as messaged
from tests.unit.router.contract.asyncapi.messaged import stack

ROOT = Path(__file__).parents[5]


class session(BaseModel):  # noqa: N801 - it has the name of the header
    id: str


class Order(BaseModel):
    id: str = Field(examples=["o-1"])
    count: int = 1


class Known:
    def authenticate(self, token: str) -> None:
        """Know nobody."""


def document(resolver: Resolver, *declared: Any, info: Info | None = None) -> dict[str, Any]:
    return asyncapi(describe(resolver, info or Info("Shop")), declared)


@cache
def whole() -> dict[str, Any]:
    assert stack.info is not None
    return asyncapi(describe(messaged, stack.info), stack.declared)


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [one for held in value.values() for one in references(held)]
    return [one for held in value for one in references(held)] if isinstance(value, list) else []


def target(made: dict[str, Any], reference: str) -> Any:
    held: Any = made
    for step in reference.removeprefix("#/").split("/"):
        held = held[step]
    return held


def message_of(made: dict[str, Any], operation: str, key: str = "messages") -> dict[str, Any]:
    (only,) = made["operations"][operation][key]
    return dict(target(made, only["$ref"]))


# ---- the whole document --------------------------------------------------------------------------------------------


def test_each_source_of_messages_has_channels_and_no_other_source_has_any() -> None:
    made = whole()
    assert made["asyncapi"] == "3.0.0"
    kinds = {name.partition("_")[0] for name in made["channels"]}
    assert kinds == {
        *("websocket", "queue", "topic", "stream", "bus", "kafka", "channel", "activemq", "rabbitmq"),
    }
    assert made["operations"].keys().isdisjoint({"place", "rebuild", "nightly", "upload", "bill", "look_up", "hidden"})
    text = json.dumps(made)
    assert "api.shop.example" not in text  # the URL of the HTTP API
    assert '"http"' not in text
    assert '"https"' not in text


def test_operations_refer_to_messages_of_their_channel_and_everything_referred_to_is_there() -> None:
    made = whole()
    assert all(target(made, one) is not None for one in references(made))
    for one in made["operations"].values():
        channel = one["channel"]["$ref"]
        listed = [*one["messages"], *one.get("reply", {}).get("messages", [])]
        assert all(message["$ref"].startswith(f"{channel}/messages/") for message in listed)
    for channel in made["channels"].values():
        names = re.findall(r"{(\w+)}", channel["address"])
        assert names == list(channel.get("parameters", {}))


def test_ids_are_plain_words() -> None:
    made = whole()
    named = [*made["channels"], *made["operations"], *made["components"]["schemas"], *made["servers"]]
    named += [name for one in made["channels"].values() for name in one["messages"]]
    assert [name for name in named if not re.fullmatch(r"[A-Za-z0-9_]+", name)] == []


def test_bytes_are_the_same_in_each_process() -> None:
    command = [sys.executable, "-m", "router", "export", "asyncapi", f"{stack.application.partition(':')[0]}:stack"]
    written = {
        subprocess.run(
            command, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed}, check=True, capture_output=True
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(written) == 1


def test_names_and_files_of_this_machine_are_not_in_it() -> None:
    assert str(ROOT) not in json.dumps(whole())


def test_five_hundred_routes_take_less_than_a_second() -> None:
    resolver = Resolver()
    for number in range(500):

        def take(order: Order) -> None:
            """Take an order."""

        resolver.on_queue(f"orders-{number}", name=f"take_{number}")(take)
    with processor_time() as spent:
        made = document(resolver)
    assert spent() < 3  # a second, on a machine that is three times as slow
    assert len(made["operations"]) == len(made["channels"]) == 500


def test_the_document_is_called_as_the_application_is() -> None:
    made = whole()
    assert made["info"] == {
        "title": "Messages",
        "version": "2.0.0",
        "description": "All of them.",
        "contact": {"email": "team@shop.example"},
        "license": {"name": "MIT"},
        "tags": [{"name": "orders", "description": "Of orders."}],
    }


def test_examples_fit_their_schemas() -> None:
    shop = json.loads((ROOT / "examples" / "orders" / "contract" / "asyncapi.json").read_text("utf-8"))
    checked = 0
    for made in (whole(), shop):
        for message in (one for channel in made["channels"].values() for one in channel["messages"].values()):
            for example in message.get("examples", ()):
                schema = {"allOf": [message["payload"]], "components": made["components"]}
                assert jsonschema_rs.Draft7Validator(schema).is_valid(example["payload"]), message
                checked += 1
    assert checked > 10


# ---- queues and topics ---------------------------------------------------------------------------------------------


def test_two_subscribers_of_one_queue_share_the_channel() -> None:
    made = whole()
    channel = made["channels"]["queue_orders"]
    assert list(channel["messages"]) == ["Order", "Refund"]
    for name, message in (("take", "Order"), ("give_back", "Refund")):
        assert made["operations"][name]["channel"] == {"$ref": "#/channels/queue_orders"}
        assert made["operations"][name]["messages"] == [{"$ref": f"#/channels/queue_orders/messages/{message}"}]
    # What says nothing of the message takes any of those.
    assert len(made["operations"]["count"]["messages"]) == 2
    assert '"refund"' in made["operations"]["give_back"]["description"]


def test_a_queue_has_what_the_stack_declares() -> None:
    channels = whole()["channels"]
    assert channels["queue_orders"]["bindings"]["sqs"] == {
        "queue": {
            "name": "orders",
            "fifoQueue": False,
            "visibilityTimeout": 60,
            "messageRetentionPeriod": 345_600,
            "redrivePolicy": {"deadLetterQueue": {"name": "orders-dead"}, "maxReceiveCount": 3},
        },
        "deadLetterQueue": {"name": "orders-dead", "fifoQueue": False},
        "bindingVersion": "0.2.0",
    }
    assert channels["queue_refunds_fifo"]["bindings"]["sqs"]["queue"] == {"name": "refunds.fifo", "fifoQueue": True}
    assert channels["queue_ORDERS_QUEUE"]["bindings"]["sqs"]["queue"]["fifoQueue"] is True
    assert channels["topic_order_events"]["bindings"]["sns"]["ordering"] == {"type": "standard"}


def test_a_queue_that_the_environment_names_has_a_parameter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBS_QUEUE", "https://sqs.eu-west-1.amazonaws.com/123456789012/secret-name")
    resolver = Resolver()

    @resolver.on_queue(Env("JOBS_QUEUE", "jobs"))
    def job(order: Order) -> None: ...

    made = document(resolver)["channels"]["queue_JOBS_QUEUE"]
    assert made["address"] == "{JOBS_QUEUE}"
    assert made["parameters"]["JOBS_QUEUE"]["default"] == "jobs"
    assert "secret-name" not in json.dumps(made)
    assert document(resolver, Queue("work", variable="JOBS_QUEUE"))["channels"]["queue_work"]["address"] == "work"


def test_wildcards_are_parameters() -> None:
    channels = whole()["channels"]
    assert channels["queue_jobs_any"]["address"] == "jobs-{any}"
    assert channels["channel_rooms_any"]["address"] == "/rooms/{rest}"
    assert channels["channel_plain_any_log"]["address"] == "/plain/{segment2}/log"


def test_names_that_are_alike_in_ids_stay_apart_whatever_else_there_is() -> None:
    clashing = sorted(name for name in whole()["channels"] if name.startswith("queue_a_b_any_"))
    assert len(clashing) == 2
    resolver = Resolver()
    for name in ("a_b_*", "a-b-*"):
        resolver.on_queue(name, name=f"take{len(name)}{name[1] == '-'}")(lambda event: None)
    assert sorted(document(resolver)["channels"]) == clashing


# ---- what is published ---------------------------------------------------------------------------------------------


def test_what_routes_publish_is_sent_with_its_model() -> None:
    made = whole()
    sent = made["operations"]["publish_order_events"]
    assert (sent["action"], sent["channel"]) == ("send", {"$ref": "#/channels/topic_order_events"})
    assert sent["description"] == "Sent by `POST /orders`, `invoke rebuild`."
    consumers = sent["bindings"]["sns"]["consumers"]
    assert [(one["endpoint"]["name"], one["rawMessageDelivery"]) for one in consumers] == [
        ("orders", True),
        ("plain", False),
    ]
    payload = message_of(made, "publish_order_events")["payload"]
    # A consumer may rely on what has a default: it is always sent.
    assert target(made, payload["$ref"])["required"] == ["id", "total", "kind"]


def test_a_queue_that_is_sent_to_and_taken_has_one_message() -> None:
    made = whole()
    assert message_of(made, "send_refunds_fifo") == message_of(made, "refund")
    assert list(made["channels"]["queue_refunds_fifo"]["messages"]) == ["Refund"]


def test_a_route_with_the_name_of_what_is_sent_is_refused() -> None:
    resolver = Resolver()

    @resolver.on_queue("orders", publishes=TypedQueue("bills", Order))
    def send_bills(order: Order) -> None: ...

    with pytest.raises(
        ConfigurationError, match=r"sqs orders \(.*test_asyncapi.py:\d+\) is named 'send_bills'"
    ) as found:
        document(resolver)
    assert "queue bills; give the route another name=" in str(found.value)


def test_two_models_of_one_topic_are_two_messages() -> None:
    class Bill(BaseModel):
        total: int

    resolver = Resolver()
    resolver.post("/a", name="a", publishes=TypedTopic("all.fifo", Order))(lambda: None)
    resolver.post("/b", name="b", publishes=[TypedTopic("all.fifo", Bill), TypedTopic("all.fifo", None)])(lambda: None)
    made = document(resolver, Topic("all.fifo"))
    assert list(made["channels"]["topic_all_fifo"]["messages"]) == ["Bill", "Order"]
    assert made["channels"]["topic_all_fifo"]["bindings"]["sns"]["ordering"] == {"type": "FIFO"}
    assert len(made["operations"]["publish_all_fifo"]["messages"]) == 2


# ---- streams, buses, Kafka -----------------------------------------------------------------------------------------


def test_the_message_of_a_stream_is_what_is_in_the_record() -> None:
    made = whole()
    inserted, changed = message_of(made, "inserted"), message_of(made, "changed")
    assert inserted["payload"] == {"$ref": "#/components/schemas/Order"}
    assert inserted["headers"]["properties"]["eventName"]["enum"] == ["INSERT"]
    assert changed["headers"]["properties"]["eventName"]["enum"] == ["MODIFY", "REMOVE"]
    servers = {name: one["servers"] for name, one in made["channels"].items() if name.startswith("stream_")}
    assert servers == {
        "stream_clicks": [{"$ref": "#/servers/kinesis"}],
        "stream_orders_table": [{"$ref": "#/servers/dynamodb"}],
        "stream_unknown": [{"$ref": "#/servers/dynamodb"}, {"$ref": "#/servers/kinesis"}],
    }


def test_an_event_of_a_bus_has_its_type_its_source_and_the_model_as_its_detail() -> None:
    made = whole()
    assert made["channels"]["bus_shop"]["address"] == "shop"
    paid = message_of(made, "paid")
    named = paid["payload"]["properties"]
    assert named["detail-type"]["const"] == "Payment"
    assert named["source"]["const"] == "shop.pay"
    assert named["detail"] == {"$ref": "#/components/schemas/Paid"}
    assert paid["examples"] == [
        {"payload": {"detail-type": "Payment", "source": "shop.pay", "detail": {"kind": "paid", "amount": 7}}}
    ]
    elsewhere = message_of(made, "paid_elsewhere")["payload"]["properties"]["source"]["pattern"]
    assert re.search(elsewhere, "shop.other.de")
    assert not re.search(elsewhere, "shopXother")


def test_kafka_has_the_format_that_the_decoder_reads() -> None:
    made = whole()
    avro = message_of(made, "avro")
    assert (avro["contentType"], avro["payload"]["schemaFormat"]) == (
        "application/avro",
        "application/vnd.apache.avro;version=1.9.0",
    )
    assert avro["payload"]["schema"]["name"] == "OrderRecord"
    assert message_of(made, "raw")["contentType"] == "application/octet-stream"
    assert made["operations"]["from_kafka"]["bindings"]["kafka"]["groupId"]["enum"] == ["shop"]
    assert [made["servers"][name]["host"] for name in made["servers"] if name.startswith("kafka_")] == [
        "b-1.example:9092",
        "b-2.example:9092",
    ]


def test_protobuf_is_written_as_protoc_would_read_it() -> None:
    message = message_of(whole(), "protobuf")
    assert message["contentType"] == "application/protobuf"
    schema = message["description"].partition("```proto\n")[2].removesuffix("```")
    assert schema.splitlines()[:6] == [
        'syntax = "proto3";',
        "",
        "package shop;",
        "",
        'import "google/protobuf/timestamp.proto";',
        "",
    ]
    for line in (
        "  .shop.Colour colour = 2;",
        "  repeated string words = 5;",
        "  map<string, int32> counts = 6;",
        "  optional string note = 10;",
        "    int32 box = 9;",
        "message Money {",
    ):
        assert line in schema.splitlines()


# ---- clients: WebSocket and AppSync Events -------------------------------------------------------------------------


def test_a_websocket_has_what_clients_send_when_they_connect() -> None:
    made = whole()
    channel = made["channels"]["websocket"]
    assert channel["description"] == "Let a client in\n\nThe token is good for a minute."
    bound = channel["bindings"]["ws"]
    assert bound["query"]["required"] == ["token"]
    assert bound["query"]["properties"]["lang"] == {
        "type": "string",
        "default": "en",
        "description": "Of the messages.",
        "examples": ["de"],
    }
    assert list(bound["headers"]["properties"]) == ["x-client"]
    assert made["servers"]["websocket"]["host"] == "live.shop.example"


@pytest.mark.parametrize(
    ("credential", "kind"),
    [
        (ApiKey(Known()), {"type": "httpApiKey", "in": "header", "name": "x-api-key"}),
        (Bearer(Known()), {"type": "http", "scheme": "bearer"}),
        (Jwt("https://login.shop.example", audience="shop"), {"type": "openIdConnect"}),
    ],
)
def test_a_websocket_says_which_credentials_it_asks_for(credential: Any, kind: dict[str, Any]) -> None:
    resolver = Resolver()
    resolver.on_connect(auth=credential)(lambda: None)
    resolver.on_message("ask", name="ask")(lambda: None)

    made = document(resolver)

    [(name, scheme)] = made["components"]["securitySchemes"].items()
    assert scheme.items() >= kind.items()
    assert made["servers"]["websocket"]["security"] == [{"$ref": f"#/components/securitySchemes/{name}"}]


def test_a_websocket_that_asks_for_nothing_says_nothing_of_credentials() -> None:
    resolver = Resolver()
    resolver.on_connect()(lambda: None)

    made = document(resolver)

    assert "securitySchemes" not in made["components"]
    assert "security" not in made["servers"]["websocket"]


def test_a_message_of_a_websocket_names_its_route_where_the_api_looks_for_it() -> None:
    made = whole()
    said = message_of(made, "say")
    assert said["examples"] == [{"payload": {"text": "hi", "meta": {"action": "say"}}}]
    reply = made["operations"]["say"]["reply"]
    assert reply["channel"] == {"$ref": "#/channels/websocket"}
    assert reply["messages"] == [{"$ref": "#/channels/websocket/messages/Heard"}]
    assert "reply" not in made["operations"]["leave"]
    assert "payload" not in message_of(made, "other")


def test_those_who_listen_to_a_channel_get_what_the_handler_makes_of_an_event() -> None:
    made = whole()
    assert made["operations"]["published"]["action"] == "receive"
    assert made["operations"]["listen"]["action"] == "send"
    assert message_of(made, "listen")["name"] == "Heard"
    assert message_of(made, "published")["name"] == "Said"
    assert list(made["channels"]["channel_plain_any_log"]["messages"]) == ["Said"]


# ---- sessions ------------------------------------------------------------------------------------------------------


def test_messages_have_the_session_and_say_what_is_signed() -> None:
    made = whole()
    headers = message_of(made, "take")["headers"]
    assert headers["required"] == ["session"]
    session = target(made, headers["properties"]["session"]["$ref"])
    assert "HMAC-SHA256" in session["description"]
    assert "Signed are purpose, key id, expiry and payload" in session["description"]
    assert "required" not in message_of(made, "by_variable")["headers"]  # its route asks for none
    correlation = target(made, message_of(made, "take")["correlationId"]["$ref"])
    assert correlation["location"] == "$message.header#/session"
    assert "headers" not in message_of(made, "clicked")  # a stream has no place for one
    assert "0123456789abcdef" not in json.dumps(made)


def test_an_unsigned_session_is_said_to_be_unsigned() -> None:
    resolver = Resolver(session=SessionPolicy(unsigned_from=("sqs",)))

    @resolver.on_queue("orders")
    def take(order: session) -> None: ...

    made = document(resolver)
    message = message_of(made, "take")
    told = target(made, message["headers"]["properties"]["session"]["$ref"])["description"]
    assert "Nothing is signed" in told
    assert "those of sqs are believed" in told
    assert target(made, message["payload"]["$ref"])["properties"].keys() == {"id"}


# ---- bad input -----------------------------------------------------------------------------------------------------


def test_two_handlers_of_one_name_are_refused_with_their_places() -> None:
    resolver = Resolver()

    def take(event: Event) -> None: ...

    resolver.on_queue("a")(take)
    resolver.on_topic("b")(take)
    with pytest.raises(ConfigurationError, match=r"sqs a \(.*test_asyncapi.py:\d+\) and sns b \(.*:\d+\) are both"):
        document(resolver)


def test_a_type_without_a_schema_is_refused_with_its_place() -> None:
    class Strange:
        """No model of any kind."""

    resolver = Resolver()
    resolver.post("/a", publishes=_Published(Strange))(lambda: None)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match=r"POST /a \(.*test_asyncapi.py:\d+\).*queue bills"):
        document(resolver)


class _Published:
    """A typed queue of somebody else."""

    kind = "queue"
    route = "bills"

    def __init__(self, model: Any) -> None:
        self.model = model


def test_a_queue_whose_name_cannot_be_told_is_refused_with_the_place() -> None:
    class Nameless(_Published):
        @property
        def route(self) -> str:  # type: ignore[override]
            raise ConfigurationError("the variable X is not set")

    resolver = Resolver()
    resolver.post("/a", publishes=Nameless(Order))(lambda: None)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match=r"POST /a \(.*:\d+\), publishes=: the variable X is not set"):
        document(resolver)


def test_a_secret_stays_a_secret() -> None:
    secret = "a secret of at least 32 characters, really"
    resolver = Resolver(session=SessionPolicy(signing=Signing(secret)))
    resolver.on_queue("orders", name="take")(lambda event: None)
    assert secret not in json.dumps(document(resolver))


@pytest.mark.parametrize("names", [["sales", "billing"], ["billing", "sales"]])
def test_classes_of_one_name_are_named_alike_whatever_the_order_of_routes(names: list[str]) -> None:
    resolver = Resolver()
    for name in names:
        kind = type("Order", (BaseModel,), {"__module__": f"shop.{name}", "__annotations__": {name: int}})

        def handle(order: Any) -> None: ...

        handle.__annotations__["order"] = kind
        resolver.on_queue(name, name=name)(handle)

    schemas = document(resolver)["components"]["schemas"]

    assert {name for name in schemas if "Order" in name} == {"shop_billing_Order", "shop_sales_Order"}


def test_an_http_route_that_is_a_tool_too_sends_a_message_once() -> None:
    resolver, announced = Resolver(), TypedTopic("order-events", Order)

    @resolver.post("/orders", publishes=announced, tool=True)
    def place(order: Order) -> None:
        """Place an order."""

    (sent,) = document(resolver)["operations"].values()

    assert sent["description"] == "Sent by `POST /orders`."
