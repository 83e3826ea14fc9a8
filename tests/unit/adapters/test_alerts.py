"""Alerts: what is told of an error, what never is, and that telling never harms the dispatch."""

from __future__ import annotations

import asyncio
import json

import pytest

from adapters.alerts import Alerts
from adapters.errors import Throttled
from router import (
    ConfigurationError,
    Conflict,
    FromRequest,
    HTTPError,
    InvalidEvent,
    Resolver,
    Session,
    SessionPolicy,
    Signing,
)
from router.durations import seconds
from router.testing import Context, TestClient, samples
from tests.unit.adapters.fakes import FakeClient, fake_aws, refusal

SECRET = "postgres://admin:hunter2@db/prod"
POLICY = SessionPolicy(request=FromRequest(tenant_header="x-tenant"))


@pytest.fixture
def sns():
    return FakeClient(publish={"MessageId": "m1"})


def told(client):
    return [json.loads(held.get("Message") or held["MessageBody"]) for _, held in client.calls]


def alerts(client, kind="sns", **options):
    options = {"every": 0, **options, "topic" if kind == "sns" else "queue": "alerts"}
    return Alerts(aws=fake_aws({kind: client}), **options)


def failing(alert, error: Exception, *, is_async=False):
    """A resolver of which every route fails."""
    resolver = Resolver(session=POLICY)
    resolver.on_error(alert)

    def sync_handler():
        raise error

    async def async_handler():
        raise error

    handler = async_handler if is_async else sync_handler
    resolver.post("/orders/{order_id}")(handler)
    resolver.on_queue("orders")(handler)
    resolver.on_invoke("rebuild")(handler)
    return resolver


@pytest.mark.parametrize("is_async", [False, True])
class TestDispatch:
    def test_an_alert_says_where_to_look_and_nothing_of_the_request(self, sns, is_async):
        resolver = failing(alerts(sns), ValueError(SECRET), is_async=is_async)
        answer = TestClient(resolver).post(
            "/orders/4711-card", json={"card": "4111"}, headers={"x-tenant": "acme", "authorization": "Bearer t0ken"}
        )
        assert answer.status == 500
        [alert] = told(sns)
        assert alert["error"] == "builtins.ValueError"
        assert (alert["source"], alert["route"], alert["tenant"]) == ("rest", "POST /orders/{order_id}", "acme")
        assert alert["event_id"]
        assert alert["correlation_id"]
        text = json.dumps(sns.calls, default=str)
        for secret in (SECRET, "4711-card", "4111", "t0ken", "Traceback", __file__):
            assert secret not in text

    @pytest.mark.parametrize("source", ["rest", "http", "url", "alb", "lattice"])
    def test_no_path_of_a_request_is_in_an_alert(self, sns, is_async, source):
        resolver = failing(alerts(sns, also=404), ValueError("x"), is_async=is_async)
        client = TestClient(resolver, source=source)
        assert client.post("/orders/4711-card?card=4111").status == 500
        assert client.get("/unknown/4711-card").status == 404
        assert [alert["error"] for alert in told(sns)] == ["builtins.ValueError", "router.errors.NotFound"]
        assert told(sns)[0]["route"] == "POST /orders/{order_id}"
        assert "4711" not in str(sns.calls)
        assert "4111" not in str(sns.calls)

    def test_no_channel_of_a_client_is_in_an_alert(self, sns, is_async):
        resolver = Resolver()
        resolver.on_error(alerts(sns))

        def publish(event):
            raise ValueError("x")

        async def publish_async(event):
            raise ValueError("x")

        resolver.on_channel("/chat/*")(publish_async if is_async else publish)
        TestClient(resolver).publish("/chat/4711-card", [{"card": "4111"}])
        [alert] = told(sns)
        assert alert["route"] == "appsync-events /chat/*"
        assert "4711" not in json.dumps(alert)

    def test_a_failed_record_is_told_of_and_fails_all_the_same(self, is_async):
        sqs = FakeClient(send_message={"MessageId": "m1"})
        resolver = failing(alerts(sqs, "sqs"), ValueError("x"), is_async=is_async)
        answer = TestClient(resolver).queue("orders", ["{}", "{}"])
        assert len(answer["batchItemFailures"]) == 2
        assert [alert["name"] for alert in told(sqs)] == ["orders", "orders"]

    @pytest.mark.parametrize("broken", [refusal("NotFound"), RuntimeError("any"), refusal("Throttling")])
    def test_a_topic_that_is_gone_harms_nothing(self, is_async, broken, caplog):
        resolver = failing(alerts(FakeClient(publish=broken)), ValueError("x"), is_async=is_async)
        assert TestClient(resolver).post("/orders/1").status == 500
        assert TestClient(resolver).queue("orders", ["{}"])["batchItemFailures"]
        assert "an alert could not be sent" in caplog.text

    def test_the_error_of_a_call_stays_what_it_is(self, sns, is_async):
        resolver = failing(alerts(sns), ZeroDivisionError("x"), is_async=is_async)
        with pytest.raises(ZeroDivisionError):
            TestClient(resolver).invoke("rebuild")
        assert len(told(sns)) == 1

    @pytest.mark.parametrize("option", ["message", "traceback"])
    def test_half_a_character_costs_no_alert(self, sns, is_async, option):
        resolver = failing(alerts(sns, **{option: True}), ValueError("half \ud800"), is_async=is_async)
        TestClient(resolver).queue("orders", [{}])
        [alert] = told(sns)
        assert "half ?" in alert[option]

    def test_half_a_character_in_an_id_costs_no_alert(self, sns, is_async):
        resolver = failing(alerts(sns), ValueError("no"), is_async=is_async)
        payload = samples.sqs("orders", [{}, {}])
        payload["Records"][0]["messageId"] = "m\ud800"
        with pytest.raises(InvalidEvent):
            resolver.resolve(payload)
        assert told(sns)[0]["event_id"] == "m?"

    def test_what_was_expected_is_not_told(self, sns, is_async):
        resolver = failing(alerts(sns), Conflict("taken"), is_async=is_async)
        assert TestClient(resolver).post("/orders/1").status == 409
        assert sns.calls == []

    def test_inside_a_running_loop_too(self, sns, is_async):
        resolver = failing(alerts(sns), ValueError("x"), is_async=is_async)
        payload = {"action": "rebuild"}
        with pytest.raises(ValueError, match="x"):
            asyncio.run(resolver.resolve_async(payload, Context()))
        assert len(told(sns)) == 1


class TestContent:
    def test_a_record_without_a_route_is_told_of(self, sns):
        resolver = Resolver()
        resolver.on_error(alerts(sns))
        resolver.on_queue("orders")(lambda: None)
        assert TestClient(resolver).queue("unknown", ["{}"])["batchItemFailures"]
        assert told(sns)[0]["error"] == "router.errors.NoRoute"

    def test_names_of_clients_are_cut_and_kept_on_one_line(self, sns):
        resolver = Resolver()
        resolver.on_error(alerts(sns, service="shop", stage="prod"))
        resolver.on_invoke("*")(lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            resolver.resolve({"action": "x\n" * 5000})
        assert len(told(sns)[0]["name"]) == 200
        subject = sns.calls[0][1]["Subject"]
        assert subject == "shop prod ZeroDivisionError invoke *"

    def test_service_stage_function_and_request(self, sns):
        context = Context(request_id="r1")
        resolver = failing(alerts(sns, service="shop", stage="prod"), ValueError("x"))
        with pytest.raises(ValueError, match="x"):
            resolver.resolve({"action": "rebuild"}, context)
        assert {"service": "shop", "stage": "prod", "request_id": "r1"}.items() <= told(sns)[0].items()

    def test_codes_of_services_are_told(self, sns):
        alerts(sns)(Throttled("the queue", code="RequestThrottled"))
        alerts(sns)(HTTPError(503))
        alerts(sns, ignore=[503])(Throttled("the queue", code="RequestThrottled"))  # which is a 503 over HTTP
        assert [alert["codes"] for alert in told(sns)] == [["RequestThrottled"], ["503"]]

    def test_no_session_travels_with_it(self, sns):
        resolver = failing(alerts(sns), ValueError("x"))
        TestClient(resolver).post("/orders/1", headers={"x-tenant": "acme"})
        assert "MessageAttributes" not in sns.calls[0][1]

    def test_an_event_whose_session_is_refused(self, sns):
        resolver = Resolver(session=SessionPolicy(signing=Signing("k" * 32)))
        resolver.on_error(alerts(sns))
        resolver.on_queue("orders")(lambda session: None)
        TestClient(resolver).queue("orders", ["{}"], session='{"tenant": "forged"}')
        [alert] = told(sns)
        assert alert["error"] == "router.errors.SessionError"
        assert "forged" not in json.dumps(alert)


class TestWhich:
    def test_classes_statuses_and_codes_can_be_left_out(self, sns):
        alert = alerts(sns, ignore=(KeyError, 503, "RequestThrottled"))
        for error in (KeyError("x"), HTTPError(503), Throttled("q", code="RequestThrottled"), ValueError("x")):
            alert(error)
        assert [one["error"] for one in told(sns)] == ["builtins.ValueError"]

    def test_a_storm_makes_one_alert_and_then_its_number(self, sns):
        now = [0.0]
        alert = alerts(sns, every=60, clock=lambda: now[0])
        for _ in range(100):
            alert(ValueError("x"))
        alert(KeyError("y"))
        now[0] = 61
        alert(ValueError("x"))
        assert [(one["error"], one.get("repeated")) for one in told(sns)] == [
            ("builtins.ValueError", None),
            ("builtins.KeyError", None),
            ("builtins.ValueError", 99),
        ]

    def test_what_is_remembered_does_not_grow_without_end(self, sns, monkeypatch):
        monkeypatch.setattr("router.error_kinds._MOST_KINDS", 2)
        alert = alerts(sns, every=60)
        for error in (ValueError(), KeyError(), IndexError(), TypeError(), IndexError()):
            alert(error)
        assert len(alert._repeats._seen) <= 2
        assert len(told(sns)) == 4

    @pytest.mark.parametrize("options", [{}, {"queue": "a", "topic": "b"}, {"queue": "a", "every": -1}])
    def test_what_makes_no_sense_is_refused(self, options):
        with pytest.raises(ConfigurationError):
            Alerts(**options)


def test_by_itself_it_calls_with_short_timeouts(monkeypatch):
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    settings = Alerts(topic="alerts")._aws_of_alerts().settings
    longest = seconds(settings.connect_timeout, "connect") + seconds(settings.read_timeout, "read")
    assert settings.attempts * longest <= 10


def test_the_tenant_of_a_call(sns):
    resolver = failing(alerts(sns), ValueError("x"))
    with pytest.raises(ValueError, match="x"):
        resolver.resolve({"action": "rebuild", "session": Session(tenant="acme").to_dict()})
    assert told(sns)[0]["tenant"] == "acme"
