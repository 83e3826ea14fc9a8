"""Measures every budget of the design in one run, beside the peers: `python -m tests.benchmarks`.

Prints tables and writes the numbers and a chart to `.benchmarks/`. A budget that is missed is told in the table and
does not fail the run: machines differ. `pytest tests/benchmarks/test_budgets.py` asserts the same budgets.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.benchmarks.processes import ROOT
from tests.benchmarks.report import environment, show_budgets, show_section, write_json
from tests.benchmarks.results import Section
from tests.benchmarks.suite import SECTIONS, measure


def main() -> None:
    """Runs the sections that were asked for, all of them if none was named."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="section", help=f"of {', '.join(SECTIONS)}; all by default")
    parser.add_argument("--effort", type=float, default=1.0, help="scales the number of rounds, 1 by default")
    parser.add_argument("--output", type=Path, default=ROOT / ".benchmarks", help="folder of the numbers and the chart")
    options = parser.parse_args()
    if unknown := set(options.sections) - set(SECTIONS):
        parser.error(f"no section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")

    print(" ".join(f"{key}={value}" for key, value in environment().items()), end="\n\n", flush=True)
    sections: list[Section] = []
    for section in measure(options.sections or SECTIONS, options.effort):
        show_section(section)
        sections.append(section)
    show_budgets([budget for section in sections for budget in section.budgets])
    write(sections, options.output)


def write(sections: list[Section], folder: Path) -> None:
    """Leaves `results.json` and, where matplotlib is installed, `chart.png`."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(sections, folder / "results.json")
    try:
        from tests.benchmarks.chart import draw

        draw(sections, folder / "chart.png")
    except ImportError as missing:
        print(f"numbers in {folder}/results.json; no chart: {missing}")
    else:
        print(f"numbers in {folder}/results.json, chart in {folder}/chart.png")


if __name__ == "__main__":
    main()
