"""Read a template with the places of its entries, so that some of them can be exchanged and no other line changes."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING
from warnings import catch_warnings

from router.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, NoReturn

_TAGS = "tag:yaml.org,2002:"
_BOM = "\ufeff"
_LINES = re.compile(r"[^\n]*\n|[^\n]+")  # what ends a line in Unicode alone ends none here
_BEGUN = object()


class Entry:
    """A name with its value, in a mapping that is written as a block.

    name: the name. line: where it begins, from 0. end: the first line after it. column: of the name, from 0.
    value: the node of its value, as ruamel.yaml has it.
    """

    __slots__ = ("column", "end", "line", "name", "value")

    def __init__(self, name: str, line: int, column: int, value: Any) -> None:
        self.name = name
        self.line = line
        self.end = line + 1
        self.column = column
        self.value = value

    @property
    def is_empty(self) -> bool:
        """Whether it has no value, or one without anything in it."""
        held = self.value.value
        return not held or (self.value.tag == f"{_TAGS}null")


class Source:
    """The text of a template, or of a part of one.

    lines: its lines, with their ends. newline: how its first line ends.
    """

    def __init__(self, text: str) -> None:
        self.newline = "\r\n" if text.partition("\n")[0].endswith("\r") else "\n"
        self.mark = _BOM if text.startswith(_BOM) else ""
        self._text = text.removeprefix(_BOM)
        if self._text and not self._text.endswith("\n"):
            self._text += self.newline  # so that what is written after it does not change the end of a text there
        self.lines = _LINES.findall(self._text)
        self._starts = list(accumulate((len(line) for line in self.lines), initial=0))
        self.root = _composed(self._text)
        if self.root is not None and self.root.id != "mapping":
            raise ConfigurationError("the template is not a mapping of sections")
        self.data: dict[str, Any] = {} if self.root is None else _mapping(self.root, {})

    def position(self, mark: Any) -> tuple[int, int]:
        """Return the line and the column of a mark of ruamel.yaml, both from 0."""
        line = bisect_right(self._starts, mark.index) - 1
        return line, mark.index - self._starts[line]

    def line_of(self, node: Any) -> int:
        """Return the number of the line where a node begins, from 1 as editors count."""
        return self.position(node.start_mark)[0] + 1

    def entries(self, node: Any, until: int) -> dict[str, Entry]:
        """Return the entries of a mapping.

        until: the line before which the mapping ends.

        Raises:
            ConfigurationError: it is written in braces, or its names are not at the begin of lines.
        """
        if node.flow_style:
            self.refuse(node, "it is written in braces: write a line for each name")
        found: list[Entry] = []
        for key, value in node.value:
            line, column = self.position(key.start_mark)
            if key.tag == f"{_TAGS}merge" or self.lines[line][:column].strip():
                self.refuse(key, "an export needs a line for each name here, without merge keys (<<) and marks (?)")
            found.append(Entry(str(key.value), line, column, value))
        for entry, following in zip(found, [*(one.line for one in found[1:]), until], strict=True):
            entry.end = self._end(entry, following)
        return {entry.name: entry for entry in found}

    def end_of(self, node: Any) -> int:
        """Return the line after the last one of a node."""
        line, column = self.position(node.end_mark)
        return line + 1 if column else line

    def refuse(self, node: Any, why: str) -> NoReturn:
        """Raise a ConfigurationError that names the line of a node."""
        raise ConfigurationError(f"line {self.line_of(node)}: {why}")

    def _end(self, entry: Entry, following: int) -> int:
        """Return the line after an entry: comments that stand as far left as its name belong to what follows."""
        end = following
        while end > entry.line + 1:
            line = self.lines[end - 1]
            text = line.lstrip(" ")
            outside = text.startswith("#") and len(line) - len(text) <= entry.column
            if text.strip() and not outside:
                break
            end -= 1
        return end


def _composed(text: str) -> Any:
    try:
        from ruamel.yaml import YAML
    except ImportError:
        raise ConfigurationError('templates need ruamel.yaml: pip install "lambda-junction[deploy]"') from None
    try:
        with catch_warnings(action="ignore"):  # of anchors that are there twice, which is allowed
            return YAML(pure=True).compose(text)
    except Exception as error:  # the library has errors of many classes
        raise ConfigurationError(f"the template cannot be read: {' '.join(str(error).split())}") from None


def _mapping(node: Any, seen: dict[int, Any]) -> dict[str, Any]:
    held: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for key, value in node.value:
        if key.id != "scalar":
            raise ConfigurationError(f"line {key.start_mark.line + 1}: a name is not a text")
        name, line = str(key.value), key.start_mark.line + 1
        if key.tag == f"{_TAGS}merge":
            for one in value.value if value.id == "sequence" else [value]:
                held = {**_data(one, seen), **held}
            continue
        if name in lines:
            raise ConfigurationError(f"line {line}: {name} is there already, on line {lines[name]}")
        lines[name] = line
        held[name] = _data(value, seen)
    return held


def _data(node: Any, seen: dict[int, Any]) -> Any:
    """Return a node as JSON has it: `{"Fn::Sub": "x"}` for `!Sub x`. Numbers and truth values stay text."""
    if id(node) in seen:  # an alias
        if seen[id(node)] is _BEGUN:
            raise ConfigurationError(f"line {node.start_mark.line + 1}: a value that holds itself")
        return seen[id(node)]
    seen[id(node)] = _BEGUN
    held: Any
    if node.id == "mapping":
        held = _mapping(node, seen)
    elif node.id == "sequence":
        held = [_data(one, seen) for one in node.value]
    elif node.tag == f"{_TAGS}null":
        held = None
    else:
        held = node.value.lower() if node.tag == f"{_TAGS}bool" else str(node.value)
    seen[id(node)] = held = _of_tag(str(node.tag), held)
    return held


def _of_tag(tag: str, held: Any) -> Any:
    if not tag.startswith("!") or tag == "!":
        return held
    name = tag[1:]
    if name == "GetAtt" and isinstance(held, str):
        held = held.split(".", 1)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": held}


def values(data: Any) -> Iterator[Any]:
    """Yield a value and all that is in it."""
    waiting = [data]
    while waiting:
        held = waiting.pop()
        yield held
        waiting.extend(held.values() if isinstance(held, dict) else held if isinstance(held, list) else ())
