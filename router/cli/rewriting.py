"""Rewrite the imports of a package that moves below another one. The rest of the text stays as it is."""

from __future__ import annotations

import ast
import io
import tokenize
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from tokenize import TokenInfo

    # What replaces the text between two tokens, both included.
    Edit = tuple[TokenInfo, TokenInfo, str]

_WITH_STATEMENTS = ("body", "orelse", "finalbody", "handlers", "cases")


def rewrite(text: str, roots: Mapping[str, str]) -> str:
    """Return a module's text with its imports rewritten: each statement binds the same names as before.

    text: the source of a module.
    roots: the new name of each top-level package, such as {"router": "shop._junction.router"}.

    Relative imports, comments, strings and the layout stay.

    Raises:
        SyntaxError: the text is not Python.
    """
    if not any(root in text for root in roots):
        return text
    lines = io.StringIO(text).readlines()
    starts = [0, *accumulate(map(len, lines))]
    for statement in reversed(list(_imports(ast.parse(text)))):
        begin, end = (
            starts[line - 1] + len(lines[line - 1].encode()[:column].decode())  # the tree counts bytes
            for line, column in (
                (statement.lineno, statement.col_offset),
                (statement.end_lineno or 0, statement.end_col_offset or 0),
            )
        )
        text = text[:begin] + _rewritten(text[begin:end], roots) + text[end:]
    return text


def _imports(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the import statements in the order of the text. Only statements are visited, to be quick."""
    for field in _WITH_STATEMENTS:
        for child in getattr(node, field, ()):
            if isinstance(child, ast.Import | ast.ImportFrom):
                yield child
            else:
                yield from _imports(child)


def _rewritten(statement: str, roots: Mapping[str, str]) -> str:
    """Rewrite one import statement."""
    lines = io.StringIO(statement).readlines()
    starts = [0, *accumulate(map(len, lines))]
    tokens = [
        token for token in tokenize.generate_tokens(iter(lines).__next__) if token.type in (tokenize.NAME, tokenize.OP)
    ]
    for first, last, new in reversed(list(_edits(tokens, roots))):
        begin, end = (starts[line - 1] + column for line, column in (first.start, last.end))
        statement = statement[:begin] + new + statement[end:]
    return statement


def _edits(tokens: list[TokenInfo], roots: Mapping[str, str]) -> Iterator[Edit]:
    keyword, name, *_ = tokens
    if keyword.string == "from":
        if name.string in roots:
            yield name, name, roots[name.string]
        return
    for clause in _clauses(tokens[1:]):
        if clause[0].string in roots:
            yield _bound(clause, roots[clause[0].string])


def _clauses(tokens: list[TokenInfo]) -> Iterator[list[TokenInfo]]:
    """Split what follows `import` at its commas."""
    clause: list[TokenInfo] = []
    for token in tokens:
        if token.string == ",":
            yield clause
            clause = []
        else:
            clause.append(token)
    yield clause


def _bound(clause: list[TokenInfo], new: str) -> Edit:
    """Rewrite `a.b` or `a.b as c` of an import statement. Without `as` it binds the top-level name `a`."""
    first, *rest = clause
    words = [token.string for token in rest]
    if "as" in words:
        return first, first, new
    bound = f"{new} as {first.string}"
    if not rest:
        return first, first, bound
    # The submodule is imported under a name that the next clause binds to the package: no further name comes up.
    return first, rest[-1], f"{new}{''.join(words)} as {first.string}, {bound}"
