"""Exports and the check for an application of 500 routes; and the start of one function of twelve."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from sys import modules
from tempfile import TemporaryDirectory
from time import process_time
from types import ModuleType
from typing import Any

from router import Event, Resolver
from router.environment import SQS, DynamoDB
from tests.benchmarks import limits
from tests.benchmarks.candidates import APPS, OURS
from tests.benchmarks.processes import interleaved_processes
from tests.benchmarks.results import Budget, Figure, Section, Spread, ratios

_MODULE = "tests.benchmarks.large"
REQUESTS, QUEUES, TOPICS, BUSES = 400, 60, 20, 20
ROUTES = REQUESTS + QUEUES + TOPICS + BUSES


def _handler() -> Callable[[Event], Awaitable[None]]:
    async def handle(event: Event) -> None: ...

    return handle


@contextmanager
def _large() -> Iterator[str]:
    """Make an application with a route of each kind, hundreds of them. Template limits allow 500 resources."""
    resolver = Resolver()
    for number in range(REQUESTS):
        needs = {f"TABLE{number % 20}": [DynamoDB.GET_ITEM, DynamoDB.PUT_ITEM]}
        resolver.get(f"/resource{number}/{{item_id}}", requires=needs)(_handler())
    for number in range(QUEUES):
        resolver.on_queue(f"queue{number}", requires={f"QUEUE{number % 20}": [SQS.SEND_MESSAGE]})(_handler())
    for number in range(TOPICS):
        resolver.on_topic(f"topic{number}", requires={})(_handler())
    for number in range(BUSES):
        resolver.on_bus(f"Type {number}", requires={})(_handler())
    made = ModuleType(_MODULE)
    made.resolver = resolver  # type: ignore[attr-defined]
    modules[_MODULE] = made
    try:
        yield f"{_MODULE}:resolver"
    finally:
        del modules[_MODULE]


def exports(rounds: int) -> Section:
    """Each export, and the check of what is exported."""
    taken: dict[str, list[float]] = {}
    with _large() as name, TemporaryDirectory() as folder:
        file = Path(folder) / "template.yaml"
        for _ in range(rounds):
            for what, call in _steps(name, file).items():
                began = process_time()
                call()
                taken.setdefault(what, []).append(process_time() - began)
    figures = [Figure(OURS, what, Spread.of(samples), "s") for what, samples in taken.items()]
    budgets = [
        Budget(
            f"{what}, {ROUTES} routes, s", Spread.of(samples), limits.CHECK_S if what == "check" else limits.EXPORT_S
        )
        for what, samples in taken.items()
    ]
    return Section("contract", f"Exports and the check, {ROUTES} routes", figures, budgets)


def _steps(name: str, file: Path) -> dict[str, Callable[[], object]]:
    from router.contract import Stack, merging, yaml_text
    from router.contract.filter_report import text
    from router.contract.policies import policy
    from router.contract.sam import template

    def sam() -> None:
        file.write_text(yaml_text.write(merging.marked(template(Stack(name).infrastructure()))))

    def iam() -> None:
        held = Stack(name).infrastructure()
        json.dumps(policy(held, held.parts[0]))

    def filters() -> None:
        text(Stack(name).infrastructure())

    return {"export sam": sam, "export iam": iam, "export filters": filters, "check": lambda: _check(name, file)}


def _check(name: str, file: Path) -> None:
    from router.contract import Stack
    from router.contract.checking.blocking import blocking
    from router.contract.checking.deployed import Template
    from router.contract.checking.routes import unreachable
    from router.contract.checking.template import check_template, functions_of_application

    resolver, held = Stack(name).load(), Template(file)
    functions = functions_of_application(held, name)
    found: list[Any] = [*unreachable(resolver.routes), *blocking(resolver.routes)]
    found += check_template(held, functions, resolver)
    if found:
        raise RuntimeError(f"the check of what is exported finds {found[0]}")


def split_start(rounds: int) -> Section:
    """The start of one function of twelve, beside an application that has only its group."""
    runs = interleaved_processes("cold", [APPS + name for name in ("split_of_twelve", "split_alone")], rounds)
    samples = {
        name.removeprefix(APPS): [run["import"] + run["answer"] for run in found] for name, found in runs.items()
    }
    figures = [Figure(name, "import + first answer", Spread.of(taken), "s") for name, taken in samples.items()]
    beside = Spread.of(ratios(samples, "split_of_twelve", "split_alone"))
    budget = Budget("start of one function of twelve / of its group alone", beside, limits.SPLIT_START_OF_ALONE)
    return Section("split", "Start of one function of twelve", figures, [budget])
