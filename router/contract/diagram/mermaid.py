"""Write a picture as a flowchart of Mermaid, which GitHub and many wikis draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.contract.diagram.kinds import SHARED, WORDS
from router.contract.diagram.words import Ids

if TYPE_CHECKING:
    from collections.abc import Iterator

    from router.contract.diagram.model import Group, Node, Picture, Row

_LONGEST = 60  # letters of a name; Mermaid makes a box as wide as its text
# Without the colon, which styles have (`style x fill:#fff;`), and which would cost a number its last sign.
_PLAIN = frozenset(" /_.,(){}+?@-")
_SHAPES = {
    **dict.fromkeys(("table", "bucket", "secret", "parameter", "log"), ("[(", ")]")),
    **dict.fromkeys(("queue", "topic", "stream", "kafka", "bus", "channel", "broker", "delivery"), ("([", "])")),
    **dict.fromkeys(("function", "machine", "task"), ("[[", "]]")),
    "schedule": ("((", "))"),
}
_RECTANGLE = ("[", "]")
# Nothing but lines, and these in colours that can be told from a light page and from a dark one.
_CLASSES = (
    "classDef source stroke:#7c8aa0,stroke-width:1.5px",
    "classDef use stroke:#3b82c4,stroke-width:1.5px",
)


def mermaid(drawn: Picture) -> str:
    """Return a flowchart: dotted lines lead to what is only read."""
    return "\n".join(_lines(drawn)) + "\n"


def _lines(drawn: Picture) -> Iterator[str]:
    sources, rows, groups, uses = Ids("s_"), Ids("r_"), Ids("g_"), Ids("u_")
    of_sources = {node.key: sources.new(node.key) for node in drawn.sources}
    of_uses = {node.key: uses.new(node.key) for node in drawn.uses}
    of_rows = {id(row): rows.new(f"{row.method} {row.name} {row.handler}") for row in drawn.rows}
    of_groups = {group.key: groups.new(group.key) for group in drawn.groups}
    yield "flowchart LR"
    yield f"  accTitle: {_label(drawn.title)}"
    yield "  accDescr: The sources of events on the left, the routes that take them, and what these use on the right."
    for node in drawn.sources:
        yield f"  {of_sources[node.key]}{_node(node)}:::source"
    for group in drawn.groups:
        if group.title:
            yield f'  subgraph {of_groups[group.key]}["{_label(group.title)}"]'
            yield "    direction LR"
        indent = "    " if group.title else "  "
        for row in group.rows:
            yield f'{indent}{of_rows[id(row)]}["{_row(row)}"]'
        if group.title:
            yield "  end"
    for node in drawn.uses:
        yield f"  {of_uses[node.key]}{_node(node)}:::use"
    for group in drawn.groups:
        if group.source and group.title:
            yield f"  {of_sources[group.source]} --> {of_groups[group.key]}"
        else:
            yield from _brought(group, of_sources, of_rows)
    for row in drawn.rows:
        for use in row.uses:
            yield f"  {of_rows[id(row)]} {'-.->' if use.reads_only else '-->'} {of_uses[use.node]}"
    for line in _CLASSES:
        yield f"  {line}"


def _brought(group: Group, of_sources: dict[str, str], of_rows: dict[int, str]) -> Iterator[str]:
    for row in group.rows:
        for source in row.sources:
            yield f"  {of_sources[source]} --> {of_rows[id(row)]}"


def _node(node: Node) -> str:
    opening, closing = _SHAPES.get(node.kind, _RECTANGLE)
    word = WORDS[node.kind]
    above = "" if node.name in (word, SHARED.get(node.kind)) else f"{_label(word)}<br/>"
    return f'{opening}"{above}{_label(node.name)}"{closing}'


def _row(row: Row) -> str:
    text = _label(f"{row.method} {row.name}" if row.method else row.name)
    beside = row.handler or row.note
    return text if beside in ("", row.name) else f"{text}<br/>{_label(beside)}"


def _label(text: str) -> str:
    """Return a text that shows as it is: anything that markup could be made of is written as its number."""
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    shown = shown.replace("$$", "$\u200b$")  # two of them begin a formula, however they are written
    return "".join(_letter(letter) for letter in shown) if shown.strip() else "#160;"


def _letter(letter: str) -> str:
    if letter in _PLAIN or (letter.isalnum() if letter.isascii() else True):
        return letter
    return f"#{ord(letter)};"
