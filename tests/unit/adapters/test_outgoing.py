"""The session on its way out, for every adapter that attaches one."""

from __future__ import annotations

import json

import pytest

from adapters._core.outgoing import CURRENT, named_session, session_wire
from router import Event, FromRequest, Resolver, Session, SessionPolicy, Signing, set_session
from router.testing import TestClient

POLICY = SessionPolicy(signing=Signing("k" * 32), request=FromRequest(tenant_header="x-tenant"), attribute="who")


def in_a_request(read, policy=POLICY, **headers):
    """What a function gives that runs in a handler."""
    resolver, seen = Resolver(session=policy), []

    @resolver.get("/")
    def handler():
        seen.append(read())

    assert TestClient(resolver).get("/", headers=headers).status < 300
    return seen[0]


def test_nobody_has_nothing_to_attach():
    assert named_session(purpose="message") is None
    assert session_wire(purpose="message") is None
    assert session_wire(Session(), purpose="message") is None


def test_none_attaches_nothing_even_in_a_handler():
    assert in_a_request(lambda: named_session(None, purpose="message"), **{"x-tenant": "acme"}) is None


def test_the_current_one_has_the_name_and_the_signature_of_its_policy():
    name, wire = in_a_request(lambda: named_session(purpose="message"), **{"x-tenant": "acme"})
    assert name == "who"
    assert POLICY.open(wire).tenant == "acme"


def test_without_a_policy_it_is_plain():
    assert named_session(Session(user="cron"), purpose="message") == ("session", '{"user":"cron"}')
    assert (
        json.loads(
            in_a_request(
                lambda: session_wire(purpose="message"),
                SessionPolicy(request=FromRequest(tenant_header="x-tenant")),
                **{"x-tenant": "a"},
            )
        )["tenant"]
        == "a"
    )


@pytest.mark.parametrize("given", [Session(user="system"), POLICY.nobody.replace(user="system")])
def test_one_that_a_handler_made_is_signed_and_carries_the_correlation(given):
    name, wire = in_a_request(lambda: named_session(given, purpose="message"))
    assert name == "who"
    opened = POLICY.open(wire)
    assert opened.user == "system"
    assert opened.correlation_id


def test_one_that_a_handler_set_is_signed_too():
    def read():
        set_session(Session(user="impersonated"))
        return named_session(purpose="message")

    name, wire = in_a_request(read)
    assert name == "who"
    assert POLICY.open(wire).user == "impersonated"


def test_a_given_policy_wins_over_that_of_the_resolver():
    other = SessionPolicy(signing=Signing("o" * 32), attribute="other")
    name, wire = in_a_request(lambda: named_session(CURRENT, other, purpose="message"), **{"x-tenant": "acme"})
    assert name == "other"
    assert other.open(wire).tenant == "acme"


def test_the_stand_in_for_the_current_one_says_what_it_is():
    assert repr(CURRENT) == "CURRENT"


SIGNING = SessionPolicy(signing=Signing("k" * 32))  # reads nothing of requests


def run_on(source: str, read, *, asynchronous: bool):
    """What `read` gives in a handler of a source, which is sync or async."""
    resolver, seen = Resolver(session=SIGNING), []

    def handler(event: Event):
        seen.append(read(event))

    async def handler_async(event: Event):
        handler(event)

    def batch(events: list[Event]):
        handler(events[0])

    async def batch_async(events: list[Event]):
        handler(events[0])

    one = handler_async if asynchronous else handler
    several = batch_async if asynchronous else batch
    client = TestClient(resolver)
    {
        "get": lambda: (resolver.get("/")(one), client.get("/")),
        "queue": lambda: (resolver.on_queue("q")(one), client.queue("q", ["x"])),
        "queue, concurrent": lambda: (resolver.on_queue("q", concurrency=4)(one), client.queue("q", ["x"])),
        "queue, batch": lambda: (resolver.on_queue("q", batch=True)(several), client.queue("q", ["x"])),
        "topic": lambda: (resolver.on_topic("t")(one), client.topic("t", ["x"])),  # type: ignore[func-returns-value]
        "stream": lambda: (resolver.on_stream("s")(one), client.stream("s", [("INSERT", None, {"id": 1})])),
        "bus": lambda: (resolver.on_bus("b", source="s")(one), client.bus("b", {}, source="s")),  # type: ignore[func-returns-value]
        "schedule": lambda: (resolver.on_schedule("n")(one), client.schedule("n")),  # type: ignore[func-returns-value]
        "invoke": lambda: (resolver.on_invoke("i")(one), client.invoke("i", {})),
        "task": lambda: (resolver.on_task("t")(one), client.task("t")),
        "message": lambda: (resolver.on_message("m")(one), client.message("x", route_key="m")),
    }[source]()
    return seen[0]


SOURCES = ["get", "queue", "queue, concurrent", "queue, batch", "topic", "stream", "bus", "schedule", "invoke", "task"]


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("source", [*SOURCES, "message"])
def test_one_that_a_handler_made_is_signed_on_every_source(source, asynchronous):
    wire = run_on(
        source, lambda event: session_wire(Session(tenant="acme"), purpose="message"), asynchronous=asynchronous
    )
    assert SIGNING.open(wire).tenant == "acme"


@pytest.mark.parametrize("source", [*SOURCES, "message"])
def test_one_that_was_put_into_the_event_is_signed_as_the_one_before(source):
    def replaced(event: Event):
        event.session = Session(tenant="acme")
        return session_wire(purpose="message")

    assert SIGNING.open(run_on(source, replaced, asynchronous=False)).tenant == "acme"
