"""Draw a picture as SVG, without scripts and without anything from elsewhere: browsers and READMEs show it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from router.contract.diagram.icons import ICONS
from router.contract.diagram.kinds import SHARED, WORDS
from router.contract.diagram.layout import HEADER, MARGIN, PANEL_TOP, SIDE_WIDTH, TALL, Box, Layout, layout
from router.contract.diagram.paths import number, of_source, of_use, tip
from router.contract.diagram.style import LINES, METHODS, NAME_SIZE, NOTE_SIZE, SMALL_SIZE, TITLE_SIZE, css
from router.contract.diagram.words import cut_name, cut_note, width_of_note

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from router.contract.diagram.layout import Panel, RowBox
    from router.contract.diagram.model import Node, Picture, Row

_BADGE, _SIGN, _PADDING = 54, 16, 11
_GROUND = 26  # of the square behind a sign
_INSET = 8 + _GROUND + 9  # of the texts beside it
_BOLD = 1.12  # times as wide as other letters
_LEGEND = 36  # pixels below everything


def svg(drawn: Picture) -> str:
    """Return the text of an SVG file."""
    return "\n".join(_Sheet(drawn).lines()) + "\n"


class _Sheet:
    """Draws one picture, in the order of painting: lines are below boxes."""

    def __init__(self, drawn: Picture) -> None:
        self._drawn = drawn
        self._layout: Layout = layout(drawn)
        self._used = {node.key: node for node in drawn.uses}
        self._colours = {wire.key: place % len(LINES) for place, wire in enumerate(self._layout.right)}

    def lines(self) -> Iterator[str]:
        """Return the file, line by line."""
        width, height = number(self._layout.width), number(self._layout.height + _LEGEND)
        told = (
            f"{self._summary()}. On the left what brings events, then the routes that take them, then what these use."
        )
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="junction" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="graphics-document document" aria-roledescription="diagram" '
            'aria-labelledby="junction-title junction-desc">'
        )
        yield f'<title id="junction-title">{escape(self._drawn.title)}</title>'
        yield f'<desc id="junction-desc">{escape(told)}</desc>'
        yield f"<style>{css()}</style>"
        yield _rectangle("bg", Box("", 0.5, 0.5, self._layout.width - 1, self._layout.height + _LEGEND - 1), 10)
        yield from self._head()
        yield '<g aria-hidden="true">'
        for panel in self._layout.panels:
            yield from _panel(panel)
        yield from self._wires()
        yield "</g>"
        yield '<g role="list" aria-label="Sources">'
        for box, source in _paired(self._layout.sources, self._drawn.sources):
            yield from _node(box, source, "", _with_word(source, source.note, box))
        yield "</g>"
        yield from self._routes()
        yield '<g role="list" aria-label="Used by routes">'
        for box, used in _paired(self._layout.uses, self._drawn.uses):
            yield from _node(box, used, str(self._colours[box.key]), _operations(used, box))
        yield "</g>"
        yield from self._legend()
        yield "</svg>"

    # ---- above and below --------------------------------------------------------------------------------------------

    def _summary(self) -> str:
        rows = sum(bool(row.sources) for row in self._drawn.rows)
        counts = ((len(self._drawn.sources), "source"), (rows, "route"), (len(self._drawn.uses), "resource"))
        return " · ".join(f"{count} {word if count == 1 else f'{word}s'}" for count, word in counts if count)

    def _head(self) -> Iterator[str]:
        room = self._layout.width - 2 * MARGIN
        yield _text("title", MARGIN, 42, cut_note(self._drawn.title, room, TITLE_SIZE * _BOLD))
        yield _text("sub", MARGIN, 61, self._summary())
        heads = (("SOURCES", self._layout.sources), ("ROUTES", self._layout.panels + self._layout.rows))
        for words, boxes in (*heads, ("USED BY ROUTES", self._layout.uses)):
            if boxes:
                yield _text("head", min(box.x for box in boxes), HEADER - 8, words)

    def _legend(self) -> Iterator[str]:
        """Say what lines and signs mean, of those that are there."""
        dashed = {use.reads_only for row in self._drawn.rows for use in row.uses}
        lock = f'<path class="icon sign" d="{ICONS["lock"]}" transform="translate(0 -12)"/>'
        guarded = any(row.guarded for row in self._drawn.rows)
        said = [
            *[('<path class="line c0" d="M0 -4h24"/>', 30, "changes, sends or calls")][: False in dashed],
            *[('<path class="line c0 reads" d="M0 -4h24"/>', 30, "reads only")][: True in dashed],
            *[(lock, 21, "callers say who they are")][:guarded],
        ]
        x, y = float(MARGIN), self._layout.height + _LEGEND - 18
        for sign, inset, words in said:
            yield f'<g transform="translate({number(x)} {number(y)})">{sign}{_text("note", inset, 0, words)}</g>'
            x += inset + width_of_note(words, NOTE_SIZE) + 22

    # ---- lines ------------------------------------------------------------------------------------------------------

    def _wires(self) -> Iterator[str]:
        for wire, box in zip(self._layout.left, self._layout.sources, strict=True):
            for path in of_source(wire, box.x + SIDE_WIDTH):
                yield f'<path class="line flow" d="{path}"/>'
            for end in wire.ends:
                yield f'<path class="tip" d="{tip(end.x, end.y)}"/>'
        for wire, box in zip(self._layout.right, self._layout.uses, strict=True):
            colour = self._colours[wire.key]
            for path, dashed in of_use(wire, box.x):
                yield f'<path class="line c{colour}{" reads" if dashed else ""}" d="{path}"/>'
            yield f'<path class="f{colour}" d="{tip(box.x, wire.node_y)}"/>'

    # ---- boxes ------------------------------------------------------------------------------------------------------

    def _routes(self) -> Iterator[str]:
        boxes = iter(self._layout.rows)
        for group in self._drawn.groups:
            yield f'<g role="list" aria-label="{escape(f"Routes of {group.title}" if group.title else "Route")}">'
            for _, box in zip(group.rows, boxes, strict=False):
                yield from self._row(box)
            yield "</g>"

    def _row(self, box: RowBox) -> Iterator[str]:
        row = box.row
        inset: float = _PADDING
        yield f'<g role="listitem"><title>{escape(self._told(row))}</title>'
        yield _rectangle("box" if row.sources else "box around", box, 8)
        name_y = box.y + 18 if box.height >= TALL else box.middle + 4
        if row.method:
            yield from _badge(row.method, box.x + inset - 3, name_y - 12)
            inset += _BADGE + 6
        if not row.sources:
            yield _icon("around", box.x + _PADDING, box.middle - _SIGN / 2, "sign")
            inset += _SIGN + 9
        room = box.width - inset - _PADDING - (20 if row.guarded else 0)
        if row.guarded:
            yield _icon("lock", box.x + box.width - _PADDING - _SIGN, name_y - 13, "sign")
        name = cut_name(row.name, room, NAME_SIZE)
        yield _text("name old" if row.deprecated else "name", box.x + inset, name_y, name)
        if box.height >= TALL:
            left = _PADDING if row.method else inset
            note = cut_note(row.note or row.handler, box.width - left - _PADDING, NOTE_SIZE)
            yield _text("note", box.x + left, box.y + 34, note)
        yield "</g>"

    def _told(self, row: Row) -> str:
        """Return all that is known of a route, for who points at it, and for who hears the picture."""
        name = f"{row.method} {row.name}" if row.method else row.name
        beside = ", ".join(dict.fromkeys(part for part in (row.handler, row.note) if part and part != row.name))
        uses = []
        for use in row.uses:
            node = self._used[use.node]
            operations = f" ({', '.join(use.operations)})" if use.operations else ""
            uses.append(f"{WORDS[node.kind]} {node.name}{operations}")
        used = f"; uses {', '.join(uses)}" if uses else ""
        return f"{name}{': ' if beside else ''}{beside}{used}"


def _panel(panel: Panel) -> Iterator[str]:
    title = cut_note(panel.group.title, panel.width - 2 * _PADDING, NOTE_SIZE * _BOLD)
    yield f"<g>{_rectangle('panel', panel, 10)}"
    yield f"{_text('panel-title', panel.x + _PADDING, panel.y + PANEL_TOP - 10, title)}</g>"


def _paired(boxes: Iterable[Box], nodes: Iterable[Node]) -> Iterator[tuple[Box, Node]]:
    by_key = {node.key: node for node in nodes}
    return ((box, by_key[box.key]) for box in boxes)


def _node(box: Box, node: Node, colour: str, note: str) -> Iterator[str]:
    """Return the box of a source, or of something used, whose sign has the colour of its lines."""
    told = " · ".join(part for part in (WORDS[node.kind], node.name, node.note) if part)
    yield f'<g role="listitem"><title>{escape(told)}</title>'
    yield _rectangle("box", box, 8)
    ground = Box("", box.x + 8, box.y + 8, _GROUND, _GROUND)
    yield _rectangle(f"ground g{colour}" if colour else "ground", ground, 6)
    yield _icon(node.kind, ground.x + 5, ground.y + 5, f"c{colour}" if colour else "sign")
    name = cut_name(node.name, box.width - _INSET - _PADDING, NAME_SIZE)
    yield _text("name", box.x + _INSET, box.y + 18 if note else box.middle + 4, name)
    yield _text("note", box.x + _INSET, box.y + 34, note)
    yield "</g>"


def _with_word(node: Node, note: str, box: Box) -> str:
    is_told = node.name in (WORDS[node.kind], SHARED.get(node.kind)) or (node.kind == "schedule" and note)
    whole = " · ".join(part for part in ("" if is_told else WORDS[node.kind], note) if part)
    return cut_note(whole, box.width - _INSET - _PADDING, NOTE_SIZE)


def _operations(node: Node, box: Box) -> str:
    """Return as many operations as there is room for, and how many more there are."""
    names = node.note.split(", ") if node.note else []
    for shown in range(len(names), 0, -1):
        more = f" +{len(names) - shown}" if shown < len(names) else ""
        whole = _with_word(node, f"{', '.join(names[:shown])}{more}", box)
        if not whole.endswith("…"):
            return whole
    return cut_note(names[0] if names else WORDS[node.kind], box.width - _INSET - _PADDING, NOTE_SIZE)


def _text(kind: str, x: float, y: float, words: str) -> str:
    return f'<text class="{kind}" x="{number(x)}" y="{number(y)}">{escape(words)}</text>' if words else ""


def _rectangle(kind: str, box: Box, radius: int) -> str:
    return (
        f'<rect class="{kind}" x="{number(box.x)}" y="{number(box.y)}" width="{number(box.width)}" '
        f'height="{number(box.height)}" rx="{radius}"/>'
    )


def _icon(kind: str, x: float, y: float, colour: str) -> str:
    return f'<path class="icon {colour}" d="{ICONS[kind]}" transform="translate({number(x)} {number(y)})"/>'


def _badge(method: str, x: float, y: float) -> Iterator[str]:
    first, _, more = method.partition("|")
    words = f"{first} +{more.count('|') + 1}" if more else first
    colour = METHODS.get(first, "other")
    yield f'<rect class="m-{colour}" x="{number(x)}" y="{number(y)}" width="{_BADGE}" height="16" rx="4"/>'
    yield _text(f"method t-{colour}", x + _BADGE / 2, y + 11.5, cut_name(words, _BADGE - 4, SMALL_SIZE))
