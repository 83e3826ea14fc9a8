"""`event.trace`: what each source carries, and nothing of what is malformed. No OpenTelemetry is needed for it."""

from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from router import Event, FromRequest, Resolver, Session, SessionPolicy, Signing, read
from router.event_trace import EventTrace, read_traceparent, read_xray
from router.testing import samples

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"
OTHER = f"00-{'c' * 32}-{'d' * 16}-00"
XRAY = f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={SPAN};Sampled=1"
STATE, BAGGAGE = "vendor=1", "order=42"
W3C = {"traceparent": PARENT, "tracestate": STATE, "baggage": BAGGAGE}
SIGNED = SessionPolicy(signing=Signing("k" * 32), request=FromRequest(tenant_header="x-tenant"))


def parts(trace: EventTrace) -> tuple[str | None, ...]:
    return trace.traceparent, trace.tracestate, trace.baggage, trace.xray


def seen_by(resolver: Resolver, raw: Any, context: Any = None) -> EventTrace:
    """What the only route sees of a payload."""
    found: list[EventTrace] = []
    for register in (resolver.on_queue, resolver.on_topic, resolver.on_bus, resolver.on_invoke, resolver.on_kafka):
        register("*")(lambda event: found.append(event.trace))
    resolver.get("/")(lambda event: found.append(event.trace))
    resolver.resolve(raw, context)
    [trace] = found
    return trace


def test_of_a_request() -> None:
    held = seen_by(Resolver(), samples.rest("GET", "/", headers={**W3C, "X-Amzn-Trace-Id": XRAY}))
    assert parts(held) == (PARENT, STATE, BAGGAGE, XRAY)
    assert (held.id, bool(held)) == (TRACE, True)
    assert held.headers() == W3C


def test_of_a_request_of_a_sister_service_it_is_what_that_signed() -> None:
    wire = SIGNED.seal(f'{{"tenant":"acme","traceparent":"{PARENT}"}}', "header")
    headers = {"x-session": wire, "traceparent": OTHER}
    policy = SessionPolicy(signing=Signing("k" * 32), request=FromRequest(session_header="x-session"))
    assert seen_by(Resolver(session=policy), samples.rest("GET", "/", headers=headers)).traceparent == PARENT


def test_of_a_call_it_is_that_of_who_waits_else_of_the_session() -> None:
    raw = {"action": "work", "session": {"tenant": "acme", "traceparent": OTHER}}
    waits = SimpleNamespace(w3c=lambda: W3C)
    assert parts(seen_by(Resolver(), raw, waits)) == (PARENT, STATE, BAGGAGE, None)
    assert seen_by(Resolver(), raw, SimpleNamespace(w3c=dict)).traceparent == OTHER
    assert seen_by(Resolver(), raw).traceparent == OTHER


def test_of_a_message_the_session_comes_before_an_attribute() -> None:
    session = f'{{"tenant":"acme","traceparent":"{PARENT}"}}'
    raw = samples.sqs("orders", [1], attributes={"session": session, "traceparent": OTHER})
    raw["Records"][0]["attributes"]["AWSTraceHeader"] = XRAY
    assert parts(seen_by(Resolver(), raw)) == (PARENT, None, None, XRAY)


def test_of_a_message_an_attribute_counts_and_what_stands_beside_it() -> None:
    raw = samples.sqs("orders", [1], attributes=W3C)
    assert parts(seen_by(Resolver(), raw)) == (PARENT, STATE, BAGGAGE, None)
    assert parts(seen_by(Resolver(), samples.sns("orders", ["x"], attributes=W3C)))[0] == PARENT


def test_of_x_ray_alone() -> None:
    raw = samples.sqs("orders", [1])
    raw["Records"][0]["attributes"]["AWSTraceHeader"] = XRAY
    held = seen_by(Resolver(), raw)
    assert (parts(held), held.id, held.headers()) == ((None, None, None, XRAY), TRACE, {})


def test_of_an_event_of_a_bus() -> None:
    raw = samples.eventbridge("Paid", {"id": 1, "traceparent": PARENT})
    raw["trace-header"] = XRAY
    assert parts(seen_by(Resolver(), raw)) == (PARENT, None, None, XRAY)


def test_a_session_that_is_refused_names_none() -> None:
    forged = SessionPolicy(signing=Signing("z" * 32)).seal(f'{{"traceparent":"{PARENT}"}}', "message")
    [event] = read(samples.sqs("orders", [1], attributes={"session": forged}))
    event._policy = SIGNED
    assert not event.trace


def test_an_event_inside_another_has_the_trace_of_that() -> None:
    resolver = Resolver()
    found: list[str | None] = []

    @resolver.on_queue("uploads")
    def handler(event: Event) -> None:
        found.extend(inner.trace.traceparent for inner in event.inner)

    inside = samples.s3("uploads", ["a.csv", "b.csv"])
    resolver.resolve(samples.sqs("uploads", [inside], attributes={"traceparent": PARENT}))
    assert found == [PARENT, PARENT]


@pytest.mark.parametrize(
    "text",
    [
        *(None, 5, "", "x", PARENT.upper(), PARENT + "-more", f"ff-{TRACE}-{SPAN}-01", f"00-{'0' * 32}-{SPAN}-01"),
        *(f"00-{TRACE}-{'0' * 16}-01", f"01-{TRACE}-{SPAN}-01-" + "x" * 600, f"{PARENT}\n"),
    ],
)
def test_a_traceparent_that_is_malformed_is_none(text: Any) -> None:
    assert read_traceparent(text) is None
    assert not seen_by(Resolver(), samples.sqs("orders", [1], attributes={"traceparent": str(text)}))


ROOT = f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={SPAN}"


@pytest.mark.parametrize(
    "text",
    [
        *(None, 5, "", "Root=1-a", f"Root=1-{'0' * 8}-{'0' * 24};Parent={SPAN}", "x" * 600),
        *(f"{ROOT};\r\nx-admin: 1", f"{ROOT};Sampled=1;Lineage=\n", f"{ROOT};Self=\xe9"),
    ],
)
def test_a_header_of_x_ray_that_is_malformed_is_none(text: Any) -> None:
    assert read_xray(text) is None
    assert read_xray(f"{ROOT}; Sampled=1") is not None  # in another form, but sound


@pytest.mark.parametrize("value", ["a\r\nx-admin: 1", "é", "x" * 9000, ""])
def test_what_cannot_be_a_header_does_not_go_along(value: str) -> None:
    raw = samples.sqs("orders", [1], attributes={"traceparent": PARENT, "baggage": value or " \x00"})
    assert seen_by(Resolver(), raw).headers() == {"traceparent": PARENT}


def test_an_event_without_one() -> None:
    held = seen_by(Resolver(), samples.sqs("orders", [1]))
    assert (parts(held), held.id, bool(held)) == ((None,) * 4, None, False)


@pytest.mark.parametrize("context", [SimpleNamespace(w3c=lambda: 1 / 0), SimpleNamespace(w3c=lambda: 3)])
def test_a_context_of_another_kind_is_no_trace(context: Any) -> None:
    assert not seen_by(Resolver(), {"action": "work"}, context)


def test_headers_that_cannot_be_read_are_no_trace() -> None:
    raw = samples.rest("GET", "/")
    raw["multiValueHeaders"] = raw["headers"] = {"traceparent": 7}
    resolver, found = Resolver(), []

    @resolver.get("/")
    def handler(event: Event) -> None:
        found.append(bool(event.trace))

    resolver.resolve(raw)
    assert found in ([], [False])


def test_a_task_has_that_of_its_session() -> None:
    resolver, found = Resolver(), []
    resolver.on_task("nightly")(lambda event: found.append(event.trace.traceparent))
    session = Session(tenant="acme").to_dict() | {"traceparent": PARENT}
    assert resolver.run_task({"TASK_NAME": "nightly", "SESSION": json.dumps(session)}) == 0
    assert found == [PARENT]


def test_opentelemetry_is_not_imported_for_it() -> None:
    code = """
import sys
from router import Resolver
resolver = Resolver()
resolver.on_invoke("work")(lambda event: event.trace.traceparent)
print(resolver.resolve({"action": "work", "session": {"traceparent": "PARENT"}}))
print([name for name in sys.modules if name.startswith("opentelemetry")])
"""
    done = subprocess.run(
        [sys.executable, "-c", code.replace("PARENT", PARENT)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [PARENT, "[]"]
