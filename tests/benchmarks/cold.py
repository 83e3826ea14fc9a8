"""Cold start: what a candidate adds to the runtime client, and what its import loads."""

from __future__ import annotations

from tests.benchmarks import limits
from tests.benchmarks.candidates import APPS, CANDIDATES, OURS
from tests.benchmarks.child import ROUTES
from tests.benchmarks.processes import Samples, interleaved_processes, interleaved_without_bytecode, run_child
from tests.benchmarks.results import Budget, Figure, Section, Spread, ratios

ORJSON = "import orjson"
ROUTER, NAMES = "import router", "from router import Event, Resolver, Session"
OWN_IMPORTS = [ROUTER, NAMES]
REGISTERING = [OURS, "powertools", "mangum_starlette", "mangum_fastapi", "chalice"]


def cold_path(rounds: int) -> Section:
    """Import, one GET route and the first answer, each in a process that has only loaded the runtime client."""
    figures, totals = _cold_figures(interleaved_processes("cold", [APPS + name for name in CANDIDATES], rounds))
    budgets = [
        Budget(
            "cold path / aws-lambda-powertools",
            Spread.of(ratios(totals, OURS, "powertools")),
            limits.COLD_PATH_OF_POWERTOOLS,
        ),
        Budget(
            "cold path / hand-written with orjson",
            Spread.of(ratios(totals, OURS, "handwritten")),
            limits.COLD_PATH_OF_HANDWRITTEN,
        ),
    ]
    return Section("cold", "Cold path on top of the runtime client", figures, budgets)


def cold_path_without_bytecode(rounds: int) -> Section:
    """The same where everything but the standard library has to be compiled."""
    applications = [APPS + name for name in CANDIDATES]
    figures, totals = _cold_figures(interleaved_without_bytecode("cold", applications, rounds))
    budget = Budget(
        "cold path without byte code / aws-lambda-powertools",
        Spread.of(ratios(totals, OURS, "powertools")),
        limits.COLD_PATH_WITHOUT_BYTECODE_OF_POWERTOOLS,
    )
    return Section("cold-stripped", "Cold path without byte code, dependencies included", figures, [budget])


def _cold_figures(results: Samples) -> tuple[list[Figure], dict[str, list[float]]]:
    """The figures of each candidate, and the whole time of each of its runs."""
    figures, totals = [], {}
    for name in CANDIDATES:
        runs = results[APPS + name]
        totals[name] = [run["import"] + run["answer"] for run in runs]
        figures.append(Figure(name, "import + first answer", Spread.of(totals[name]), "s"))
        figures.append(Figure(name, "of it the first answer", Spread.of([run["answer"] for run in runs]), "s"))
    return figures, totals


def import_alone(rounds: int) -> Section:
    """Imports beside `import orjson`, each in an empty interpreter, with the modules that they load.

    Names of the package are loaded when they are first used, so that `import router` says little by itself: what an
    application writes in its first line has a budget of its own.
    """
    samples = {
        statement: [run["import"] for run in runs]
        for statement, runs in interleaved_processes("importing", [ORJSON, *OWN_IMPORTS], rounds).items()
    }
    figures = [Figure(statement, "import", Spread.of(taken), "s") for statement, taken in samples.items()]
    budgets = [
        Budget(f"{statement} / {ORJSON}", Spread.of(ratios(samples, statement, ORJSON)), limit)
        for statement, limit in [(ROUTER, limits.IMPORT_ROUTER), (NAMES, limits.IMPORT_NAMES)]
    ]
    stages: dict[str, list[str]] = run_child("modules", APPS + OURS)
    beyond = [(statement, stages[statement]) for statement in OWN_IMPORTS]
    notes = [
        f"{statement} loads beyond the line before: {' '.join(names) or 'nothing'}"
        for statement, names in [*beyond, ("the first REST answer", stages["answer"])]
    ]
    return Section("import", "Import alone", figures, budgets, notes)


def routes_at_import(rounds: int) -> Section:
    """What a route costs the import of an application that registers a hundred."""
    runs = interleaved_processes("registering", [APPS + name for name in REGISTERING], rounds)
    samples = {name: [run["route"] for run in runs[APPS + name]] for name in REGISTERING}
    figures = [Figure(name, "a route", Spread.of(taken), "s") for name, taken in samples.items()]
    budget = Budget(
        f"{ROUTES} routes at import, us a route",
        Spread.of([taken * 1e6 for taken in samples[OURS]]),
        limits.ROUTE_AT_IMPORT_S * 1e6,
    )
    return Section("registering", f"{ROUTES} routes at import", figures, [budget])
