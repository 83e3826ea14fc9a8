"""Find the places of a module that can be changed, each change a mutant that a test should notice.

A mutant replaces a piece of the text, so that a survivor is shown as a diff of the code as it was written. Mutants that
nobody would notice for sure are not made: texts for people, annotations, debug logs, `slots=True`.
"""

from __future__ import annotations

import ast
import difflib
import re
from dataclasses import dataclass

# Only what keeps the types of both sides: anything else fails at once and would raise the score for nothing.
COMPARISONS: dict[type[ast.AST], tuple[str, str]] = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: (r"is\s+not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: (r"not\s+in", "in"),
}
ARITHMETIC: dict[type[ast.AST], tuple[str, str]] = {
    ast.Add: (r"\+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: (r"\*", "//"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "//"),
    ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
}
NEGATED_BY_THEIR_OPERATOR = (ast.Eq, ast.NotEq, ast.Is, ast.IsNot, ast.In, ast.NotIn)
# Calls that say something to a type checker, or to nobody but their author.
SILENT_CALLS = {"cast", "TypeVar", "ParamSpec", "dataclass", "debug"}
SILENT_NAMES = {"__all__", "__slots__", "TYPE_CHECKING"}
LOGGERS = {"debug", "info", "warning", "error", "exception", "critical"}
# Seen in a traceback or a list of threads, never in an outcome; and `zip(strict=)`, written where lengths are equal.
SILENT_KEYWORDS = {"stacklevel", "daemon", "thread_name_prefix", "strict"}


@dataclass(frozen=True)
class Mutant:
    """One change of one module.

    path: the module's file, from the root. function: the qualified name of the function it is in; empty for code that
    runs at import. start, end: the bytes that `text` replaces. lines: the first and last line of the statement. before,
    after: the line with the change, and that line as it becomes.
    """

    path: str
    function: str
    start: int
    end: int
    text: str
    lines: tuple[int, int]
    line: int
    before: str
    after: str

    def apply(self, source: bytes) -> bytes:
        """Return the module with the change."""
        return source[: self.start] + self.text.encode() + source[self.end :]

    def diff(self, source: bytes) -> str:
        """Return the change as a diff."""
        old, new = source.decode().splitlines(keepends=True), self.apply(source).decode().splitlines(keepends=True)
        return "".join(difflib.unified_diff(old, new, f"{self.path}:{self.line}", self.function or "at import", n=2))


def mutants(path: str, source: bytes) -> list[Mutant]:
    """Return all mutants of a module, in the order of the text; none that is not valid Python."""
    finder = _Finder(path, source)
    finder.visit(ast.parse(source))
    return sorted(finder.found, key=lambda mutant: (mutant.start, mutant.end, mutant.text))


class _Finder(ast.NodeVisitor):
    """Walks a module; knows the statement and the function it is in."""

    def __init__(self, path: str, source: bytes) -> None:
        self.found: list[Mutant] = []
        self._path = path
        self._source = source
        self._starts = [0]
        for line in source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._names: list[str] = []
        self._running = False  # in the body of a function, not at import
        self._lines = (1, 1)
        self._speaking = False  # in a text for people

    # ------------------------------------------------------------------------------------------------- the text

    def _start(self, node: ast.expr | ast.stmt | ast.keyword) -> int:
        return self._starts[node.lineno - 1] + node.col_offset

    def _end(self, node: ast.expr | ast.stmt | ast.keyword) -> int:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._starts[node.end_lineno - 1] + node.end_col_offset

    def _between(self, start: int, end: int, pattern: str, text: str) -> None:
        """Replace the first match of a pattern in a stretch of the text, unless a comment or one of two brackets is."""
        stretch = self._source[start:end].decode()
        match = re.search(pattern, stretch)
        if match is None or "#" in stretch:
            return
        first = start + len(stretch[: match.start()].encode())
        last = first + len(match.group().encode())
        try:
            ast.parse(self._source[:first] + text.encode() + self._source[last:])
        except SyntaxError:
            return
        self._add(first, last, text)

    def _replace(self, node: ast.expr | ast.stmt, text: str) -> None:
        self._add(self._start(node), self._end(node), text)

    def _add(self, start: int, end: int, text: str) -> None:
        line = self._source.count(b"\n", 0, start) + 1
        before, rest = self._source[self._starts[line - 1] :].split(b"\n", 1)[0], self._source[end:].split(b"\n", 1)[0]
        after = (self._source[self._starts[line - 1] : start] + text.encode() + rest).split(b"\n", 1)[0]
        function = ".".join(self._names) if self._running else ""
        lines = before.decode().strip(), after.decode().strip()
        self.found.append(Mutant(self._path, function, start, end, text, self._lines, line, *lines))

    # ------------------------------------------------------------------------------------------------ statements

    def visit(self, node: ast.AST) -> None:
        """Change a node in each way there is for it, then those inside; a docstring in none."""
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return
        if isinstance(node, ast.stmt):
            inner = getattr(node, "body", None)
            last = inner[0].lineno - 1 if isinstance(inner, list) else node.end_lineno or node.lineno
            self._lines = (node.lineno, max(node.lineno, last))
            self._statement(node)
        super().visit(node)

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.AugAssign() | ast.Raise() | ast.Delete() | ast.Break():
                self._replace(node, "pass")
            case ast.Continue():
                self._replace(node, "pass")
                self._replace(node, "break")
            case ast.Expr(value=value) if not _is_silent(value):
                self._replace(node, "pass")
            case ast.Assign(targets=targets) if all(
                isinstance(each, ast.Attribute | ast.Subscript) for each in targets
            ):
                self._replace(node, "pass")
            case ast.Return(value=ast.expr() as value) if not _is_plain(value):
                self._replace(value, "None")

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for each in (*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)):
            self.visit(each)
        running, self._running = self._running, True
        self._names.append(node.name)
        for statement in node.body:
            self.visit(statement)
        self._names.pop()
        self._running = running

    visit_FunctionDef = visit_AsyncFunctionDef = _function  # noqa: N815 - the names that ast calls

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._names.append(node.name)
        for each in (*node.decorator_list, *node.keywords, *node.body):
            self.visit(each)
        self._names.pop()

    def visit_If(self, node: ast.If) -> None:
        if not (isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"):
            self._negate(node.test)
            self.generic_visit(node)

    def visit_While(self, node: ast.While) -> None:
        self._negate(node.test)
        self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> None:
        speaking, self._speaking = self._speaking, True
        self.generic_visit(node)
        self._speaking = speaking

    def visit_Assign(self, node: ast.Assign) -> None:
        if not any(isinstance(each, ast.Name) and each.id in SILENT_NAMES for each in node.targets):
            self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        self._lines = (node.lineno, node.body[0].lineno)
        if not isinstance(node.body[0], ast.Raise):
            self._add(self._start(node.body[0]), self._end(node.body[-1]), "raise")
        self.generic_visit(node)

    # ----------------------------------------------------------------------------------------------- expressions

    def _negate(self, test: ast.expr) -> None:
        changed_anyway = isinstance(test, ast.UnaryOp | ast.Constant) or (
            isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], NEGATED_BY_THEIR_OPERATOR)
        )
        if not changed_anyway:
            self._replace(test, f"not ({self._source[self._start(test) : self._end(test)].decode()})")

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._negate(node.test)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for test in node.ifs:
            self._negate(test)
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        sides = [node.left, *node.comparators]
        for left, operator, right in zip(sides, node.ops, sides[1:], strict=False):
            self._between(self._end(left), self._start(right), *COMPARISONS[type(operator)])
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        conjunction = isinstance(node.op, ast.And)
        for left, right in zip(node.values, node.values[1:], strict=False):
            self._between(self._end(left), self._start(right), *(("and", "or") if conjunction else ("or", "and")))
        for value in (each for each in node.values if not isinstance(each, ast.Constant)):
            self._replace(value, "True" if conjunction else "False")
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        texts = any(isinstance(side, ast.JoinedStr) or _is_text(side) for side in (node.left, node.right))
        if type(node.op) in ARITHMETIC and not texts:
            self._between(self._end(node.left), self._start(node.right), *ARITHMETIC[type(node.op)])
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if type(node.op) in ARITHMETIC and not _is_text(node.value):
            self._between(self._end(node.target), self._start(node.value), *ARITHMETIC[type(node.op)])
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not):
            self._between(self._start(node), self._start(node.operand), r"not\s*", "")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if _is_silent(node):
            return
        keywords = [each for each in node.keywords if each.arg is not None and each.arg not in SILENT_KEYWORDS]
        for keyword in keywords:
            text = self._source[self._start(keyword) : self._end(keyword)].decode()
            self._between(self._start(keyword), self._end(node), re.escape(text) + r"(\s*,\s*)?", "")
        speaking, self._speaking = self._speaking, self._speaking or _called(node) in LOGGERS
        for each in (node.func, *node.args, *(keyword.value for keyword in keywords)):
            self.visit(each)
        self._speaking = speaking

    def visit_Constant(self, node: ast.Constant) -> None:
        value = node.value
        if isinstance(value, bool):
            self._replace(node, str(not value))
        elif isinstance(value, int | float):
            self._replace(node, str(value + 1))
        elif isinstance(value, str) and not self._speaking and " " not in value and node.lineno == node.end_lineno:
            self._replace(node, '""' if value else '"mutated"')

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Leave f-strings alone: before Python 3.12 the places inside are not where they are said to be."""


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _is_plain(node: ast.expr) -> bool:
    """Whether a returned value is None, or differs from it too little: True and False are changed by themselves."""
    return isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, bool))


def _called(node: ast.AST) -> str:
    """Return the last part of the name that is called; empty for anything else."""
    function = node.func if isinstance(node, ast.Call) else None
    return (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )


def _is_silent(node: ast.AST) -> bool:
    return _called(node) in SILENT_CALLS
