"""Errors of adapters that a handler lets through: the status that a client gets, and that it is told nothing else."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from datetime import date
from importlib import import_module
from typing import Any

import pytest

import adapters
from adapters import cognito, errors
from adapters.dynamodb import Check, Create, Table, Update, attr, between, item_errors
from adapters.ecs import task_results
from adapters.errors import AdapterError, FailedEntry
from adapters.mongo import document_errors
from adapters.mongo.document_errors import BulkFailed
from adapters.mongo.proxy.refusal import QueryRefused
from adapters.s3 import S3, objects
from adapters.stepfunctions import ExecutionExists
from adapters.websocket.connection_errors import ConnectionGone
from router import HTTPError, Resolver
from router.testing import TestClient
from tests.unit.adapters.dynamodb.samples import Order, User, stubbed
from tests.unit.adapters.fakes import FakeClient, fake_aws, refusal

# Every error with a status of its own. What is not here is a 500: the application, its rights or its set-up are wrong,
# or another service failed, and none of this is for a client to mend.
STATUSES: dict[type[AdapterError], int] = {
    cognito.SignInFailed: 401,
    cognito.UserExists: 409,
    errors.ConnectionFailed: 503,
    errors.Throttled: 503,
    errors.WriteConflict: 503,
    item_errors.AlreadyExists: 409,
    item_errors.ConditionFailed: 409,
    item_errors.InvalidKeyValue: 400,
    item_errors.InvalidPageSize: 400,
    item_errors.InvalidPageToken: 400,
    item_errors.InvalidValue: 422,
    item_errors.ItemNotFound: 404,
    item_errors.ItemTooLarge: 413,
    item_errors.TransactionFailed: 409,
    item_errors.UnprocessedItems: 503,
    item_errors.VersionConflict: 409,
    document_errors.BulkFailed: 409,
    document_errors.ClusterUnavailable: 503,
    document_errors.DocumentNotFound: 404,
    document_errors.DocumentTooLarge: 413,
    document_errors.DuplicateKey: 409,
    document_errors.InvalidDocument: 422,
    document_errors.InvalidFilter: 400,
    document_errors.InvalidId: 400,
    document_errors.InvalidPageSize: 400,
    document_errors.InvalidPageToken: 400,
    document_errors.InvalidTenant: 400,
    document_errors.UnknownTenant: 403,
    document_errors.VersionConflict: 409,
    QueryRefused: 400,
    objects.InvalidObjectKey: 400,
    objects.InvalidObjectPage: 400,
    objects.ObjectExists: 409,
    objects.ObjectNotFound: 404,
    task_results.TaskExists: 409,
    ConnectionGone: 410,
    ExecutionExists: 409,
}
SECRET = "dynamodb app user# s3://invoices bob"


def every_error() -> Iterator[type[AdapterError]]:
    for module in pkgutil.walk_packages(adapters.__path__, "adapters."):
        found = import_module(module.name)
        for held in vars(found).values():
            if isinstance(held, type) and issubclass(held, AdapterError) and held.__module__ == module.name:
                yield held


def test_every_error_of_every_adapter_has_the_status_that_was_decided() -> None:
    assert {kind: kind.status for kind in every_error() if issubclass(kind, HTTPError)} == STATUSES


def answered(work: Any, *arguments: Any) -> Any:
    """What a client gets of a handler that does this."""
    resolver = Resolver()

    @resolver.get("/a")
    def handle() -> None:
        work(*arguments)

    return TestClient(resolver).get("/a")


def check(answer: Any, status: int, detail: str | None) -> None:
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json().get("detail") == detail
    assert not any(word in answer.text for word in SECRET.split())


# ---- DynamoDB ---------------------------------------------------------------------------------------------------


def refused(table: Table, stub: Any, operation: str, instance: Any = None) -> None:
    held = {"Item": table.schema.item(table.schema.model(type(instance)), instance, "")} if instance else {}
    stub.add_client_error(operation, "ConditionalCheckFailedException", "no", 400, modeled_fields=held)


@pytest.mark.parametrize(
    ("operation", "held", "work", "status", "detail"),
    [
        ("put_item", User("bob"), lambda t: t.create(User("bob")), 409, "it exists already"),
        (
            "put_item",
            User("bob", version=5),
            lambda t: t.put(User("bob", version=3)),
            409,
            "it was changed in the meantime; read it again",
        ),
        ("update_item", None, lambda t: t.update(User, "bob", add={"visits": 1}), 404, "it does not exist"),
        (
            "update_item",
            User("bob"),
            lambda t: t.update(User, "bob", add={"visits": 1}, when=attr("visits") > 3),
            409,
            "it is not in the state that this needs",
        ),
        ("delete_item", None, lambda t: t.delete(User("bob", version=3)), 404, "it does not exist"),
    ],
)
def test_a_write_whose_condition_does_not_hold(operation, held, work, status, detail):
    table, stub, _ = stubbed()
    refused(table, stub, operation, held)
    check(answered(work, table), status, detail)


@pytest.mark.parametrize(
    ("work", "status", "detail"),
    [
        (lambda t: t.get(User, ""), 400, "a value of the key is not valid"),
        (lambda t: t.get(User, "x" * 3000), 400, "a value of the key is not valid"),
        (lambda t: t.get(User, "\ud800"), 400, "a value of the key is not valid"),
        (
            lambda t: t.query(Order, {"user": "bob", "placed": between("2025-02", "2025-01")}),
            400,
            "a value of the key is not valid",
        ),
        (lambda t: t.put(User("bob", name="\ud800")), 422, "it cannot be stored as it is"),
        (lambda t: t.put(User("bob", version=-1)), 422, "it cannot be stored as it is"),
        (lambda t: t.update(User, "bob", set={"name": "\ud800"}), 422, "it cannot be stored as it is"),
        (lambda t: t.query(User, "bob").page(0), 400, "the size of a page is a whole number from 1"),
        (
            lambda t: t.query(User, "bob").page(20, "altered"),
            400,
            "the page token does not belong to this list; start again without one",
        ),
        # Mistakes of the application: nobody is told.
        (lambda t: t.get(User, {"name": "bob"}), 500, None),
        (lambda t: t.query(User, "bob", where=attr("nmae") == 1), 500, None),
        (lambda t: t.put(Check(User, "bob")), 500, None),
    ],
)
def test_what_is_refused_before_it_is_sent(work, status, detail):
    table, _, _ = stubbed()
    check(answered(work, table), status, detail)


@pytest.mark.parametrize(
    ("code", "message", "http", "status", "detail"),
    [
        ("ValidationException", "Item size has exceeded the maximum allowed size", 400, 413, "it is too large"),
        (
            "ValidationException",
            "Item size to update has exceeded the maximum allowed size",
            400,
            413,
            "it is too large",
        ),
        ("ValidationException", "Invalid UpdateExpression", 400, 500, None),
        ("ResourceNotFoundException", "Requested resource not found", 400, 500, None),
        ("AccessDeniedException", "not authorized", 400, 500, None),
        ("TransactionConflictException", "ongoing", 400, 503, "it is being changed by others at this moment"),
        ("ThrottlingException", "slow down", 400, 503, "a service that this needs is busy"),
        ("ProvisionedThroughputExceededException", "slow down", 400, 503, "a service that this needs is busy"),
        ("InternalServerError", "oh", 500, 500, None),
    ],
)
def test_what_dynamodb_refuses(code, message, http, status, detail):
    table, stub, _ = stubbed()
    for _ in range(3):
        stub.add_client_error("put_item", code, message, http)
    answer = answered(table.put, User("bob"))
    assert answer.status == status
    assert str(answer.json().get("detail")).startswith(str(detail))


REASON = {"Code": "ConditionalCheckFailed", "Message": "no"}
NO_REASON = {"Code": "None"}


@pytest.mark.parametrize(
    ("reasons", "status", "detail"),
    [
        ([NO_REASON, REASON], 404, "it does not exist"),
        ([REASON, NO_REASON], 409, "it exists already"),
        ([REASON, REASON], 409, "it is not in the state that this needs"),
        ([REASON, {"Code": "TransactionConflict", "Message": "x"}], 409, "it exists already"),
        (
            [{"Code": "TransactionConflict", "Message": "x"}, NO_REASON],
            503,
            "it is being changed by others at this moment; try again",
        ),
        ([{"Code": "ValidationError", "Message": "x"}, REASON], 500, None),
    ],
)
def test_a_transaction_answers_as_its_reasons_do(reasons, status, detail):
    table, stub, _ = stubbed()
    for _ in range(3):
        stub.add_client_error(
            "transact_write_items",
            "TransactionCanceledException",
            "cancelled",
            400,
            modeled_fields={"CancellationReasons": reasons},
        )
    check(answered(table.transact_write, Create(User("bob")), Update(User, "eve", add={"visits": 1})), status, detail)


@pytest.mark.parametrize(
    ("code", "status", "detail"),
    [
        ("ThrottlingException", 503, "a service that this needs is busy; try again later"),
        ("AccessDeniedException", 500, None),
    ],
)
def test_a_batch_that_was_not_done_as_a_whole(code, status, detail):
    table, stub, _ = stubbed()
    stub.add_response("batch_write_item", {})
    for _ in range(3):
        stub.add_client_error("batch_write_item", code, "no", 400)
    orders = [Order("bob", date(2025, 1, 1), number) for number in range(30)]
    check(answered(table.batch_write, orders), status, detail)


def test_an_item_that_cannot_be_read_is_the_application_s_own_affair():
    table, stub, _ = stubbed()
    stub.add_response("get_item", {"Item": {"pk": {"S": "user#bob"}, "sk": {"S": "profile"}}})
    check(answered(table.get, User, "bob"), 500, None)


# ---- S3 ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "work", "status", "detail"),
    [
        ({"get_object": refusal("NoSuchKey", status=404)}, lambda s: s.get("bob"), 404, "it does not exist"),
        ({"get_object": refusal("NoSuchVersion", status=404)}, lambda s: s.get("bob"), 404, "it does not exist"),
        ({"head_object": refusal("404", status=404)}, lambda s: s.head("bob"), 404, "it does not exist"),
        ({"get_object": refusal("NoSuchKey", status=404)}, lambda s: list(s.stream("bob")), 404, "it does not exist"),
        ({"get_object_tagging": refusal("NoSuchKey", status=404)}, lambda s: s.tags("bob"), 404, "it does not exist"),
        ({"get_object": refusal("NoSuchBucket", status=404)}, lambda s: s.get("bob"), 500, None),
        (
            {"put_object": refusal("PreconditionFailed", status=412)},
            lambda s: s.put("bob", b"", only_new=True),
            409,
            "it exists already",
        ),
        (
            {"put_object": refusal("ConditionalRequestConflict", status=409)},
            lambda s: s.put("bob", b"", only_new=True),
            503,
            "it is being changed by others at this moment; try again",
        ),
        ({}, lambda s: s.get("../bob"), 400, "the key is not valid"),
        ({}, lambda s: s.presign_get("a\nbob"), 400, "the key is not valid"),
        ({}, lambda s: s.page("../bob"), 400, "the key is not valid"),
        (
            {"list_objects_v2": refusal("InvalidArgument")},
            lambda s: s.page(token="bob"),
            400,
            "the page token does not belong to this list; start again without one",
        ),
        ({"list_objects_v2": refusal("InvalidArgument")}, lambda s: s.page("bob"), 500, None),
        ({"get_object": refusal("AccessDenied", status=403)}, lambda s: s.get("bob"), 500, None),
        (
            {"get_object": refusal("SlowDown", status=503)},
            lambda s: s.get("bob"),
            503,
            "a service that this needs is busy; try again later",
        ),
    ],
)
def test_s3(answers, work, status, detail):
    check(answered(work, S3(fake_aws({"s3": FakeClient(**answers)}), bucket="invoices")), status, detail)


# ---- MongoDB, and the rest --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("codes", "status", "detail"),
    [
        (["DuplicateKey", "NotTried"], 409, "it exists already"),
        (["DuplicateKey", "DuplicateKey"], 409, "it exists already"),
        (["DuplicateKey", "121"], 500, None),
        (["121"], 500, None),
    ],
)
def test_a_bulk_write_of_duplicates_is_a_conflict(codes, status, detail):
    failed = [FailedEntry(position, "bob", code, "") for position, code in enumerate(codes)]
    check(answered(raising(BulkFailed(failed, {}, operation="bulk", resource="app"))), status, detail)


def test_a_connection_that_has_ended():
    check(answered(raising(ConnectionGone("bob", "send"))), 410, "the connection has ended")


def raising(error: Exception) -> Any:
    def work() -> None:
        raise error

    return work


def test_what_is_reported_is_what_an_operator_has_to_mend():
    reported: list[BaseException] = []
    resolver = Resolver()
    resolver.on_error(reported.append)
    failures = [
        errors.Throttled("x"),
        errors.AccessDenied("x"),
        item_errors.ItemNotFound("x"),
        item_errors.AlreadyExists("x"),
    ]
    for number, failure in enumerate(failures):
        resolver.get(f"/{number}")(raising(failure))
        TestClient(resolver).get(f"/{number}")
    assert reported == failures[:2]
