"""Which interpreters run which part of the tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scripts.interpreters import Version, candidates, found, plan

OLD, MIDDLE, NEW, NEWER = (3, 11), (3, 12), (3, 13), (3, 14)


@pytest.mark.parametrize(
    ("own", "others", "runs"),
    [
        (OLD, [OLD], ["test-all .venv"]),
        (OLD, [], ["test-all .venv"]),
        (OLD, [OLD, MIDDLE, NEW], ["test-unit .venv-3.13", "test-all .venv"]),
        (NEW, [OLD, NEW], ["test-unit .venv-3.11", "test-all .venv"]),
        (MIDDLE, [OLD, NEW], ["test-unit .venv-3.11", "test-unit .venv-3.13", "test-all .venv"]),
        # Where sys.monitoring measures branches, that is where coverage is measured.
        (OLD, [OLD, NEWER], ["test-unit .venv", "test-all .venv-3.14"]),
        (NEWER, [OLD, NEWER], ["test-unit .venv-3.11", "test-all .venv"]),
        (MIDDLE, [OLD, NEWER], ["test-unit .venv-3.11", "test-unit .venv", "test-all .venv-3.14"]),
    ],
)
def test_the_oldest_and_the_newest_run_the_unit_tests_and_one_runs_all(
    own: Version, others: list[Version], runs: list[str]
) -> None:
    programs = {version: f"python{version[0]}.{version[1]}" for version in others}

    assert [f"{target} {venv}" for target, venv, _ in plan(own, programs, ".venv")] == runs


def test_an_environment_is_made_with_the_interpreter_of_its_version() -> None:
    assert plan(OLD, {OLD: "python3", NEW: "python3.13"}, ".venv")[0] == ("test-unit", ".venv-3.13", "python3.13")


def test_what_is_on_the_path_and_does_not_run_is_no_interpreter(tmp_path: Path) -> None:
    scripts = {"shim": "#!/bin/sh\nexit 127\n", "old": "#!/bin/sh\necho 3 10\n", "preview": "#!/bin/sh\n"}
    for name, text in scripts.items():
        (tmp_path / name).write_text(text, encoding="ascii")
        (tmp_path / name).chmod(0o755)
    programs = [*(str(tmp_path / name) for name in scripts), str(tmp_path / "missing"), sys.executable, "python3"]

    assert found(programs)[sys.version_info[:2]] == sys.executable
    assert not {str(tmp_path / name) for name in scripts} & set(found(programs).values())


def test_the_folders_of_version_managers_are_looked_through(tmp_path: Path) -> None:
    for folder in (".pyenv/versions/3.13.0", ".local/share/uv/python/cpython-3.14.1"):
        program = tmp_path / folder / "bin" / "python3"
        program.parent.mkdir(parents=True)
        program.touch()

    looked = candidates({"HOME": str(tmp_path)})

    assert {"python3", "python3.11", "python3.13", str(tmp_path / ".pyenv/versions/3.13.0/bin/python3")} <= {*looked}
    assert str(program) in looked
