"""The interpreter of MiniStack: the one that is named, or an environment that is made once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from router.errors import ConfigurationError
from router.local.aws import installing


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.delenv(installing.GIVEN, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "lambda-junction" / f"ministack-{installing.VERSION}"


def test_the_interpreter_that_is_named_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(installing.GIVEN, sys.executable)
    assert installing.interpreter(pytest.fail) == Path(sys.executable)


@pytest.mark.parametrize("given", ["/nowhere/python", "/"])
def test_what_is_named_and_is_no_program_is_refused(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv(installing.GIVEN, given)
    with pytest.raises(ConfigurationError, match="is not a program"):
        installing.interpreter(pytest.fail)


def test_a_relative_folder_of_caches_counts_as_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "caches")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert installing.cache_folder().is_relative_to(tmp_path / ".cache")


def test_without_a_network_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    said: list[str] = []
    for _ in range(2):  # what was begun is not taken for whole
        with pytest.raises(ConfigurationError, match=r"(?s)cannot be installed.*ministack.*--aws none.*--aws URL"):
            installing.interpreter(said.append)
    assert str(cache) in said[0]
    assert not cache.exists()


def test_an_environment_that_is_whole_is_taken(cache: Path) -> None:
    scripts = cache / "bin"
    scripts.mkdir(parents=True)
    (scripts / "python").symlink_to(sys.executable)
    (scripts / "ministack").touch()
    assert installing.interpreter(pytest.fail) == scripts / "python"


def test_a_folder_that_cannot_be_made_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.delenv(installing.GIVEN, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(ConfigurationError, match=r"cannot be made.*--aws none"):
        installing.interpreter(lambda line: None)
