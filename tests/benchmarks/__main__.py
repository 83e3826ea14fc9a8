"""Measures every budget of the design in one run, beside the peers: `python -m tests.benchmarks`.

Prints tables and writes the numbers and a chart of this interpreter to `.benchmarks/`. A budget that is missed is told
in the table and does not fail the run: machines differ. `pytest tests/benchmarks/test_budgets.py` asserts the same
budgets.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.benchmarks.report import OUTPUT, environment, show_budgets, show_section, write_json
from tests.benchmarks.results import Section
from tests.benchmarks.suite import SECTIONS, measure


def main() -> None:
    """Runs the sections that were asked for, all of them if none was named."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="section", help=f"of {', '.join(SECTIONS)}; all by default")
    parser.add_argument("--effort", type=float, default=1.0, help="scales the number of rounds, 1 by default")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder of the numbers and the chart")
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
    """Leaves `results-3.11.json` and, where matplotlib is installed, `chart-3.11.png`, named after the interpreter."""
    folder.mkdir(parents=True, exist_ok=True)
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    numbers, chart = folder / f"results-{python}.json", folder / f"chart-{python}.png"
    write_json(sections, numbers)
    try:
        from tests.benchmarks.chart import draw

        draw(sections, chart)
    except ImportError as missing:
        print(f"numbers in {numbers}; no chart: {missing}")
    else:
        print(f"numbers in {numbers}, chart in {chart}")


if __name__ == "__main__":
    main()
