"""Declare what routes cannot know of the resources around them: `Queue("orders", dead_letter=3)`.

Each is plain data. What is left out has the default that the field gives, or one that follows from the function: the
visibility of a queue from the function's time limit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, ClassVar, Protocol

from router.contract.checks import (
    check_count,
    check_expression,
    check_name,
    check_seconds,
    check_types,
    check_variable,
    refuse,
)

if TYPE_CHECKING:
    from typing import Any

DAY_S = 24 * 60 * 60
NEWEST, OLDEST = "LATEST", "TRIM_HORIZON"
_TIMEZONE = re.compile(r"[A-Za-z][A-Za-z0-9/_+-]{0,49}", re.ASCII)
_POSITIONS = (NEWEST, OLDEST)


class Defined(Protocol):
    """An adapter that knows the layout of its table.

    It may have `ttl_attribute`, too: the attribute by which items expire, or "".
    """

    def definition(self) -> Mapping[str, Any]:
        """Return the parameters of CreateTable."""


@dataclass(frozen=True, slots=True)
class Resource:
    """Hold what all resources have.

    name: its name in AWS, as events and adapters have it. Routes that take `Env("ORDERS_QUEUE")` need none: give
        `variable="ORDERS_QUEUE"`, and the stack makes a name.
    variable: the environment variable that tells functions where it is: `requires=` and `Env` name it.
    exists: whether it belongs to somebody else: it is mapped and permitted, and not made.
    """

    kind: ClassVar[str] = ""
    name: str = ""
    _: KW_ONLY
    variable: str = ""
    exists: bool = False

    def __post_init__(self) -> None:
        check_types(self)
        if not self.name and not self.variable:
            refuse(self, "give a name, or the variable that is to hold it")
        check_variable(self, self.variable)
        if self.name:
            check_name(self, self.kind, self.name)

    def __str__(self) -> str:
        """Return how messages name it: `queue orders`."""
        return f"{self.kind} {self.name or self.variable}"


@dataclass(frozen=True, slots=True)
class Queue(Resource):
    """A queue of SQS.

    fifo: whether it is a FIFO queue; by default as its name ends.
    dead_letter: after how many tries a message goes to its dead-letter queue; 0 for no such queue.
    visibility: seconds for which a message is hidden while it is handled; by default six times the function's limit and
        the window, as AWS advises.
    retention: seconds that a message is kept, at most 14 days.
    batch_size: the most messages of one call: 10, without a window; 10,000 with one; 10 of a FIFO queue.
    window: seconds for which Lambda gathers a batch, at most 300.
    maximum_concurrency: the most calls at a time, 2 to 1,000; None for no limit of the mapping's own.
    topics: names of the topics that it is subscribed to, beside those that its routes name with `topics=`.
    raw: whether these topics deliver without an envelope.
    filters: whether AWS deletes what its routes ignore (`others="ignore"`), in place of calling the function with it.
    """

    kind: ClassVar[str] = "queue"
    _: KW_ONLY
    fifo: bool | None = None
    dead_letter: int = 5
    visibility: int | None = None
    retention: int = 4 * DAY_S
    batch_size: int = 10
    window: int = 0
    maximum_concurrency: int | None = None
    topics: tuple[str, ...] = ()
    raw: bool = False
    filters: bool = False

    def __post_init__(self) -> None:
        Resource.__post_init__(self)
        for topic in self.topics:
            check_name(self, "topic", topic)
        by_name = self.name.endswith(".fifo")
        if self.fifo is None:
            object.__setattr__(self, "fifo", by_name)
        elif self.name and self.fifo is not by_name:
            refuse(self, "the name of a FIFO queue ends with .fifo, and that of another does not")
        check_count(self, "dead_letter", self.dead_letter, 0, 1000)
        check_seconds(self, "retention", self.retention, 60, 14 * DAY_S)
        check_seconds(self, "window", self.window, 0, 300)
        if self.visibility is not None:
            check_seconds(self, "visibility", self.visibility, 0, DAY_S // 2)
        if self.maximum_concurrency is not None:
            check_count(self, "maximum_concurrency", self.maximum_concurrency, 2, 1000)
        if self.fifo and self.window:
            refuse(self, "window= is not for a FIFO queue")
        check_count(self, "batch_size", self.batch_size, 1, 10 if self.fifo or not self.window else 10_000)


@dataclass(frozen=True, slots=True)
class Topic(Resource):
    """A topic of SNS.

    fifo: whether it is a FIFO topic; by default as its name ends.
    filters: whether AWS does not deliver what the routes of `on_topic` ignore (`others="ignore"`).
    """

    kind: ClassVar[str] = "topic"
    _: KW_ONLY
    fifo: bool | None = None
    filters: bool = False

    def __post_init__(self) -> None:
        Resource.__post_init__(self)
        by_name = self.name.endswith(".fifo")
        if self.fifo is None:
            object.__setattr__(self, "fifo", by_name)
        elif self.name and self.fifo is not by_name:
            refuse(self, "the name of a FIFO topic ends with .fifo, and that of another does not")


@dataclass(frozen=True, slots=True)
class Mapped(Resource):
    """Declare what an event source mapping reads in order: a stream or a topic of Kafka.

    batch_size: the most records of one call. window: seconds for which Lambda gathers a batch, at most 300.
    position: where a new mapping begins: OLDEST loses nothing that was written before it.
    attempts: how often Lambda tries a batch again; what still fails then goes to the queue of failed events. Without a
        limit one bad record holds its shard for as long as the stream keeps it.
    bisect: whether a batch that failed is halved.
    parallel: the batches of one shard at a time, 1 to 10.
    filters: whether AWS skips what its routes ignore (`others="ignore"`, `events=`), in place of calling the function
        with it.
    """

    _: KW_ONLY
    batch_size: int = 100
    window: int = 0
    position: str = OLDEST
    attempts: int = 10
    bisect: bool = True
    parallel: int = 1
    filters: bool = False

    def __post_init__(self) -> None:
        Resource.__post_init__(self)
        check_count(self, "batch_size", self.batch_size, 1, 10_000)
        check_seconds(self, "window", self.window, 0, 300)
        check_count(self, "attempts", self.attempts, 0, 10_000)
        check_count(self, "parallel", self.parallel, 1, 10)
        if self.position not in _POSITIONS:
            refuse(self, f"position= takes {' or '.join(_POSITIONS)}, not {self.position!r:.80}")


@dataclass(frozen=True, slots=True)
class Table(Mapped):
    """A table of DynamoDB, with the settings of its stream's mapping where a route takes the stream.

    pk, sk: the attributes of its key, texts; sk may be empty.
    ttl: the attribute by which items expire; by default that of the adapter in `definition`; empty for none.
    definition: in place of pk and sk the adapter of the table, such as `adapters.dynamodb.Table`, with the method
        `definition()`; or the parameters of CreateTable, which say nothing of ttl.
    stream: what its stream holds, where a route takes it.
    types: for `filters`, the type of each attribute that patterns ask for, with dots into maps: `{"status": "S"}`; "S"
        or "BOOL". Each item must have that type there, or none. Those of keys are known.
    """

    kind: ClassVar[str] = "table"
    _: KW_ONLY
    pk: str = "pk"
    sk: str = "sk"
    ttl: str = ""
    definition: Mapping[str, Any] | Defined | None = None
    stream: str = "NEW_AND_OLD_IMAGES"
    types: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.definition is not None and not hasattr(self.definition, "items"):
            self._take(self.definition)
        Mapped.__post_init__(self)
        views = ("KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES")
        if self.stream not in views:
            refuse(self, f"stream= takes {', '.join(views)}, not {self.stream!r:.80}")
        named = self.layout.get("TableName", self.name)
        if self.name and named != self.name:
            refuse(self, f"its definition is of the table {named!r:.80}")
        for attribute, kind in self.types.items():
            if kind not in ("S", "BOOL"):
                refuse(
                    self, f"types= takes S and BOOL, not {kind!r:.80} for {attribute!r:.80}: nothing else is filtered"
                )

    @property
    def layout(self) -> Mapping[str, Any]:
        """Return the parameters of CreateTable that were given; empty where pk and sk tell the key."""
        return self.definition if isinstance(self.definition, Mapping) else {}

    def _take(self, adapter: Any) -> None:
        """Take the layout of an adapter's table, and the attribute of its TTL.

        Raises:
            ConfigurationError: it is none, or keeps its TTL in another attribute than `ttl` says.
        """
        if isinstance(adapter, type) or not callable(getattr(adapter, "definition", None)):
            refuse(self, f"definition= takes an adapter with definition(), or a mapping, not {adapter!r:.80}")
        object.__setattr__(self, "definition", adapter.definition())
        own = getattr(adapter, "ttl_attribute", "")
        if own and self.ttl and own != self.ttl:
            refuse(self, f"ttl={self.ttl!r:.80}: {type(adapter).__name__} keeps the time in {own!r}; leave ttl= out")
        object.__setattr__(self, "ttl", self.ttl or own)


@dataclass(frozen=True, slots=True)
class Stream(Mapped):
    """A stream of Kinesis. shards: how many it has; 0 for as many as it needs (ON_DEMAND). retention: in seconds."""

    kind: ClassVar[str] = "stream"
    _: KW_ONLY
    shards: int = 0
    retention: int = DAY_S

    def __post_init__(self) -> None:
        Mapped.__post_init__(self)
        check_count(self, "shards", self.shards, 0, 10_000)
        check_seconds(self, "retention", self.retention, DAY_S, 365 * DAY_S)


@dataclass(frozen=True, slots=True)
class Kafka(Mapped):
    """A topic of Kafka.

    cluster: the ARN of an Amazon MSK cluster; or `servers`: addresses of a cluster of one's own, `host:port`.
    secret: the name or ARN of the secret with its credentials. subnets, security_groups: where a cluster of one's own
        is reached. group: the consumer group; by default Lambda makes one.
    pollers: event pollers that are always there (provisioned mode), which cost by the hour. Lambda takes partial
        answers and another number of attempts than ten in this mode alone: then there is one where 0 is given.
    """

    kind: ClassVar[str] = "kafka"
    _: KW_ONLY
    cluster: str = ""
    servers: tuple[str, ...] = ()
    secret: str = ""
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    group: str = ""
    pollers: int = 0

    def __post_init__(self) -> None:
        Mapped.__post_init__(self)
        check_count(self, "pollers", self.pollers, 0, 200)
        if bool(self.cluster) is bool(self.servers):
            refuse(self, "give the cluster= of Amazon MSK, or the servers= of another one")


@dataclass(frozen=True, slots=True)
class Bucket(Resource):
    """A bucket of S3. versioned: whether it keeps what was overwritten and deleted."""

    kind: ClassVar[str] = "bucket"
    _: KW_ONLY
    versioned: bool = False


@dataclass(frozen=True, slots=True)
class Bus(Resource):
    """A bus of EventBridge. Routes of `on_bus` listen to the one that is declared; else to the account's default.

    filters: whether its rules do not deliver what its routes ignore (`others="ignore"`).
    """

    kind: ClassVar[str] = "bus"
    _: KW_ONLY
    filters: bool = False


@dataclass(frozen=True, slots=True)
class Schedule(Resource):
    """A rule that is due at times: `Schedule("nightly", "cron(0 2 * * ? *)")`.

    expression: `rate(...)`, `cron(...)`, in EventBridge Scheduler also `at(...)`; one that exists needs none.
    timezone: of the expression, such as Europe/Berlin; it makes this a schedule of EventBridge Scheduler, as `at` and a
        payload do.
    payload: what the event holds beside its time, as JSON data.
    enabled: whether it is due at all.
    """

    kind: ClassVar[str] = "schedule"
    expression: str = ""
    _: KW_ONLY
    timezone: str = ""
    payload: Mapping[str, Any] | None = None
    enabled: bool = True

    def __post_init__(self) -> None:
        Resource.__post_init__(self)
        if self.expression or not self.exists:
            check_expression(self, self.expression)
        if self.timezone and not _TIMEZONE.fullmatch(self.timezone):
            refuse(self, f"timezone= takes a name such as Europe/Berlin, not {self.timezone!r:.80}")

    @property
    def is_scheduler(self) -> bool:
        """Whether EventBridge Scheduler runs it: a rule knows neither time zones, single times nor a payload."""
        return bool(self.timezone) or self.expression.startswith("at(") or self.payload is not None


@dataclass(frozen=True, slots=True)
class Secret(Resource):
    """A secret of Secrets Manager. The template makes it with a random value where it does not exist."""

    kind: ClassVar[str] = "secret"
