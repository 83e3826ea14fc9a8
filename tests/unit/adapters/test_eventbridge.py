"""Publishing to a bus: the session in the detail, the limits, and what becomes of refused events."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType

import pytest
from pydantic import BaseModel

from adapters.errors import AdapterError, InvalidMessage, MessageTooLarge, PartialFailure
from adapters.eventbridge import Bus, OutgoingEvent
from router import ConfigurationError, FromRequest, LegacySessions, Resolver, Session, SessionPolicy, Signing
from router.testing import TestClient
from tests.unit.adapters.fakes import FakeClient, fake_aws, refusal

POLICY = SessionPolicy(signing=Signing("k" * 32), request=FromRequest(tenant_header="x-tenant"))


def taken(parameters, refuse=None):
    """The answer of EventBridge; refuse: code by position in this request."""
    entries = [
        {"ErrorCode": refuse[position], "ErrorMessage": "why"}
        if refuse and position in refuse
        else {"EventId": f"e{n}"}
        for position, n in enumerate(json.loads(one["Detail"]).get("n", 0) for one in parameters["Entries"])
    ]
    return {"FailedEntryCount": len(refuse or ()), "Entries": entries}


def bus(client=None, sleeps=None, **options):
    client = client or FakeClient(put_events=taken)
    return Bus(fake_aws({"events": client}, sleeps), **{"name": "shop", "source": "orders", **options}), client


def entries(client):
    return [entry for held in client.parameters("put_events") for entry in held["Entries"]]


def details(client):
    return [json.loads(entry["Detail"]) for entry in entries(client)]


def as_delivered(entry):
    """The event as a rule delivers it."""
    return {
        "version": "0",
        "id": "e1",
        "detail-type": entry["DetailType"],
        "source": entry["Source"],
        "account": "123456789012",
        "time": "2026-01-31T12:00:00Z",
        "region": "eu-west-1",
        "resources": entry.get("Resources", []),
        "detail": json.loads(entry["Detail"]),
    }


@dataclass
class Placed:
    id: str
    total: Decimal


class Paid(BaseModel):
    id: str
    total: Decimal


class TestEvent:
    def test_is_what_it_was_given_as(self):
        publisher, client = bus()
        moment = datetime(2026, 1, 31, tzinfo=UTC)
        assert publisher.publish("OrderPlaced", {"n": 7}, resources=["arn:aws:x"], time=moment) == "e7"
        assert entries(client) == [
            {
                "EventBusName": "shop",
                "Source": "orders",
                "DetailType": "OrderPlaced",
                "Detail": '{"n":7}',
                "Resources": ["arn:aws:x"],
                "Time": moment,
            }
        ]

    @pytest.mark.parametrize(
        "detail",
        [
            Placed("1", Decimal("1234567890123456789.90")),
            Paid(id="1", total=Decimal("1234567890123456789.90")),
            MappingProxyType({"id": "1", "total": Decimal("1234567890123456789.90")}),
        ],
    )
    def test_from_models_and_mappings_with_exact_numbers(self, detail):
        publisher, client = bus()
        publisher.publish("OrderPlaced", detail, session=Session(tenant="acme"))
        held = json.loads(entries(client)[0]["Detail"], parse_float=Decimal)
        assert Decimal(str(held["total"])) == Decimal("1234567890123456789.90")
        assert held["metadata"] == {"session": {"tenant": "acme"}}

    @pytest.mark.parametrize("detail", [[1], "text", 1, None, {1, 2}])
    def test_without_an_object_is_refused(self, detail):
        publisher, client = bus()
        with pytest.raises(InvalidMessage, match="must be a JSON object"):
            publisher.publish("OrderPlaced", detail)
        assert client.calls == []

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"detail_type": ""}, "detail type"),
            ({"detail_type": "x" * 129}, "detail type"),
            ({"source": "aws.ec2"}, "source"),
            ({"source": ""}, "source"),
            ({"time": datetime(2026, 1, 31)}, "time zone"),  # noqa: DTZ001
            ({"time": "2026-01-31"}, "time zone"),
            ({"resources": [7]}, "resources"),
            ({"detail": {"at": object()}}, "cannot be written as JSON"),
        ],
    )
    def test_that_eventbridge_would_refuse(self, changes, why):
        publisher, client = bus()
        with pytest.raises(InvalidMessage, match=why) as raised:
            publisher.publish_many(
                [OutgoingEvent("A", {}), OutgoingEvent(**{"detail_type": "B", "detail": {}, **changes})]
            )
        assert "shop event #1" in str(raised.value)
        assert client.calls == []

    def test_the_text_of_an_error_does_not_quote_the_detail(self):
        with pytest.raises(InvalidMessage) as raised:
            bus()[0].publish("OrderPlaced", {"card": "4111", "at": object()})
        assert "4111" not in str(raised.value)
        assert "4111" not in repr(OutgoingEvent("OrderPlaced", {"card": "4111"}))

    @pytest.mark.parametrize("options", [{"source": ""}, {"source": "aws.x"}, {"name": ""}, {"max_bytes": 0}])
    def test_a_bus_that_makes_no_sense(self, options):
        with pytest.raises(ConfigurationError):
            bus(**options)

    def test_only_events_are_published(self):
        with pytest.raises(ConfigurationError, match="OutgoingEvent"):
            bus()[0].publish_many([{"detail": 1}])


class TestSession:
    def test_of_a_request_reaches_the_route_of_the_event(self):
        publisher, client = bus()
        resolver = Resolver(session=POLICY)

        @resolver.post("/orders")
        def place():
            publisher.publish("OrderPlaced", {"id": "1", "metadata": {"version": 2}})

        TestClient(resolver).post("/orders", headers={"x-tenant": "acme"})
        seen = []
        receiver = Resolver(session=POLICY)

        @receiver.on_bus("OrderPlaced", source="orders")
        def placed(session: Session):
            seen.append(session.tenant)

        receiver.resolve(as_delivered(entries(client)[0]))
        assert seen == ["acme"]
        assert details(client)[0]["metadata"]["version"] == 2

    def test_is_not_written_into_what_the_caller_gave(self):
        detail = {"id": "1", "metadata": {"version": 2}}
        publisher, client = bus()
        publisher.publish("OrderPlaced", detail, session=Session(tenant="acme"))
        publisher.publish("OrderPlaced", detail, session=Session(tenant="other"))
        assert detail == {"id": "1", "metadata": {"version": 2}}
        assert [held["metadata"]["session"]["tenant"] for held in details(client)] == ["acme", "other"]

    def test_that_a_client_has_put_into_the_detail_does_not_travel(self):
        publisher, client = bus()
        forged: dict = {"id": "1", "metadata": {"session": {"tenant": "victim"}, "version": 2}}
        publisher.publish("OrderPlaced", forged)
        publisher.publish("OrderPlaced", forged, session=Session(tenant="acme"))
        publisher.publish("OrderPlaced", forged, session=None)
        assert [held["metadata"].get("session") for held in details(client)] == [None, {"tenant": "acme"}, None]
        assert forged["metadata"]["session"] == {"tenant": "victim"}

    def test_has_the_key_of_the_policy(self):
        publisher, client = bus(policy=SessionPolicy(attribute="who"))
        publisher.publish("OrderPlaced", {"metadata": {"who": "forged"}}, session=Session(tenant="acme"))
        publisher.publish("OrderPlaced", {"metadata": {"who": "forged"}}, session=None)
        assert [held["metadata"] for held in details(client)] == [{"who": {"tenant": "acme"}}, {}]

    def test_of_each_event_its_own(self):
        publisher, client = bus()
        publisher.publish_many([OutgoingEvent("A", {}, session=Session(tenant=tenant)) for tenant in ("a", "b")])
        assert [held["metadata"]["session"]["tenant"] for held in details(client)] == ["a", "b"]

    @pytest.mark.parametrize("metadata", ["text", [1], 1])
    def test_has_no_place_in_metadata_that_is_no_object(self, metadata):
        with pytest.raises(InvalidMessage, match=r"detail\.metadata must be an object"):
            bus()[0].publish("OrderPlaced", {"metadata": metadata}, session=Session(tenant="acme"))


class TestBatches:
    def test_of_ten(self):
        publisher, client = bus()
        ids = publisher.publish_many([OutgoingEvent("A", {"n": n}) for n in range(25)])
        assert ids == [f"e{n}" for n in range(25)]
        assert [len(held["Entries"]) for held in client.parameters("put_events")] == [10, 10, 5]

    def test_of_what_the_limit_allows(self):
        publisher, client = bus(max_bytes=1000)
        publisher.publish_many([OutgoingEvent("A", {"n": n, "x": "y" * 350}) for n in range(4)])
        assert [len(held["Entries"]) for held in client.parameters("put_events")] == [2, 2]

    def test_one_that_is_too_large_alone_is_told_before_any_is_sent(self):
        publisher, client = bus()
        with pytest.raises(MessageTooLarge, match=r"event #1.*1,048,576 are the most"):
            publisher.publish_many([OutgoingEvent("A", {}), OutgoingEvent("B", {"x": "é" * 600_000})])
        assert client.calls == []

    def test_of_none_is_no_call(self):
        publisher, client = bus()
        assert publisher.publish_many([]) == []
        assert client.calls == []


class TestRefused:
    def test_for_a_passing_reason_is_sent_again_alone(self):
        sleeps: list[float] = []
        client = FakeClient(
            put_events=[lambda held: taken(held, {1: "InternalFailure", 2: "ThrottlingException"}), taken]
        )
        publisher, _ = bus(client, sleeps)
        assert publisher.publish_many([OutgoingEvent("A", {"n": n}) for n in range(3)]) == ["e0", "e1", "e2"]
        assert [json.loads(one["Detail"])["n"] for one in client.parameters("put_events")[1]["Entries"]] == [1, 2]
        assert len(sleeps) == 1

    def test_for_good_raises_with_every_entry(self):
        events = [OutgoingEvent("A", {"n": n}) for n in range(3)]
        client = FakeClient(
            put_events=lambda held: taken(held, {0: "MalformedDetail", 2: "NotAuthorizedForSourceException"})
        )
        with pytest.raises(PartialFailure, match="shop: 2 of 3") as raised:
            bus(client)[0].publish_many(events)
        assert [(one.index, one.entry, one.code) for one in raised.value.failed] == [
            (0, events[0], "MalformedDetail"),
            (2, events[2], "NotAuthorizedForSourceException"),
        ]
        assert raised.value.sent == {1: "e1"}
        assert len(client.calls) == 1

    def test_again_and_again_raises(self):
        client = FakeClient(put_events=lambda held: taken(held, {0: "InternalFailure"}))
        with pytest.raises(PartialFailure):
            bus(client)[0].publish("A", {})
        assert len(client.calls) == 3

    def test_as_a_whole_call_names_the_bus(self):
        with pytest.raises(AdapterError, match=r"events\.put_events shop: ValidationException"):
            bus(FakeClient(put_events=refusal("ValidationException")))[0].publish("A", {})

    def test_an_answer_that_leaves_entries_out_does_not_pass_for_success(self):
        with pytest.raises(PartialFailure, match="NoAnswer"):
            bus(FakeClient(put_events={"FailedEntryCount": 0, "Entries": []}))[0].publish("A", {})


def test_no_older_session_of_somebody_else_goes_along():
    publisher, client = bus(policy=SessionPolicy(legacy=LegacySessions()))
    metadata = {"session": {"state": "globex"}, "junction-session": {"tenant": "globex"}, "kept": 1}
    publisher.publish("Placed", {"metadata": metadata}, session=None)
    publisher.publish("Placed", {"metadata": metadata}, session=Session("acme"))
    assert [detail["metadata"] for detail in details(client)] == [
        {"kept": 1},
        {"kept": 1, "junction-session": {"tenant": "acme"}},
    ]
