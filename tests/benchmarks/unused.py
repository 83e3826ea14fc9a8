"""Guards that nobody uses: a copy of the library beside one that has none of their files."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

from router.cli.copies import make_copy
from tests.benchmarks import limits, payloads
from tests.benchmarks.processes import interleaved_processes
from tests.benchmarks.results import Budget, Figure, Section, Spread, ratios
from tests.benchmarks.timing import interleaved
from tests.benchmarks.warm import asked

WITH, WITHOUT = "copy_with_guards", "copy_without_guards"
GUARDS = ("router/guards/", "router/middleware/", "router/telemetry/", "router/dispatch/stopping.py", "adapters/")


def unused_guards(rounds: int) -> Section:
    """The import of an application's first line, and a GET, in both copies."""
    with _copies() as folder:
        statements = {
            name: f"import sys; sys.path.insert(0, {str(folder)!r}); from {name}.router import Event, Resolver, Session"
            for name in (WITH, WITHOUT)
        }
        runs = interleaved_processes("importing", list(statements.values()), rounds)
        imports = {name: [run["import"] for run in runs[statement]] for name, statement in statements.items()}
        calls = {name: asked(_handler(name), payloads.rest("/orders/42")) for name in (WITH, WITHOUT)}
        requests = interleaved(calls, rounds=rounds, clock=process_time)
    figures = [Figure(name, "import", Spread.of(taken), "s") for name, taken in imports.items()]
    figures += [Figure(name, "GET", Spread.of(taken), "s") for name, taken in requests.items()]
    budgets = [
        Budget(f"{what} with unused guards / without", Spread.of(ratios(taken, WITH, WITHOUT)), limits.UNUSED_GUARDS)
        for what, taken in (("import", imports), ("GET", requests))
    ]
    return Section("unused", "Guards that are not used", figures, budgets)


@contextmanager
def _copies() -> Iterator[Path]:
    with TemporaryDirectory(prefix="guards-") as name:
        folder = Path(name)
        for package in (WITH, WITHOUT):
            for path, content in make_copy(package).items():
                if package == WITH or not path.startswith(GUARDS):
                    target = folder / package / path
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(content)
        sys.path.insert(0, name)
        try:
            yield folder
        finally:
            sys.path.remove(name)


def _handler(package: str) -> Any:
    resolver = import_module(f"{package}.router").Resolver()

    @resolver.get("/orders/{order_id}")
    def show(order_id: str) -> dict[str, str]:
        return {"id": order_id}

    return resolver.resolve
