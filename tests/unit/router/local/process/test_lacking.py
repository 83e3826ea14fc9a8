"""What an application lacks in a local run, in words that say what to do."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from router import Env, Event, Resolver
from router.contract import Queue, Stack
from router.environment.resolution import Environment
from router.errors import ConfigurationError
from router.local.process.lacking import left_out, unset


def handle(event: Event) -> None: ...


FILE = f"tests/unit/router/local/process/test_lacking.py:{handle.__code__.co_firstlineno}"


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    """A resolver that a stack finds as `lacking_shop:resolver`."""
    module = ModuleType("lacking_shop")
    module.resolver = made = Resolver()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "lacking_shop", module)
    return made


def told(*declared: Any) -> list[str]:
    infrastructure, problems = Stack("lacking_shop:resolver", *declared).outline()
    return list(left_out(infrastructure, problems, has_stack=bool(declared)))


def sent_by_hand(line: str) -> str:
    """The line without what is said of each route."""
    assert line.endswith("; samples of it can still be sent from the console")
    return line.removesuffix("; samples of it can still be sent from the console")


STACKED = "in a Stack and run `junction local stack:stack`"


@pytest.mark.parametrize(
    ("register", "line"),
    [
        (
            lambda made: made.on_schedule("nightly"),
            f'schedule nightly ({FILE}) is left out: declare Schedule("nightly", "rate(1 day)") {STACKED}',
        ),
        (
            lambda made: made.on_schedule(Env("REPORT_NAME")),
            (
                f"schedule ${{REPORT_NAME}} ({FILE}) is left out: "
                f'declare Schedule("report", "rate(1 day)", variable="REPORT_NAME") {STACKED}'
            ),
        ),
        (
            lambda made: made.on_stream("tickets"),
            f'stream tickets ({FILE}) is left out: declare Table("tickets") or Stream("tickets") {STACKED}',
        ),
        (
            lambda made: made.on_queue("jobs-*"),
            f'sqs jobs-* ({FILE}) is left out: declare what it names, such as Queue("jobs-one") {STACKED}',
        ),
        (lambda made: made.on_kafka("clicks"), f"kafka clicks ({FILE}) is left out: there is no Kafka here"),
    ],
)
def test_what_must_be_declared_is_left_out_and_how_is_said(resolver: Resolver, register: Any, line: str) -> None:
    register(resolver)(handle)
    resolver.on_queue("orders")(handle)
    [found] = told()
    assert sent_by_hand(found) == line


def test_a_stack_that_is_there_takes_the_declaration(resolver: Resolver) -> None:
    resolver.on_queue("orders")(handle)
    resolver.on_queue("jobs-*")(handle)
    [found] = told(Queue("orders"))
    assert sent_by_hand(found).endswith('such as Queue("jobs-one") in the Stack')


def test_a_name_that_aws_does_not_take_is_told(resolver: Resolver) -> None:
    resolver.on_queue("my orders")(handle)
    [found] = told()
    assert "AWS takes no such name for a queue: 'my orders'" in found
    assert sent_by_hand(found).endswith("; it is left out")


def test_nothing_is_said_of_what_is_made_or_called(resolver: Resolver) -> None:
    resolver.on_queue("orders")(handle)
    resolver.on_invoke("rebuild")(handle)
    resolver.get("/orders")(handle)
    assert told() == []


def test_what_only_a_template_is_refused_for_is_told_as_that(resolver: Resolver) -> None:
    resolver.get("/ask", requires={"MODEL": ["strange:Ask"]})(handle)
    [found] = told()
    assert found.startswith(f"no template can be made: GET /ask ({FILE}): strange:Ask for MODEL")


def test_a_template_stays_as_strict_as_it_is(resolver: Resolver) -> None:
    resolver.on_queue("orders")(handle)
    resolver.on_schedule("nightly")(handle)
    stack = Stack("lacking_shop:resolver")
    found, problems = stack.outline()
    assert [one.name for one in found.resources] == ["orders"]
    assert len(problems) == 1
    with pytest.raises(ConfigurationError, match="the infrastructure cannot be told:\n- schedule nightly"):
        stack.infrastructure()


# ---- variables -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("requires", "line"),
    [
        (
            {"TICKETS_TABLE": ["dynamodb:PutItem"]},
            'declare Table("tickets", variable="TICKETS_TABLE") in a Stack, or put it into .env',
        ),
        (["OLD_TICKETS_QUEUE"], 'declare Queue("old-tickets", variable="OLD_TICKETS_QUEUE") in a Stack, or put it'),
        ({"SHOP": ["s3:GetObject"]}, 'declare Bucket("shop", variable="SHOP") in a Stack, or put it into .env'),
        ({"SOCKETS": ["execute-api:ManageConnections"]}, 'declare WebSocketApi(variable="SOCKETS") in a Stack'),
        (["CURRENCY"], "put it into .env"),
    ],
)
def test_a_variable_that_nobody_set_is_told_with_its_route(resolver: Resolver, requires: Any, line: str) -> None:
    resolver.on_invoke("sell", requires=requires)(handle)
    [name] = requires
    [found] = unset(resolver, {}, has_stack=False)
    assert found.startswith(f"{name} is not set (invoke sell, {FILE}): {line}")
    [found] = unset(resolver, {name: ""}, has_stack=True)  # an empty one counts as missing
    assert " in a Stack" not in found
    assert list(unset(resolver, {name: "x"}, has_stack=False)) == []


def test_the_table_of_a_stream_is_named_as_its_route_names_it(resolver: Resolver) -> None:
    resolver.on_stream("tickets-v2", requires={"TICKETS_TABLE": ["dynamodb:PutItem"]})(handle)
    [found] = unset(resolver, {}, has_stack=False)
    assert 'declare Table("tickets-v2", variable="TICKETS_TABLE")' in found


def test_a_variable_of_many_routes_is_told_once(resolver: Resolver) -> None:
    for number in range(5):
        resolver.on_invoke(f"n{number}", requires=["CURRENCY"])(handle)
    [found] = unset(resolver, {}, has_stack=False)
    assert "invoke n2" in found
    assert "; and 2 more): put" in found


def test_stores_are_left_to_tell_it() -> None:
    class Held:
        path = "/shop/{name}"

        def read(self, paths: Any) -> dict[str, str]:
            raise AssertionError("no store is asked before the first event")

    resolver = Resolver(requires=["CURRENCY"], environment=Environment(stores=[Held()]))
    resolver.on_invoke("sell")(handle)
    assert list(unset(resolver, {}, has_stack=False)) == []
