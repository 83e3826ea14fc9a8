"""Errors of the driver as typed ones: what a client is told, and that nothing repeats values or credentials."""

from __future__ import annotations

import traceback
from typing import Any

import bson.errors
import pytest
from bson import ObjectId
from pymongo import errors as driver

from adapters.errors import AccessDenied, AdapterError, WriteConflict
from adapters.mongo import (
    ClusterUnavailable,
    DocumentNotFound,
    DocumentTooLarge,
    DuplicateKey,
    InvalidFilter,
    InvalidId,
    InvalidPageToken,
    InvalidRequest,
    InvalidTenant,
    Mongo,
    TenantMissing,
    UnknownTenant,
    VersionConflict,
)
from adapters.mongo.bulk import failed_entries
from adapters.mongo.document_errors import BulkFailed
from adapters.mongo.driver_errors import translate
from router import ConfigurationError, HTTPError, Resolver, SessionError
from router.testing import TestClient

URI = "mongodb://bob:s3cret@db1.internal:27017/?appName=hunter2"
SECRETS = ("bob", "s3cret", "hunter2", "ann@example.com")
# As servers write it: with the value in it.
QUOTED = 'E11000 duplicate key error collection: shop.users index: email_1 dup key: { email: "ann@example.com" }'
MAIN = str(Mongo(URI).access(None, asynchronous=False))


def translated(error: Exception, place: str = "shop.users") -> Exception:
    return translate(error, "insert", MAIN, place)


def failure(code: int | None, name: str | None = None, **further: Any) -> driver.OperationFailure:
    details = {"code": code, "codeName": name, "errmsg": QUOTED, **further}
    return driver.OperationFailure(QUOTED, code, details)


DUPLICATE = driver.DuplicateKeyError(QUOTED, 11000, {"errmsg": QUOTED, "keyPattern": {"email": 1}, "code": 11000})
EVERY = [
    (DUPLICATE, DuplicateKey, 409),
    (driver.DuplicateKeyError(QUOTED, 11000, {"errmsg": QUOTED}), DuplicateKey, 409),
    (driver.DuplicateKeyError(QUOTED, 11001, None), DuplicateKey, 409),
    (failure(11000), DuplicateKey, 409),
    (failure(13, "Unauthorized"), AccessDenied, 500),
    (failure(18, "AuthenticationFailed"), AccessDenied, 500),
    (failure(8000, "AtlasError", errmsg="bad auth : authentication failed for bob"), AccessDenied, 500),
    (failure(8000, "AtlasError"), InvalidRequest, 500),
    (failure(50, "MaxTimeMSExpired"), ClusterUnavailable, 503),
    (driver.ExecutionTimeout(QUOTED, 50, {"codeName": "MaxTimeMSExpired"}), ClusterUnavailable, 503),
    (failure(10334, "BSONObjectTooLarge"), DocumentTooLarge, 413),
    (driver.DocumentTooLarge("hunter2"), DocumentTooLarge, 413),
    (failure(112, "WriteConflict", errorLabels=["TransientTransactionError"]), WriteConflict, 503),
    (failure(251, "NoSuchTransaction", errorLabels=["TransientTransactionError"]), AdapterError, 500),
    (failure(2, "BadValue"), InvalidRequest, 500),
    (failure(None), InvalidRequest, 500),
    (driver.WriteError(QUOTED, 121, {"codeName": "DocumentValidationFailure"}), InvalidRequest, 500),
    (driver.WTimeoutError(QUOTED, 64, {"errmsg": QUOTED}), ClusterUnavailable, 503),
    (driver.ServerSelectionTimeoutError(f"{URI}: refused"), ClusterUnavailable, 503),
    (driver.AutoReconnect(URI), ClusterUnavailable, 503),
    (driver.NetworkTimeout(URI), ClusterUnavailable, 503),
    (driver.NotPrimaryError(URI, {"code": 10107}), ClusterUnavailable, 503),
    (driver.WaitQueueTimeoutError(URI), ClusterUnavailable, 503),
    (driver.ConnectionFailure(URI), ClusterUnavailable, 503),
    (driver.ConfigurationError(URI), ConfigurationError, 500),
    (driver.InvalidURI(URI), ConfigurationError, 500),
    (driver.InvalidName("collection names cannot be empty"), InvalidRequest, 500),
    (driver.InvalidOperation("No operations to execute"), InvalidRequest, 500),
    (driver.InvalidOperation("Cannot use AsyncMongoClient after close"), ClusterUnavailable, 503),
    (driver.CollectionInvalid("collection users already exists"), InvalidRequest, 500),
    (driver.PyMongoError(QUOTED), AdapterError, 500),
    (driver.EncryptionError(ValueError(QUOTED)), AdapterError, 500),
    (bson.errors.InvalidDocument(f"cannot encode object: {QUOTED}"), InvalidRequest, 500),
    (bson.errors.InvalidBSON(QUOTED), InvalidRequest, 500),
    (bson.errors.InvalidId(QUOTED), InvalidRequest, 500),
    (bson.errors.InvalidStringData(QUOTED), InvalidRequest, 500),
]


@pytest.mark.parametrize(("error", "kind", "status"), EVERY, ids=[type(error).__name__ for error, _, _ in EVERY])
def test_an_error_of_the_driver_is_typed_and_tells_no_value(
    error: Exception, kind: type[Exception], status: int
) -> None:
    typed = translated(error)
    assert type(typed) is kind
    text = f"{typed} {typed!r} {vars(typed)} {''.join(traceback.format_exception(typed))}"
    assert not any(secret in text for secret in SECRETS)
    assert "main (db1.internal:27017)" in str(typed)
    if isinstance(typed, AdapterError):
        assert (typed.service, typed.operation, typed.resource) == ("mongodb", "insert", "shop.users")
        assert "mongodb.insert shop.users on main" in str(typed)
    answer = answered(typed)
    assert answer.status == status
    assert not any(secret in answer.text for secret in (*SECRETS, "internal", "mongodb", "shop", "main"))


def answered(error: Exception) -> Any:
    """What a client of an application gets whose handler raises this."""
    resolver = Resolver()

    @resolver.get("/a")
    def handle() -> None:
        raise error

    return TestClient(resolver).get("/a")


def test_other_errors_are_nobody_else_s() -> None:
    for error in (ValueError("x"), KeyError("x"), TimeoutError(), ModuleNotFoundError("x", name="orders")):
        assert translated(error) is error


@pytest.mark.parametrize("module", ["pymongo", "bson", "motor"])
def test_a_missing_driver_is_told_with_its_extra(module: str) -> None:
    typed = translated(ModuleNotFoundError(f"No module named {module!r}", name=module))
    assert isinstance(typed, ConfigurationError)
    assert str(typed) == 'MongoDB needs its driver: pip install "lambda-junction[mongo]"'


def test_a_duplicate_names_its_index_as_far_as_the_server_tells() -> None:
    assert getattr(translated(DUPLICATE), "index", None) == "email"
    told = translated(driver.DuplicateKeyError(QUOTED, 11000, {"errmsg": QUOTED}))
    assert (getattr(told, "index", None), "under the index email_1" in str(told)) == ("email_1", True)
    assert getattr(translated(failure(11000, errmsg="?")), "index", None) == ""


def test_what_may_succeed_later_says_so() -> None:
    assert getattr(translated(driver.AutoReconnect("x")), "retryable", None) is True
    assert getattr(translated(failure(112, errorLabels=["TransientTransactionError"])), "retryable", None) is True
    assert getattr(translated(failure(2)), "retryable", None) is False


def test_credentials_that_are_refused_are_told_apart_from_rights_that_are_missing() -> None:
    codes = [
        getattr(translated(error), "code", "")
        for error in (
            failure(18, "AuthenticationFailed"),
            failure(8000, "AtlasError", errmsg="bad auth : Authentication failed."),
            failure(13, "Unauthorized"),
        )
    ]
    assert codes == ["AuthenticationFailed", "AuthenticationFailed", "Unauthorized"]


# ---- what a client is told -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status", "detail"),
    [
        (TenantMissing("orders"), 400, "the tenant is missing"),
        (InvalidTenant("it does not match [a-z]"), 400, "the tenant's name is not valid"),
        (UnknownTenant("the session's tenant"), 403, "the tenant is not known"),
        (InvalidId("an id of 24 hexadecimal digits is expected"), 400, "an id of 24 hexadecimal digits is expected"),
        (InvalidFilter("orders: status: holds an operator"), 400, "the filter is not valid"),
        (InvalidPageToken("orders: altered"), 400, "the page token does not belong to this list; start again"),
        (DuplicateKey("mongodb.insert shop.users"), 409, "it exists already"),
        (VersionConflict("mongodb.update shop.users"), 409, "it was changed in the meantime; read it again"),
        (DocumentNotFound("mongodb.update shop.users"), 404, "it does not exist"),
        (DocumentTooLarge("mongodb.insert shop.users"), 413, "it is too large to be stored"),
        (ClusterUnavailable("mongodb.get on main (db1)"), 503, "the database cannot be reached"),
    ],
    ids=lambda held: type(held).__name__ if isinstance(held, Exception) else "",
)
def test_a_client_s_own_mistakes_are_http_errors(error: Exception, status: int, detail: str) -> None:
    assert isinstance(error, HTTPError)
    assert isinstance(error, AdapterError | SessionError)
    answer = answered(error)
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["detail"].startswith(detail)
    assert set(answer.json()) == {"title", "status", "detail"}


# ---- bulk writes ---------------------------------------------------------------------------------------------------

DETAILS = {
    "writeErrors": [
        {"index": 3, "code": 121, "errmsg": QUOTED, "op": {"email": "ann@example.com"}},
        {"index": 1, "code": 11000, "errmsg": QUOTED, "keyValue": {"email": "ann@example.com"}},
    ],
    "nInserted": 1,
}


def test_each_operation_that_was_refused_is_named_without_its_values() -> None:
    failed = failed_entries(DETAILS, ["a", "b", "c", "d"], ordered=False)
    assert [(entry.index, entry.entry, entry.code, entry.message) for entry in failed] == [
        (1, "b", "DuplicateKey", "the value is there already under the index email_1"),
        (3, "d", "121", "refused by the server"),
    ]
    error = BulkFailed(failed, {0: str(ObjectId("5" * 24)), 2: ""}, operation="bulk", resource="shop.users")
    assert (error.sent, error.code) == ({0: "5" * 24, 2: ""}, "DuplicateKey")
    assert str(error).startswith("mongodb.bulk shop.users: 2 of 4 operations failed: #1: DuplicateKey")
    assert not any(secret in str(error) for secret in SECRETS)


def test_after_the_first_failure_of_an_ordered_write_nothing_was_tried() -> None:
    details = {"writeErrors": [{"index": 1, "code": 11000}]}
    failed = failed_entries(details, ["a", "b", "c", "d"], ordered=True)
    assert [(entry.index, entry.code) for entry in failed] == [(1, "DuplicateKey"), (2, "NotTried"), (3, "NotTried")]


def test_an_error_that_names_no_operation_names_none() -> None:
    assert failed_entries({"writeConcernErrors": [{"code": 64}]}, ["a"], ordered=True) == []
