"""Cold start: what a candidate adds to the runtime client, and what its import loads."""

from __future__ import annotations

from tests.benchmarks.candidates import APPS, CANDIDATES, OURS
from tests.benchmarks.processes import interleaved_processes, run_child
from tests.benchmarks.results import Budget, Figure, Section, Spread, ratios

ORJSON = "import orjson"
OWN_IMPORTS = ["import router", "from router import Event, Resolver, Session"]


def cold_path(rounds: int) -> Section:
    """Import, one GET route and the first answer, each in a process that has only loaded the runtime client."""
    results = interleaved_processes("cold", [APPS + name for name in CANDIDATES], rounds)
    figures, totals = [], {}
    for name in CANDIDATES:
        runs = results[APPS + name]
        totals[name] = [run["import"] + run["answer"] for run in runs]
        figures.append(Figure(name, "import + first answer", Spread.of(totals[name]), "s"))
        figures.append(Figure(name, "of it the first answer", Spread.of([run["answer"] for run in runs]), "s"))
    budgets = [
        Budget("cold path / aws-lambda-powertools", Spread.of(ratios(totals, OURS, "powertools")), 0.25),
        Budget("cold path / hand-written with orjson", Spread.of(ratios(totals, OURS, "handwritten")), 2),
    ]
    return Section("cold", "Cold path on top of the runtime client", figures, budgets)


def import_alone(rounds: int) -> Section:
    """Imports beside `import orjson`, each in an empty interpreter, with the modules that they load.

    Names of the package are loaded when they are first used, so that `import router` says little by itself: what an
    application writes in its first line is held to the same budget.
    """
    samples = {
        statement: [run["import"] for run in runs]
        for statement, runs in interleaved_processes("importing", [ORJSON, *OWN_IMPORTS], rounds).items()
    }
    figures = [Figure(statement, "import", Spread.of(taken), "s") for statement, taken in samples.items()]
    budgets = [
        Budget(f"{statement} / {ORJSON}", Spread.of(ratios(samples, statement, ORJSON)), 1.5)
        for statement in OWN_IMPORTS
    ]
    stages: dict[str, list[str]] = run_child("modules", APPS + OURS)
    beyond = [(statement, stages[statement]) for statement in OWN_IMPORTS]
    notes = [
        f"{statement} loads beyond the line before: {' '.join(names) or 'nothing'}"
        for statement, names in [*beyond, ("the first REST answer", stages["answer"])]
    ]
    return Section("import", "Import alone", figures, budgets, notes)
