"""The policies of functions: AWS knows each action, and the action knows the kind of each resource."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache
from typing import Any

import pytest
from policy_sentry.querying.actions import get_action_data

from router.contract import Kafka
from router.contract.model import Trigger
from router.contract.policies import explained, policy
from router.contract.polling import polling_of
from router.contract.targets import targets, words_of
from router.environment import operations
from router.event import Source
from tests.unit.router.contract.test_sam import shop

FILLED = {"Partition": "aws", "Region": "eu-west-1", "AccountId": "123456789012", "StackName": "shop"}


def filled(arn: str) -> str:
    """Return an ARN as CloudFormation fills it in."""
    known = re.sub(r"\$\{AWS::(\w+)\}", lambda match: FILLED[match[1]], arn)
    return re.sub(r"\$\{\w+\}", "given", known)


@cache
def data_of(action: str) -> list[dict[str, Any]]:
    service, _, name = action.partition(":")
    found: Any = get_action_data(service, name)
    return found[service] if found else []


def pattern(raw: str) -> re.Pattern[str]:
    """Return the ARNs of a kind of resource, as the Service Authorization Reference writes them."""
    parts = re.split(r"\$\{\w+\}", raw)
    return re.compile("[^:]*".join(map(re.escape, parts)) + r"(?:/.*)?")


def statements() -> list[tuple[str, str]]:
    held = shop()
    return [
        (action, target)
        for part in held.parts
        for one in policy(held, part)["Statement"]
        for action in one["Action"]
        for target in one["Resource"]
    ]


OPERATIONS = sorted(
    {
        str(operation)
        for service in vars(operations).values()
        if isinstance(service, type) and issubclass(service, StrEnum)
        for operation in service.__members__.values()
    }
)


def kinds_of(action: str) -> list[str]:
    """Return the ARNs that an action takes, `*` for none, as AWS's own data has them."""
    rows = data_of(action)
    assert rows, f"AWS has no action {action}"
    return [row["resource_arn_format"] for row in rows]


def fits(arn: str, kinds: list[str]) -> bool:
    return any(arn == kind == "*" or (kind != "*" and pattern(kind).fullmatch(arn)) for kind in kinds)


@pytest.mark.parametrize(("action", "target"), statements())
def test_aws_knows_the_action_and_its_resource(action: str, target: str) -> None:
    kinds = kinds_of(action)
    assert fits(filled(target), kinds), f"{action} on {target}: it takes {kinds}"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_is_allowed_on_what_it_takes(operation: str) -> None:
    kinds = kinds_of(operation)
    found = [filled(one) for one in targets(operation, None, "${Given}")]
    assert any(fits(one, kinds) for one in found), f"{operation} on {found}: it takes {kinds}"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_a_policy_names_is_said_in_words(operation: str) -> None:
    """The description of a parameter, whose value is in the ARNs of policies, asks for a name."""
    is_named = any("${Given}" in one for one in targets(operation, None, "${Given}"))
    assert bool(words_of(operation)) is is_named


def test_who_asks_is_said_with_file_and_line() -> None:
    held = shop()
    text = explained(held, held.parts[0])
    assert "dynamodb:GetItem" in text
    assert re.search(r"for requires=\{'ORDERS': \.\.\.\}, GET /orders/\{order_id:int\} \(tests/.*shop\.py:\d+\)", text)


def kafka_actions(topic: Kafka) -> dict[str, tuple[str, ...]]:
    """Return what the poller of a topic may do, by resource."""
    trigger = Trigger(Source.KAFKA, topic, ())
    found: dict[str, tuple[str, ...]] = {}
    for grant in polling_of(trigger, delays=False):
        found[grant.resources[0]] = (*found.get(grant.resources[0], ()), *grant.actions)
    return found


def test_a_cluster_of_msk_is_read_by_iam() -> None:
    where = "arn:aws:kafka:eu-west-1:123456789012"
    found = kafka_actions(Kafka("payments", cluster=f"{where}:cluster/shop/f1e2", group="billing"))
    assert found[f"{where}:topic/shop/f1e2/payments"] == ("kafka-cluster:DescribeTopic", "kafka-cluster:ReadData")
    assert found[f"{where}:group/shop/f1e2/billing"] == ("kafka-cluster:AlterGroup", "kafka-cluster:DescribeGroup")
    assert "kafka:DescribeClusterV2" in found[f"{where}:cluster/shop/f1e2"]
    assert {"kafka:GetBootstrapBrokers", "ec2:CreateNetworkInterface"} <= {*found["*"]}


def test_a_cluster_of_ones_own_is_read_with_its_secret() -> None:
    found = kafka_actions(Kafka("payments", servers=("kafka.shop.example:9096",), secret="kafka"))
    secret = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:kafka-??????"
    assert found == {secret: ("secretsmanager:GetSecretValue",)}
