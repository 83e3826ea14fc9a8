"""Typed topics and queues: a name bound to a model. What is sent is validated, and so is what a route receives.

    ORDERS = Queue("orders", Order)                           # a pydantic model, a dataclass, or nothing
    EVENTS = Topic("order-events", OrderCreated, group="order_id")

    EVENTS.publish(OrderCreated(order_id="1"))
    await ORDERS.send_async({"id": "1"}, delay=30)

A pydantic model is validated as the receiver will read it; of a dataclass only the names of the fields are.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from adapters._core.blocking import refuse_blocking
from adapters._core.message import Message, as_message, check_deduplication
from adapters._core.outgoing import CURRENT
from adapters.errors import InvalidMessage
from adapters.sns import Sns
from adapters.sqs import Sqs
from router.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Literal, Self, TypeAlias, TypedDict, Unpack

    from adapters._core.message import Deduplication, Group
    from adapters._core.outgoing import Outgoing
    from router.durations import Duration

    Part: TypeAlias = str | Callable[[Any], str] | None

    class Parts(TypedDict, total=False):
        """For FIFO: the name of a field, or a callable of the value."""

        group: Part
        deduplication: Part

    class TopicOptions(Parts, total=False):
        """The keyword arguments of `Topic`."""

        sns: Sns | None

    class QueueOptions(Parts, total=False):
        """The keyword arguments of `Queue`."""

        sqs: Sqs | None


T = TypeVar("T")

__all__ = ["Message", "Queue", "Topic"]


class _Channel(Generic[T]):
    """A name bound to a model: what `Topic` and `Queue` have in common.

    name: as in Settings (a name, a key of the map, an ARN).
    model: a pydantic model, a dataclass, any other type where pydantic is installed, or None for values of any kind.
    group, deduplication: for FIFO: the name of a field, or a callable of the value.
    """

    def __init__(self, name: str, model: Any, *, group: Part = None, deduplication: Part = None) -> None:
        if not isinstance(name, str) or not name:
            raise ConfigurationError(f"{type(self).__name__}({name!r}): give a name")
        self.name = name
        self.model: type[T] | None = model
        self._encode = _encoder(model)
        self._parts: Parts = {"group": group, "deduplication": deduplication}

    def __repr__(self) -> str:
        model = "" if self.model is None else f", {getattr(self.model, '__name__', self.model)}"
        return f"{type(self).__name__}({self.name!r}{model})"

    def message(self, value: T | dict[str, Any] | Message, **options: Any) -> Message:
        """Return the message for a value, validated.

        Raises:
            InvalidMessage: the value does not fit the model; its `errors` say what is wrong where.
        """
        return self._message(as_message(value, **options), self._parts)

    def _message(self, message: Message, parts: Parts) -> Message:
        try:
            held, body = self._encode(message.content)
        except InvalidMessage as error:
            raise InvalidMessage(f"{self!r}: {error}", errors=error.errors, resource=self.name) from None
        derived: dict[str, Any] = {
            name: self._part(name, part, held)
            for name, part in parts.items()
            if part is not None and getattr(message, name) is None
        }
        return replace(message, content=body, **derived)

    def messages(
        self,
        values: Iterable[T | dict[str, Any] | Message],
        *,
        group: Group = None,
        deduplication: Deduplication = None,
    ) -> list[Message]:
        """Return the messages for some values, each validated; the error of one names its position.

        group, deduplication: in place of those of the topic or queue: functions of the value, or one group for all.
        """
        check_deduplication(deduplication)
        parts = self._parts.copy()
        if group is not None:
            parts["group"] = group if callable(group) else lambda _: group
        if deduplication is not None:
            parts["deduplication"] = deduplication
        messages = []
        for position, value in enumerate(values):
            try:
                messages.append(self._message(as_message(value), parts))
            except InvalidMessage as error:
                raise InvalidMessage(f"#{position} {error}", errors=error.errors, resource=self.name) from None
        return messages

    def _part(self, name: str, part: Any, value: Any) -> str:
        if callable(part):
            return str(part(value))
        held = value.get(part) if isinstance(value, dict) else getattr(value, part, None)
        if held is None:
            raise InvalidMessage(f"{self!r}: {name}={part!r}, and the value has no such field", resource=self.name)
        return str(held)


class Topic(_Channel[T]):
    """A topic of SNS and what is published to it: `Topic("order-events", OrderCreated)`.

    sns: publishes; by default one made of the environment.
    """

    @overload
    def __init__(self: Topic[Any], name: str, model: None = None, **options: Unpack[TopicOptions]) -> None: ...
    @overload
    def __init__(self, name: str, model: type[T] | None, **options: Unpack[TopicOptions]) -> None: ...
    def __init__(self, name: str, model: Any = None, *, sns: Sns | None = None, **parts: Any) -> None:
        super().__init__(name, model, **parts)
        self.sns = Sns() if sns is None else sns

    @property
    def _blocking(self) -> str:
        return self.sns._blocking

    def publish(
        self,
        value: T | dict[str, Any] | Message,
        *,
        attributes: Mapping[str, Any] | None = None,
        subject: str | None = None,
        group: str | None = None,
        deduplication: str | None = None,
        session: Outgoing = CURRENT,
    ) -> str:
        """Validate a value, publish it as `Sns.publish` does, and return the message's id."""
        refuse_blocking(self, "publish")
        message = self.message(
            value, attributes=attributes, subject=subject, group=group, deduplication=deduplication, session=session
        )
        return self.sns.publish(self.name, message)

    async def publish_async(
        self,
        value: T | dict[str, Any] | Message,
        *,
        attributes: Mapping[str, Any] | None = None,
        subject: str | None = None,
        group: str | None = None,
        deduplication: str | None = None,
        session: Outgoing = CURRENT,
    ) -> str:
        """`publish` from async code, without blocking its loop."""
        message = self.message(
            value, attributes=attributes, subject=subject, group=group, deduplication=deduplication, session=session
        )
        return await self.sns.publish_async(self.name, message)

    def publish_many(
        self,
        values: Iterable[T | dict[str, Any] | Message],
        *,
        group: Group = None,
        deduplication: Deduplication = None,
    ) -> list[str]:
        """Validate values (or Messages of them) and publish them in batches, as `Sns.publish_many`."""
        refuse_blocking(self, "publish_many")
        messages = self.messages(values, group=group, deduplication=deduplication)
        return self.sns.publish_many(self.name, messages)

    async def publish_many_async(
        self,
        values: Iterable[T | dict[str, Any] | Message],
        *,
        group: Group = None,
        deduplication: Deduplication = None,
    ) -> list[str]:
        """`publish_many` from async code, without blocking its loop."""
        messages = partial(self.messages, values, group=group, deduplication=deduplication)
        return await self.sns.publish_many_async(self.name, await self.sns.aws.in_thread(messages))

    def using(self, sns: Sns) -> Self:
        """Return the same topic through another publisher, such as that of a test."""
        return type(self)(self.name, self.model, sns=sns, **self._parts)

    def queue(self, sqs: Sqs | None = None) -> Queue[T]:
        """Return the queue with the topic's name; `Settings(queue_name=...)` adds service and stage to it."""
        return Queue(self.name, self.model, sqs=sqs, **self._parts)

    @property
    def kind(self) -> Literal["topic"]:
        """Return what it is, for routes that name it in `publishes=`."""
        return "topic"

    @property
    def route(self) -> str:
        """The topic's name as events carry it, for routes."""
        return self.sns.settings.topic(self.name).rpartition(":")[2]


class Queue(_Channel[T]):
    """A queue of SQS and what is sent to it: `Queue("orders", Order)`.

    sqs: sends; by default one made of the environment.
    """

    @overload
    def __init__(self: Queue[Any], name: str, model: None = None, **options: Unpack[QueueOptions]) -> None: ...
    @overload
    def __init__(self, name: str, model: type[T] | None, **options: Unpack[QueueOptions]) -> None: ...
    def __init__(self, name: str, model: Any = None, *, sqs: Sqs | None = None, **parts: Any) -> None:
        super().__init__(name, model, **parts)
        self.sqs = Sqs() if sqs is None else sqs

    @property
    def _blocking(self) -> str:
        return self.sqs._blocking

    def send(
        self,
        value: T | dict[str, Any] | Message,
        *,
        attributes: Mapping[str, Any] | None = None,
        delay: Duration | None = None,
        group: str | None = None,
        deduplication: str | None = None,
        session: Outgoing = CURRENT,
    ) -> str:
        """Validate a value, send it as `Sqs.send` does, and return the message's id."""
        refuse_blocking(self, "send")
        message = self.message(
            value, attributes=attributes, delay=delay, group=group, deduplication=deduplication, session=session
        )
        return self.sqs.send(self.name, message)

    async def send_async(
        self,
        value: T | dict[str, Any] | Message,
        *,
        attributes: Mapping[str, Any] | None = None,
        delay: Duration | None = None,
        group: str | None = None,
        deduplication: str | None = None,
        session: Outgoing = CURRENT,
    ) -> str:
        """`send` from async code, without blocking its loop."""
        message = self.message(
            value, attributes=attributes, delay=delay, group=group, deduplication=deduplication, session=session
        )
        return await self.sqs.send_async(self.name, message)

    def send_many(
        self,
        values: Iterable[T | dict[str, Any] | Message],
        *,
        group: Group = None,
        deduplication: Deduplication = None,
    ) -> list[str]:
        """Validate values (or Messages of them) and send them in batches, as `Sqs.send_many`."""
        refuse_blocking(self, "send_many")
        messages = self.messages(values, group=group, deduplication=deduplication)
        return self.sqs.send_many(self.name, messages)

    async def send_many_async(
        self,
        values: Iterable[T | dict[str, Any] | Message],
        *,
        group: Group = None,
        deduplication: Deduplication = None,
    ) -> list[str]:
        """`send_many` from async code, without blocking its loop."""
        messages = partial(self.messages, values, group=group, deduplication=deduplication)
        return await self.sqs.send_many_async(self.name, await self.sqs.aws.in_thread(messages))

    def using(self, sqs: Sqs) -> Self:
        """Return the same queue through another sender, such as that of a test."""
        return type(self)(self.name, self.model, sqs=sqs, **self._parts)

    @property
    def kind(self) -> Literal["queue"]:
        """Return what it is, for routes that name it in `publishes=`."""
        return "queue"

    @property
    def route(self) -> str:
        """The queue's name as events carry it, for routes."""
        return self.sqs.settings.queue(self.name).replace("/", ":").rpartition(":")[2]


# ---- models -----------------------------------------------------------------------------------------------------


def _encoder(model: Any) -> Callable[[Any], tuple[Any, Any]]:
    """Return a function of a value: it returns the validated value and what is sent, or raises InvalidMessage."""
    if model is None:
        return lambda value: (value, value)
    if isinstance(model, type) and hasattr(model, "model_validate"):
        return _pydantic(model)
    if isinstance(model, type) and hasattr(model, "__dataclass_fields__"):
        return _dataclass(model)
    try:
        from pydantic import TypeAdapter
    except ImportError:
        raise ConfigurationError(
            f'{model!r}: a model that is no dataclass needs pydantic: pip install "lambda-junction[validation]"'
        ) from None
    return _adapted(TypeAdapter(model))


def _pydantic(model: Any) -> Callable[[Any], tuple[Any, Any]]:
    def encode(value: Any) -> tuple[Any, str]:
        from pydantic import ValidationError

        try:
            held = value if isinstance(value, model) else model.model_validate(value)
            text = held.model_dump_json(by_alias=True)
            # Read as the receiver will read it: an instance may have been changed since it was made.
            model.model_validate_json(text)
        except ValidationError as error:
            raise _refused(error) from None
        return held, text

    return encode


def _adapted(adapter: Any) -> Callable[[Any], tuple[Any, Any]]:
    def encode(value: Any) -> tuple[Any, str]:
        from pydantic import ValidationError

        try:
            held = adapter.validate_python(value)
            text = adapter.dump_json(held, by_alias=True).decode()
            adapter.validate_json(text)
        except ValidationError as error:
            raise _refused(error) from None
        return held, text

    return encode


def _dataclass(model: Any) -> Callable[[Any], tuple[Any, Any]]:
    def encode(value: Any) -> tuple[Any, Any]:
        if isinstance(value, model):
            return value, value
        if not isinstance(value, dict):
            raise InvalidMessage(f"a {type(value).__name__} is no {model.__name__}")
        try:
            held = model(**value)
        except (TypeError, ValueError) as error:
            raise InvalidMessage(f"not a {model.__name__}: {error}") from None
        return held, held

    return encode


def _refused(error: Any) -> InvalidMessage:
    """Return pydantic's errors with their places, without the values, which are the message."""
    errors = [{"at": ".".join(map(str, one["loc"])), "message": one["msg"]} for one in error.errors()]
    first = "; ".join(f"{one['at']}: {one['message']}".removeprefix(": ") for one in errors[:5])
    more = f"; and {len(errors) - 5} more" if len(errors) > 5 else ""
    return InvalidMessage(f"{first}{more}", errors=errors)
