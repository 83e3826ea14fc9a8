"""Change the code in many single places, and tell which changes no test notices. `make mutate` runs this.

The libraries that there are (mutmut, cosmic-ray) neither take a sample by a seed nor pick tests by line, and do not
leave out statements, which is where most of what survived here was found. This is small instead.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scripts.mutation.mutants import Mutant, mutants
from scripts.mutation.trial import SURVIVED, TIMED_OUT, UNTESTED, TestsFailed, Trees

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "router/dispatch": ["router/dispatch/*.py"],
    "router/sources": ["router/sources/*.py"],
    "router/session": ["router/session*.py", "router/signing.py"],
    "adapters/sending": [
        "adapters/_core/delivery.py",
        "adapters/_core/message*.py",
        "adapters/_core/outgoing.py",
        "adapters/_core/partitions.py",
        "adapters/_core/payloads.py",
        "adapters/_core/rate_limit.py",
        "adapters/_core/sender.py",
        "adapters/messaging.py",
        "adapters/sns.py",
        "adapters/sqs/send.py",
    ],
    "adapters/worker": ["adapters/worker/*.py"],
}
TESTS = ["tests/unit/router", "tests/unit/adapters", "tests/unit/test_pitfalls.py"]
EQUIVALENT = Path(__file__).with_name("equivalent.toml")
# A mutant may ask for memory without end.
MOST_BYTES = 4 * 2**30

FAILED = 2  # exit status: nothing can be said


@dataclass(frozen=True)
class Settings:
    """Say what to change and what to run.

    packages: patterns of files by the name under which they are counted. equivalent: mutants that no test can notice,
    each a table with `file`, `function`, `line`, `becomes` (a list), `why`. only: how paths to mutate start. sample:
    how many mutants, 0 for all; of each line at most one.
    """

    root: Path
    packages: Mapping[str, Sequence[str]]
    tests: Sequence[str]
    equivalent: Sequence[Mapping[str, Any]] = ()
    only: str = ""
    seed: int = 1
    sample: int = 200
    jobs: int = 1


@dataclass(frozen=True)
class Result:
    """A mutant and what became of it. package: the name under which it is counted. diff: the change."""

    package: str
    mutant: Mutant
    outcome: str
    diff: str

    @property
    def noticed(self) -> bool:
        """Whether a test noticed."""
        return self.outcome not in (SURVIVED, UNTESTED)


def chosen(settings: Settings) -> list[tuple[str, Mutant]]:
    """Return the sample: packages with mutants, in the order of the files.

    Raises:
        ValueError: an entry in the list of equivalent mutants is none of the mutants, so the code has changed.
    """
    found = [
        (package, mutant)
        for package, patterns in settings.packages.items()
        for path in _files(settings.root, patterns)
        for mutant in mutants(path, (settings.root / path).read_bytes())
    ]
    known = {
        (each["file"], each["function"], each["line"], becomes)
        for each in settings.equivalent
        for becomes in each["becomes"]
    }
    gone = known - {_key(mutant) for _, mutant in found}
    if gone:
        raise ValueError("not a mutant any more, take it from the list: " + "; ".join(map(" | ".join, sorted(gone))))
    found = [each for each in found if each[1].path.startswith(settings.only)]
    if settings.sample:
        shuffled = random.Random(settings.seed).sample(found, len(found))
        # One for each line: a table with many values would fill the sample.
        by_line = {(mutant.path, mutant.line): (package, mutant) for package, mutant in shuffled}
        found = sorted(list(by_line.values())[: settings.sample], key=lambda each: (each[1].path, each[1].start))
    return [each for each in found if _key(each[1]) not in known]


def _files(root: Path, patterns: Sequence[str]) -> list[str]:
    return sorted({path.relative_to(root).as_posix() for pattern in patterns for path in root.glob(pattern)})


def _key(mutant: Mutant) -> tuple[str, str, str, str]:
    return mutant.path, mutant.function, mutant.before, mutant.after


def run(settings: Settings, kept: Path) -> list[Result]:
    """Try each mutant of the sample; return what became of them.

    kept: a file in which what was learned about the tests is kept until the code changes.

    Raises:
        TestsFailed: tests fail on the code as it is.
        ValueError: the list of equivalent mutants names one that does not exist.
    """
    with tempfile.TemporaryDirectory(prefix="junction-mutation-") as name:
        folder = Path(name)
        trees = Trees(settings.root, folder, settings.jobs)
        settings = replace(settings, root=trees.root)
        sample = chosen(settings)
        _say("learning which tests run which lines")
        modules = [path for patterns in settings.packages.values() for path in _files(trees.root, patterns)]
        known = trees.learn(modules, settings.tests, kept)
        tests = sorted({test for _, mutant in sample for test in known.pick(mutant)})
        _say(f"{len(sample)} mutants; control: {len(tests)} tests on the code as it is")
        seconds = trees.control(tests, folder) if tests else {}
        results = []
        outcomes = trees.outcomes([mutant for _, mutant in sample], known, seconds, folder)
        for (package, mutant), (_, outcome) in zip(sample, outcomes, strict=True):
            diff = mutant.diff((trees.root / mutant.path).read_bytes())
            results.append(Result(package, mutant, outcome, diff))
            _say(f"[{len(results)}/{len(sample)}] {mutant.path}:{mutant.line} {outcome}")
    return results


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def report(results: Sequence[Result]) -> str:
    """Return the survivors as diffs, and a table of scores by package."""
    lines = []
    for result in results:
        if not result.noticed:
            lines += [f"{result.mutant.path}:{result.mutant.line} {result.outcome}", result.diff]
    lines.append(f"{'package':<18}{'mutants':>8}{'noticed':>9}{'of these timed out':>20}{'score':>9}")
    for package in [*dict.fromkeys(result.package for result in results), "all"]:
        counted = Counter(result.noticed for result in results if package in (result.package, "all"))
        late = sum(result.outcome == TIMED_OUT for result in results if package in (result.package, "all"))
        lines.append(f"{package:<18}{counted.total():>8}{counted[True]:>9}{late:>20}{_score(counted):>8.1f}%")
    return "\n".join(lines)


def _score(counted: Mapping[bool, int]) -> float:
    return 100 * counted[True] / max(1, sum(counted.values()))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the report. Exit status: 0 when enough was noticed, 1 when not, 2 when nothing can be said."""
    parser = argparse.ArgumentParser(prog="make mutate", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="which sample")
    parser.add_argument("--sample", type=int, default=200, help="how many mutants; 0 for all")
    parser.add_argument("--only", default="", help="the start of the paths to mutate")
    parser.add_argument("--jobs", type=int, default=1, help="how many at a time")
    parser.add_argument("--limit", type=float, default=93.0, help="per cent to be noticed")
    parser.add_argument("tests", nargs="*", default=TESTS, help="what to run, as for pytest")
    asked = parser.parse_args(arguments)
    equivalent = tomllib.loads(EQUIVALENT.read_text("utf-8"))["equivalent"]
    settings = Settings(ROOT, PACKAGES, asked.tests, equivalent, asked.only, asked.seed, asked.sample, asked.jobs)
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, most))
    try:
        results = run(settings, ROOT / ".cache" / "mutation" / "learned.json")
    except (TestsFailed, ValueError) as error:
        print(error, file=sys.stderr)
        return FAILED
    print(report(results))
    print(f"seed {asked.seed}, sample {asked.sample}, limit {asked.limit} %")
    return int(_score(Counter(result.noticed for result in results)) < asked.limit)


if __name__ == "__main__":
    sys.exit(main())
