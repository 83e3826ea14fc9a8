"""Plan the resources of an application, and how their events come to its parts."""

from __future__ import annotations

from json import dumps, loads
from typing import TYPE_CHECKING, Any

from router.contract.declarations import (
    DAY_S,
    Bucket,
    Bus,
    Mapped,
    Queue,
    Schedule,
    Stream,
    Table,
    Topic,
)
from router.contract.filtering import topics_of
from router.contract.names import arn, physical
from router.contract.sam.document import Document
from router.contract.sam.resources import dead_name, dead_of, visibility
from router.env import Env
from router.event import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Literal

    from router.contract.declarations import Resource
    from router.contract.model import Infrastructure, Part, Trigger
    from router.local.aws.names import Names
    from router.local.aws.shapes import (
        BucketPlan,
        MappingPlan,
        QueuePlan,
        RulePlan,
        SchedulePlan,
        StreamPlan,
        SubscriptionPlan,
        TablePlan,
        TopicPlan,
    )

_KEPT_S = str(14 * DAY_S)  # of what failed
# Of CreateTable and of a template's table; the others are of templates alone, or cost money.
_OF_TABLES = (
    *("AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema", "LocalSecondaryIndexes"),
    *("ProvisionedThroughput", "StreamSpecification", "TableClass"),
)


class Planning:
    """Plan the resources of an infrastructure.

    names: where the emulator is.
    variables: the environment of the functions, which patterns of rules name.
    """

    def __init__(self, infrastructure: Infrastructure, names: Names, variables: Mapping[str, str]) -> None:
        self._infrastructure = infrastructure
        self._names = names
        self._variables = variables
        self._template = Document(infrastructure)  # answers what a template would have
        self.queues: list[QueuePlan] = []
        self.topics: list[TopicPlan] = []
        self.subscriptions: list[SubscriptionPlan] = []
        self.tables: list[TablePlan] = []
        self.streams: list[StreamPlan] = []
        self.buckets: list[BucketPlan] = []
        self.rules: list[RulePlan] = []
        self.schedules: list[SchedulePlan] = []
        self.mappings: list[MappingPlan] = []

    def add_all(self) -> None:
        """Plan all resources, then what brings their events."""
        for resource in self._infrastructure.resources:
            for kind, add in _RESOURCES.items():
                if isinstance(resource, kind):
                    add(self, resource)
        for part, trigger in self._infrastructure.triggers:
            for kind, bring in _TRIGGERS.items():
                if isinstance(trigger.resource, kind):
                    bring(self, part, trigger)
                    break
        self._subscribe_queues()
        failures = {one["failures"] for one in self.mappings if one["failures"]}
        if failures or self._has_asynchronous():
            self.queues.append(_dead(self._failures(), fifo=False))

    def _has_asynchronous(self) -> bool:
        return (
            bool(self.rules or self.schedules)
            or any(one["part"] for one in self.subscriptions)
            or any(one["notifications"] for one in self.buckets)
        )

    def _failures(self) -> str:
        return self._filled(self._infrastructure.fails_to())

    def _filled(self, text: str) -> str:
        return self._names.filled(text, self._infrastructure.name)

    def _name(self, resource: Resource) -> str:
        return self._filled(physical(resource))

    # ---- resources ---------------------------------------------------------------------------------------------------

    def _queue(self, queue: Queue) -> None:
        name, fifo = self._name(queue), bool(queue.fifo)
        attributes = {
            "VisibilityTimeout": str(visibility(self._template, queue)),
            "MessageRetentionPeriod": str(queue.retention),
            **({"FifoQueue": "true"} if fifo else {}),
        }
        dead = None
        if queue.dead_letter:
            own = dead_of(self._template, queue)
            dead = self._name(own) if own else self._filled(dead_name(queue))
            if own is None:
                self.queues.append(_dead(dead, fifo=fifo))
            redrive = {"deadLetterTargetArn": self._names.arn("sqs", dead), "maxReceiveCount": queue.dead_letter}
            attributes["RedrivePolicy"] = dumps(redrive)
        self.queues.append({"name": name, "fifo": fifo, "attributes": attributes, "dead_letters": dead})

    def _topic(self, topic: Topic) -> None:
        self.topics.append({"name": self._name(topic), "fifo": bool(topic.fifo)})

    def _table(self, table: Table) -> None:
        keys = [name for name in (table.pk, table.sk) if name]
        layout: Mapping[str, Any] = table.layout or {
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in keys],
            "KeySchema": [
                {"AttributeName": name, "KeyType": kind} for name, kind in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
        }
        definition = {key: loads(dumps(layout[key])) for key in _OF_TABLES if key in layout}
        if any(
            trigger.source is Source.DYNAMODB and trigger.resource is table
            for _, trigger in self._infrastructure.triggers
        ):
            definition["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": table.stream}
        self.tables.append({"name": self._name(table), "definition": definition, "ttl": table.ttl})

    def _stream(self, stream: Stream) -> None:
        # Of a stream that has as many shards as it needs, AWS makes four.
        shards = stream.shards or 4
        self.streams.append({"name": self._name(stream), "shards": shards, "retention": -(-stream.retention // 3600)})

    def _bucket(self, bucket: Bucket) -> None:
        self.buckets.append(
            {
                "name": self._name(bucket),
                "versioned": bucket.versioned,
                "notifications": [
                    {"event": one.event, "prefix": one.prefix, "suffix": one.suffix, "part": part.name}
                    for part, trigger in self._infrastructure.triggers
                    if trigger.resource is bucket
                    for one in trigger.notifications
                ],
            }
        )

    # ---- what brings events ------------------------------------------------------------------------------------------

    def _map_queue(self, part: Part, trigger: Trigger) -> None:
        queue: Queue = trigger.resource  # type: ignore[assignment]
        self._map("sqs", part, trigger, queue.batch_size, queue.window)
        self.mappings[-1]["concurrency"] = queue.maximum_concurrency

    def _map_stream(self, part: Part, trigger: Trigger) -> None:
        stream: Mapped = trigger.resource  # type: ignore[assignment]
        source: Literal["dynamodb", "kinesis"] = "dynamodb" if isinstance(stream, Table) else "kinesis"
        self._map(source, part, trigger, stream.batch_size, stream.window)
        self.mappings[-1] |= {
            "position": stream.position,
            "attempts": stream.attempts,
            "bisect": stream.bisect,
            "parallel": stream.parallel,
            "failures": self._failures(),
        }

    def _map(
        self,
        source: Literal["sqs", "dynamodb", "kinesis"],
        part: Part,
        trigger: Trigger,
        batch_size: int,
        window: int,
    ) -> None:
        filters = [one.found.patterns for one in trigger.filters if one.applies and one.place == "mapping"]
        self.mappings.append(
            {
                "source": source,
                "resource": self._name(trigger.resource),
                "part": part.name,
                "batch_size": batch_size,
                "window": window,
                "concurrency": None,
                "position": "",
                "attempts": 0,
                "bisect": False,
                "parallel": 1,
                "filters": list(filters[0]) if filters else None,
                "failures": None,
            }
        )

    def _notify(self, part: Part, trigger: Trigger) -> None:
        policy, scope = _policy([trigger])
        self.subscriptions.append(
            {
                "topic": self._name(trigger.resource),
                "queue": None,
                "part": part.name,
                "raw": False,
                "policy": policy,
                "scope": scope,
            }
        )

    def _subscribe_queues(self) -> None:
        """Subscribe queues to the topics whose envelopes they take; topics that nobody declared are made, too."""
        for queue in (one for one in self._infrastructure.resources if isinstance(one, Queue)):
            fed = [trigger for _, trigger in self._infrastructure.triggers if trigger.resource is queue]
            policy, scope = _policy(fed)
            for name in topics_of(queue, (route for trigger in fed for route in trigger.routes)):
                if "*" in name:
                    continue
                if all(topic["name"] != name for topic in self.topics):
                    self._topic(Topic(name))
                self.subscriptions.append(
                    {
                        "topic": name,
                        "queue": self._name(queue),
                        "part": None,
                        "raw": queue.raw,
                        "policy": policy,
                        "scope": scope,
                    }
                )

    def _rule(self, part: Part, trigger: Trigger) -> None:
        bus = self._name(trigger.resource)
        for number, pattern in enumerate(trigger.rules, 1):
            self.rules.append(
                {
                    "name": f"{self._infrastructure.name}-{bus}-{part.name}-{number}"[-64:].lstrip("-"),
                    "bus": bus,
                    "pattern": self._with_values(pattern),
                    "expression": "",
                    "enabled": True,
                    "part": part.name,
                }
            )

    def _with_values(self, pattern: Any) -> Any:
        """Return an event pattern with the values of variables in the place of names from the environment."""
        if isinstance(pattern, Env):
            return self._variables.get(pattern.variable) or pattern.default or str(pattern)
        if isinstance(pattern, dict):
            return {key: self._with_values(held) for key, held in pattern.items()}
        return [self._with_values(held) for held in pattern] if isinstance(pattern, list) else pattern

    def _schedule(self, part: Part, trigger: Trigger) -> None:
        schedule: Schedule = trigger.resource  # type: ignore[assignment]
        name = self._name(schedule)
        if not schedule.expression:  # it belongs to somebody else, who alone knows when it is due
            return
        if not schedule.is_scheduler:
            self.rules.append(
                {
                    "name": name,
                    "bus": "default",
                    "pattern": None,
                    "expression": schedule.expression,
                    "enabled": schedule.enabled,
                    "part": part.name,
                }
            )
            return
        told = {
            "source": "aws.scheduler",
            "detail-type": "Scheduled Event",
            "resources": [self._filled(arn(schedule))],
            "time": "<aws.scheduler.scheduled-time>",
            "id": "<aws.scheduler.execution-id>",
            "detail": dict(schedule.payload or {}),
        }
        self.schedules.append(
            {
                "name": name,
                "expression": schedule.expression,
                "timezone": schedule.timezone,
                "input": dumps(told, sort_keys=True),
                "enabled": schedule.enabled,
                "part": part.name,
            }
        )


def _dead(name: str, *, fifo: bool) -> QueuePlan:
    """Return a queue for what failed."""
    attributes = {"MessageRetentionPeriod": _KEPT_S, **({"FifoQueue": "true"} if fifo else {})}
    return {"name": name, "fifo": fifo, "attributes": attributes, "dead_letters": None}


def _policy(triggers: Iterable[Trigger]) -> tuple[dict[str, Any] | None, str]:
    """Return the filter policy of a subscription and its scope; None where it takes all messages."""
    for one in (filtering for trigger in triggers for filtering in trigger.filters):
        if one.applies and one.place == "subscription":
            return loads(one.found.patterns[0]), one.found.scope
    return None, ""


_RESOURCES: dict[type[Resource], Callable[[Planning, Any], None]] = {
    Queue: Planning._queue,
    Topic: Planning._topic,
    Table: Planning._table,
    Stream: Planning._stream,
    Bucket: Planning._bucket,
}
_TRIGGERS: dict[type[Resource], Callable[[Planning, Part, Trigger], None]] = {
    Queue: Planning._map_queue,
    Table: Planning._map_stream,
    Stream: Planning._map_stream,
    Topic: Planning._notify,
    Bus: Planning._rule,
    Schedule: Planning._schedule,
}
