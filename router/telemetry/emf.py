"""A provider for Powertools' Metrics that keeps the metrics and dimensions of each record apart.

Powertools keeps one set of dimensions for the process: what a handler adds for one record is on the metrics of the next
one, too, and handlers that run at the same time write into each other's. Here each record has a set of its own.
"""

from __future__ import annotations

from contextvars import ContextVar
from functools import cache

from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider as Provider

    Pending = dict[tuple[tuple[str, str], ...], "Set"]
else:
    Provider = object  # the real one stands beside it once Powertools is loaded

_MOST_PENDING = 100  # sets of dimensions that are kept until the end of a call


class Set:
    """Metrics that share their dimensions: those of one record, or of several with the same dimensions."""

    __slots__ = ("dimension_set", "dimension_sets", "metadata_set", "metric_set", "timestamp")

    def __init__(self, dimensions: dict[str, str]) -> None:
        self.metric_set: dict[str, Any] = {}
        self.dimension_set = dimensions
        self.dimension_sets: list[dict[str, str]] = []
        self.metadata_set: dict[str, Any] = {}
        self.timestamp: int | None = None

    @property
    def stands_alone(self) -> bool:
        """Whether nothing else may share its line: it has metadata, a time or further sets of dimensions."""
        return bool(self.metadata_set or self.dimension_sets or self.timestamp)


here: ContextVar[Set | None] = ContextVar("router_metrics", default=None)


def _held(name: str) -> Any:
    """Return a property that is the attribute of the set which holds here."""

    def read(self: RecordProvider) -> Any:
        return getattr(here.get() or self.everywhere, name)

    def write(self: RecordProvider, value: Any) -> None:
        setattr(here.get() or self.everywhere, name, value)

    return property(read, write)


class RecordProvider(Provider):
    """Write into the set of the record that is being handled; outside of a dispatch into one for the process.

    original: the provider in whose place it stands.
    """

    if not TYPE_CHECKING:
        metric_set = _held("metric_set")
        dimension_set = _held("dimension_set")
        dimension_sets = _held("dimension_sets")
        metadata_set = _held("metadata_set")
        timestamp = _held("timestamp")

    def __init__(self, original: Provider) -> None:
        self.everywhere = Set(original.dimension_set)
        super().__init__(
            metric_set=original.metric_set,  # which all objects of Metrics share
            dimension_set=original.dimension_set,
            metadata_set=original.metadata_set,
            namespace=original.namespace,
            service=original.service,
        )
        self.default_dimensions = original.default_dimensions  # the object itself: it may be filled later
        self.function_name = getattr(original, "function_name", None)

    def new_set(self) -> Set:
        """Return an empty set, with the default dimensions."""
        return Set({name: str(value) for name, value in self.default_dimensions.items()})

    def write(self, metrics: Set) -> None:
        """Write a set, unless it is empty."""
        if not metrics.metric_set:
            return
        token = here.set(metrics)
        try:
            self.flush_metrics()
        finally:
            here.reset(token)
            metrics.metric_set.clear()

    def keep(self, metrics: Set, pending: Pending) -> None:
        """Keep the metrics of a record until the end of the call, with those that have the same dimensions."""
        if metrics.stands_alone:
            self.write(metrics)
            return
        key = tuple(sorted(metrics.dimension_set.items()))
        into = pending.get(key)
        if into is None:
            if len(pending) >= _MOST_PENDING:
                self.write_all(pending)
            pending[key] = metrics
            return
        token = here.set(into)
        try:
            for name, metric in metrics.metric_set.items():
                for value in metric["Value"]:  # one by one: a hundred of them are a line
                    self.add_metric(name, metric["Unit"], value, metric["StorageResolution"])
        finally:
            here.reset(token)

    def write_all(self, pending: Pending) -> None:
        """Write all sets that are kept."""
        for metrics in pending.values():
            self.write(metrics)
        pending.clear()


@cache
def _loaded() -> tuple[Any, Any]:
    """Return the provider of Powertools, and ours on top of it. Raises ConfigurationError where it is not installed."""
    try:
        from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider
    except ImportError as missing:
        raise ConfigurationError(
            'metrics need aws-lambda-powertools: pip install "lambda-junction[powertools]"'
        ) from missing
    return AmazonCloudWatchEMFProvider, type("RecordProvider", (RecordProvider, AmazonCloudWatchEMFProvider), {})


def provider_of(metrics: Any) -> RecordProvider:
    """Return the provider of a Metrics object that keeps records apart, and put it there.

    metrics: of Powertools; None for a new one.

    Raises:
        ConfigurationError: it is no Metrics of Powertools for CloudWatch, or it has no namespace.
    """
    theirs, ours = _loaded()
    if metrics is None:
        from aws_lambda_powertools import Metrics

        metrics = Metrics()
    provider = getattr(metrics, "provider", None)
    if isinstance(provider, RecordProvider):
        return provider
    if not isinstance(provider, theirs):
        raise ConfigurationError("DispatchMetrics takes a Metrics of aws_lambda_powertools, for CloudWatch")
    if not provider.namespace:
        raise ConfigurationError("metrics need a namespace: Metrics(namespace=...), or POWERTOOLS_METRICS_NAMESPACE")
    made: RecordProvider = ours(provider)
    metrics.provider = made
    return made
