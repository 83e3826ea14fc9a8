"""`Calls`: the calls that routes make, beside those that they declare."""

from __future__ import annotations

import asyncio
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.session import Session as Botocore

from router import ConfigurationError, Resolver, Router, Session, set_session
from router.environment import S3, SQS, DynamoDB
from router.environment.usage import Call, read_calls
from router.testing import Calls, TestClient

QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/mails"


def client_of(service: str) -> Any:
    """A client of botocore that answers without asking anybody."""
    keys: dict[str, Any] = {
        "aws_access_key_id": "testing",
        "aws_secret_access_key": "testing",
        "region_name": "eu-west-1",
    }
    client: Any = Botocore().create_client(service, **keys)
    client.meta.events.register("before-call", lambda **_: (SimpleNamespace(status_code=200), {}))
    return client


DYNAMODB, STORE, QUEUES = client_of("dynamodb"), client_of("s3"), client_of("sqs")  # as handlers make them, at import


@pytest.fixture(autouse=True)
def environ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERS_TABLE", "orders")
    monkeypatch.setenv("USERS_TABLE", "arn:aws:dynamodb:eu-west-1:123456789012:table/users")
    monkeypatch.setenv("MAIL_QUEUE", "mails")
    monkeypatch.setenv("REPORTS", "reports")


def get(table: str) -> Any:
    return DYNAMODB.get_item(TableName=table, Key={"id": {"S": "1"}})


def reading(table: str = "orders", **requires: Any) -> Resolver:
    """An application that reads from a table, and declares what it is told to."""
    resolver = Resolver()
    resolver.get("/", requires=requires)(lambda: get(table))
    return resolver


def differences(resolver: Resolver, *paths: str, **options: Any) -> list[str]:
    with Calls(resolver) as calls:
        for path in paths or ("/",):
            assert TestClient(resolver).get(path).status < 300
    return [str(one) for one in calls.findings(**options)]


class TestCalls:
    def test_that_are_declared_and_made_are_in_order(self) -> None:
        resolver = reading(ORDERS_TABLE=[DynamoDB.GET_ITEM])
        with Calls(resolver) as calls:
            TestClient(resolver).get("/")
            TestClient(resolver).get("/")
        calls.check()
        assert calls.made == [Call("GET /", "dynamodb:GetItem", "orders", ("ORDERS_TABLE",))]

    def test_that_are_not_declared(self) -> None:
        assert differences(reading(ORDERS_TABLE=[])) == [
            "GET /: calls dynamodb:GetItem on orders, which is not declared for ORDERS_TABLE"
        ]
        assert differences(reading()) == ["GET /: calls dynamodb:GetItem on orders, which is not declared"]
        assert differences(reading("users", USERS_TABLE=[DynamoDB.PUT_ITEM]), unused=True) == [
            "GET /: calls dynamodb:GetItem on users, which is not declared for USERS_TABLE"
        ]

    def test_that_are_declared_for_something_else(self) -> None:
        resolver = reading("orders", USERS_TABLE=[DynamoDB.GET_ITEM], ORDERS_TABLE=[DynamoDB.PUT_ITEM])
        assert differences(resolver, unused=True) == [
            "GET /: calls dynamodb:GetItem on orders, which is declared for USERS_TABLE only"
        ]

    def test_that_are_declared_and_never_made(self) -> None:
        resolver = reading(ORDERS_TABLE=[DynamoDB.GET_ITEM, DynamoDB.PUT_ITEM])
        told = "GET /: declares dynamodb:PutItem for ORDERS_TABLE, which is never called"
        assert differences(resolver) == [told]
        assert differences(resolver, unused=["dynamodb:PutItem"]) == []
        with Calls(resolver) as calls:
            TestClient(resolver).get("/")
        with pytest.raises(AssertionError) as raised:
            calls.check()
        assert str(raised.value) == f"requires= and the calls that were made differ:\n  {told}"

    def test_by_an_arn_a_url_or_a_name(self) -> None:
        resolver = reading("users", USERS_TABLE=["dynamodb:GetItem"])
        send = lambda: QUEUES.send_message(QueueUrl=QUEUE, MessageBody="x")  # noqa: E731
        resolver.get("/send", requires={"MAIL_QUEUE": [SQS.SEND_MESSAGE]})(send)
        assert differences(resolver, "/", "/send") == []

    def test_whose_action_has_another_name(self) -> None:
        resolver = Resolver()

        @resolver.get("/", requires={"REPORTS": [S3.GET_OBJECT, S3.LIST_BUCKET]})
        def show() -> None:
            STORE.head_object(Bucket="reports", Key="k")
            STORE.list_objects_v2(Bucket="reports")

        assert differences(resolver) == []

    def test_presigned_urls_count(self) -> None:
        resolver = Resolver()
        sign = lambda: STORE.generate_presigned_url("get_object", Params={"Bucket": "reports", "Key": "k"})  # noqa: E731
        resolver.get("/", requires={"REPORTS": [S3.PUT_OBJECT]})(sign)
        assert differences(resolver, unused=True) == [
            "GET /: calls s3:GetObject on reports, which is not declared for REPORTS"
        ]

    def test_of_a_group_and_of_the_resolver_are_made_by_any_of_their_routes(self) -> None:
        group = Router("/orders", requires={"ORDERS_TABLE": [DynamoDB.GET_ITEM, DynamoDB.SCAN]})
        group.get("/a")(lambda: get("orders"))
        group.get("/b")(lambda: None)
        resolver = Resolver(requires={"USERS_TABLE": [DynamoDB.GET_ITEM, DynamoDB.QUERY]})
        resolver.include(group)
        resolver.get("/")(lambda: get("users"))
        assert differences(resolver, "/", "/orders/a", "/orders/b") == [
            "every route: declares dynamodb:Query for USERS_TABLE, which is never called",
            "the group of GET /orders/a, GET /orders/b: declares dynamodb:Scan for ORDERS_TABLE, which is never called",
        ]

    def test_of_which_nobody_sees_anything_need_not_be_made(self) -> None:
        assert differences(reading(ORDERS_TABLE=[DynamoDB.GET_ITEM, "kms:Decrypt", "iam:PassRole"])) == []

    def test_of_tests_themselves_and_of_other_applications_do_not_count(self) -> None:
        resolver, other = reading(ORDERS_TABLE=[DynamoDB.GET_ITEM]), reading("users")
        with Calls(resolver) as calls:
            get("users")
            TestClient(other).get("/")
            TestClient(resolver).get("/unknown")
        assert calls.made == []

    @pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
    @pytest.mark.parametrize("options", [{}, {"batch": True}, {"concurrency": 2}], ids=str)
    def test_of_records_and_of_groups(self, options: dict[str, Any], asynchronous: bool) -> None:
        resolver = Resolver()

        def handle(event: Any) -> None:
            get("orders")

        async def handle_async(event: Any) -> None:
            await asyncio.to_thread(get, "orders")

        resolver.on_queue("q", **options)(handle_async if asynchronous else handle)
        with Calls(resolver) as calls:
            assert TestClient(resolver).queue("q", ["a", "b"]) == {"batchItemFailures": []}
        assert calls.made == [Call("sqs q", "dynamodb:GetItem", "orders", ())]

    def test_with_a_session_that_the_handler_set(self) -> None:
        resolver = Resolver()

        @resolver.get("/")
        def show() -> None:
            with set_session(Session(tenant="acme")):
                get("orders")

        assert len(differences(resolver)) == 1

    def test_in_threads_with_the_context(self) -> None:
        resolver = Resolver()

        @resolver.get("/")
        def show() -> None:
            with ThreadPoolExecutor(1) as pool:
                pool.submit(copy_context().run, get, "orders").result()

        assert len(differences(resolver)) == 1

    def test_a_call_that_is_wrong_fails_as_without(self) -> None:
        resolver = Resolver()
        errors: list[str] = []

        @resolver.get("/")
        def show() -> None:
            try:
                DYNAMODB.transact_write_items(TransactItems=7)
            except Exception as error:
                errors.append(type(error).__name__)

        differences(resolver)
        assert errors == ["ParamValidationError"]

    def test_blocks_inside_of_each_other_and_afterwards_all_is_as_before(self) -> None:
        before = BaseClient._emit_api_params  # type: ignore[attr-defined]
        resolver = reading(ORDERS_TABLE=[DynamoDB.GET_ITEM])
        with Calls(resolver) as outer:
            with Calls(resolver) as inner:
                TestClient(resolver).get("/")
            assert len(inner.made) == len(outer.made) == 1
            resolver.get("/users")(lambda: get("users"))
            TestClient(resolver).get("/users")
        assert (len(inner.made), len(outer.made)) == (1, 2)
        assert BaseClient._emit_api_params is before  # type: ignore[attr-defined]

    def test_without_botocore_say_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "botocore.client", None)
        with pytest.raises(ConfigurationError, match=r"lambda-junction\[aws\]"), Calls(Resolver()):
            pass
        monkeypatch.undo()
        with Calls(Resolver()):  # what failed has left nothing behind
            pass


class TestFiles:
    def test_hold_what_was_called(self, tmp_path: Path) -> None:
        resolver = reading(ORDERS_TABLE=[DynamoDB.GET_ITEM])
        with Calls(resolver) as calls:
            TestClient(resolver).get("/")
        calls.save(tmp_path / "calls.json")
        assert read_calls(tmp_path / "calls.json") == calls.made

    @pytest.mark.parametrize(
        "text", ["", "[]", "{}", "{", '{"form": "other", "calls": []}', '{"form": "junction calls 1", "calls": [{}]}']
    )
    def test_of_something_else_are_refused(self, text: str, tmp_path: Path) -> None:
        path = tmp_path / "calls.json"
        path.write_text(text)
        with pytest.raises(ConfigurationError, match=r"calls\.json: no recording of calls"):
            read_calls(path)

    def test_with_values_of_other_types_are_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "calls.json"
        call: dict[str, Any] = {"route": "GET /", "action": "a:B", "resource": None, "variables": []}
        path.write_text(json.dumps({"form": "junction calls 1", "calls": [call]}))
        with pytest.raises(ConfigurationError, match="no recording of calls"):
            read_calls(path)

    def test_that_are_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="No such file"):
            read_calls(tmp_path / "calls.json")
