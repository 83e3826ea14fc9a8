"""Resident memory after the first answer, beside bare Python; what the runtime client itself holds is told apart."""

from __future__ import annotations

import marshal
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks import limits, payloads
from tests.benchmarks.candidates import APPS, CANDIDATES, OURS
from tests.benchmarks.processes import interleaved_processes
from tests.benchmarks.results import Budget, Figure, Section, Spread, ratios

BARE, CLIENT = "bare Python", "the runtime client"
WITHIN = f"{OURS}, in the runtime client"
CLIENT_MODULE = "awslambdaric.bootstrap"
CASES = {
    BARE: "",
    CLIENT: CLIENT_MODULE,
    **{name: APPS + name for name in CANDIDATES},
    WITHIN: f"{CLIENT_MODULE} {APPS}{OURS}",
}


def resident_memory(rounds: int) -> Section:
    """Each process has answered one request and has loaded nothing but its candidate.

    In Lambda the runtime client is there, too, and shares modules with the candidate: the budget is held there, and
    what the client holds by itself does not count.
    """
    if not Path("/proc/self/smaps_rollup").exists():
        return Section("memory", "Resident memory after the first answer", notes=["not measured: needs Linux's /proc"])
    with TemporaryDirectory(prefix="payload-") as folder:
        file = Path(folder, "rest.marshal")
        file.write_bytes(marshal.dumps(payloads.rest()))
        runs = interleaved_processes("memory", [*CASES.values()], rounds, environ={"BENCHMARK_PAYLOAD": str(file)})
    resident = {name: [run["resident"] for run in runs[argument]] for name, argument in CASES.items()}
    figures = []
    for name, argument in CASES.items():
        private = [run["private"] for run in runs[argument]]
        figures.append(Figure(name, "resident", Spread.of(resident[name]), "B"))
        figures.append(Figure(name, "of it private", Spread.of(private), "B"))
    added = [
        (within - client + bare) / bare
        for within, client, bare in zip(resident[WITHIN], resident[CLIENT], resident[BARE], strict=True)
    ]
    budget = Budget(
        "resident memory without what the runtime client holds / bare Python",
        Spread.of(added),
        limits.MEMORY_OF_PYTHON,
    )
    ours, hand = (Spread.of(ratios(resident, name, BARE)).median for name in (OURS, "handwritten"))
    within = Spread.of(ratios(resident, WITHIN, CLIENT)).median
    notes = [
        f"without the runtime client / bare Python: {ours:.3g}, hand-written with orjson {hand:.3g} (not a budget)",
        f"in the runtime client / the runtime client alone: {within:.3g} (not a budget)",
    ]
    return Section("memory", "Resident memory after the first answer", figures, [budget], notes)
