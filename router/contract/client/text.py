"""Lay out source text as `ruff format` leaves it, whatever the texts of others hold that go into it."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WIDTH = 88  # the usual width: lines that fit are left alone where more is allowed
PROSE = "\0"  # in front of a line of a docstring, until all lines are there
_INDENT = "    "
_QUOTED = re.compile(r'(?<!\\)(\\\\)*"\Z')  # ends with a quote that is not escaped
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'')
# Code in a docstring, which formatters lay out, too: a description ends before it.
_CODE = re.compile(r"^\s*(```|~~~|>>>|\.\. |:param|:return)|::\s*$|^(\t| {4,})", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Group:
    """An expression with brackets: a call, a list, a dict, a subscript."""

    opening: str
    items: tuple[Node, ...]
    closing: str

    def __str__(self) -> str:
        return self.opening + ", ".join(map(str, self.items)) + self.closing


Node: TypeAlias = str | Group


def laid_out(before: str, node: Node, after: str = "", indent: int = 0) -> list[str]:
    """Return the lines of a statement with an expression; one line where it fits, else a line an item.

    before, after: what stands around it. indent: steps.
    """
    line = f"{_INDENT * indent}{before}{node}{after}"
    if len(line) <= WIDTH or isinstance(node, str) or not node.items:
        return [line]
    lines = [f"{_INDENT * indent}{before}{node.opening}"]
    for item in node.items:
        lines += laid_out("", item, ",", indent + 1)
    return [*lines, f"{_INDENT * indent}{node.closing}{after}"]


def keyed(name: str, node: Node) -> Node:
    """Return an item with what stands in front of it: `path={...}`, `"a": [...]`."""
    return name + node if isinstance(node, str) else Group(name + node.opening, node.items, node.closing)


def literal(text: str) -> str:
    """Return a text as a string literal, in the quotes that formatters choose. Nothing in it is code."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    return quote + "".join(_escaped(char, quote) for char in text) + quote


def _escaped(char: str, quote: str) -> str:
    if char in (quote, "\\"):
        return f"\\{char}"
    return char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode()


def names_in(lines: Sequence[str]) -> set[str]:
    """Return the names that code mentions, without those in docstrings and texts."""
    code = "\n".join(line for line in lines if not line.startswith(PROSE))
    return set(re.findall(r"\w+", _STRING.sub("", code)))


def plain_line(text: str) -> str:
    """Return a text on one line, without what is not printable."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def docstring(paragraphs: Sequence[str], indent: int) -> list[str]:
    """Return the lines of a docstring, each marked as prose; none where nothing is said.

    paragraphs: each of one line or of several; code in them ends what is shown.
    """
    return [PROSE + line for line in _docstring(paragraphs, indent)]


def _docstring(paragraphs: Sequence[str], indent: int) -> list[str]:
    lines = list(_wrapped(paragraphs, WIDTH - len(_INDENT) * indent - 6))
    if not lines:
        return []
    before = _INDENT * indent
    first = f" {lines[0]}" if lines[0].startswith('"') else lines[0]
    if len(lines) == 1:
        end = " " if _QUOTED.search(lines[0]) else ""
        return [f'{before}"""{first}{end}"""']
    return [f'{before}"""{first}', *[f"{before}{line}".rstrip() for line in lines[1:]], f'{before}"""']


def _wrapped(paragraphs: Sequence[str], width: int) -> Iterator[str]:
    shown = [part for held in paragraphs for part in _until_code(held)]
    for position, part in enumerate(shown):
        if position:
            yield ""
        lines = [plain_line(line) for line in part.splitlines()] if part.startswith("\0") else [plain_line(part)]
        for line in lines:
            hanging = "  " if line.startswith("- ") else ""
            wrapped = textwrap.wrap(
                line, width, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False
            )
            yield from (_safe(one) for one in wrapped)


def _until_code(text: str) -> Iterator[str]:
    """Return the paragraphs of a text until the first one with code."""
    if text.startswith("\0"):  # lines of our own
        yield text
        return
    for part in re.split(r"\n\s*\n", text.strip()):
        if _CODE.search(part):
            return
        if plain_line(part):
            yield part


def listed(lines: Sequence[str]) -> list[str]:
    """Return lines as one paragraph whose lines stay; none for none."""
    return ["\0" + "\n".join(plain_line(line) for line in lines)] if lines else []


def _safe(line: str) -> str:
    """Return a line that ends no docstring, and is no code to whoever reads docstrings."""
    line = line.replace("\\", "\\\\").replace('"""', r"\"\"\"")
    return re.sub(r"^(>>>|```|~~~|\.\. )", r"| \1", line.removesuffix("::") + (":" if line.endswith("::") else ""))
