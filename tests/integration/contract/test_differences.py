"""The table of differences names tests that are there, and says something about each."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

from tests.integration.contract.differences import DIFFERENCES


def test_every_difference_is_that_of_one_test() -> None:
    tests = Counter(
        node.name
        for file in Path(__file__).parent.glob("test_*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )
    assert [name for name, count in tests.items() if count > 1] == []
    assert [name for known in DIFFERENCES.values() for name in known if name not in tests] == []
    assert all(reason for known in DIFFERENCES.values() for reason in known.values())
