"""The rights that Lambda's pollers ask for in the name of a function, as AWS's managed policies have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.contract.arns import ARNS, made
from router.contract.declarations import Kafka, Queue, Table
from router.contract.model import Grant, Reason, named
from router.contract.names import arn, physical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from router.contract.model import Trigger

_POLLS = {
    "queue": ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"),
    "stream": (
        *("kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords"),
        *("kinesis:GetShardIterator", "kinesis:ListShards"),
    ),
    "table": ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"),
}
# In the network of a cluster, pollers have an interface of their own. IAM knows no resource for most of these.
_NETWORK = (
    *("ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces"),
    *("ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"),
)
# What a cluster of Amazon MSK asks of a client that has no secret, and so comes by IAM.
_CLUSTER = ("kafka-cluster:Connect", "kafka-cluster:DescribeClusterDynamicConfiguration")
_GROUP = ("kafka-cluster:AlterGroup", "kafka-cluster:DescribeGroup")
_TOPIC = ("kafka-cluster:DescribeTopic", "kafka-cluster:ReadData")


def polling_of(trigger: Trigger, *, delays: bool) -> Iterator[Grant]:
    """Yield what the poller of a trigger needs; nothing where no poller reads for it.

    delays: whether failed messages are put off, which changes their visibility.
    """
    resource = trigger.resource
    reasons = tuple(Reason(f"reads {resource}", named(route)) for route in trigger.routes)
    if isinstance(resource, Kafka):
        found = _kafka(resource)
    elif resource.kind in _POLLS:
        found = _others(trigger, delays=delays)
    else:
        return
    for actions, where in found:
        yield Grant(tuple(sorted(actions)), (where,), reasons)


def _others(trigger: Trigger, *, delays: bool) -> Iterator[tuple[tuple[str, ...], str]]:
    resource = trigger.resource
    actions = _POLLS[resource.kind]
    if isinstance(resource, Table):
        yield actions, f"{arn(resource)}/stream/*"
        yield ("dynamodb:ListStreams",), "*"  # IAM knows no resource for it
        return
    if isinstance(resource, Queue) and delays:
        actions += ("sqs:ChangeMessageVisibility",)
    yield actions, arn(resource)


def _kafka(topic: Kafka) -> Iterator[tuple[tuple[str, ...], str]]:
    if topic.cluster:
        yield ("kafka:DescribeClusterV2",), topic.cluster
        yield ("kafka:GetBootstrapBrokers",), "*"
        if not topic.secret:
            yield _CLUSTER, topic.cluster
            yield _GROUP, _in_cluster(topic, "group", topic.group or "*")
            yield _TOPIC, _in_cluster(topic, "topic", physical(topic))
    if topic.cluster or topic.subnets:
        yield _NETWORK, "*"
    if topic.secret:
        yield ("secretsmanager:GetSecretValue",), _secret(topic.secret)


def _in_cluster(topic: Kafka, kind: str, name: str) -> str:
    """Return the ARN of a group or a topic. That of a cluster which a parameter holds has to be any."""
    before, found, cluster = topic.cluster.partition(":cluster/")
    if not found:
        return f"arn:${{AWS::Partition}}:kafka:${{AWS::Region}}:${{AWS::AccountId}}:{kind}/*/*/{name}"
    return f"{before}:{kind}/{cluster}/{name}"


def _secret(named: str) -> str:
    """Return the ARN of a secret that is named by its ARN or its name."""
    if named.startswith(("arn:", "${")):
        return named
    return made(ARNS["secretsmanager"], named)
