"""The reference of declarations has each class of `router.contract`, with the fields and defaults that it has."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import router.contract
from router.contract import Stack

PAGE = (Path(__file__).parents[2] / "docs" / "declarations.md").read_text()
NAMES = set(vars(router.contract)["__all__"]) - {"serve_openapi"}  # which declares nothing
CLASSES = [getattr(router.contract, name) for name in sorted(NAMES)]


def told(name: str) -> list[tuple[str, str, str]]:
    """Return the rows of a class on the page: field, default, sentence."""
    section = re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert section is not None, f"docs/declarations.md has no section for {name}"
    return re.findall(r"^\| `(\S+)` \| (.+?) \| (.+) \|$", section[1], re.MULTILINE)


def fields(declared: type) -> Iterator[tuple[str, Any]]:
    """Yield the fields of a class with their defaults."""
    if declared is Stack:  # no dataclass; what must be given, or may be given many times, has no default
        for given in inspect.signature(declared).parameters.values():
            name = f"*{given.name}" if given.kind is given.VAR_POSITIONAL else given.name
            yield name, given.default
        return
    for one in dataclasses.fields(declared):
        value = one.default if one.default_factory is dataclasses.MISSING else one.default_factory()
        yield one.name, inspect.Parameter.empty if value is dataclasses.MISSING else value


def default(cell: str) -> Any:
    return inspect.Parameter.empty if cell in ("required", "none") else ast.literal_eval(cell.strip("`"))


@pytest.mark.parametrize("declared", CLASSES, ids=lambda one: one.__name__)
def test_each_field_is_told_with_its_default(declared: type) -> None:
    rows = told(declared.__name__)

    assert len({name for name, _, _ in rows}) == len(rows), "a field has two rows"
    # As texts: 0 and False are equal, and not the same default.
    assert {name: repr(default(cell)) for name, cell, _ in rows} == {
        name: repr(held) for name, held in fields(declared)
    }


def test_no_section_is_of_a_class_that_is_not_there() -> None:
    assert set(re.findall(r"^## (\w+)$", PAGE, re.MULTILINE)) == NAMES
