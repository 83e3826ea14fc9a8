"""`unsigned_from=`: the sources whose unsigned session is believed, of a policy and of a route."""

from __future__ import annotations

from typing import Any

import pytest

from router import Event, Resolver, Router, Session, SessionPolicy, Signing
from router.errors import ConfigurationError, SessionError
from router.testing import TestClient, samples

SIGNING = Signing("at least thirty-two bytes of secret text")
SIGNED = SessionPolicy(signing=SIGNING)
ANN = Session("acme", "ann")
UNSIGNED: dict[str, Any] = {
    "sqs": samples.sqs("orders", ["{}"], session=ANN.to_dict()),
    "sns": samples.sns("orders", ["{}"], session=ANN.to_dict()),
    "invoke": samples.invoke("orders", session=ANN.to_dict()),
    "eventbridge": samples.eventbridge("orders", {"id": 1}, session=ANN.to_dict()),
    "kafka": samples.kafka("orders", ["{}"], headers={"session": ANN.to_wire() or ""}),
    "task": samples.task("orders", session=ANN.to_dict()),
}


def application(resolver: Resolver, seen: list[Any], **options: Any) -> Resolver:
    def note(event: Event) -> None:
        seen.append(event.session.tenant)

    group = Router()
    group.on_queue("orders", **options.get("sqs", {}))(note)
    group.on_topic("orders")(note)
    group.on_invoke("orders", **options.get("invoke", {}))(note)
    group.on_bus("orders")(note)
    group.on_kafka("orders")(note)
    group.on_task("orders")(note)
    return resolver.include(group)


def is_taken(resolver: Resolver, source: str) -> bool:
    """Whether a payload is handled without an error."""
    raw = UNSIGNED[source]
    if source == "task":
        return resolver.run_task({**raw}) == 0
    try:
        answer = resolver.resolve(raw)
    except Exception:
        return False
    return not (answer or {}).get("batchItemFailures")


@pytest.mark.parametrize("source", UNSIGNED)
@pytest.mark.parametrize("signing", [None, SIGNING])
def test_only_the_named_sources_may_bring_an_unsigned_session(source: str, signing: Signing | None) -> None:
    for named, believed in (
        ((), False),
        ((source,), True),
        (source, True),
        ([one for one in UNSIGNED if one != source], False),
    ):
        seen: list[Any] = []
        resolver = application(Resolver(session=SessionPolicy(signing=signing, unsigned_from=named)), seen)
        assert is_taken(resolver, source) is believed
        assert seen == (["acme"] if believed else [])


@pytest.mark.parametrize("source", UNSIGNED)
def test_by_default_each_is_believed_without_signing_and_none_with_it(source: str) -> None:
    for policy, believed in ((None, True), (SessionPolicy(), True), (SIGNED, False)):
        seen: list[Any] = []
        assert is_taken(application(Resolver(session=policy), seen), source) is believed
        assert seen == (["acme"] if believed else [])


def test_a_signed_session_is_still_checked_where_unsigned_ones_are_believed() -> None:
    seen: list[Any] = []
    client = TestClient(application(Resolver(session=SessionPolicy(signing=SIGNING, unsigned_from="invoke")), seen))
    assert client.invoke("orders", session=SIGNED.issue(ANN, "invoke")) is None
    assert seen == ["acme"]
    for forged in (SIGNED.issue(ANN, "invoke").replace("acme", "evil"), SIGNED.issue(ANN, "message")):
        with pytest.raises(SessionError):
            client.invoke("orders", session=forged)
    assert seen == ["acme"]


def test_a_message_without_a_session_is_handled_for_nobody() -> None:
    seen: list[Any] = []
    client = TestClient(application(Resolver(session=SessionPolicy(unsigned_from=())), seen))
    assert client.queue("orders", ["{}"]) == {"batchItemFailures": []}
    assert seen == [None]


@pytest.mark.parametrize("policy", [None, SessionPolicy(), SIGNED, SessionPolicy(unsigned_from="sns")])
def test_a_route_says_it_for_itself(policy: SessionPolicy | None) -> None:
    seen: list[Any] = []
    narrow = application(Resolver(session=policy), seen, sqs={"unsigned_from": ()}, invoke={"unsigned_from": ()})
    assert not is_taken(narrow, "sqs")
    assert not is_taken(narrow, "invoke")
    wide = application(
        Resolver(session=policy), seen, sqs={"unsigned_from": "sqs"}, invoke={"unsigned_from": ["invoke"]}
    )
    assert is_taken(wide, "sqs")
    assert is_taken(wide, "invoke")
    assert seen == ["acme", "acme"]


def test_a_route_that_reads_no_session_refuses_it_too() -> None:
    resolver = Resolver()
    resolver.on_invoke("first")(lambda: "done")
    client = TestClient(resolver)
    assert client.invoke("first", session=ANN) == "done"
    resolver.on_invoke("orders", unsigned_from=())(lambda: "done")  # after the first event
    resolver.on_queue("orders", unsigned_from=(), batch=True, by=lambda event: 1)(lambda events: None)
    with pytest.raises(SessionError, match=r"of invoke only a signed one is taken \(unsigned_from=\)"):
        client.invoke("orders", session=ANN)
    assert client.invoke("first", session=ANN) == "done"
    assert len(client.queue("orders", ["1", "2"], session=ANN)["batchItemFailures"]) == 2


@pytest.mark.parametrize("source", ["sqs", "sns"])
def test_an_envelope_in_a_body_has_to_be_of_a_named_topic_all_the_same(source: str) -> None:
    seen: list[Any] = []
    policy = SessionPolicy(signing=SIGNING, unsigned_from=("sqs", "sns", "eventbridge"))
    resolver = Resolver(session=policy)

    def note(event: Event) -> None:
        seen.append(event.session.tenant)

    if source == "sqs":
        resolver.on_queue("events")(note)
        resolver.on_queue("named", topics=["events"], bus_sources=["shop"])(note)
    else:
        resolver.unpack("events", source="sqs")
        resolver.unpack("named", source="sqs", topics=["events"], bus_sources=["shop"])
        resolver.on_topic("events")(note)
        resolver.on_bus("Placed")(note)
    for wire, seen_of in ((ANN.to_dict(), [None, "acme"]), (SIGNED.issue(ANN), ["acme", "acme"])):
        for raw in (
            samples.sns_in_sqs("events", ["{}"], session=wire),
            samples.sqs("events", [samples.eventbridge("Placed", {"id": 1}, source="shop", session=wire)]),
        ):
            seen.clear()
            resolver.resolve(raw)
            for record in raw["Records"]:
                record["eventSourceARN"] = "arn:aws:sqs:eu-west-1:123456789012:named"
            resolver.resolve(raw)
            assert seen == seen_of


@pytest.mark.parametrize("wrong", ["rest", "websocket", "alexa", "htpp", ["sqs", "s3"], 5, [None], [["sqs"]]])
def test_sources_that_bring_no_session_are_refused(wrong: Any) -> None:
    with pytest.raises(
        ConfigurationError, match=r"SessionPolicy\(\.\.\.\): unsigned_from= names .*possible are .*invoke"
    ):
        SessionPolicy(unsigned_from=wrong)
    with pytest.raises(ConfigurationError, match=r"invoke orders: unsigned_from= names .*; possible are invoke"):
        Resolver().on_invoke("orders", unsigned_from=wrong)(lambda: None)


def test_a_route_names_its_own_sources_only() -> None:
    with pytest.raises(ConfigurationError, match="possible are dynamodb, kinesis"):
        Resolver().on_stream("orders", unsigned_from="sqs")(lambda: None)
    with pytest.raises(ConfigurationError, match="none: no whole session comes this way"):
        Resolver().get("/", unsigned_from="invoke")(lambda: None)


def test_a_session_in_an_image_is_believed_where_it_is_named() -> None:
    for named, believed in ((None, False), ("dynamodb", True)):
        seen: list[Any] = []
        resolver = Resolver(session=SessionPolicy(signing=SIGNING, body_field="session", unsigned_from=named))

        @resolver.on_stream("orders")
        def note(event: Event, into=seen) -> None:
            into.append(event.session.tenant)

        change = ("INSERT", None, {"id": 1, "session": ANN.to_dict()})
        assert bool(TestClient(resolver).stream("orders", [change])["batchItemFailures"]) is not believed
        assert seen == (["acme"] if believed else [])


@pytest.mark.parametrize(
    "source", ["iot-provisioning", "iot-authorizer", "transfer", "authorizer", "appsync-authorizer", "rest", "s3"]
)
def test_a_source_that_brings_no_session_cannot_be_named(source: str) -> None:
    with pytest.raises(ConfigurationError, match=source):
        SessionPolicy(unsigned_from=source)
