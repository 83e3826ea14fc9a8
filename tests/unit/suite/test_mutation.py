"""`make mutate` on a toy: what a test notices is killed, what none notices survives, and failing tests say nothing."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from scripts.mutation import __main__ as mutation
from scripts.mutation import trial
from scripts.mutation.mutants import mutants

TOY = """\
LIMIT = 3


def grade(points):
    if points > LIMIT:
        return "much"
    return "little"


def down(number):
    while number:
        number -= 1


def alone():
    return "nobody asks"
"""

TESTS = """\
from toy import down, grade


def test_much():
    assert grade(9) == "much"


def test_little():
    assert grade(0) == "little"


def test_down():
    down(3)
"""


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    (root / "toy.py").write_text(TOY)
    (root / "test_toy.py").write_text(TESTS)
    (root / "equivalent.toml").write_text("equivalent = []")
    monkeypatch.setattr(mutation, "ROOT", root)
    monkeypatch.setattr(mutation, "PACKAGES", {"toy": ["toy.py"]})
    monkeypatch.setattr(mutation, "EQUIVALENT", root / "equivalent.toml")
    monkeypatch.setattr(mutation, "MOST_BYTES", -1)  # of this process, too
    monkeypatch.setattr(trial, "SECONDS_OF_A_TEST", 2.0)
    return root


def settings(root: Path) -> mutation.Settings:
    return mutation.Settings(root, {"toy": ["toy.py"]}, ["test_toy.py"], sample=0, jobs=2)


@pytest.mark.timeout(300)  # on a busy machine
def test_each_mutant_has_the_outcome_that_the_tests_decide(toy: Path, tmp_path: Path) -> None:
    results = mutation.run(settings(toy), tmp_path / "kept" / "learned.json")

    assert {(result.mutant.line, result.mutant.after): result.outcome for result in results} == {
        (1, "LIMIT = 4"): "survived",
        (5, "if not (points > LIMIT):"): "killed",
        (5, "if points >= LIMIT:"): "survived",
        (6, "return None"): "killed",
        (6, 'return ""'): "killed",
        (7, "return None"): "killed",
        (7, 'return ""'): "killed",
        (11, "while not (number):"): "survived",
        (12, "pass"): "timed out",
        (12, "number += 1"): "timed out",
        (12, "number -= 2"): "timed out",
        (16, "return None"): "no test runs it",
    }
    text = mutation.report(results)
    assert "toy.py:5 survived\n--- toy.py:5\n+++ grade" in text
    assert "-    if points > LIMIT:\n+    if points >= LIMIT:\n" in text
    assert text.splitlines()[-1].split() == ["all", "12", "8", "3", "66.7%"]
    assert (toy / "toy.py").read_text() == TOY


def statuses(toy: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = mutation.main([*arguments, "--sample", "0", "--only", "toy", "test_toy.py"])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


@pytest.mark.timeout(300)
def test_the_limit_decides_and_equivalent_mutants_do_not_count(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (toy / "toy.py").write_text("def grade(points):\n    return points > 3\n")
    (toy / "test_toy.py").write_text("from toy import grade\n\ndef test_much():\n    assert grade(9)\n")
    (toy / "equivalent.toml").write_text(
        '[[equivalent]]\nfile = "toy.py"\nfunction = "grade"\nline = "return points > 3"\n'
        'becomes = ["return points > 4"]\nwhy = "no points between"\n'
    )
    status, out, _ = statuses(toy, capsys, "--limit", "51")
    assert (status, out.splitlines()[-2].split()) == (1, ["all", "2", "1", "0", "50.0%"])
    assert statuses(toy, capsys, "--limit", "50")[0] == 0

    (toy / "toy.py").write_text("def grade(points):\n    return points > 5\n")
    status, _, err = statuses(toy, capsys)
    assert status == 2
    assert "not a mutant any more, take it from the list: toy.py | grade | return points > 3" in err


@pytest.mark.timeout(300)
def test_nothing_is_said_when_tests_fail_on_the_code_as_it_is(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (toy / "toy.py").write_text(TOY.replace("> LIMIT", "< LIMIT"))
    status, out, err = statuses(toy, capsys)
    assert (status, out) == (2, "")
    assert "FAILED test_toy.py::test_much" in err


def test_a_seed_stands_for_one_sample_with_a_mutant_for_each_line() -> None:
    def sample(seed: int) -> list[tuple[str, int, str]]:
        found = mutation.chosen(
            mutation.Settings(mutation.ROOT, {"session": ["router/session.py"]}, [], seed=seed, sample=40)
        )
        return [(mutant.path, mutant.line, mutant.after) for _, mutant in found]

    assert sample(1) == sample(1)
    assert sample(1) != sample(2)
    assert len({line for _, line, _ in sample(1)}) == 40


def test_what_is_listed_as_equivalent_can_still_be_made_and_has_a_reason() -> None:
    listed = tomllib.loads(mutation.EQUIVALENT.read_text("utf-8"))["equivalent"]
    files = {"listed": sorted({each["file"] for each in listed})}
    mutation.chosen(mutation.Settings(mutation.ROOT, files, [], listed))
    assert all(each["why"] for each in listed)


def test_mutants_are_python_and_leave_out_what_nobody_notices() -> None:
    source = b'''\
from __future__ import annotations
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
__all__ = ["send"]

@dataclass(slots=True)
class Sent:
    """The text of a class."""

def send(text: Literal["a"] = "x", *, fast: bool = True) -> Any:
    """Send."""
    try:
        _log.debug("sent %s", text)
        wait(10, polls=3, stacklevel=2)
    except OSError as error:
        _log.warning("no: %s", error)
        raise Refused("some words") from error
    except (ValueError, TypeError):
        return (text or fast) and not text  # a comment
'''
    changes = {(mutant.line, mutant.after) for mutant in mutants("sent.py", source)}
    assert changes == {
        (11, 'def send(text: Literal["a"] = "", *, fast: bool = True) -> Any:'),
        (11, 'def send(text: Literal["a"] = "x", *, fast: bool = False) -> Any:'),
        (15, "pass"),
        (15, "wait(11, polls=3, stacklevel=2)"),
        (15, "wait(10, stacklevel=2)"),
        (15, "wait(10, polls=4, stacklevel=2)"),
        (17, "raise"),
        (17, "pass"),
        (18, "pass"),
        (20, "raise  # a comment"),
        (20, "return None  # a comment"),
        (20, "return (True) and not text  # a comment"),
        (20, "return (False or fast) and not text  # a comment"),
        (20, "return (text and fast) and not text  # a comment"),
        (20, "return (text or False) and not text  # a comment"),
        (20, "return (text or fast) or not text  # a comment"),
        (20, "return (text or fast) and True  # a comment"),
        (20, "return (text or fast) and text  # a comment"),
    }
    for mutant in mutants("sent.py", source):
        compile(mutant.apply(source), "sent.py", "exec")
