"""The shapes of a plan: everything that has to be made in an emulator, as JSON data.

The application's process makes a plan of its infrastructure, and the gateway makes what it says.
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict


class FunctionPlan(TypedDict):
    """A part of the application.

    part: its name in the application. name: that of the function in AWS. timeout: in seconds. memory: in MB.
    durable: seconds that a durable execution may take; 0 for a function without durable routes.
    reserved: the most calls at a time; None for no limit.
    failures: the queue of asynchronous events that failed at every try; None where none come.
    routes: those that it serves, as text. http: the methods and paths among them.
    """

    part: str
    name: str
    timeout: int
    memory: int
    durable: int
    reserved: int | None
    failures: str | None
    routes: list[str]
    http: list[tuple[str, str]]


class QueuePlan(TypedDict):
    """A queue. attributes: of CreateQueue. dead_letters: the name of its dead-letter queue."""

    name: str
    fifo: bool
    attributes: dict[str, str]
    dead_letters: str | None


class TopicPlan(TypedDict):
    """A topic."""

    name: str
    fifo: bool


class SubscriptionPlan(TypedDict):
    """A subscription to a topic.

    queue, part: what gets the messages: one of them, the other is None.
    raw: whether they come without an envelope. policy: the filter policy, and `scope` what it looks at.
    """

    topic: str
    queue: str | None
    part: str | None
    raw: bool
    policy: dict[str, Any] | None
    scope: str


class TablePlan(TypedDict):
    """A table. definition: the parameters of CreateTable. ttl: the attribute by which items expire; empty for none."""

    name: str
    definition: dict[str, Any]
    ttl: str


class StreamPlan(TypedDict):
    """A stream of Kinesis. shards: at least one. retention: in hours."""

    name: str
    shards: int
    retention: int


class NotificationPlan(TypedDict):
    """An event that a bucket tells a part of. event: `s3:ObjectCreated:*`."""

    event: str
    prefix: str
    suffix: str
    part: str


class BucketPlan(TypedDict):
    """A bucket."""

    name: str
    versioned: bool
    notifications: list[NotificationPlan]


class RulePlan(TypedDict):
    """A rule of a bus: either a pattern, or an expression by which it is due."""

    name: str
    bus: str
    pattern: dict[str, Any] | None
    expression: str
    enabled: bool
    part: str


class SchedulePlan(TypedDict):
    """A schedule of EventBridge Scheduler. input: what it sends, as JSON text. timezone: UTC where it is empty."""

    name: str
    expression: str
    timezone: str
    input: str
    enabled: bool
    part: str


class SecretPlan(TypedDict):
    """A secret with a value of this run."""

    name: str
    value: str


class MappingPlan(TypedDict):
    """An event source mapping.

    source: the service. resource: the name of the queue, table or stream.
    batch_size: the most records of one call. window: seconds for which a batch is gathered.
    concurrency: of a queue, the most calls at a time; None for the default.
    position, attempts, bisect, parallel: of a table or stream, as `router.contract.declarations.Mapped` has them.
    filters: patterns, as JSON text; a record that none takes is skipped. None where every record is taken.
    failures: the queue that is told of batches that are given up.
    """

    source: Literal["sqs", "dynamodb", "kinesis"]
    resource: str
    part: str
    batch_size: int
    window: int
    concurrency: int | None
    position: str
    attempts: int
    bisect: bool
    parallel: int
    filters: list[str] | None
    failures: str | None


class ApiPlan(TypedDict):
    """An API in front of the application. settings: the fields of its declaration by name.

    authorizer: the part that has the authorizer of that name; None without.
    """

    kind: str
    settings: dict[str, Any]
    parts: list[str]
    authorizer: str | None


class TaskPlan(TypedDict):
    """A task of ECS, which runs as a process. command: empty for `run_task()` of the application."""

    name: str
    part: str
    cpu: int
    memory: int
    command: list[str]


class Plan(TypedDict):
    """Everything that an application needs around it.

    variables: the environment of all functions. random: those among them that have a random value in this run.
    notes: what cannot be made, and what is made in another way, in words.
    """

    stack: str
    region: str
    account: str
    functions: list[FunctionPlan]
    queues: list[QueuePlan]
    topics: list[TopicPlan]
    subscriptions: list[SubscriptionPlan]
    tables: list[TablePlan]
    streams: list[StreamPlan]
    buckets: list[BucketPlan]
    buses: list[str]
    rules: list[RulePlan]
    schedules: list[SchedulePlan]
    secrets: list[SecretPlan]
    mappings: list[MappingPlan]
    apis: list[ApiPlan]
    tasks: list[TaskPlan]
    variables: dict[str, str]
    random: list[str]
    notes: list[str]
