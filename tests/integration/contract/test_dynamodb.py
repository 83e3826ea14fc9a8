"""What the adapter relies on of DynamoDB. MiniStack alone runs the longer tests of the adapter."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters.aws import Aws
from adapters.dynamodb import (
    AlreadyExists,
    Check,
    ConditionFailed,
    Create,
    Delete,
    InvalidRequest,
    Layout,
    Put,
    Table,
    TransactionFailed,
    Update,
    VersionConflict,
    attr,
    begins_with,
)
from adapters.errors import AdapterError, TableMismatch
from router import Event, Resolver
from tests.unit.adapters.dynamodb.samples import Order, User


@pytest.fixture
def table(aws: Aws, new_name) -> Table:
    table = Table(new_name(), [User, Order], aws=aws)
    table.create_table()
    return table


def order(number: int) -> Order:
    return Order("u1", date(2025, 1, 1), number)


class TestItems:
    def test_an_item_is_read_as_it_was_stored(self, table):
        labels = {"exact": Decimal("12345678901234567890.123456789012345678"), "nested": [1, {"empty": ""}], "no": None}
        user = table.put(User("u1", "ann@x", "Ann", tags={"a", "b"}, labels=labels))
        assert table.get(User, "u1") == table.get(User, "u1", consistent=True) == user
        assert table.get(User, "u2") is None

    def test_an_item_is_created_once_and_the_other_is_shown(self, table):
        table.create(User("u1", name="Ann"))
        with pytest.raises(AlreadyExists) as caught:
            table.create(User("u1", name="Bob"))
        assert caught.value.item.name == "Ann"

    def test_an_update_gives_what_is_stored(self, table):
        table.put(User("u1", log=["a"]))
        updated = table.update(User, "u1", set={"name": "Ann"}, add={"visits": 2}, append={"log": ["b"]})
        assert (updated.name, updated.visits, updated.log) == ("Ann", 2, ["a", "b"])
        assert table.get(User, "u1") == updated

    def test_a_condition_is_held(self, table):
        table.put(User("u1", visits=1))
        with pytest.raises(ConditionFailed):
            table.update(User, "u1", set={"name": "Ann"}, when=attr("visits") > 1)
        with pytest.raises(ConditionFailed):
            table.delete(User, "u1", when=attr("name") == "Ann")
        assert table.delete(User, "u1", when=attr("visits") == 1)
        assert table.get(User, "u1") is None

    def test_a_version_is_held(self, table):
        mine = table.put(User("u1"))
        table.put(table.get(User, "u1"))
        with pytest.raises(VersionConflict):
            table.put(mine)

    def test_adding_to_what_is_no_number_is_refused(self, table):
        table.put(User("u1"))
        with pytest.raises(InvalidRequest):
            table.update(User, "u1", add={"labels": 1})

    def test_nesting_beyond_32_levels_is_refused(self, table):
        deep: Any = 1
        for _ in range(40):
            deep = [deep]
        with pytest.raises(InvalidRequest):
            table.put(User("u1", labels={"deep": deep}))

    def test_an_item_beyond_400_kb_is_refused(self, table):
        with pytest.raises(AdapterError):
            table.put(User("u1", name="x" * 420_000))


class TestQueries:
    def test_items_come_in_order_in_pages_and_backwards(self, table):
        table.batch_write([order(number) for number in range(12)])
        first = table.query(Order, "u1").page(5)
        second = table.query(Order, "u1").page(5, first.next)
        last = table.query(Order, "u1").page(5, second.next)

        assert [one.number for page in (first, second, last) for one in page.items] == list(range(12))
        assert last.next is None
        assert table.query(Order, "u1", reverse=True).first().number == 11
        assert table.query(Order, "u1").count() == 12

    def test_a_range_of_keys_is_read(self, table):
        table.batch_write([Order("u1", date(2025, month, 1), 1) for month in (1, 2, 3)])
        found = table.query(Order, {"user": "u1", "placed": begins_with("2025-02")})
        assert [one.placed.month for one in found] == [2]

    def test_an_index_has_what_is_stored(self, table):
        table.put(User("u1", "ann@x", "Ann"))
        table.put(User("u2", "bob@x", "Bob"))
        assert table.query(User, "bob@x", index="by_email").first().id == "u2"
        table.update(User, "u2", set={"email": "new@x"})
        assert table.query(User, "bob@x", index="by_email").first() is None
        assert table.query(User, "new@x", index="by_email").first().id == "u2"

    def test_batches_are_written_and_read(self, table):
        written = table.batch_write([order(number) for number in range(60)])
        found = table.batch_get([(Order, order(number)) for number in range(60)])
        assert len(written) == 60
        assert sorted(one.number for one in found if one) == list(range(60))


class TestTransactions:
    def test_all_is_written(self, table):
        table.put(User("u2"))
        table.put(User("u3"))
        table.transact_write(
            Create(User("u1", visits=1)), Put(order(1)), Delete(User, "u2"), Check(User, "u3", when=attr("visits") == 0)
        )
        assert [table.get(User, "u1").visits, table.get(User, "u2")] == [1, None]
        assert table.transact_get((User, "u3"), (Order, order(1)))[1] == order(1)

    def test_nothing_is_written_where_one_is_refused(self, table):
        table.put(User("u1"))
        with pytest.raises(TransactionFailed) as caught:
            table.transact_write(Put(order(1)), Create(User("u1")))
        assert [(reason.index, type(reason.error)) for reason in caught.value.reasons] == [(1, AlreadyExists)]
        assert table.get(Order, order(1)) is None

    def test_the_same_token_is_done_once(self, aws, new_name):
        # The request holds the time, and a token is for one request: the clock stands still.
        table = Table(new_name(), [User], aws=aws, clock=lambda: 1_750_000_000.0)
        table.create_table()
        table.put(User("u1"))
        token = new_name()  # it is the account's, not the table's
        for _ in range(2):
            table.transact_write(Update(User, "u1", add={"visits": 1}), token=token)
        stored = table.get(User, "u1")
        assert stored is not None
        assert stored.visits == 1


class TestExpiry:
    def test_the_attribute_of_expiry_is_told(self, aws, table):
        told = aws.call("dynamodb", "describe_time_to_live", TableName=table.name)["TimeToLiveDescription"]
        assert (told["TimeToLiveStatus"], told["AttributeName"]) == ("ENABLED", "_ttl")

    def test_what_has_expired_is_gone_for_the_adapter(self, table):
        now = datetime.now(UTC)
        table.put(User("u1", expires_at=now - timedelta(seconds=1)))
        table.put(User("u2", expires_at=now + timedelta(hours=1)))
        assert [table.get(User, "u1"), table.get(User, "u2").id] == [None, "u2"]

    def test_a_second_attribute_of_expiry_is_refused(self, aws, table):
        with pytest.raises(TableMismatch, match="its items expire by _ttl, and other is needed"):
            Table(table.name, [User, Order], aws=aws, layout=Layout(ttl="other")).create_table(exist_ok=True)


def test_a_stream_has_every_change_with_its_images(aws, new_name):
    table = Table(new_name(), [User], aws=aws)
    table.create_table(StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"})
    table.put(User("u1", name="Ann"))
    table.update(User, "u1", set={"name": "Bob"})
    table.delete(User, "u1")

    arn = aws.call("dynamodb", "describe_table", TableName=table.name)["Table"]["LatestStreamArn"]
    (shard,) = aws.call("dynamodbstreams", "describe_stream", StreamArn=arn)["StreamDescription"]["Shards"]
    iterator = aws.call(
        "dynamodbstreams",
        "get_shard_iterator",
        StreamArn=arn,
        ShardId=shard["ShardId"],
        ShardIteratorType="TRIM_HORIZON",
    )["ShardIterator"]
    records = aws.call("dynamodbstreams", "get_records", ShardIterator=iterator)["Records"]
    resolver, seen = Resolver(), []

    @resolver.on_stream(table.name)
    def changed(event: Event) -> None:
        images = [table.load(image) for image in (event.old, event.new)]
        seen.append((event.change, *[image and image.name for image in images]))

    # Lambda adds the ARN of the stream to what it hands over.
    answer = resolver.resolve({"Records": [{**record, "eventSourceARN": arn} for record in records]})
    assert answer == {"batchItemFailures": []}
    assert seen == [("INSERT", None, "Ann"), ("MODIFY", "Ann", "Bob"), ("REMOVE", "Bob", None)]
