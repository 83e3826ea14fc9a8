"""The shape of the code on the way of a request: frames and files on the stack at the handler, biggest module."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.benchmarks import limits, payloads
from tests.benchmarks.apps import show
from tests.benchmarks.candidates import OURS, Handler, build, build_async
from tests.benchmarks.results import Budget, Figure, Section, Spread

PACKAGES = {
    OURS: ["router"],
    "powertools": ["aws_lambda_powertools"],
    "mangum_starlette": ["mangum", "starlette"],
    "mangum_fastapi": ["mangum", "starlette", "fastapi"],
    "chalice": ["chalice"],
}
# The budget is one of requests with a middleware; records are held to it as long as they have none.
BEYOND_BUDGET = "SQS record, one middleware"


def folder(package: str) -> Path:
    """Where a package lies."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise RuntimeError(f"{package} is not installed")
    return Path(spec.origin).parent


def library_frames(folders: list[Path]) -> list[tuple[str, str]]:
    """File and function of each frame of a library that is on the stack now, outermost first."""
    found = []
    frame = sys._getframe(1)
    while frame := frame.f_back:  # type: ignore[assignment]
        file = Path(frame.f_code.co_filename)
        if any(file.is_relative_to(each) for each in folders):
            found.append((str(file), frame.f_code.co_name))
    return found[::-1]


def stack_of(candidate: str, call: Callable[[Callable[[Any], Any]], object]) -> list[tuple[str, str]]:
    """The library's frames when the work of the handler runs; `call` builds the application and asks it."""
    folders = [folder(package) for package in PACKAGES[candidate]]
    stacks: list[list[tuple[str, str]]] = []

    def work(argument: Any) -> Any:
        stacks.append(library_frames(folders))
        return show("42")

    call(work)
    return stacks[0]


def biggest_module(packages: list[str]) -> tuple[str, int]:
    """Path inside its package and number of lines."""
    sizes = [
        (f"{package}/{file.relative_to(folder(package))}", len(file.read_bytes().splitlines()))
        for package in packages
        for file in folder(package).rglob("*.py")
    ]
    return max(sizes, key=lambda size: size[1])


def shape(rounds: int) -> Section:
    """Frames and files for each candidate; ours also for a middleware, an SQS record and an async record."""
    stacks = {(name, "GET"): stack_of(name, _get(name)) for name in PACKAGES}
    stacks[OURS, "GET, one middleware"] = stack_of(OURS, _get(OURS, middleware=1))
    stacks[OURS, "SQS record"] = stack_of(OURS, _sqs(build))
    stacks[OURS, "SQS record, async"] = stack_of(OURS, _sqs(build_async))
    stacks[OURS, BEYOND_BUDGET] = stack_of(OURS, _sqs(build, middleware=1))
    figures = []
    for (name, case), stack in stacks.items():
        figures.append(Figure(name, f"{case}: frames", _exact(len(stack)), ""))
        figures.append(Figure(name, f"{case}: files", _exact(_files(stack)), ""))
    for name, packages in PACKAGES.items():
        module, lines = biggest_module(packages)
        figures.append(Figure(name, f"lines of {module}", _exact(lines), ""))
    ours = {case: stack for (name, case), stack in stacks.items() if name == OURS}
    held = [stack for case, stack in ours.items() if case != BEYOND_BUDGET]
    budgets = [
        Budget("frames at the handler, at most", _exact(max(map(len, held))), limits.FRAMES),
        Budget("files at the handler, at most", _exact(max(map(_files, held))), limits.FILES),
    ]
    notes = [f"{case}: {_steps(stack)}" for case, stack in ours.items()]
    return Section("shape", "On the stack at the handler", figures, budgets, notes)


def _files(stack: list[tuple[str, str]]) -> int:
    return len({file for file, _ in stack})


def _steps(stack: list[tuple[str, str]]) -> str:
    root = folder("router").parent
    return " > ".join(f"{Path(file).relative_to(root)}:{function}" for file, function in stack)


def _get(candidate: str, **options: Any) -> Callable[[Callable[[Any], Any]], object]:
    return lambda work: build(candidate, work=work, **options)(payloads.rest(), payloads.context())


def _sqs(make: Callable[..., Handler], **options: Any) -> Callable[[Callable[[Any], Any]], object]:
    return lambda work: make("batch_junction", work=work, **options)(payloads.sqs(1), payloads.context())


def _exact(value: float) -> Spread:
    return Spread(value, value, value, value)
