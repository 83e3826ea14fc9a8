"""What the report of a run says, and what it never says."""

from __future__ import annotations

import pytest
from pymongo.errors import OperationFailure, ServerSelectionTimeoutError

from adapters.mongo.access import Access
from adapters.mongo.mongo import Mongo
from adapters.mongo.syncing import Change, Failure, Orphan, SyncReport
from adapters.mongo.syncing.reasons import reason_of


@pytest.fixture
def access() -> Access:
    return Mongo("mongodb://admin:hunter2@db1.example:27017,db2.example/?authSource=admin").access(
        None, asynchronous=False
    )


def test_each_thing_is_a_line_and_the_last_one_has_the_sums() -> None:
    report = SyncReport(
        changes=(Change("main", "t_a", "orders", "sku_1", "created"), Change("main", "t_a", "orders", "x", "dropped")),
        failures=(Failure("main", "t_b", "orders", "n_1", "because"), Failure("archive", reason="no answer")),
        orphans=(Orphan("main", "t_b", "orders", "old"),),
        unfinished=("main/t_c.orders",),
        notes=("this and that",),
        unchanged=3,
        databases=3,
        collections=1,
    )

    assert str(report).splitlines() == [
        "created main/t_a.orders sku_1",
        "dropped main/t_a.orders x",
        "not declared main/t_b.orders old",
        "not finished main/t_c.orders",
        "failed main/t_b.orders n_1: because",
        "failed archive: no answer",
        "note: this and that",
        "1 collection of 3 databases: 1 created, 1 dropped, 3 unchanged, 1 not declared, 1 not finished, 2 failed",
    ]
    assert (report.ok, report.exit_code) == (False, 1)
    assert (SyncReport().ok, SyncReport().exit_code) == (True, 0)
    assert not SyncReport(unfinished=("main/t_c.orders",)).ok


def test_a_name_from_a_server_cannot_write_to_the_terminal() -> None:
    assert str(Change("main", "t", "c", "a\x1b[2J\nfailed", "created")) == r"created main/t.c a\x1b[2J\nfailed"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            OperationFailure(
                "E11000",
                11000,
                {
                    "errmsg": 'E11000 duplicate key error collection: t.c index: n_1 dup key: { n: "secret" }',
                    "code": 11000,
                },
            ),
            "there are documents with the same value, so it cannot be unique",
        ),
        (
            OperationFailure("", 16755, {"errmsg": "Can't extract geo keys: { _id: 1, p: 'secret' }", "code": 16755}),
            "refused with code 16755: OperationFailure",
        ),
        (
            OperationFailure("", 67, {"errmsg": "Unknown index plugin '3d'", "codeName": "CannotCreateIndex"}),
            "Unknown index plugin '3d'",
        ),
        (OperationFailure("", 13, {"codeName": "Unauthorized"}), "not allowed: Unauthorized"),
        (
            ServerSelectionTimeoutError("db1.example:27017: timed out"),
            "no answer from db1.example:27017,db2.example (ServerSelectionTimeoutError)",
        ),
        (LookupError("the directory is closed"), "the directory is closed"),
    ],
)
def test_a_reason_says_what_to_know_and_no_value_and_no_password(access: Access, error: Exception, reason: str) -> None:
    told = reason_of(error, access, "createIndexes", "t.c")

    assert told == reason
    assert "secret" not in told
    assert "hunter2" not in told
