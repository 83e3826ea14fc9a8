"""Exported filters, deployed: what they decline never reaches the function, and what must fail still does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.integration.deployed.deployment import Deployment, exported
from tests.servers.artefacts import MINISTACK
from tests.servers.ministack import MiniStack
from tests.servers.process import wait_until
from tests.servers.requirements import require_artefact

FILES = ("tests/integration/deployed/filters_app.py",)
pytestmark = pytest.mark.timeout(180)


class Filters(Deployment):
    """The stack, and the records that its function was called with."""

    def saw(self, key: str) -> bool:
        """Whether the function was called with a record."""
        answer = self.client("dynamodb").get_item(
            TableName="filters-notes", Key={"pk": {"S": key}}, ConsistentRead=True
        )
        return "Item" in answer

    def saw_in_time(self, key: str) -> bool:
        return wait_until(lambda: self.saw(key), timeout_s=30)

    def send(self, queue: str, key: str, kind: str) -> None:
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName=f"filters-{queue}")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"key": key, "kind": kind}))

    def publish(self, topic: str, key: str, kind: str) -> None:
        sns = self.client("sns")
        [arn] = [one["TopicArn"] for one in sns.list_topics()["Topics"] if one["TopicArn"].endswith(topic)]
        attributes = {"kind": {"DataType": "String", "StringValue": kind}}
        message = json.dumps({"key": key, "kind": kind})
        sns.publish(TopicArn=arn, Message=message, MessageAttributes=attributes)

    def is_empty(self, queue: str) -> bool:
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName=f"filters-{queue}")["QueueUrl"]
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(names))["Attributes"]
        return all(counts[name] == "0" for name in names)


@pytest.fixture(scope="module")
def deployed() -> Iterator[Filters]:
    require_artefact(MINISTACK)
    template = exported("tests.integration.deployed.filters_stack:stack")
    with MiniStack() as server:
        yield Filters(server, "filters", template, FILES)


@pytest.fixture
def key() -> str:
    return uuid4().hex


def test_a_queue_deletes_what_its_filter_declines(deployed: Filters, key: str) -> None:
    deployed.send("filtered", f"{key} declined", "cash")
    assert wait_until(lambda: deployed.is_empty("filtered"), timeout_s=30)
    deployed.send("filtered", f"{key} taken", "card")
    assert deployed.saw_in_time(f"filtered {key} taken")
    assert not deployed.saw(f"filtered {key} declined")
    assert deployed.is_empty("filtered-dead")


def test_without_filters_the_function_sees_all(deployed: Filters, key: str) -> None:
    deployed.send("unfiltered", f"{key} declined", "cash")
    assert deployed.saw_in_time(f"unfiltered {key} declined")


def test_what_has_to_fail_ends_in_the_dead_letter_queue(deployed: Filters, key: str) -> None:
    deployed.send("strict", key, "cash")
    assert json.loads(deployed.received("filters-strict-dead"))["key"] == key
    assert deployed.saw(f"strict {key}")


def test_a_topic_does_not_deliver_what_its_policy_declines(deployed: Filters, key: str) -> None:
    deployed.publish("filters-news", f"{key} declined", "cash")
    deployed.publish("filters-news", f"{key} taken", "card")
    assert deployed.saw_in_time(f"topic {key} taken")
    assert not deployed.saw(f"topic {key} declined")


def test_a_topic_does_not_send_to_a_queue_what_its_policy_declines(deployed: Filters, key: str) -> None:
    deployed.publish("filtered-copies", f"{key} declined", "cash")
    deployed.publish("filtered-copies", f"{key} taken", "card")
    assert deployed.saw_in_time(f"copy {key} taken")
    assert wait_until(lambda: deployed.is_empty("copies"), timeout_s=30)
    assert not deployed.saw(f"copy {key} declined")


def test_a_table_skips_what_its_filter_declines(deployed: Filters, key: str) -> None:
    for name, kind in (("declined", "cash"), ("taken", "card")):
        item = {"pk": {"S": f"{key} {name}"}, "kind": {"S": kind}}
        deployed.client("dynamodb").put_item(TableName="filters-orders", Item=item)
    assert deployed.saw_in_time(f"table {key} taken")
    assert not deployed.saw(f"table {key} declined")


def test_a_bus_does_not_bring_what_its_rules_decline(deployed: Filters, key: str) -> None:
    # Calls overlap: what is declined would have been seen when the last of those after it is.
    for name, kind in (("declined", "cash"), ("first", "card"), ("second", "card"), ("third", "card")):
        detail = json.dumps({"key": f"{key} {name}", "kind": kind})
        entry = {"EventBusName": "filters-events", "Source": "shop", "DetailType": "Paid", "Detail": detail}
        deployed.client("events").put_events(Entries=[entry])
        assert kind == "cash" or deployed.saw_in_time(f"bus {key} {name}")
    assert not deployed.saw(f"bus {key} declined")
