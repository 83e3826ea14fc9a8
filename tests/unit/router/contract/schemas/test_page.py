"""The table of docs/schemas.md says what is made of each annotation."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from router.contract.schemas import Schemas

PAGE = (Path(__file__).resolve().parents[5] / "docs" / "schemas.md").read_text()
ROWS = re.findall(r"^\| `(.+?)` \| `(\{.*?\})` \| (?:`(\{.*?\})`|the same) \|$", PAGE, re.MULTILINE)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return what the snippet of the page defines."""
    module = ModuleType("types_of_the_page")
    monkeypatch.setitem(sys.modules, module.__name__, module)  # where dataclasses look annotations up
    for code in re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
        exec(code, vars(module))
    return vars(module)


def written(annotation: Any, *, output: bool) -> dict[str, Any]:
    schemas = Schemas(prefix="#/")
    schema = schemas.of(annotation, "the page", output=output)
    return schemas.components()[schema["$ref"].removeprefix("#/")] if list(schema) == ["$ref"] else schema


def test_the_table_is_there() -> None:
    assert len(ROWS) == PAGE.partition("| in an answer |")[2].partition("\n\n")[0].count("\n") - 1 >= 30


@pytest.mark.parametrize(("annotation", "request_", "answer"), ROWS, ids=[row[0] for row in ROWS])
def test_a_row_says_what_is_made(annotation: str, request_: str, answer: str, names: dict[str, Any]) -> None:
    kind = eval(annotation.replace("\\|", "|"), names)
    assert written(kind, output=False) == json.loads(request_.replace("\\|", "|"))
    assert written(kind, output=True) == json.loads((answer or request_).replace("\\|", "|"))
