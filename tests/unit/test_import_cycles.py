"""No module imports another in a circle, be it inside a function; imports for type checkers alone do not count."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]

# Circles that have to stay, each with the reason. The list must match exactly: one that is gone has to be taken out.
KNOWN: dict[str, dict[tuple[str, ...], str]] = {
    "router": {},
    "adapters": {},
}


def name_of(path: Path) -> str:
    """Return the name that a module is imported by."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(tree: ast.AST, modules: set[str]) -> Iterator[str]:
    """Yield the modules that a syntax tree imports anywhere outside of `if TYPE_CHECKING`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            yield from imports_of(ast.Module(node.orelse, []), modules)
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                # A name that is imported from a package may be a module of it.
                inner = f"{node.module}.{alias.name}"
                yield from (name for name in (inner if inner in modules else node.module,) if name in modules)
        yield from imports_of(node, modules)


def graph_of(package: str) -> dict[str, set[str]]:
    """Return what each module of a package imports of that package."""
    paths = {name_of(path): path for path in sorted((ROOT / package).rglob("*.py"))}
    trees = {name: ast.parse(path.read_text("utf-8")) for name, path in paths.items()}
    return {name: set(imports_of(tree, set(paths))) - {name} for name, tree in trees.items()}


def circles(graph: dict[str, set[str]]) -> set[tuple[str, ...]]:
    """Return the groups of modules that reach each other, each sorted (strongly connected components)."""
    reached: dict[str, set[str]] = {}
    for start in graph:
        found, waiting = set[str](), [start]
        while waiting:
            for name in graph[waiting.pop()] - found:
                found.add(name)
                waiting.append(name)
        reached[start] = found
    groups = (
        tuple(sorted(name for name in found if start in reached[name]))
        for start, found in reached.items()
        if start in found
    )
    return set(groups)


@pytest.mark.parametrize("package", sorted(KNOWN))
def test_no_modules_import_each_other_in_a_circle(package: str) -> None:
    found = circles(graph_of(package))

    new = found - KNOWN[package].keys()
    assert not new, f"import each other in a circle: {'; '.join(map(', '.join, sorted(new)))}"
    gone = KNOWN[package].keys() - found
    assert not gone, f"no circle any more, take it out of KNOWN: {'; '.join(map(', '.join, sorted(gone)))}"


def test_a_circle_is_found_whether_its_imports_are_lazy_or_not() -> None:
    modules = {"a", "a.b", "a.c"}
    sources = {
        "a": "import a.b",
        "a.b": "def late():\n    from a import c",
        "a.c": "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    import a\nelse:\n    from a.b import late",
    }
    graph = {name: set(imports_of(ast.parse(source), modules)) for name, source in sources.items()}

    assert graph == {"a": {"a.b"}, "a.b": {"a.c"}, "a.c": {"a.b"}}
    assert circles(graph) == {("a.b", "a.c")}
