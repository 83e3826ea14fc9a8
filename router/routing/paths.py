"""Paths: a tree with one step per segment, so that a match costs what the path is long, however many routes there are.

`/a/{x}`, typed `{x:int|float|uuid|str}`, greedy `{rest+}` at the end. Static beats parameter beats greedy; a trailing
slash makes no difference. Segments are split first and percent-decoded after, so `%2F` never makes a segment.
"""

from __future__ import annotations

from functools import lru_cache

from router.errors import BadRequest, ConfigurationError
from router.routing.slots import Slot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any


class NoMatch(Exception):
    """Raised by a converter for a segment that it does not take."""


def _int(segment: str) -> int:
    digits = segment.removeprefix("-")
    # ASCII digits alone ("١" is a digit to str.isdigit), and few enough that int() stays quick.
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 40):
        raise NoMatch
    return int(segment)


def _float(segment: str) -> float:
    digits = segment.removeprefix("-")
    whole, dot, fraction = digits.partition(".")
    if not (digits.isascii() and whole.isdigit() and (not dot or fraction.isdigit()) and len(digits) <= 40):
        raise NoMatch
    return float(segment)


def _uuid(segment: str) -> Any:
    from uuid import UUID

    try:
        value = UUID(segment)
    except ValueError:
        raise NoMatch from None
    if str(value) != segment.lower():  # UUID() also takes braces, underscores, signs and digits of other scripts
        raise NoMatch
    return value


# Tried in this order where several kinds of parameter stand at the same place.
CONVERTERS: dict[str, Callable[[str], Any]] = {"int": _int, "uuid": _uuid, "float": _float}


class Node:
    """One place in the tree: what may follow, and the routes (by method) that end here."""

    __slots__ = ("ends", "greedy", "param", "static", "typed")

    def __init__(self) -> None:
        self.static: dict[str, Node] = {}
        self.typed: dict[str, Node] = {}  # by converter
        self.param: Node | None = None
        self.greedy: dict[str, Slot] = {}
        self.ends: dict[str, Slot] = {}


@lru_cache(8)  # registering a route asks several times in a row
def parse(template: str) -> tuple[tuple[str, str], ...]:
    """Return the steps of a template: ("static", text), ("str" or another converter, name), ("greedy", name).

    Raises:
        ConfigurationError: no path could ever match it, or it is ambiguous.
    """
    if not template.startswith("/"):
        raise ConfigurationError(f"path {template!r}: it must start with a slash")
    steps: list[tuple[str, str]] = []
    names: set[str] = set()
    segments = template.split("/")[1:]
    if segments[-1] == "":
        segments.pop()
    for position, segment in enumerate(segments):
        step = _step(template, segment)
        if step[0] == "greedy" and position != len(segments) - 1:
            raise ConfigurationError(f"path {template!r}: the greedy {segment} must stand at the end")
        if step[0] != "static":
            if step[1] in names:
                raise ConfigurationError(f"path {template!r}: the parameter {step[1]} stands twice")
            names.add(step[1])
        steps.append(step)
    return tuple(steps)


def _step(template: str, segment: str) -> tuple[str, str]:
    if "{" not in segment and "}" not in segment:
        if not segment:
            raise ConfigurationError(f"path {template!r}: it has an empty segment")
        if segment.startswith((":", "<")) or segment == "*" or "?" in segment:
            # The forms of other libraries, and a query: as text they would match nothing that a client means.
            raise ConfigurationError(
                f"path {template!r}: write a parameter as {{name}}, the rest as {{name+}}, no query"
            )
        if "%" in segment:
            raise ConfigurationError(f"path {template!r}: write {segment!r} decoded, as it is matched")
        return "static", segment
    if not (segment.startswith("{") and segment.endswith("}")) or segment.count("{") != 1 or segment.count("}") != 1:
        raise ConfigurationError(f"path {template!r}: a parameter must be a whole segment, not {segment!r}")
    name, colon, kind = segment[1:-1].partition(":")
    if name.endswith("+") and not colon:
        name, kind = name[:-1], "greedy"
    elif not colon:
        kind = "str"
    elif kind not in CONVERTERS and kind != "str":
        raise ConfigurationError(f"path {template!r}: unknown type {kind!r}; use {', '.join(CONVERTERS)} or str")
    if not name.isidentifier():
        raise ConfigurationError(f"path {template!r}: {name!r} is no name for a parameter")
    return kind, name


class Paths:
    """The tree."""

    __slots__ = ("_root", "top")

    def __init__(self) -> None:
        self._root = Node()
        self.top = Node()  # so that the empty text before the first slash is a step like any other
        self.top.static[""] = self._root

    def place(self, template: str, method: str) -> Slot:
        """Return the slot of a template and method, made when it is not there yet."""
        node = self._root
        child: Node | None
        for kind, text in parse(template):
            if kind == "static":
                child = node.static.get(text)
                if child is None:
                    node.static[text] = child = Node()
                node = child
            elif kind == "str":
                if node.param is None:
                    node.param = Node()
                node = node.param
            elif kind == "greedy":
                return node.greedy.setdefault(method, Slot())
            else:
                node.typed[kind] = child = node.typed.get(kind) or Node()
                # In the order of CONVERTERS, whatever the order of registration.
                node.typed = {key: node.typed[key] for key in CONVERTERS if key in node.typed}
                node = child
        return node.ends.setdefault(method, Slot())

    def find(self, method: str, path: str) -> tuple[Slot, list[Any]] | None:
        """Return the best slot for a request, with the values of its parameters; None when nothing matches."""
        return next(self.find_all(method, path), None)

    def find_all(self, method: str, path: str) -> Iterator[tuple[Slot, list[Any]]]:
        """Return each slot for a request, best first, with the values of its parameters in order."""
        return _walk(self._root, split(path), 0, [], method)

    def methods(self, path: str) -> list[str]:
        """The methods that some route takes at this path, for `Allow`; empty when the path is unknown."""
        found: dict[str, None] = {}
        _collect(self._root, split(path), 0, found)
        return list(found)


def split(path: str) -> list[str]:
    """The decoded segments of a path. Bad percent-encoding is a 400."""
    segments = path.split("/")
    if not segments[0]:
        del segments[0]
    if segments and not segments[-1]:
        del segments[-1]
    return [decode(segment) if "%" in segment else segment for segment in segments] if "%" in path else segments


def decode(segment: str) -> str:
    """Undo percent-encoding, strictly: `%zz` and bytes that are not UTF-8 are a 400."""
    head, *escapes = segment.split("%")
    out = bytearray(head.encode(errors="surrogatepass"))
    for escape in escapes:
        digits = escape[:2]
        if len(digits) != 2 or not all(char in "0123456789abcdefABCDEF" for char in digits):
            raise BadRequest(f"the path has a malformed percent-encoding at '%{digits}'")
        out.append(int(digits, 16))
        out += escape[2:].encode(errors="surrogatepass")
    try:
        return out.decode()
    except UnicodeDecodeError:
        raise BadRequest("the path has a percent-encoding that is not UTF-8") from None


def _walk(
    node: Node, segments: list[str], index: int, values: list[Any], method: str
) -> Iterator[tuple[Slot, list[Any]]]:
    """Each slot that a path leads to, best first. Each node has one way to it, so that no path is walked twice."""
    if index == len(segments):
        if method in node.ends:
            yield node.ends[method], values
        return
    for step, child in _children(node, segments[index]):
        yield from _walk(child, segments, index + 1, [*values, *step], method)
    if method in node.greedy and segments[index:] != [""]:
        yield node.greedy[method], [*values, _rest(segments, index)]


def _collect(node: Node, segments: list[str], index: int, found: dict[str, None]) -> None:
    if index == len(segments):
        found.update(dict.fromkeys(node.ends))
        return
    for _, child in _children(node, segments[index]):
        _collect(child, segments, index + 1, found)
    if segments[index:] != [""]:  # nothing between two slashes is no rest
        found.update(dict.fromkeys(node.greedy))


def _children(node: Node, segment: str) -> list[tuple[list[Any], Node]]:
    """The nodes a segment may lead to, best first, each with the parameter value it gives."""
    children: list[tuple[list[Any], Node]] = []
    static = node.static.get(segment)
    if static is not None:
        children.append(([], static))
    for kind, child in node.typed.items():
        try:
            children.append(([CONVERTERS[kind](segment)], child))
        except NoMatch:
            continue
    if node.param is not None and segment:
        children.append(([segment], node.param))
    return children


def _rest(segments: list[str], index: int) -> str:
    # A slash that came percent-encoded stays so, or it would look like one between segments.
    return "/".join(segment.replace("/", "%2F") for segment in segments[index:])
