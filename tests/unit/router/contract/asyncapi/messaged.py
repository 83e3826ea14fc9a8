"""An application with every source of messages, and with some that bring none."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.timestamp_pb2 import Timestamp
from pydantic import BaseModel, Field

from adapters.messaging import Queue as TypedQueue
from adapters.messaging import Topic as TypedTopic
from router import (
    Body,
    BusEvent,
    ChannelEvent,
    Env,
    Header,
    Query,
    QueueEvent,
    Resolver,
    SessionPolicy,
    Signing,
    SocketEvent,
    TopicEvent,
)
from router.contract import Bus, Kafka, Queue, Stack, Stream, Table, Topic, WebSocketApi
from router.contract.interface import Info
from router.decoders import Avro, Protobuf
from router.event import Source


class Order(BaseModel):
    """An order on its way."""

    id: str = Field(examples=["o-1"])
    total: Decimal | None = None
    kind: Literal["new", "old"] = "new"


class Refund(BaseModel):
    """Money that goes back."""

    kind: Literal["refund"] = "refund"
    order: Order
    parts: list[Refund] = []
    span: tuple[int, str] = (1, "day")


class Paid(BaseModel):
    kind: Literal["paid"] = "paid"
    amount: int = Field(ge=1, examples=[7])


class Choice(BaseModel):
    change: Annotated[Refund | Paid, Field(discriminator="kind")]


@dataclass
class Said:
    """What somebody says in a room."""

    text: Annotated[str, Field(description="The words.", examples=["hi"])]


@dataclass
class Heard:
    text: str
    room: str


def parcel() -> Any:
    """Return the class of a message with all that a `.proto` file may hold, as `protoc` makes it."""
    kind = descriptor_pb2.FieldDescriptorProto
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(Timestamp.DESCRIPTOR.file.serialized_pb)
    other = descriptor_pb2.FileDescriptorProto(name="money.proto", package="shop", syntax="proto3")
    other.message_type.add(name="Money").field.add(name="cents", number=1, type=kind.TYPE_INT64, label=1)
    pool.Add(other)
    file = descriptor_pb2.FileDescriptorProto(name="parcel.proto", package="shop", syntax="proto3")
    file.dependency.extend(["google/protobuf/timestamp.proto", "money.proto"])
    colour = file.enum_type.add(name="Colour")
    colour.value.add(name="NONE", number=0)
    colour.value.add(name="RED", number=1)
    made = file.message_type.add(name="Parcel")
    add = made.field.add
    add(name="id", number=1, type=kind.TYPE_STRING, label=kind.LABEL_OPTIONAL)
    add(name="colour", number=2, type=kind.TYPE_ENUM, type_name=".shop.Colour", label=kind.LABEL_OPTIONAL)
    add(name="at", number=3, type=kind.TYPE_MESSAGE, type_name=".google.protobuf.Timestamp", label=kind.LABEL_OPTIONAL)
    add(name="price", number=4, type=kind.TYPE_MESSAGE, type_name=".shop.Money", label=kind.LABEL_OPTIONAL)
    add(name="words", number=5, type=kind.TYPE_STRING, label=kind.LABEL_REPEATED)
    add(name="counts", number=6, type=kind.TYPE_MESSAGE, type_name=".shop.Parcel.CountsEntry", label=3)
    entry = made.nested_type.add(name="CountsEntry")
    entry.field.add(name="key", number=1, type=kind.TYPE_STRING, label=kind.LABEL_OPTIONAL)
    entry.field.add(name="value", number=2, type=kind.TYPE_INT32, label=kind.LABEL_OPTIONAL)
    entry.options.map_entry = True
    made.nested_type.add(name="Size").field.add(name="width", number=1, type=kind.TYPE_DOUBLE, label=1)
    add(name="size", number=7, type=kind.TYPE_MESSAGE, type_name=".shop.Parcel.Size", label=kind.LABEL_REPEATED)
    made.oneof_decl.add(name="to")
    add(name="street", number=8, type=kind.TYPE_STRING, label=kind.LABEL_OPTIONAL, oneof_index=0)
    add(name="box", number=9, type=kind.TYPE_INT32, label=kind.LABEL_OPTIONAL, oneof_index=0)
    made.oneof_decl.add(name="_note")
    add(name="note", number=10, type=kind.TYPE_STRING, label=1, oneof_index=1, proto3_optional=True)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("shop.Parcel"))


ORDER_AVRO = {
    "type": "record",
    "name": "OrderRecord",
    "namespace": "shop",
    "fields": [{"name": "id", "type": "string"}, {"name": "total", "type": ["null", "double"], "default": None}],
}
EVENTS = TypedTopic("order-events", Order)
REFUNDS = TypedQueue("refunds.fifo", Refund)

resolver = Resolver(session=SessionPolicy(signing=Signing("0123456789abcdef0123456789abcdef"), require=("tenant",)))


@resolver.on_connect()
def connect(
    token: Query[str],
    lang: Annotated[str, Query(description="Of the messages.", examples=["de"])] = "en",
    x_client: Header[str | None] = None,
) -> None:
    """Let a client in.

    The token is good for a minute.
    """


@resolver.on_disconnect()
def disconnect() -> None:
    """Let a client go."""


@resolver.on_message("say")
def say(said: Said) -> Heard:
    """Say something in a room."""
    return Heard(said.text, "tea")


@resolver.on_message("leave")
def leave(event: SocketEvent) -> None:
    """Leave the room."""


@resolver.on_message()
def other(event: SocketEvent) -> Heard | None:
    """Take anything else."""


@resolver.on_queue("orders", pattern={"body": {"kind": ["new"]}}, tags=["orders"])
def take(order: Order) -> None:
    """Take an order."""


@resolver.on_queue("orders", pattern={"body": {"kind": ["refund"]}}, tags=["orders"])
def give_back(refund: Refund) -> None:
    """Give money back."""


@resolver.on_queue("orders", others="ignore", pattern={"body": {"kind": ["odd"]}})
def count(event: QueueEvent) -> None:
    """Count orders, whatever they are."""


@resolver.on_queue(Env("ORDERS_QUEUE"), require=())
def by_variable(choice: Choice) -> None:
    """Take a change from a queue that the environment names."""


@resolver.on_queue("jobs-*")
def job(words: Annotated[list[str], Body()]) -> None:
    """Do a job."""


@resolver.on_queue("a-b-*")
def first(event: QueueEvent) -> None: ...


@resolver.on_queue("a_b_*")
def second(event: QueueEvent) -> None: ...


@resolver.on_queue(REFUNDS, deprecated=True)
def refund(refund: Refund) -> None:
    """Refund an order."""


@resolver.on_topic("order-events", batch=True)
def ordered(events: list[TopicEvent]) -> None:
    """Hear of orders."""


@resolver.on_stream("orders-table", events=["INSERT"])
def inserted(order: Order) -> None:
    """Index an order."""


@resolver.on_stream("orders-table", events=["MODIFY", "REMOVE"])
def changed(order: Order) -> None:
    """Index it anew."""


@resolver.on_stream("clicks")
def clicked(said: Said) -> None:
    """Count a click of a stream that is declared."""


@resolver.on_stream("unknown")
def streamed() -> None:
    """Read a stream of which nothing is declared."""


@resolver.on_bus("Payment", source="shop.pay")
def paid(event: BusEvent, payment: Paid) -> None:
    """Book a payment."""


@resolver.on_bus("Payment", source="shop.other*")
def paid_elsewhere(event: BusEvent) -> None:
    """Book a payment of a partner."""


@resolver.on_bus("Order *")
def any_order(event: BusEvent) -> None:
    """Hear of anything that happens to orders."""


@resolver.on_kafka("orders")
def from_kafka(order: Order | None) -> None:
    """Take an order from a topic that is compacted."""


@resolver.on_kafka("records", decoder=Avro(ORDER_AVRO))
def avro(order: Order) -> None:
    """Take a record of Avro."""


@resolver.on_kafka("parcels", decoder=Protobuf(parcel()))
def protobuf(event: Any) -> None:
    """Take a record of Protobuf."""


@resolver.on_kafka("bytes", decoder=lambda data, schema: data)
def raw(event: Any) -> None:
    """Take bytes."""


@resolver.on(Source.ACTIVEMQ, "mail")
def mail(said: Said) -> None:
    """Send a mail."""


@resolver.on(Source.RABBITMQ, "mail")
def rabbit(said: Said) -> None:
    """Send a mail, too."""


@resolver.on_channel("/rooms/*")
def published(event: ChannelEvent, said: Said) -> Heard:
    """Let a client speak."""
    return Heard(said.text, event.segments[-1])


@resolver.on_channel("/rooms/*", operation="subscribe")
def listen(event: ChannelEvent) -> None:
    """Let a client listen."""


@resolver.on_channel("/plain/*/log")
def same(said: Said) -> Said:
    """Hand on what was said."""
    return said


@resolver.post("/orders", publishes=[EVENTS, REFUNDS], tags=["orders"])
def place(order: Order) -> Order:
    """Place an order."""
    return order


@resolver.on_invoke("rebuild", publishes=EVENTS)
def rebuild() -> Order:
    return Order(id="o-1")


@resolver.on_schedule("nightly")
def nightly() -> None: ...


@resolver.on_object("uploads")
def upload() -> None: ...


@resolver.on_task("bill")
def bill() -> None: ...


@resolver.tool("look_up")
def look_up(id: str) -> Order:
    return Order(id=id)


@resolver.on_queue("hidden", include_in_schema=False)
def hidden(order: Order) -> None: ...


resolver.unpack("notifications")

stack = Stack(
    "tests.unit.router.contract.asyncapi.messaged:resolver",
    WebSocketApi(stage="dev", selection="$request.body.meta.action"),
    Queue("orders", dead_letter=3, visibility=60, topics=("order-events",), raw=True),
    Queue("plain", dead_letter=0, topics=("order-events",)),
    Queue(variable="ORDERS_QUEUE", fifo=True),
    Topic("order-events"),
    Table("orders-table"),
    Stream("clicks"),
    Kafka("orders", servers=("b-1.example:9092", "b-2.example:9092"), secret="kafka", group="shop"),
    Kafka("records", cluster="arn:aws:kafka:eu-west-1:123456789012:cluster/shop/1"),
    Bus("shop"),
    info=Info(
        "Messages",
        "2.0.0",
        "All of them.",
        servers={"wss://live.shop.example/v1": "production", "https://api.shop.example": "production"},
        tags={"orders": "Of orders.", "unused": "Of nothing."},
        contact="team@shop.example",
        license="MIT",
    ),
    name="messaged",
)
