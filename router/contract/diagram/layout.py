"""Place a picture in three columns, and lead its lines: one vertical lane for each source and each thing used.

Lines run level from a route to the lane, along it, and level to the other end. Lanes that never meet share a track, and
tracks are put in the order in which the fewest lines cross.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from router.contract.diagram.model import Group, Picture, Row

# All in pixels at the size at which the picture is meant to be seen.
MARGIN, HEADER = 28, 92
SIDE_WIDTH, ROW_WIDTH = 216, 352
TALL, SHORT = 42, 27  # boxes of two lines and of one
GAP, BETWEEN = 12, 4  # between boxes, and between those of one group
PANEL_TOP, PANEL_PADDING = 28, 8
MOST_TALL = 8  # routes of a group that have two lines each; more of them have one
LANE, LANE_MARGIN = 13, 26
_APART = 4  # pixels between level lines that might be taken for one
_MOST_LANES_SORTED = 120


@dataclass(slots=True)
class Box:
    """A rectangle. key: of what is in it."""

    key: str
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """Return the height of its centre."""
        return self.y + self.height / 2


@dataclass(slots=True)
class RowBox(Box):
    """The rectangle of a route."""

    row: Row = field(kw_only=True)


@dataclass(slots=True)
class Panel(Box):
    """The rectangle around a group."""

    group: Group = field(kw_only=True)


@dataclass(slots=True)
class End:
    """One end of a line, at a route or a group. dashed: whether the line is."""

    x: float
    y: float
    dashed: bool = False


@dataclass(slots=True)
class Wire:
    """All lines of one source, or of one thing that is used.

    key: of the node. node_y: where it leaves the node. ends: at the routes, from above. x: of its lane.
    """

    key: str
    node_y: float
    ends: list[End]
    x: float = 0.0

    @property
    def is_straight(self) -> bool:
        """Return whether it needs no lane."""
        return len(self.ends) == 1 and abs(self.ends[0].y - self.node_y) < 0.5

    @property
    def top(self) -> float:
        """Return where its lane begins."""
        return min(self.node_y, self.ends[0].y)

    @property
    def bottom(self) -> float:
        """Return where its lane ends."""
        return max(self.node_y, self.ends[-1].y)


@dataclass(slots=True)
class Layout:
    """Where everything is."""

    width: float
    height: float
    sources: list[Box]
    panels: list[Panel]
    rows: list[RowBox]
    uses: list[Box]
    left: list[Wire]
    right: list[Wire]


def layout(drawn: Picture) -> Layout:
    """Return where everything of a picture is. The gaps between the columns are as wide as their lanes need."""
    panels, rows = _middle(drawn)
    left = _left_wires(drawn, panels, rows)
    right = _right_wires(drawn, rows)
    sources, uses = _side(left), _side(right)
    left_gap, right_gap = _lead(left), _lead(right)
    x = MARGIN + SIDE_WIDTH + left_gap
    _move(sources, MARGIN)
    _move(panels, x)
    for wire in left:
        wire.x = x - wire.x
    for wire in right:
        wire.x += x + ROW_WIDTH
    for box in rows:
        box.x += x
    for end in (end for wire in (*left, *right) for end in wire.ends):
        end.x += x
    x += ROW_WIDTH
    if uses:
        x += right_gap + SIDE_WIDTH
        _move(uses, x - SIDE_WIDTH)
    lowest = max([HEADER, *(box.y + box.height for box in (*sources, *panels, *rows, *uses))])
    return Layout(x + MARGIN, lowest + MARGIN, sources, panels, rows, uses, left, right)


def _move(boxes: Sequence[Box], x: float) -> None:
    for box in boxes:
        box.x = x


def _middle(drawn: Picture) -> tuple[list[Panel], list[RowBox]]:
    """Return the routes from above, each group in a panel of its own, left edge at 0."""
    panels: list[Panel] = []
    rows: list[RowBox] = []
    y: float = HEADER
    for group in drawn.groups:
        inset = PANEL_PADDING if group.title else 0
        height = SHORT if len(group.rows) > MOST_TALL else TALL
        top = y
        y += PANEL_TOP if group.title else 0
        for row in group.rows:
            rows.append(RowBox(row.key, inset, y, ROW_WIDTH - 2 * inset, height, row=row))
            y += height + BETWEEN
        y += inset - BETWEEN
        if group.title:
            panels.append(Panel(group.key, 0, top, ROW_WIDTH, y - top, group=group))
        y += GAP
    return panels, rows


# ---- which lines there are ----------------------------------------------------------------------------------------


def _left_wires(drawn: Picture, panels: Sequence[Panel], rows: Sequence[RowBox]) -> list[Wire]:
    """Return the lines of sources: one to a group, all of whose routes it brings, else one to each route."""
    whole = {id(row) for panel in panels if panel.group.source for row in panel.group.rows}
    ends: dict[str, list[End]] = {node.key: [] for node in drawn.sources}
    for panel in panels:
        if panel.group.source:
            ends[panel.group.source].append(End(panel.x, panel.middle))
    for box in rows:
        if id(box.row) not in whole:
            for source, y in zip(box.row.sources, _ports(box, len(box.row.sources)), strict=True):
                ends[source].append(End(box.x, y))
    return [_wire(key, held) for key, held in ends.items() if held]


def _right_wires(drawn: Picture, rows: Sequence[RowBox]) -> list[Wire]:
    """Return the lines to what is used. What routes use in the middle is above in the column, and so are its lines."""
    ends: dict[str, list[tuple[RowBox, bool]]] = {node.key: [] for node in drawn.uses}
    for box in rows:
        for use in box.row.uses:
            ends[use.node].append((box, use.reads_only))
    middles = {key: _middle_of([box.middle for box, _ in held]) for key, held in ends.items() if held}
    order = {key: place for place, key in enumerate(sorted(middles, key=lambda key: (middles[key], key)))}
    ports = {}
    for box in rows:
        used = sorted((use.node for use in box.row.uses), key=order.__getitem__)
        ports.update({(id(box), key): y for key, y in zip(used, _ports(box, len(used)), strict=True)})
    return [
        _wire(key, [End(box.x + box.width, ports[id(box), key], dashed) for box, dashed in ends[key]])
        for key in sorted(middles, key=order.__getitem__)
    ]


def _wire(key: str, ends: list[End]) -> Wire:
    ends.sort(key=lambda end: end.y)
    return Wire(key, _middle_of([end.y for end in ends]), ends)


def _middle_of(heights: Sequence[float]) -> float:
    """Return the median: one route far away does not draw a node away from all others."""
    held = sorted(heights)
    half = len(held) // 2
    return held[half] if len(held) % 2 else (held[half - 1] + held[half]) / 2


def _ports(box: Box, count: int) -> list[float]:
    """Return the heights at which lines leave a box, around its middle."""
    step = min(9.0, (box.height - 8) / max(count - 1, 1))
    return [box.middle + (place - (count - 1) / 2) * step for place in range(count)]


# ---- the columns at the sides -------------------------------------------------------------------------------------


def _side(wires: list[Wire]) -> list[Box]:
    """Return the boxes of a column, each as near to the middle of its lines as the others let it."""
    wires.sort(key=lambda wire: (wire.node_y, wire.key))
    wanted = [wire.node_y - TALL / 2 for wire in wires]
    tops = _spread(wanted, TALL + GAP, HEADER)
    taken = sorted(end.y for wire in wires for end in wire.ends)
    boxes = []
    for wire, top in zip(wires, tops, strict=True):
        box = Box(wire.key, 0, top, SIDE_WIDTH, TALL)
        wire.node_y = _entry(box, wire, taken)
        boxes.append(box)
    return boxes


def _spread(wanted: Sequence[float], pitch: float, least: float) -> list[float]:
    """Return places at least `pitch` apart, as near to the wanted ones as that allows; none is above `least`.

    Neighbours that are too near become a block, which stands where the mean of what its members want is.
    """
    blocks: list[list[float]] = []  # sum of what is wanted of the first, and how many there are
    for place in wanted:
        blocks.append([place, 1])
        while len(blocks) > 1 and _top(blocks[-2], least) + blocks[-2][1] * pitch > _top(blocks[-1], least):
            total, count = blocks.pop()
            blocks[-1][0] += total - blocks[-1][1] * pitch * count
            blocks[-1][1] += count
    return [_top(block, least) + place * pitch for block in blocks for place in range(int(block[1]))]


def _top(block: Sequence[float], least: float) -> float:
    return max(block[0] / block[1], least)


def _entry(box: Box, wire: Wire, taken: Sequence[float]) -> float:
    """Return the height at which lines reach a box: where no other line of the gap is level with it."""
    own = {end.y for end in wire.ends}
    level = [end.y for end in wire.ends if abs(end.y - box.middle) <= box.height / 2 - 8]
    if level:  # straight across
        return min(level, key=lambda y: abs(y - box.middle))
    for step in (0, 4, -4, 8, -8, 12, -12):
        y = box.middle + step
        near = taken[bisect_left(taken, y - _APART) : bisect_right(taken, y + _APART)]
        if all(other in own for other in near):
            return y
    return box.middle


# ---- lanes --------------------------------------------------------------------------------------------------------


def _lead(wires: Sequence[Wire]) -> float:
    """Give each wire its lane, by its distance from the routes; return how wide the gap has to be."""
    tracks = _tracks([wire for wire in wires if not wire.is_straight])
    for place, track in enumerate(_sorted(tracks)):
        for wire in track:
            wire.x = LANE_MARGIN + place * LANE
    width = 2 * LANE_MARGIN + max(len(tracks) - 1, 0) * LANE
    return max(width, 64.0)


def _tracks(wires: Sequence[Wire]) -> list[list[Wire]]:
    """Return wires by their track: each goes to the first whose lanes it never meets."""
    tracks: list[list[Wire]] = []
    for wire in sorted(wires, key=lambda wire: (wire.top, wire.key)):
        for track in tracks:
            if track[-1].bottom + 2 * _APART < wire.top:
                track.append(wire)
                break
        else:
            tracks.append([wire])
    return tracks


def _sorted(tracks: list[list[Wire]]) -> list[list[Wire]]:
    """Return tracks in an order with few crossings: neighbours change places as long as that helps."""
    if len(tracks) > _MOST_LANES_SORTED:
        return tracks
    cost = [[sum(_crossings(a, b) for a in first for b in second) for second in tracks] for first in tracks]
    order = list(range(len(tracks)))
    for _ in order:
        changed = False
        for place in range(len(order) - 1):
            one, other = order[place], order[place + 1]
            if cost[other][one] < cost[one][other]:
                order[place : place + 2] = other, one
                changed = True
        if not changed:
            break
    return [tracks[place] for place in order]


def _crossings(near: Wire, far: Wire) -> int:
    """Return how often two wires cross when the lane of one is nearer to the routes."""
    heights = [end.y for end in far.ends]
    crossed = bisect_right(heights, near.bottom) - bisect_left(heights, near.top)
    return crossed + (far.top <= near.node_y <= far.bottom)


def crossings(wires: Sequence[Wire]) -> int:
    """Return how often the lines of one gap cross."""
    return sum(_crossings(*pair) for pair in _pairs(wires))


def _pairs(wires: Sequence[Wire]) -> Iterator[tuple[Wire, Wire]]:
    held = sorted((wire for wire in wires if not wire.is_straight), key=lambda wire: wire.x)
    return ((near, far) for place, near in enumerate(held) for far in held[place + 1 :])
