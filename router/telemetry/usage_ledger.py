"""`Ledger`: the rows of one call of the function, until the call has ended and its cost can be shared."""

from __future__ import annotations

from os import environ
from time import perf_counter, time_ns

from router.event import Source
from router.telemetry.usage_prices import Billed
from router.telemetry.usage_shares import divide, shares_of_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from router.telemetry.usage_rows import Row

    Prices = Callable[[Billed], float | None]


class Span:
    """One dispatch, from its begin to its end.

    began, ended: in seconds of `time.perf_counter`: a clock that is set does not change them. at: nanoseconds of 1970.
    row: None for one that is left out by sampling.
    error: what was wrong with its event when the dispatch ended; it may be another one at the end of the call.
    has_inner: whether events inside of it were counted, so that it is not.
    """

    __slots__ = ("at", "began", "ended", "error", "has_inner", "row")

    def __init__(self) -> None:
        self.began = self.ended = perf_counter()
        self.at = time_ns()
        self.row: Row | None = None
        self.error: BaseException | None = None
        self.has_inner = False

    def extend(self, *_: object) -> None:
        """Let it end now: work that it started in the background has, or the stream that it answers with."""
        self.ended = perf_counter()


class Ledger:
    """The spans of one call. closed: they are written, and nothing can be added."""

    __slots__ = ("closed", "spans")

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.closed = False


class Place:
    """Where this process runs, as prices go by it."""

    __slots__ = ("architecture", "function", "memory_mb", "mode", "region")

    def __init__(self) -> None:
        self.region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
        self.architecture = _architecture()
        self.function = environ.get("AWS_LAMBDA_FUNCTION_NAME")
        mode = environ.get("AWS_LAMBDA_INITIALIZATION_TYPE")
        self.mode = mode or ("on-demand" if self.function else None)
        self.memory_mb = _megabytes(environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"))

    def memory_of(self, context: Any) -> int | None:
        """Return the memory that the function is given, in MB; None outside of Lambda."""
        return _megabytes(getattr(context, "memory_limit_in_mb", None)) or self.memory_mb


def _architecture() -> str:
    import sys

    if sys.platform == "win32":
        from platform import machine

        name = machine()
    else:
        from os import uname

        name = uname().machine
    return {"aarch64": "arm64", "AMD64": "x86_64"}.get(name, name)


def _megabytes(value: Any) -> int | None:
    """Return a size that AWS gives as a number or as text; None for none, as of a worker."""
    try:
        return int(value) or None
    except (TypeError, ValueError):
        return None


def lambda_context(context: Any) -> Any:
    """Return Lambda's own context, which the SDK of durable functions puts inside of another."""
    return getattr(context, "lambda_context", None) or context


def is_durable_replay(context: Any) -> bool:
    """Whether a durable function is called again for what it has begun: it holds more than the first operation.

    context: ours, within an envelope; or that of the SDK, where an application has opened the envelope by itself.
    """
    if getattr(context, "is_replay", False) is True:
        return True
    operations = getattr(getattr(context, "state", None), "operations", None)
    return isinstance(operations, dict | list | tuple) and len(operations) > 1


def peak_memory_mb() -> float | None:
    """Return the most memory that this process has held so far, in MB; None where the system does not tell."""
    # Linux keeps it for the program. What getrusage tells there is also of the process that started it, before exec.
    try:
        with open("/proc/self/status", "rb") as status:
            held = status.read().partition(b"VmHWM:")[2].split(maxsplit=1)
        return round(int(held[0]) / 1024, 1)  # in KB
    except (OSError, IndexError, ValueError):
        pass
    try:
        from resource import RUSAGE_SELF, getrusage
    except ImportError:
        return None
    import sys

    peak = getrusage(RUSAGE_SELF).ru_maxrss  # in bytes on macOS, elsewhere in KB
    return round(peak / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)


def common_fields(place: Place, context: Any, source: Source | None, *, cold_start: bool = False) -> Row:
    """Return what is the same in all rows of a call.

    context: Lambda's, or None.
    source: of the call; None where there is none.
    cold_start: whether it was the first of a new environment.
    """
    request_id = getattr(context, "aws_request_id", None)
    mode = place.mode
    if source is Source.TASK:
        mode = None
    elif source is Source.CLOUDFRONT and mode is not None:
        mode = "edge"
    return {
        "memory_used_mb": peak_memory_mb(),
        "memory_allocated_mb": place.memory_of(context),
        "cold_start": cold_start,
        "region": place.region,
        "architecture": place.architecture,
        "mode": mode,
        "request_id": request_id if isinstance(request_id, str) else None,
    }


def billed_of(common: Row, seconds: float) -> Billed:
    """Return what AWS bills for a call.

    common: the fields that all of its rows have.
    seconds: how long it took.
    """
    return Billed(
        seconds,
        common["memory_allocated_mb"],
        common["region"],
        common["architecture"],
        common["mode"],
        restored=common["cold_start"] and common["mode"] == "snap-start",
    )


def settle(spans: list[Span], common: Row, cost: float | None) -> list[Row]:
    """Fill the rows of a call in, and return those that are to be written.

    spans: all of them, also those without a row: the others pay nothing for them.
    cost: of the whole call, in US dollars; None where it is not known.
    """
    spans.sort(key=lambda span: span.began)
    parts: list[float] | None = None
    if cost is not None:
        parts = divide(cost, shares_of_time([(span.began, span.ended) for span in spans]))
    rows = []
    for number, span in enumerate(spans):
        row = span.row
        if row is None:
            continue
        if type(row) is dict:
            row.update(common)
        else:  # measured by hand: what is said of it counts
            row.update({name: value for name, value in common.items() if row.get(name) is None})
        row["duration_ms"] = round(max(0.0, span.ended - span.began) * 1000, 3)
        if parts is not None:
            row["lambda_cost"] = parts[number]
        rows.append(row)
    return rows
