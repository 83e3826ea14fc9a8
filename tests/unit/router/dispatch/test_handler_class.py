"""A class with `process` as a handler: a new instance for each event, validated first."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest

from router import BadRequest, Depends, Event, Query, Resolver, Router, Session
from router.errors import ConfigurationError
from router.testing import TestClient

told: list[str] = []


@dataclass
class Order:
    id: str
    amount: int = 1


def connection() -> str:
    return "open"


@dataclass
class Create:
    """Take an order."""

    order: Order
    session: Session
    size: Query[int] = 10
    database: Annotated[str, Depends(connection)] = ""
    notes: list[str] = field(default_factory=list, init=False)

    def validate(self) -> None:
        if self.order.amount < 1:
            raise BadRequest("nothing was ordered")

    def process(self) -> dict[str, Any]:
        self.notes.append(self.order.id)
        return {"id": self.order.id, "size": self.size, "database": self.database, "notes": self.notes}


class Later:
    def __init__(self, event: Event) -> None:
        self.event = event

    async def validate(self) -> None:
        await asyncio.sleep(0)
        if self.event.json() == "bad":
            raise ValueError("bad")

    async def process(self) -> Any:
        await asyncio.sleep(0)
        told.append(self.event.json())
        return self.event.json()


class Group:
    def __init__(self, events: list[Event]) -> None:
        self.events = events

    def process(self) -> None:
        told.append("+".join(event.json() for event in self.events))


@pytest.fixture(autouse=True)
def nothing_told() -> None:
    told.clear()


def test_its_fields_are_the_arguments_and_each_event_has_its_own() -> None:
    resolver = Resolver()
    assert resolver.post("/orders")(Create) is Create
    client = TestClient(resolver)
    for id in ("a", "b"):
        answer = client.post("/orders?size=3", json={"id": id})
        assert answer.json() == {"id": id, "size": 3, "database": "open", "notes": [id]}
    assert client.post("/orders", json={"id": "a", "amount": 0}).json()["detail"] == "nothing was ordered"
    assert client.post("/orders", json={"amount": 1}).status == 422
    assert client.post("/orders?size=x", json={"id": "a"}).status == 422


def test_a_dependency_may_be_overridden() -> None:
    resolver = Resolver()
    resolver.post("/orders")(Create)
    with resolver.override(connection, lambda: "fake"):
        assert TestClient(resolver).post("/orders", json={"id": "a"}).json()["database"] == "fake"


def test_async_methods_and_records() -> None:
    resolver = Resolver()
    resolver.on_queue("orders")(Later)
    resolver.on_invoke("later")(Later)
    client = TestClient(resolver)
    assert client.invoke("later", "x") == "x"
    failed = client.queue("orders", ['"one"', '"bad"', '"two"'])["batchItemFailures"]
    assert len(failed) == 1
    assert told == ["x", "one", "two"]


def test_one_async_method_is_enough() -> None:
    class Mixed(Later):
        def process(self) -> Any:
            return "done"

    resolver = Resolver()
    resolver.on_invoke("mixed")(Mixed)
    assert TestClient(resolver).invoke("mixed", "x") == "done"


def test_a_group_of_records() -> None:
    router = Router()
    router.on_queue("orders", batch=True)(Group)
    resolver = Resolver()
    resolver.include(router)
    TestClient(resolver).queue("orders", ['"a"', '"b"'])
    assert told == ["a+b"]


def test_routes_name_the_class_and_its_place() -> None:
    resolver = Resolver()
    resolver.post("/orders")(Create)
    [route] = resolver.routes
    assert (route.name, route.summary) == ("Create", "Take an order.")
    assert "Create (" in route.where
    assert "test_handler_class.py" in route.where


def test_what_is_no_handler_class_is_refused() -> None:
    class Nothing:
        pass

    class Asks:
        def process(self, event: Event) -> None: ...

    class Yields:
        def process(self) -> Any:
            yield 1

    class Static:
        @staticmethod
        def process() -> None: ...

    class Abstract(ABC):
        @abstractmethod
        def process(self) -> None: ...

    class Odd:
        def __init__(self, order: Missing) -> None: ...  # type: ignore[name-defined]  # noqa: F821

        def process(self) -> None: ...

    for kind, said in (
        (Nothing, "Nothing is a class; decorate a function, or a class with process"),
        (Asks, r"Asks\.\w+ must be a method without arguments beside self"),
        (Static, r"Static\.process must be a method without arguments beside self"),
        (Abstract, "Abstract is abstract, and cannot be made: it lacks process"),
        (Yields, "generator"),
        (Odd, "an annotation cannot be resolved"),
        (Create, "have no query parameters"),
    ):
        with pytest.raises(ConfigurationError, match=said):
            Resolver().on_invoke("a")(kind)
