"""`Query[int]` is an int to type checkers, and `Query(ge=1)` may be called; mypy sees the same file in `make lint`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.checkers import pyright

HERE = Path(__file__).parent


@pytest.mark.timeout(600)
def test_pyright_finds_nothing_wrong_with_any_form_of_an_argument(tmp_path: Path) -> None:
    assert pyright(tmp_path, include=HERE / "typed_arguments.py") == []
