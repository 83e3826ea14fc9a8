"""What DynamoDB answers when it cannot: throttling, items left out, cancelled transactions, errors."""

from __future__ import annotations

import asyncio
import inspect
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import ANY

from adapters.aws import Aws
from adapters.dynamodb import (
    AlreadyExists,
    Check,
    ConditionFailed,
    Create,
    InvalidKey,
    InvalidRequest,
    ItemNotFound,
    Put,
    Table,
    TransactionFailed,
    UnprocessedItems,
    UnreadableItem,
    Update,
    VersionConflict,
    attr,
    gte,
)
from adapters.errors import (
    AccessDenied,
    AdapterError,
    ConnectionFailed,
    PartialFailure,
    ResourceNotFound,
    TableMismatch,
    Throttled,
    WriteConflict,
)
from router import ConfigurationError, Session, reset_session, set_session
from tests.unit.adapters.dynamodb.samples import SETTINGS, Order, User, stubbed

USERS = [User(f"u{number}") for number in range(60)]
ORDER_KEY = {"user": "u1", "placed": date(2025, 1, 1), "number": 1}


def orders(number):
    return [Order("u1", date(2025, 1, 1), index) for index in range(number)]


def request_of(table, item):
    schema = table.schema
    return {"PutRequest": {"Item": schema.item(schema.model(type(item)), item, "")}}


class TestBatchWrite:
    def test_what_is_left_out_is_sent_again_with_pauses_and_nothing_else(self):
        table, stub, slept = stubbed()
        items = orders(30)
        sent = [request_of(table, one) for one in items]
        stub.add_response(
            "batch_write_item", {"UnprocessedItems": {"app": sent[3:5]}}, {"RequestItems": {"app": sent[:25]}}
        )
        stub.add_response(
            "batch_write_item", {"UnprocessedItems": {"app": sent[4:5]}}, {"RequestItems": {"app": sent[3:5]}}
        )
        stub.add_response("batch_write_item", {}, {"RequestItems": {"app": sent[4:5]}})
        stub.add_response("batch_write_item", {}, {"RequestItems": {"app": sent[25:]}})

        assert table.batch_write(put=items) == items
        stub.assert_no_pending_responses()
        assert len(slept) == 2
        assert all(0 <= pause <= 0.1 for pause in slept)

    def test_what_is_left_out_for_good_is_named(self):
        table, stub, slept = stubbed()
        items = orders(2)
        left = {"UnprocessedItems": {"app": [request_of(table, items[1])]}}
        stub.add_response("batch_write_item", left)
        for _ in range(2):
            stub.add_response("batch_write_item", left)

        with pytest.raises(
            UnprocessedItems, match=r"dynamodb.batch_write_item app: 1 of 2 .*#1: Unprocessed"
        ) as caught:
            table.batch_write(put=items)
        assert isinstance(caught.value, PartialFailure)
        assert [(one.index, one.entry) for one in caught.value.failed] == [(1, items[1])]
        assert list(caught.value.sent) == [0]
        assert len(slept) == 2

    def test_throttling_counts_as_an_attempt_that_did_nothing(self):
        table, stub, slept = stubbed()
        stub.add_client_error("batch_write_item", "ProvisionedThroughputExceededException", "slow down", 400)
        stub.add_response("batch_write_item", {})
        table.batch_write(put=orders(1))
        assert len(slept) == 1

        for _ in range(3):
            stub.add_client_error("batch_write_item", "ThrottlingException", "slow down", 400)
        with pytest.raises(UnprocessedItems) as caught:
            table.batch_write(put=orders(1))
        assert [one.code for one in caught.value.failed] == ["Throttled"]
        assert caught.value.retryable

    def test_the_first_request_s_own_error_is_raised_as_it_is(self):
        table, stub, _ = stubbed()
        stub.add_client_error("batch_write_item", "AccessDeniedException", "not authorized", 400)
        with pytest.raises(AccessDenied):
            table.batch_write(put=orders(30))

    def test_an_error_later_on_says_what_was_written(self):
        table, stub, _ = stubbed()
        stub.add_response("batch_write_item", {})
        stub.add_client_error("batch_write_item", "InternalServerError", "oh", 500)
        with pytest.raises(UnprocessedItems, match="InternalServerError") as caught:
            table.batch_write(put=orders(60))
        assert [one.code for one in caught.value.failed] == ["InternalServerError"] * 25 + ["NotTried"] * 10
        assert list(caught.value.sent) == list(range(25))

    def test_two_items_with_one_key_are_refused_before_anything_is_sent(self):
        table, _, _ = stubbed()
        with pytest.raises(InvalidKey, match="#0 and #30 of the batch have the same key"):
            table.batch_write(put=orders(30), delete=[(Order, {**ORDER_KEY, "number": 0})])

    def test_a_version_is_not_ignored_by_accident(self):
        table, stub, _ = stubbed()
        with pytest.raises(InvalidRequest, match="User has a version, which a batch cannot check"):
            table.batch_write(put=USERS[:1])
        stub.add_response("batch_write_item", {})
        assert [user.version for user in table.batch_write(put=USERS[:1], overwrite=True)] == [1]

    def test_nothing_to_write_is_no_request(self):
        table, _, _ = stubbed()
        assert table.batch_write() == []


class TestBatchGet:
    def test_what_is_left_out_is_asked_again(self):
        table, stub, slept = stubbed()
        keys = [{"pk": {"S": f"user#u{number}"}, "sk": {"S": "profile"}} for number in range(2)]
        held = [table.schema.item(table.schema.models[0], user, "") for user in USERS[:2]]
        request = {"Keys": keys, "ConsistentRead": True}
        stub.add_response(
            "batch_get_item",
            {"Responses": {"app": held[1:]}, "UnprocessedKeys": {"app": {"Keys": keys[:1]}}},
            {"RequestItems": {"app": request}},
        )
        stub.add_response(
            "batch_get_item",
            {"Responses": {"app": held[:1]}},
            {"RequestItems": {"app": {"Keys": keys[:1], "ConsistentRead": True}}},
        )
        assert table.batch_get([(User, "u0"), (User, "u1")], consistent=True) == USERS[:2]
        assert len(slept) == 1

    def test_what_is_left_out_for_good_is_named(self):
        table, stub, _ = stubbed()
        keys = [{"pk": {"S": "user#u0"}, "sk": {"S": "profile"}}]
        for _ in range(3):
            stub.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": {"app": {"Keys": keys}}})
        with pytest.raises(UnprocessedItems) as caught:
            table.batch_get([(User, "u0"), (User, "u0")])
        assert [one.entry for one in caught.value.failed] == [(User, "u0")]


def cancelled(*codes: str, **more: Any) -> dict[str, Any]:
    reasons = [{"Code": code, **(more if code != "None" else {})} for code in codes]
    return {"CancellationReasons": reasons}


class TestTransactions:
    def refused(self, stub, *codes, **more):
        stub.add_client_error(
            "transact_write_items",
            "TransactionCanceledException",
            "Transaction cancelled",
            400,
            modeled_fields=cancelled(*codes, **more),
        )

    def test_that_meet_another_one_are_tried_again_with_the_same_token(self):
        table, stub, slept = stubbed()
        tokens = []

        def note(params: Any, **_: Any) -> None:
            tokens.append(params["ClientRequestToken"])

        table._service.aws.client("dynamodb").meta.events.register(
            "provide-client-params.dynamodb.TransactWriteItems", note
        )
        self.refused(stub, "None", "TransactionConflict", Message="busy")
        stub.add_response("transact_write_items", {})
        table.transact_write(Put(orders(1)[0]), Check(User, "u1"))
        assert len(slept) == 1
        assert len(set(tokens)) == 1

    def test_that_meet_others_for_good_say_so(self):
        table, stub, _ = stubbed()
        for _ in range(3):
            self.refused(stub, "TransactionConflict", Message="busy")
        with pytest.raises(TransactionFailed, match="#0 TransactionConflict: busy") as caught:
            table.transact_write(Check(User, "u1"))
        assert caught.value.retryable

    def test_whose_condition_fails_are_not_tried_again(self):
        table, stub, slept = stubbed()
        held = table.schema.item(table.schema.models[0], USERS[0], "")
        self.refused(stub, "ConditionalCheckFailed", "None", Message="no", Item=held)
        with pytest.raises(TransactionFailed) as caught:
            table.transact_write(Create(USERS[0]), Update(User, "u9", set={"labels": {}}))
        (reason,) = caught.value.reasons
        assert (reason.index, reason.operation, type(reason.error)) == (0, Create(USERS[0]), AlreadyExists)
        assert reason.error is not None
        assert reason.error.item == USERS[0]
        assert slept == []
        assert not caught.value.retryable

    def test_of_reads_that_meet_another_one_are_tried_again(self):
        table, stub, _ = stubbed()
        stub.add_client_error(
            "transact_get_items",
            "TransactionCanceledException",
            "Transaction cancelled",
            400,
            modeled_fields=cancelled("TransactionConflict", "None", Message="busy"),
        )
        stub.add_response("transact_get_items", {"Responses": [{}, {}]})
        assert table.transact_get((User, "u1"), (User, "u2")) == [None, None]

    @pytest.mark.parametrize("number", [0, 101])
    def test_are_of_one_to_a_hundred(self, number):
        table, _, _ = stubbed()
        with pytest.raises(InvalidRequest, match=f"1 to 100 operations, not {number}"):
            table.transact_write(*[Check(User, "u1")] * number)
        with pytest.raises(InvalidRequest, match=f"1 to 100 operations, not {number}"):
            table.transact_get(*[(User, "u1")] * number)

    def test_are_made_of_operations(self):
        table, _, _ = stubbed()
        with pytest.raises(InvalidRequest, match="not User"):
            table.transact_write(USERS[0])  # type: ignore[arg-type]


class TestErrors:
    @pytest.mark.parametrize(
        ("code", "error"),
        [
            ("ProvisionedThroughputExceededException", Throttled),
            ("ThrottlingException", Throttled),
            ("ResourceNotFoundException", ResourceNotFound),
            ("AccessDeniedException", AccessDenied),
            ("ValidationException", InvalidRequest),
            ("InternalServerError", AdapterError),
        ],
    )
    def test_of_the_service_are_typed_and_name_the_table(self, code, error):
        table, stub, _ = stubbed()
        stub.add_client_error("get_item", code, "about 'SECRET'", 400)
        with pytest.raises(error, match=f"dynamodb.get_item app: {code}") as caught:
            table.get(User, "u1")
        assert caught.value.__context__ is None

    def test_of_the_network_are_typed(self):
        class Unreachable:
            def get_item(self, **_):
                raise EndpointConnectionError(endpoint_url="http://h")

        with pytest.raises(ConnectionFailed):
            Table("app", [User], aws=Aws(SETTINGS, clients={"dynamodb": Unreachable()})).get(User, "u1")

    def test_of_a_request_that_botocore_refuses_hold_no_values(self):
        table = Table("app", [User], aws=Aws(SETTINGS))
        with pytest.raises(InvalidRequest, match=r"dynamodb\.create_table app: .*BillingMode") as caught:
            table.create_table(BillingMode={"SECRET": 1})
        assert "SECRET" not in str(caught.value)

    def test_without_boto3_the_extra_is_named(self, monkeypatch):
        import sys

        monkeypatch.setitem(sys.modules, "botocore", None)
        monkeypatch.setitem(sys.modules, "botocore.session", None)
        with pytest.raises(ConfigurationError, match=r'pip install "lambda-junction\[aws\]"'):
            Table("app", [User], aws=Aws(SETTINGS)).get(User, "u1")

    def test_an_item_of_another_class_is_told(self):
        table, stub, _ = stubbed()
        stub.add_response("get_item", {"Item": {"_type": {"S": "Order"}, "pk": {"S": "user#u1"}}})
        with pytest.raises(UnreadableItem, match="table app: the item is a Order, not User"):
            table.get(User, "u1")
        stub.add_response("get_item", {"Item": {"pk": {"S": "user#u1"}}})
        with pytest.raises(UnreadableItem, match="the item is _type=None, not User"):
            table.get(User, "u1")

    def test_an_item_of_another_tenant_is_never_given_out(self):
        """Whatever the service answers."""
        table, stub, _ = stubbed(tenant_prefix=True)
        token = set_session(Session(tenant="acme"))
        stub.add_response("get_item", {"Item": {"_type": {"S": "User"}, "pk": {"S": "tenant#acme2#user#u1"}}})
        with pytest.raises(UnreadableItem, match="not of the session's tenant"):
            table.get(User, "u1")
        reset_session(token)


class TestUpserts:
    """What has expired, and is still there, is deleted so that a new item can take its place."""

    def expired(self, table):
        return table.schema.item(table.schema.models[0], User("u1", expires_at=datetime(2020, 1, 1, tzinfo=UTC)), "")

    def refuse_expired(self, table, stub):
        stub.add_client_error(
            "update_item", "ConditionalCheckFailedException", "no", 400, modeled_fields={"Item": self.expired(table)}
        )

    def test_change_what_somebody_else_has_renewed_and_do_not_delete_it(self):
        table, stub, _ = stubbed()
        self.refuse_expired(table, stub)
        stub.add_client_error("delete_item", "ConditionalCheckFailedException", "no", 400)
        renewed = table.schema.item(table.schema.models[0], User("u1", visits=5), "")
        stub.add_response("update_item", {"Attributes": renewed})
        assert table.update(User, "u1", add={"visits": 1}, upsert=True).visits == 5
        stub.assert_no_pending_responses()

    def test_end_after_as_many_tries_as_the_settings_have(self):
        table, stub, _ = stubbed()
        for _ in range(2):
            self.refuse_expired(table, stub)
            stub.add_response("delete_item", {})
        self.refuse_expired(table, stub)
        with pytest.raises(ItemNotFound):
            table.update(User, "u1", add={"visits": 1}, upsert=True)
        stub.assert_no_pending_responses()

    def test_whose_condition_does_not_hold_are_not_tried_again(self):
        table, stub, _ = stubbed()
        stub.add_client_error("update_item", "ConditionalCheckFailedException", "no", 400)
        with pytest.raises(ItemNotFound):
            table.update(User, "u1", add={"visits": 1}, when=attr("visits") > 3, upsert=True)

    def test_of_a_class_that_never_expires_delete_nothing(self):
        table, stub, _ = stubbed()
        held = table.schema.item(table.schema.models[0], User("u1"), "")
        stub.add_client_error(
            "update_item", "ConditionalCheckFailedException", "no", 400, modeled_fields={"Item": held}
        )
        with pytest.raises(ConditionFailed, match="something else"):
            table.update(Order, ORDER_KEY, set={"note": "x"}, upsert=True)


WRITES = [
    ("put_item", lambda table: table.put(User("u1"))),
    ("put_item", lambda table: table.create(Order("u1", date(2025, 1, 1), 1))),
    ("update_item", lambda table: table.update(Order, ORDER_KEY, set={"note": "x"})),
    ("delete_item", lambda table: table.delete(Order, ORDER_KEY)),
]


class TestWritesThatMeetOthers:
    """A transaction on the item, or a write in another region of a global table, is under way at that moment."""

    @pytest.mark.parametrize("code", ["TransactionConflictException", "ReplicatedWriteConflictException"])
    @pytest.mark.parametrize(("operation", "write"), WRITES)
    def test_are_tried_again_with_pauses(self, operation, write, code):
        table, stub, slept = stubbed()
        for _ in range(2):
            stub.add_client_error(operation, code, "there is an ongoing transaction for the item", 400)
        held = table.schema.item(table.schema.models[1], Order("u1", date(2025, 1, 1), 1), "")
        stub.add_response(operation, {"Attributes": held} if operation == "update_item" else {})
        write(table)
        stub.assert_no_pending_responses()
        assert len(slept) == 2
        assert all(0 <= pause <= 0.2 for pause in slept)

    @pytest.mark.parametrize(("operation", "write"), WRITES)
    def test_say_at_last_that_they_may_succeed_later(self, operation, write):
        table, stub, slept = stubbed()
        for _ in range(3):
            stub.add_client_error(operation, "TransactionConflictException", "ongoing", 400)
        with pytest.raises(WriteConflict, match=rf"dynamodb\.{operation} app: TransactionConflictException") as caught:
            write(table)
        assert (caught.value.retryable, len(slept)) == (True, 2)

    def test_are_tried_again_by_async_code(self):
        table, stub, _ = stubbed()
        stub.add_client_error("put_item", "TransactionConflictException", "ongoing", 400)
        stub.add_response("put_item", {})
        asyncio.run(table.put_async(User("u1")))
        stub.assert_no_pending_responses()

    def test_in_a_batch_are_tried_again(self):
        table, stub, _ = stubbed()
        stub.add_client_error("batch_write_item", "ReplicatedWriteConflictException", "ongoing", 400)
        stub.add_response("batch_write_item", {})
        table.batch_write(put=orders(1))
        stub.assert_no_pending_responses()


class TestAnswersThatWereLost:
    """botocore sends a request again when no answer comes; the second may meet what the first has stored."""

    def refuse(self, stub, operation, item, *, repeated=1):
        stub.add_client_error(
            operation,
            "ConditionalCheckFailedException",
            "no",
            400,
            response_meta={"RetryAttempts": repeated},
            modeled_fields={"Item": item} if item is not None else {},
        )

    def stored(self, table, instance):
        return table.schema.item(table.schema.model(type(instance)), instance, "")

    @pytest.mark.parametrize("repeated", [0, 1])
    def test_a_creation_is_done_when_what_is_stored_is_what_was_sent(self, repeated):
        table, stub, _ = stubbed()
        sent = Order("u1", date(2025, 1, 1), 1, total=Decimal("1.50"))
        # DynamoDB writes numbers in its own way.
        self.refuse(stub, "put_item", {**self.stored(table, sent), "total": {"N": "1.500"}}, repeated=repeated)
        if repeated:
            assert table.create(sent) == sent
        else:  # an answer that was not lost: somebody else stored the same
            with pytest.raises(AlreadyExists):
                table.create(sent)

    def test_a_creation_over_another_item_is_not(self):
        table, stub, _ = stubbed()
        self.refuse(stub, "put_item", self.stored(table, Order("u1", date(2025, 1, 1), 1, note="theirs")))
        with pytest.raises(AlreadyExists):
            table.create(Order("u1", date(2025, 1, 1), 1))

    @pytest.mark.parametrize("is_async", [False, True])
    def test_a_put_with_a_version_is_done_when_its_next_version_is_stored(self, is_async):
        table, stub, _ = stubbed()
        read = User("u1", name="Ann", tags={"b", "a"}, labels={"a": [1, None, b"x", True]}, version=3)
        wanted = User("u1", name="Ann", tags={"a", "b"}, labels={"a": [1, None, b"x", True]}, version=4)
        self.refuse(stub, "put_item", self.stored(table, wanted))
        assert (asyncio.run(table.put_async(read)) if is_async else table.put(read)) == wanted

    def test_a_put_with_a_version_is_not_done_by_another_s_next_version(self):
        table, stub, _ = stubbed()
        self.refuse(stub, "put_item", self.stored(table, User("u1", name="Bob", version=4)))
        with pytest.raises(VersionConflict):
            table.put(User("u1", name="Ann", version=3))

    def test_a_put_under_a_condition_is_done_when_it_is_stored(self):
        table, stub, _ = stubbed()
        sent = Order("u1", date(2025, 1, 1), 1, note="taken")
        self.refuse(stub, "put_item", self.stored(table, sent))
        assert table.put(sent, when=attr("note").missing()) == sent

    def test_an_update_that_only_sets_is_done_when_all_of_it_is_stored(self):
        table, stub, _ = stubbed()
        wanted = User("u1", "a@x", name="Ann", version=4)
        self.refuse(stub, "update_item", self.stored(table, wanted))
        read = User("u1", None, name="x", tags={"old"}, version=3)
        assert table.update(read, set={"email": "a@x", "name": "Ann", "tags": set()}) == wanted

    @pytest.mark.parametrize(
        ("stored", "changes"),
        [
            (User("u1", name="Ann", version=5), {"set": {"name": "Ann"}}),  # changed once more since
            (User("u1", name="Bob", version=4), {"set": {"name": "Ann"}}),
            (User("u1", name="Ann", tags={"x"}, version=4), {"set": {"name": "Ann"}, "remove": ["tags"]}),
            (User("u1", visits=1, version=4), {"add": {"visits": 1}}),  # which depends on what was there
            (User("u1", name="Ann", log=["x"], version=4), {"set": {"name": "Ann"}, "append": {"log": ["x"]}}),
        ],
    )
    def test_an_update_is_not_where_that_cannot_be_told(self, stored, changes):
        table, stub, _ = stubbed()
        self.refuse(stub, "update_item", self.stored(table, stored))
        with pytest.raises(VersionConflict):
            table.update(User("u1", version=3), **changes)

    def test_a_deletion_is_done_when_nothing_is_there(self):
        table, stub, _ = stubbed()
        self.refuse(stub, "delete_item", None)
        assert table.delete(User("u1", version=3)) is True
        self.refuse(stub, "delete_item", None, repeated=0)
        with pytest.raises(ItemNotFound):
            table.delete(User("u1", version=3))
        self.refuse(stub, "delete_item", self.stored(table, User("u1", version=4)))
        with pytest.raises(VersionConflict):
            table.delete(User("u1", version=3))

    def test_a_lost_answer_is_remembered_over_a_conflict(self):
        table, stub, _ = stubbed()
        sent = Order("u1", date(2025, 1, 1), 1)
        stub.add_client_error(
            "put_item", "TransactionConflictException", "ongoing", 400, response_meta={"RetryAttempts": 1}
        )
        self.refuse(stub, "put_item", self.stored(table, sent), repeated=0)
        assert table.create(sent) == sent


def test_names_are_loaded_when_they_are_first_used():
    package: Any = import_module("adapters.dynamodb")

    assert set(package.__all__) <= set(dir(package))
    assert {type(getattr(package, name)).__name__ for name in package.__all__} <= {"type", "function", "ABCMeta"}
    with pytest.raises(AttributeError, match="no attribute 'Tabel'"):
        _ = package.Tabel


def test_without_an_aws_the_environment_says_who_calls(monkeypatch):
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    assert Table("app", [User])._service.aws.settings.region == "eu-north-1"


class TestSelections:
    table = Table("app", [User, Order])

    @pytest.mark.parametrize(
        ("options", "told"),
        [
            ({"limit": -1}, "limit=-1"),
            ({"limit": 1.5}, "limit=1.5"),
            ({"only": "total"}, "give a list of names"),
            ({"only": ["totl"]}, "Order has no field 'totl'"),
            ({"where": attr("nmae") == 1}, "Order has no field 'nmae'"),
            ({"where": True}, "a condition is expected"),
            ({"index": "by_status", "consistent": True}, "the global index by_status has no consistent reads"),
        ],
    )
    def test_that_cannot_be_are_refused_when_made(self, options, told):
        with pytest.raises(InvalidRequest, match=told):
            self.table.scan(Order, **options)

    def test_of_an_index_that_is_not_there_name_those_that_are(self):
        with pytest.raises(ConfigurationError, match="Order is in no index 'by_x'; it is in: by_status"):
            self.table.query(Order, "u1", index="by_x")

        with pytest.raises(ConfigurationError, match="app has no index 'by_x'; it has: by_email, by_name, by_status"):
            self.table.scan(index="by_x")

    @pytest.mark.parametrize(
        ("kinds", "key", "told"),
        [
            (Order, {"user": "u1", "total": 5}, "total is not in the key; filter with where="),
            (Order, {}, "user is missing"),
            (Order, {"user": gte("a")}, "user is a Range"),
            ((User, Order), {"id": "u1", "user": "u2"}, "User and Order are in different partitions"),
            ((User, Order), {"id": "u1", "user": "u1", "placed": gte("2025")}, "a range of sort keys is of one class"),
            (Order, "x" * 3000, "DynamoDB takes 2048"),
        ],
    )
    def test_of_a_key_that_cannot_be_are_refused(self, kinds, key, told):
        with pytest.raises(InvalidKey, match=told):
            self.table.query(kinds, key)

    @pytest.mark.parametrize("size", [0, -1, 1.5, True])
    def test_pages_have_a_size(self, size):
        table, _, _ = stubbed()
        with pytest.raises(InvalidRequest, match="give a whole number from 1"):
            table.query(Order, "u1").page(size)

    def test_do_not_read_one_by_one_what_a_filter_leaves_out(self):
        table, stub, _ = stubbed()
        expressions = (
            "KeyConditionExpression",
            "FilterExpression",
            "ExpressionAttributeNames",
            "ExpressionAttributeValues",
        )
        expected = dict.fromkeys(("TableName", *expressions), ANY)
        start = {"pk": {"S": "user#u1"}, "sk": {"S": "order#1"}}
        stub.add_response("query", {"Items": [], "LastEvaluatedKey": start}, {**expected, "Limit": 1})
        stub.add_response("query", {"Items": []}, {**expected, "Limit": 100, "ExclusiveStartKey": start})
        assert table.query(Order, "u1").first() is None


class TestTablesThatAreThere:
    """`create_table(exist_ok=True)` takes a table only if it is the one that is needed, and else changes nothing."""

    @pytest.fixture
    def create(self):
        """A function that makes a table where there is one: with what is changed of its description, and its expiry."""

        def make(description, attribute="", enabled="DISABLED", *, words=None) -> None:
            table, stub, _ = stubbed()
            there = {"TableStatus": "ACTIVE", **description(table.definition())}
            del there["BillingMode"]
            stub.add_client_error("create_table", "ResourceInUseException")
            stub.add_response("describe_table", {"Table": there})
            stub.add_response("describe_table", {"Table": there})
            expiry = {"TimeToLiveStatus": enabled, **({"AttributeName": attribute} if attribute else {})}
            stub.add_response("describe_time_to_live", {"TimeToLiveDescription": expiry})
            if words is not None:
                stub.add_client_error("update_time_to_live", "ValidationException", words)
            elif enabled == "DISABLED":
                stub.add_response("update_time_to_live", {})
            table.create_table(exist_ok=True)
            stub.assert_no_pending_responses()

        return make

    def test_the_same_table_is_taken_and_its_expiry_turned_on(self, create):
        create(lambda needed: needed)
        create(lambda needed: needed, "_ttl", "ENABLED")
        create(lambda needed: needed, "_ttl", "ENABLING")
        create(lambda needed: needed, words="TimeToLive is already enabled")  # by somebody else, at this moment

    def test_further_indexes_and_attributes_do_no_harm(self, create):
        more = {"AttributeName": "x_pk", "AttributeType": "N"}
        index = {"IndexName": "others", "KeySchema": [{"AttributeName": "x_pk", "KeyType": "HASH"}]}
        create(
            lambda needed: {
                **needed,
                "AttributeDefinitions": [*needed["AttributeDefinitions"], more],
                "GlobalSecondaryIndexes": [index, *needed["GlobalSecondaryIndexes"]],
            }
        )

    @pytest.mark.parametrize(
        ("description", "words"),
        [
            (
                lambda needed: {
                    **needed,
                    "KeySchema": [{"AttributeName": "_pk", "KeyType": "HASH"}],
                    "AttributeDefinitions": [
                        {"AttributeName": "_pk", "AttributeType": "N"},
                        *needed["AttributeDefinitions"],
                    ],
                },
                r"its key is _pk \(N\), and pk \(S\) and sk \(S\) is needed",
            ),
            (
                lambda needed: {
                    **needed,
                    "AttributeDefinitions": [
                        {**one, "AttributeType": "N" if one["AttributeName"] == "sk" else "S"}
                        for one in needed["AttributeDefinitions"]
                    ],
                },
                r"its key is pk \(S\) and sk \(N\), and pk \(S\) and sk \(S\) is needed",
            ),
            (
                lambda needed: {**needed, "GlobalSecondaryIndexes": []},
                "it has no index by_email; it has no index by_status",
            ),
            (
                lambda needed: {
                    **{name: held for name, held in needed.items() if name != "LocalSecondaryIndexes"},
                    "GlobalSecondaryIndexes": [*needed["GlobalSecondaryIndexes"], *needed["LocalSecondaryIndexes"]],
                },
                "it has no index by_name",
            ),
            (
                lambda needed: {
                    **needed,
                    "GlobalSecondaryIndexes": [
                        {**index, "KeySchema": index["KeySchema"][:1]} for index in needed["GlobalSecondaryIndexes"]
                    ],
                },
                r"the key of its index by_status is by_status_pk \(S\), and by_status_pk \(S\) and by_status_sk",
            ),
            (
                lambda needed: {
                    **needed,
                    "GlobalSecondaryIndexes": [
                        {**index, "Projection": {"ProjectionType": "KEYS_ONLY"}}
                        for index in needed["GlobalSecondaryIndexes"]
                    ],
                },
                "its index by_email does not hold all attributes",
            ),
        ],
    )
    def test_another_layout_is_refused_by_what_differs(self, create, description, words):
        with pytest.raises(
            TableMismatch, match=rf"dynamodb\.create_table app: .*{words}.*nothing was changed"
        ) as caught:
            create(description)
        assert isinstance(caught.value, ConfigurationError)

    def test_expiry_by_another_attribute_is_refused(self, create):
        with pytest.raises(TableMismatch, match="its items expire by expires, and _ttl is needed"):
            create(lambda needed: needed, "expires", "ENABLED")

    def test_what_dynamodb_says_of_expiry_is_told(self, create):
        with pytest.raises(InvalidRequest, match=r"update_time_to_live app: .*different AttributeName"):
            create(lambda needed: needed, words="TimeToLive is active on a different AttributeName: it is expires")


class TestAsync:
    def test_every_verb_has_a_twin(self):
        verbs = ["get", "put", "create", "update", "delete"]
        verbs += ["batch_get", "batch_write", "transact_get", "transact_write"]
        assert [verb for verb in verbs if not inspect.iscoroutinefunction(getattr(Table, f"{verb}_async"))] == []
