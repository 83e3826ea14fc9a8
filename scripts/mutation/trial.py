"""Run tests on copies of the tree: once to learn which of them run which line, then on each mutant."""

from __future__ import annotations

import hashlib
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import coverage

from scripts.mutation.mutants import Mutant

IGNORED = (
    "__pycache__",
    ".git",
    ".cache",
    ".venv*",
    ".coverage*",
    ".hypothesis",
    ".*_cache",
    "build",
    "dist",
    "htmlcov",
)
DURATION = re.compile(r"^\s*([\d.]+)s (?:call|setup|teardown)\s+(\S.*?)\s*$", re.MULTILINE)
PYTEST = ("-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", "--hypothesis-seed=0")
# Many times what a test takes, and more on a busy machine.
SECONDS_TO_START = 60.0
SECONDS_OF_A_TEST = 20.0

# Most mutants are killed by one of the tests that were written for them: the others need not even be collected.
FIRST = 200

KILLED, TIMED_OUT, SURVIVED, UNTESTED = "killed", "timed out", "survived", "no test runs it"


@dataclass(frozen=True)
class Knowledge:
    """Hold what a run of all tests has shown.

    tests: for each file, the tests that run each of its lines; `""` stands for what runs at import. seconds: how long
    each test takes.
    """

    tests: Mapping[str, Mapping[int, Sequence[str]]]
    seconds: Mapping[str, float]

    def pick(self, mutant: Mutant) -> list[str]:
        """Return the tests that run the statement of a mutant, first those that were written for its module.

        Where it runs at import, be it of a module of tests, it runs for no test of its own: then all that run anything
        of the module may notice, and come after those that run it once more.
        """
        lines = self.tests.get(mutant.path, {})
        own = {test for line in range(mutant.lines[0], mutant.lines[1] + 1) for test in lines.get(line, ())}
        found = own
        if not mutant.function or "" in own:
            found = {test for tests in lines.values() for test in tests}
        words = _words(mutant.path)

        def place(test: str) -> tuple[bool, int, str]:
            return test not in own, -len(words & _words(test.partition("::")[0])), test

        return sorted(found & self.seconds.keys(), key=place)


def _words(path: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]+", path))


def copied(root: Path, to: Path) -> Path:
    """Copy a tree without what was made in it."""
    return Path(shutil.copytree(root, to, ignore=shutil.ignore_patterns(*IGNORED)))


class TestsFailed(Exception):
    """Tests fail on the code as it is, so nothing can be said about mutants."""


class Trees:
    """Copies of a tree, one for each process that runs at a time."""

    def __init__(self, root: Path, folder: Path, jobs: int) -> None:
        # Who works on meanwhile changes neither the tests nor what mutants are made from.
        self.root = copied(root, folder / "root")
        self._free: queue.Queue[Path] = queue.Queue()
        self._jobs = jobs
        for number in range(jobs):
            copy = copied(self.root, folder / f"tree-{number}")
            if (root / ".cache").is_dir():
                (copy / ".cache").symlink_to(root / ".cache")
            # By content, not by time: a mutant is written within the same second and often has the same size.
            run = [sys.executable, "-m", "compileall", "-q", "-q", "--invalidation-mode", "checked-hash", "."]
            subprocess.run(run, cwd=copy, check=False)
            self._free.put(copy)

    def digest(self) -> str:
        """Return a digest of all Python files, by which one tree is known from another."""
        files = [path for path in self.root.rglob("*.py") if not any(part.startswith(".") for part in path.parts)]
        found = hashlib.sha256()
        for path in sorted(files):
            found.update(str(path.relative_to(self.root)).encode() + b"\0" + path.read_bytes() + b"\0")
        return found.hexdigest()

    def learn(self, modules: Sequence[str], tests: Sequence[str], kept: Path) -> Knowledge:
        """Return which tests run which lines; from the last run when not a line has changed since.

        Raises:
            TestsFailed: some of the tests fail on the code as it is.
        """
        key = hashlib.sha256("\n".join([self.digest(), *modules, *tests]).encode()).hexdigest()
        known = json.loads(kept.read_text("utf-8")) if kept.is_file() else {}
        if known.get("key") != key:
            kept.unlink(missing_ok=True)
            known = {"key": key, "seconds": self._measure(modules, tests, kept.with_suffix(".coverage"))}
            kept.write_text(json.dumps(known), "utf-8")
        data = coverage.CoverageData(str(kept.with_suffix(".coverage")))
        data.read()
        covered = {
            file: {
                line: sorted({context.rpartition("|")[0] for context in contexts})
                for line, contexts in data.contexts_by_lineno(file).items()
            }
            for file in data.measured_files()
        }
        return Knowledge(covered, known["seconds"])

    def _measure(self, modules: Sequence[str], tests: Sequence[str], data: Path) -> dict[str, float]:
        data.parent.mkdir(parents=True, exist_ok=True)
        data.unlink(missing_ok=True)
        settings = data.with_suffix(".ini")
        files = "\n    ".join(modules)
        settings.write_text(
            f"[run]\ncore = ctrace\ninclude =\n    {files}\nrelative_files = true\ndata_file = {data}\n"
            "disable_warnings = no-data-collected,module-not-imported\n",
            "utf-8",
        )
        measured = ["--cov", f"--cov-config={settings}", "--cov-context=test", "--cov-report="]
        return self._run_all(tests, measured)

    def control(self, tests: Sequence[str], folder: Path) -> dict[str, float]:
        """Run tests on the code as it is, as they will be run on mutants; return how many seconds each took.

        Raises:
            TestsFailed: some of them fail.
        """
        listed = folder / "control.txt"
        listed.write_text("\n".join(tests), "utf-8")
        return self._run_all([f"@{listed}"])

    def _run_all(self, tests: Sequence[str], options: Sequence[str] = ()) -> dict[str, float]:
        copy = self._free.get()
        parallel = ("-n", str(self._jobs)) if self._jobs > 1 else ()
        try:
            status, output = _pytest(
                copy, [*tests, *options, *parallel, "--durations=0", "--durations-min=0"], limit=None
            )
        finally:
            self._free.put(copy)
        if status != 0:
            # The durations stand before the summary, a line for each test.
            said = output[max(0, output.find(" short test summary info ")) :]
            raise TestsFailed("\n".join(said.splitlines()[-40:]))
        seconds: dict[str, float] = {}
        for taken, test in DURATION.findall(output):
            seconds[test] = seconds.get(test, 0.0) + float(taken)
        return seconds

    def outcomes(
        self, mutants: Sequence[Mutant], known: Knowledge, seconds: Mapping[str, float], folder: Path
    ) -> Iterator[tuple[Mutant, str]]:
        """Yield each mutant with what became of it, in their order."""
        with ThreadPoolExecutor(self._jobs) as pool:
            yield from pool.map(
                lambda mutant: (mutant, self._outcome(mutant, known.pick(mutant), seconds, folder)), mutants
            )

    def _outcome(self, mutant: Mutant, tests: Sequence[str], seconds: Mapping[str, float], folder: Path) -> str:
        """Return what became of one mutant: the first test that fails kills it, and so does one that does not end."""
        if not tests:
            return UNTESTED
        copy = self._free.get()
        source = (self.root / mutant.path).read_bytes()
        try:
            (copy / mutant.path).write_bytes(mutant.apply(source))
            for part in (tests[:FIRST], tests[FIRST:]):
                outcome = self._part(copy, part, seconds, folder)
                if outcome != SURVIVED:
                    return outcome
        finally:
            (copy / mutant.path).write_bytes(source)
            self._free.put(copy)
        return SURVIVED

    def _part(self, copy: Path, tests: Sequence[str], seconds: Mapping[str, float], folder: Path) -> str:
        if not tests:
            return SURVIVED
        listed = folder / f"{copy.name}.txt"
        listed.write_text("\n".join(tests), "utf-8")
        taken = [seconds.get(test, 0.0) for test in tests]
        each = SECONDS_OF_A_TEST + 10 * max(taken)
        limit = SECONDS_TO_START + each + 5 * sum(taken)
        status, output = _pytest(copy, [f"@{listed}", "-x", f"--timeout={each:.0f}"], limit)
        if status is None or "from pytest-timeout" in output:
            return TIMED_OUT
        return SURVIVED if status == 0 else KILLED


def _pytest(tree: Path, arguments: Sequence[str], limit: float | None) -> tuple[int | None, str]:
    """Run tests in a tree; return the exit status, None at the limit in seconds, and what was printed."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("COV", "PYTEST"))}
    # A group of its own: what a test leaves behind ends with it.
    running = subprocess.Popen(
        [sys.executable, *PYTEST, *arguments],
        cwd=tree,
        env={**inherited, "PYTHONPATH": str(tree), "PYTHONHASHSEED": "0", "MUTATION": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    with running:
        try:
            output, _ = running.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            return None, ""
        finally:
            with suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
    return running.returncode, output
