"""Sinks: where rows of usage go. What a sink does changes no answer, and what it fails at is logged.

A sink is a function of a list of rows, or an object with `write(rows, seconds)`; `seconds` is the time that it has.
"""

from __future__ import annotations

from router.encode import dumps
from router.errors import ConfigurationError
from router.telemetry.dimensions import MOST_VALUES, OTHER, dimension

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from threading import Thread
    from typing import Any

    from router.telemetry.usage_rows import Row

_MOST_DIMENSIONS = 30  # of one metric of CloudWatch


class UsageLog:
    """Writes each row as one line of JSON, to standard output unless something else is given.

    write: takes the lines, each with its line feed, as one text.
    """

    immediate = True  # it is not given a thread: there is nothing to wait for

    def __init__(self, write: Callable[[str], object] | None = None) -> None:
        self._write = write or _to_stdout

    def write(self, rows: Sequence[Row], seconds: float) -> None:
        """Write the rows."""
        self._write("".join(dumps(row).decode() + "\n" for row in rows))


class UsageMetrics:
    """Writes the rows as metrics of CloudWatch, in its embedded format: lines of the log that cost no call.

    namespace: of the metrics: Dispatches, Errors, Duration, Cost, MemoryUsed.
    dimensions: fields of rows. Each combination of values is a metric of its own that is paid for: take none that
        clients choose, and think twice before `account`.
    most: how many combinations this process writes; what is beyond counts as "(other)".
    write: takes the lines, to standard output unless something else is given.

    Raises:
        ConfigurationError: there are more dimensions than CloudWatch takes.
    """

    immediate = True

    def __init__(
        self,
        namespace: str = "Usage",
        *,
        dimensions: Iterable[str] = ("operation", "event_source"),
        most: int = 100,
        write: Callable[[str], object] | None = None,
    ) -> None:
        self._dimensions = (dimensions,) if isinstance(dimensions, str) else tuple(dimensions)
        if len(self._dimensions) > _MOST_DIMENSIONS:
            raise ConfigurationError(f"UsageMetrics(dimensions=...): CloudWatch takes {_MOST_DIMENSIONS} at most")
        if not namespace or most < 1:
            raise ConfigurationError("UsageMetrics(): give a namespace, and most= from 1")
        self._namespace = namespace
        self._most = most
        self._seen: set[tuple[str, ...]] = set()
        self._write = write or _to_stdout

    def write(self, rows: Sequence[Row], seconds: float) -> None:
        """Write the rows; those with the same dimensions share a line."""
        groups: dict[tuple[str, ...], list[Row]] = {}
        for row in rows:
            groups.setdefault(self._values(row), []).append(row)
        lines = [
            self._line(values, group[start : start + MOST_VALUES])
            for values, group in groups.items()
            for start in range(0, len(group), MOST_VALUES)
        ]
        self._write("".join(dumps(line).decode() + "\n" for line in lines))

    def _values(self, row: Row) -> tuple[str, ...]:
        values = tuple(dimension(row.get(name)) for name in self._dimensions)
        if values not in self._seen:
            if len(self._seen) >= self._most:
                return (OTHER,) * len(values)
            self._seen.add(values)
        return values

    def _line(self, values: tuple[str, ...], rows: list[Row]) -> dict[str, Any]:
        weights = [float(row.get("sample_weight") or 1) for row in rows]
        metrics: dict[str, tuple[str, Any]] = {
            "Dispatches": ("Count", sum(weights)),
            "Errors": ("Count", sum(w for w, row in zip(weights, rows, strict=True) if not row.get("success", True))),
            "Duration": ("Milliseconds", [row.get("duration_ms") or 0.0 for row in rows]),
        }
        costs = [(row.get("lambda_cost"), weight) for row, weight in zip(rows, weights, strict=True)]
        if all(cost is not None for cost, _ in costs):
            metrics["Cost"] = ("None", sum(float(cost or 0) * weight for cost, weight in costs))
        memory = max((row.get("memory_used_mb") or 0 for row in rows), default=0)
        if memory:
            metrics["MemoryUsed"] = ("Megabytes", memory)
        return {
            "_aws": {
                "Timestamp": _milliseconds(),
                "CloudWatchMetrics": [
                    {
                        "Namespace": self._namespace,
                        "Dimensions": [list(self._dimensions)],
                        "Metrics": [{"Name": name, "Unit": unit} for name, (unit, _) in metrics.items()],
                    }
                ],
            },
            **dict(zip(self._dimensions, values, strict=True)),
            **{name: value for name, (_, value) in metrics.items()},
        }


def _milliseconds() -> int:
    from time import time

    return int(time() * 1000)


def _to_stdout(text: str) -> None:
    import sys

    sys.stdout.write(text)
    sys.stdout.flush()


# ---- writing -------------------------------------------------------------------------------------------------------


def checked_sinks(sinks: Sequence[Any]) -> tuple[Any, ...]:
    """Return sinks that can take rows.

    Raises:
        ConfigurationError: there is none, or one is not a function and has no `write`.
    """
    for sink in sinks:
        if isinstance(sink, type) or not (callable(getattr(sink, "write", None)) or callable(sink)):
            raise ConfigurationError(f"Usage(): {sink!r:.80} is not a sink; give a function, or an object with write()")
    if not sinks:
        raise ConfigurationError("Usage(): give a sink, such as UsageLog() or adapters.usage.UsageTable()")
    return tuple(sinks)


def deliver(sinks: Sequence[Any], rows: list[Row], seconds: float) -> None:
    """Give rows to all sinks, and wait for them so many seconds at most.

    A sink that may have to wait has a thread of its own: nothing else can be left alone when the time is up.
    """
    waiting: list[tuple[Thread, Any, list[BaseException]]] = []
    for sink in sinks:
        mine = rows if len(sinks) == 1 else [dict(row) for row in rows]
        try:
            if getattr(sink, "immediate", False):
                _give(sink, mine, seconds)
            else:
                waiting.append(_begin(sink, mine, seconds))
        except Exception as error:  # of the sink, or no thread can be begun
            _failed(sink, len(rows), error)
    if not waiting:
        return
    from time import monotonic

    until = monotonic() + seconds
    for thread, sink, errors in waiting:
        thread.join(max(0.0, until - monotonic()))
        if thread.is_alive():
            _log("usage: %s has not written %d rows in %.1f seconds", sink, len(rows), seconds)
        elif errors:
            _failed(sink, len(rows), errors[0])


def _begin(sink: Any, rows: list[Row], seconds: float) -> tuple[Thread, Any, list[BaseException]]:
    from threading import Thread

    errors: list[BaseException] = []

    def work() -> None:
        try:
            _give(sink, rows, seconds)
        except BaseException as error:
            errors.append(error)

    thread = Thread(target=work, name="usage", daemon=True)
    thread.start()
    return thread, sink, errors


def _give(sink: Any, rows: list[Row], seconds: float) -> None:
    write = getattr(sink, "write", None)
    written = sink(rows) if write is None else write(rows, seconds)
    if hasattr(written, "__await__"):
        from asyncio import run

        async def wait() -> None:
            await written

        run(wait())


def _failed(sink: Any, rows: int, error: BaseException) -> None:
    from router.errors import text_of

    _log("usage: %s has not written %d rows: %s: %s", sink, rows, type(error).__name__, text_of(error)[:500])


def _log(message: str, sink: Any, *values: object) -> None:
    from logging import getLogger

    name = getattr(sink, "__qualname__", type(sink).__qualname__)
    getLogger("router.telemetry").error(message, name, *values)
