"""Imports that are rewritten: each binds the same names as before, and nothing else changes."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator

import pytest

from router.cli import library
from router.cli.rewriting import rewrite

ROOTS = {"router": "shop._junction.router", "adapters": "shop._junction.adapters"}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("from router import Event", "from shop._junction.router import Event"),
        ("from router.cli import app  # why", "from shop._junction.router.cli import app  # why"),
        ("from adapters.sqs import (\n    Sqs,\n)", "from shop._junction.adapters.sqs import (\n    Sqs,\n)"),
        ("import router", "import shop._junction.router as router"),
        ("import router as r", "import shop._junction.router as r"),
        ("import router.event as e", "import shop._junction.router.event as e"),
        (
            "import os, router.event, sys",
            "import os, shop._junction.router.event as router, shop._junction.router as router, sys",
        ),
        ("if True: import router; x = 1", "if True: import shop._junction.router as router; x = 1"),
        ("import router.event \\\n    as e", "import shop._junction.router.event \\\n    as e"),
        ("def f():\r\n    from router import x\r\n", "def f():\r\n    from shop._junction.router import x\r\n"),
        ("é = 'ü'; from router import é", "é = 'ü'; from shop._junction.router import é"),
    ],
)
def test_imports_are_rewritten(line: str, expected: str) -> None:
    assert rewrite(line, ROOTS) == expected


@pytest.mark.parametrize(
    "line",
    [
        "from .router import x",
        "from . import router",
        "import routers, router_x, shop.router, shop.adapters",
        "from shop.router import router",
        "'from router import x'  # from router import x",
        "raise ValueError from router",
        "def f():\n    yield from router\n",
        "router.event = {'a': router, 'b': [from_ for from_ in adapters]}",
        "'''\nfrom router import x\n'''",
        "f'{router!r:>{adapters}}'",
    ],
)
def test_everything_else_stays(line: str) -> None:
    assert rewrite(line, ROOTS) == line


@pytest.mark.parametrize(
    "line",
    ["import etree.ElementTree", "import etree.ElementTree, etree", "import etree, os, etree.ElementTree"],
)
def test_a_rewritten_import_binds_the_same_names(line: str) -> None:
    names: dict[str, object] = {}
    exec(f"{rewrite(line, {'etree': 'xml.etree'})}\nfound = etree.ElementTree.fromstring('<a/>').tag", names)

    assert names["found"] == "a"
    assert names.keys() <= {"__builtins__", "etree", "os", "found"}


class Renamed(ast.NodeTransformer):
    """Does to the tree of the library what `rewrite` does to its text."""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom:
        first, dot, rest = (node.module or "").partition(".")
        node.module = f"{ROOTS.get(first, first)}{dot}{rest}"
        return node

    def visit_Import(self, node: ast.Import) -> ast.Import:
        for alias in node.names:
            first, dot, rest = alias.name.partition(".")
            if first in ROOTS:
                assert alias.asname or not rest, f"line {node.lineno}: write `from {alias.name} import ...`"
                alias.name, alias.asname = f"{ROOTS[first]}{dot}{rest}", alias.asname or first
        return node


def test_of_the_whole_library_only_imports_change() -> None:
    for name, path in library.sources():
        if path.suffix == ".py":
            before = path.read_text("utf-8")
            after = rewrite(before, ROOTS)
            assert ast.dump(ast.parse(after)) == ast.dump(Renamed().visit(ast.parse(before))), name
            assert list(comments(after)) == list(comments(before)), name


def comments(text: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
