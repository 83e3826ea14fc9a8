"""The process of an application in a local run: `python -m tests.benchmarks.local`.

How long it takes to start, to reload, and how many calls a second go through the wire, all with the watch in place and
without HTTP and AWS. Figures, not ratios: they are what a person waits for.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from router.local.calls import Call
from router.local.process.supervisor import Supervisor
from router.local.settings import Settings
from tests.benchmarks.report import show_budgets, show_section
from tests.benchmarks.results import Budget, Figure, Section, Spread

ROUTES = 200
CALLS = 3_000
PAUSE_S = 2.0  # a person does not save at once again
START_S, RELOAD_S, CALLS_A_SECOND = 3.0, 1.0, 1_500.0


class Nobody:
    """A journal that keeps nothing."""

    def began(self, call_id: str, entry: object) -> None:
        pass

    def ended(self, call_id: str, entries: object) -> None:
        pass

    def add(self, entry: object) -> None:
        pass


def application(version: int) -> str:
    """The source of an application with 200 routes, as it is saved for the nth time."""
    routes = "".join(
        f'@resolver.get("/things{number}/{{id}}")\n'
        f'def thing{number}(id: int) -> dict[str, int]:\n    return {{"id": id}}\n\n'
        for number in range(ROUTES)
    )
    return (
        "from router import Resolver\n\nresolver = Resolver()\n\n"
        f'{routes}@resolver.get("/version")\ndef version() -> str:\n    return "{version}"\n'
    )


def request(path: str) -> dict[str, Any]:
    """An event of an HTTP API."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": "localhost:3000", "accept": "*/*", "user-agent": "benchmark"},
        "requestContext": {
            "http": {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"},
            "requestId": "r",
            "stage": "$default",
        },
        "isBase64Encoded": False,
    }


async def first_answer(folder: Path) -> tuple[Supervisor, float]:
    """Starts an application; the seconds until its first answer."""
    began = perf_counter()
    supervisor = Supervisor(Settings("app:resolver", folder=folder), Nobody())
    await supervisor.start()
    await ask(supervisor, "/version")
    return supervisor, perf_counter() - began


async def ask(supervisor: Supervisor, path: str) -> str:
    """The body of an answer."""
    outcome = await supervisor.invoke(Call(request(path), "http"))
    if outcome.became != "answered":
        raise RuntimeError(f"{path}: {outcome.became}: {outcome.error}")
    return str(outcome.answer["body"])


async def reload(supervisor: Supervisor, folder: Path, version: int) -> float:
    """Saves an application; the seconds until the new version answers."""
    done = asyncio.Event()
    reloads = supervisor.state["reloads"]

    def changed() -> None:
        if supervisor.state["reloads"] > reloads:
            done.set()

    supervisor.on_change(changed)
    await asyncio.sleep(PAUSE_S)
    (folder / "app.py").write_text(application(version))
    began = perf_counter()
    await done.wait()
    if await ask(supervisor, "/version") != str(version):
        raise RuntimeError("the old version answered after the reload")
    return perf_counter() - began


async def throughput(supervisor: Supervisor, together: int) -> float:
    """Calls a second, so many at a time."""

    async def some() -> None:
        for number in range(CALLS // together):
            await ask(supervisor, f"/things{number % ROUTES}/7")

    began = perf_counter()
    await asyncio.gather(*(some() for _ in range(together)))
    return CALLS / (perf_counter() - began)


async def measured(rounds: int) -> tuple[Section, list[Budget]]:
    """Figures and budgets of some rounds."""
    starts, reloads = [], []
    calls: dict[int, list[float]] = {1: [], 16: []}
    for one in range(rounds):
        with TemporaryDirectory(prefix="local-") as name:
            folder = Path(name)
            (folder / "app.py").write_text(application(0))
            supervisor, seconds = await first_answer(folder)
            starts.append(seconds)
            reloads += [await reload(supervisor, folder, 100 * one + number) for number in range(1, 4)]
            for together, found in calls.items():
                found.append(await throughput(supervisor, together))
            await supervisor.stop()
    figures = [
        Figure("start", f"{ROUTES} routes, until the first answer", Spread.of(starts), "s"),
        Figure("reload", f"{ROUTES} routes, save to answer", Spread.of(reloads), "s"),
        *(
            Figure("call", f"{many} at a time", Spread.of([1 / one for one in found]), "s")
            for many, found in calls.items()
        ),
    ]
    budgets = [
        Budget("local: start to the first answer, seconds", Spread.of(starts), START_S),
        Budget(f"local: reload at {ROUTES} routes, seconds", Spread.of(reloads), RELOAD_S),
        Budget("local: calls a second through the wire", Spread.of(calls[16]), CALLS_A_SECOND, at_most=False),
    ]
    return Section("local", "The application's process in a local run", figures, budgets), budgets


def main(rounds: int = 3) -> None:
    """Prints figures and budgets."""
    section, budgets = asyncio.run(measured(rounds))
    show_section(section)
    show_budgets(budgets)


if __name__ == "__main__":
    main()
