"""The orders example in the real runtime client: one event of each main source, its answer and what it did."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from router import Session
from router.testing import samples
from tests.e2e.connections_api import ConnectionsApi
from tests.e2e.shop import ANN, Shop, wire
from tests.servers.lambda_process import LambdaProcess

BY_ANN = {"x-tenant": "acme", "x-user": "ann"}


def delivered(messages: list[dict[str, Any]], queue_arn: str) -> dict[str, Any]:
    """Received messages as the event source mapping hands them to the function."""
    return {
        "Records": [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
                "messageAttributes": {},
                "md5OfBody": message["MD5OfBody"],
                "eventSource": "aws:sqs",
                "eventSourceARN": queue_arn,
                "awsRegion": "eu-west-1",
            }
            for message in messages
        ]
    }


def order_message(order_id: str, product: str = "tea", session: str | None = None) -> dict[str, Any]:
    body = {"order_id": order_id, "product": product, "quantity": 2}
    return samples.sqs_record("orders", body, session=wire(ANN) if session is None else session)


def new_item(order_id: str) -> dict[str, Any]:
    return {
        "pk": "tenant#acme#orders",
        "sk": f"order#{order_id}",
        "_type": "Order",
        "tenant": "acme",
        "user": "ann",
        "order_id": order_id,
        "product": "tea",
        "quantity": 2,
        "status": "open",
        "total": Decimal("9.00"),
        "placed_at": "2026-01-31T12:00:00Z",
        "keep_until": "2099-01-31T12:00:00Z",
        "correlation_id": "c-1",
    }


def changes(*changed: tuple[str, dict[str, Any] | None, dict[str, Any] | None]) -> dict[str, Any]:
    return samples.dynamodb("orders", list(changed), keys=("pk", "sk"))


class TestRest:
    def test_a_request_becomes_a_message_with_its_session_and_the_message_an_order(
        self, function: LambdaProcess, shop: Shop
    ) -> None:
        asked = samples.rest("POST", "/orders", headers=BY_ANN, body={"product": "tea", "quantity": 2})
        answer = function.invoke(asked).result
        order_id = json.loads(answer["body"])["order_id"]
        messages = shop.messages()
        result = function.invoke(delivered(messages, shop.resources.queue_arn)).result

        assert answer["statusCode"] == 202
        assert len(messages) == 1
        assert result == {"batchItemFailures": []}
        stored = shop.order(order_id)
        assert stored is not None
        assert (stored["user"], stored["total"], stored["status"]) == ({"S": "ann"}, {"N": "9.00"}, {"S": "open"})

    def test_an_order_is_shown_to_its_tenant_alone(self, function: LambdaProcess, shop: Shop) -> None:
        shop.put_order("o-1")
        mine = function.invoke(samples.rest("GET", "/orders/o-1", headers=BY_ANN)).result
        not_mine = function.invoke(
            samples.rest("GET", "/orders/o-1", headers={"x-tenant": "globex", "x-user": "bob"})
        ).result

        assert json.loads(mine["body"]) == {
            "order_id": "o-1",
            "tenant": "acme",
            "user": "ann",
            "product": "tea",
            "quantity": 1,
            "status": "open",
            "placed_at": "2026-01-31T12:00:00+00:00",
            "total": "4.50",
        }
        assert not_mine["statusCode"] == 404

    @pytest.mark.parametrize(
        ("request_options", "status"),
        [
            ({"headers": {"x-user": "ann"}, "body": {"product": "tea"}}, 400),  # no tenant
            ({"headers": BY_ANN, "body": {"quantity": 2}}, 422),  # no product
            ({"headers": BY_ANN, "body": {"product": "tea", "quantity": 0}}, 422),
            ({"headers": {**BY_ANN, "content-type": "application/json"}, "body": "no JSON"}, 400),
            ({"headers": BY_ANN, "body": "no JSON"}, 415),
            ({"headers": {**BY_ANN, "session": wire(ANN)}, "body": None}, 400),
        ],
    )
    def test_a_bad_request_is_answered_and_sends_nothing(
        self, function: LambdaProcess, shop: Shop, request_options: dict[str, Any], status: int
    ) -> None:
        invocation = function.invoke(samples.rest("POST", "/orders", **request_options))

        assert invocation.error is None
        assert invocation.result["statusCode"] == status
        assert shop.messages() == []


class TestQueue:
    def test_what_fails_is_reported_alone_by_its_id(self, function: LambdaProcess, shop: Shop) -> None:
        forged = wire(Session(tenant="acme", user="admin"), secret="not the shop's secret" * 2)
        records = [
            order_message("o-1"),
            order_message("o-2", product="unicorn"),
            order_message("o-3", session=forged),
            order_message("o-4", session='{"tenant": "acme", "user": "admin"}'),
            samples.sqs_record("orders", "{", session=wire(ANN)),
            samples.sqs_record("unknown", {}, session=wire(ANN)),
            order_message("o-7"),
        ]
        answer = function.invoke({"Records": records}).result

        failed = [record["messageId"] for record in records[1:6]]
        assert answer == {"batchItemFailures": [{"itemIdentifier": id} for id in failed]}
        assert [shop.order(f"o-{number}") is not None for number in range(1, 8)] == [True, *[False] * 5, True]

    def test_a_message_that_comes_twice_makes_one_order(self, function: LambdaProcess, shop: Shop) -> None:
        function.invoke({"Records": [order_message("o-1")]})
        shop.put_order("o-1", status="shipped")
        answer = function.invoke({"Records": [order_message("o-1")]}).result

        assert answer == {"batchItemFailures": []}
        stored = shop.order("o-1")
        assert stored is not None
        assert stored["status"] == {"S": "shipped"}

    def test_with_too_little_time_left_nothing_is_begun(self, function: LambdaProcess, shop: Shop) -> None:
        records = [order_message("o-1"), order_message("o-2")]
        answer = function.invoke({"Records": records}, deadline_ms=500).result

        assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == [
            record["messageId"] for record in records
        ]
        assert shop.order("o-1") is None


class TestTopic:
    def test_a_notification_changes_the_order(self, function: LambdaProcess, shop: Shop) -> None:
        shop.put_order("o-1")
        invocation = function.invoke(samples.sns("shipments", [{"order_id": "o-1"}], session=wire(ANN)))

        assert (invocation.result, invocation.error) == (None, None)
        stored = shop.order("o-1")
        assert stored is not None
        assert stored["status"] == {"S": "shipped"}

    def test_the_call_fails_when_a_notification_does_so_that_it_comes_again(
        self, function: LambdaProcess, shop: Shop
    ) -> None:
        shop.put_order("o-1")
        notices = samples.sns("shipments", [{"order_id": "unknown"}, {"order_id": "o-1"}], session=wire(ANN))
        error = function.invoke(notices).error

        assert error is not None
        assert error["errorType"] == "RecordsFailed"
        assert "there is no order unknown" in error["errorMessage"]
        stored = shop.order("o-1")
        assert stored is not None
        assert stored["status"] == {"S": "shipped"}


class TestStream:
    @pytest.fixture(autouse=True)
    def _clients(self, function: LambdaProcess, shop: Shop) -> None:
        for connection_id, tenant in (("a-1", "acme"), ("a-2", "acme"), ("g-1", "globex")):
            claims = {"tenant": tenant, "user": "somebody"}
            function.invoke(samples.websocket("CONNECT", connection_id=connection_id, authorizer=claims))

    def test_a_new_order_is_told_to_the_clients_of_its_tenant(
        self, function: LambdaProcess, sockets: ConnectionsApi
    ) -> None:
        answer = function.invoke(changes(("INSERT", None, new_item("o-1")))).result

        message = {"type": "order", "order_id": "o-1", "status": "open", "total": "9.00", "user": "ann"}
        assert answer == {"batchItemFailures": []}
        assert sockets.sent == {"a-1": [message], "a-2": [message]}

    def test_a_client_that_is_gone_is_forgotten(
        self, function: LambdaProcess, shop: Shop, sockets: ConnectionsApi
    ) -> None:
        sockets.gone.add("a-1")
        shop.age_connections()  # one that is only just opening may be called gone, and is kept
        function.invoke(changes(("INSERT", None, new_item("o-1"))))

        assert list(sockets.sent) == ["a-2"]
        assert shop.connections() == ["a-2", "g-1"]

    def test_every_change_is_told_and_the_first_failure_is_where_to_go_on(
        self, function: LambdaProcess, sockets: ConnectionsApi
    ) -> None:
        good, forged = new_item("o-1"), {**new_item("o-2"), "tenant": "globex"}
        payload = changes(
            ("MODIFY", good, {**good, "status": "billed"}),
            ("REMOVE", good, None),
            ("INSERT", None, forged),
            ("INSERT", None, new_item("o-3")),
        )
        answer = function.invoke(payload).result

        number = payload["Records"][2]["dynamodb"]["SequenceNumber"]
        assert answer == {"batchItemFailures": [{"itemIdentifier": number}]}
        told = [(message["order_id"], message["status"]) for message in sockets.sent["a-1"]]
        assert told == [("o-1", "billed"), ("o-1", "removed")]
        assert "g-1" not in sockets.sent


class TestWebSocket:
    def test_a_connection_opens_asks_and_closes(self, function: LambdaProcess, shop: Shop) -> None:
        shop.put_order("o-1")
        client: dict[str, Any] = {"connection_id": "a-1", "authorizer": {"tenant": "acme", "user": "ann"}}
        opened = function.invoke(samples.websocket("CONNECT", **client)).result
        known = shop.connections()
        asked = {"action": "status", "order_id": "o-1"}
        told = function.invoke(samples.websocket("MESSAGE", route_key="status", body=asked, **client)).result
        function.invoke(samples.websocket("DISCONNECT", **client))

        assert opened == {"statusCode": 200}
        assert known == ["a-1"]
        assert (told["statusCode"], json.loads(told["body"])["status"]) == (200, "open")
        assert shop.connections() == []

    def test_a_client_that_nobody_vouches_for_is_not_let_in(self, function: LambdaProcess, shop: Shop) -> None:
        assert function.invoke(samples.websocket("CONNECT", connection_id="a-1")).result["statusCode"] == 400
        assert shop.connections() == []


class TestInvoke:
    def test_answers_for_the_tenant_of_its_session(self, function: LambdaProcess, shop: Shop) -> None:
        shop.put_order("o-1")
        shop.put_order("o-2", status="paid")
        shop.put_order("o-3", tenant="globex")

        answer = function.invoke(samples.invoke("rebuild", session=wire(ANN, purpose="invoke"))).result
        assert answer == {"tenant": "acme", "orders": 2, "unpaid": 1, "total": "9.00"}

    @pytest.mark.parametrize(
        ("payload", "error_type"),
        [
            (samples.invoke("rebuild", session={"tenant": "acme", "user": "admin"}), "SessionError"),
            (samples.invoke("rebuild"), "SessionIncomplete"),
            (samples.invoke("unknown", session=wire(ANN)), "NoRoute"),
            ({"anything": "else"}, "NoRoute"),
            ([], "NoRoute"),
            ({"Records": [{"eventSource": "aws:sqs"}]}, "InvalidEvent"),
            ({"Records": [{"eventSource": "aws:dynamodb", "dynamodb": {}}]}, "InvalidEvent"),
        ],
    )
    def test_a_wrong_event_is_an_error_that_says_so(
        self, function: LambdaProcess, shop: Shop, payload: Any, error_type: str
    ) -> None:
        error = function.invoke(payload).error

        assert error is not None
        assert error["errorType"] == error_type
        assert function.exit_code is None


def by(session: Session) -> dict[str, str]:
    """The headers of somebody's request."""
    return {"x-tenant": session.tenant or "", "x-user": session.user or ""}


def test_tenants_stay_apart_in_one_warm_process(function: LambdaProcess, shop: Shop) -> None:
    """Async and sync routes in turn, each round of another tenant than the one before."""
    tenants = [Session(tenant=f"tenant-{number}", user=f"user-{number}") for number in range(5)]
    rounds = 10
    for number in range(rounds):
        for mine, others in zip(tenants, [*tenants[1:], tenants[0]], strict=True):
            path = f"/orders/{mine.tenant}-{number}"
            message = order_message(path.rpartition("/")[2], session=wire(mine))
            placed = function.invoke(samples.rest("POST", "/orders", headers=by(mine), body={"product": "tea"})).result
            stored = function.invoke({"Records": [message]}).result
            shown = function.invoke(samples.rest("GET", path, headers=by(mine))).result
            hidden = function.invoke(samples.rest("GET", path, headers=by(others))).result

            assert (placed["statusCode"], stored) == (202, {"batchItemFailures": []})
            assert (json.loads(shown["body"])["tenant"], json.loads(shown["body"])["user"]) == (mine.tenant, mine.user)
            assert hidden["statusCode"] == 404
    for mine in tenants:
        summed = function.invoke(samples.invoke("rebuild", session=wire(mine, purpose="invoke"))).result
        assert (summed["tenant"], summed["orders"]) == (mine.tenant, rounds)


def test_the_log_has_a_line_for_each_dispatch(function: LambdaProcess, shop: Shop) -> None:
    shop.put_order("o-1")
    invocation = function.invoke(samples.rest("GET", "/orders/o-1", headers=BY_ANN, request_id="request-77"))

    assert invocation.error is None
    [text] = [text for text in function.logs.splitlines() if "request-77" in text]
    line = json.loads(text[text.index("{") :])
    assert (line["source"], line["route"], line["tenant"], line["user"]) == (
        "rest",
        "GET /orders/{order_id}",
        "acme",
        "ann",
    )
    assert (line["outcome"], line["correlation_id"]) == (200, "request-77")
