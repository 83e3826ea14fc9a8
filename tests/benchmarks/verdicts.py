"""The budgets of every interpreter that was measured, side by side: `python -m tests.benchmarks.verdicts`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.report import OUTPUT, show_table

Results = dict[str, Any]
"""The content of a file of results."""


def rows(runs: Sequence[Results]) -> list[list[str]]:
    """A row for each budget: its limit, what each run measured, and where it is missed."""
    found: dict[str, dict[str, Any]] = {}
    for run in runs:
        for budget in (budget for section in run["sections"] for budget in section["budgets"]):
            row = found.setdefault(budget["name"], {"limit": limit(budget), "measured": {}, "missed": []})
            row["measured"][interpreter(run)] = f"{budget['value']['median']:.3g}"
            if budget["verdict"] != "met":
                row["missed"].append(interpreter(run))
    names = [interpreter(run) for run in runs]
    return [
        [
            name,
            row["limit"],
            *(row["measured"].get(each, "") for each in names),
            f"missed on {', '.join(row['missed'])}" if row["missed"] else "met",
        ]
        for name, row in found.items()
    ]


def limit(budget: Results) -> str:
    """A limit as tables show it."""
    return f"{'<=' if budget['at_most'] else '>='} {budget['limit']:g}"


def interpreter(run: Results) -> str:
    """The version of Python that a run measured."""
    return str(run["environment"]["python"])


def main() -> None:
    """Prints one table, and when each interpreter was measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.verdicts", description=__doc__)
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder of the numbers")
    files = sorted(parser.parse_args().output.glob("results-*.json"))
    runs: list[Results] = [json.loads(file.read_bytes()) for file in files]
    columns = ["what", "budget", *map(interpreter, runs), "verdict"]
    show_table("Budgets by interpreter", columns, rows(runs))
    for run in runs:
        met = [budget["verdict"] == "met" for section in run["sections"] for budget in section["budgets"]]
        environment = run["environment"]
        print(
            f"  Python {environment['python']}, measured {environment['measured']} "
            f"at a load of {environment['load']:.1f}: {sum(met)} of {len(met)} budgets met"
        )


if __name__ == "__main__":
    main()
