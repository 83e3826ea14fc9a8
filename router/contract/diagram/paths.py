"""Write the lines of a picture as paths of SVG: level, around a corner, along the lane, around a corner, level."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from router.contract.diagram.layout import End, Wire

RADIUS = 7.0
TIP = 6.0  # pixels that an arrowhead is long


def number(value: float) -> str:
    """Return a number as short as it can be written, the same on every machine."""
    short = f"{value:.1f}".removesuffix(".0")
    return "0" if short == "-0" else short


def of_source(wire: Wire, node_x: float) -> Iterator[str]:
    """Return the path from a source to each of its routes or groups."""
    for end in wire.ends:
        yield _bent(node_x, wire.node_y, wire.x, end.x - TIP, end.y)


def of_use(wire: Wire, to_x: float) -> Iterator[tuple[str, bool]]:
    """Return the paths from routes to what they use, and whether they are dashed.

    Each leads level to the lane; the lane, and what is beyond it, are drawn once.
    """
    if wire.is_straight:
        only = wire.ends[0]
        yield f"M{_at(only.x, only.y)}H{number(to_x - TIP)}", only.dashed
        return
    for end in wire.ends:
        bend = _bend(wire.node_y - end.y)
        corner = f"Q{_at(wire.x, end.y)} {_at(wire.x, end.y + bend)}" if bend else ""
        yield f"M{_at(end.x, end.y)}H{number(wire.x - abs(bend))}{corner}", end.dashed
    outermost = _outermost(wire)
    for end in outermost:
        bend = _bend(wire.node_y - end.y)
        corner = f"Q{_at(wire.x, wire.node_y)} {_at(wire.x + abs(bend), wire.node_y)}"
        lane = f"M{_at(wire.x, end.y + bend)}V{number(wire.node_y - bend)}"
        yield f"{lane}{corner}H{number(to_x - TIP)}", False
    if not outermost:
        yield f"M{_at(wire.x, wire.node_y)}H{number(to_x - TIP)}", False


def tip(x: float, y: float) -> str:
    """Return an arrowhead that ends at a point, and comes from the left."""
    return f"M{_at(x, y)}l{number(-TIP - 1)} -3.6v7.2z"


def _outermost(wire: Wire) -> list[End]:
    """Return the ends from which the lane is drawn: the highest and the lowest, where they are on two sides."""
    above = [end for end in wire.ends if end.y < wire.node_y]
    below = [end for end in wire.ends if end.y > wire.node_y]
    return [*above[:1], *below[-1:]]


def _bent(from_x: float, from_y: float, lane_x: float, to_x: float, to_y: float) -> str:
    bend = _bend(to_y - from_y)
    start = f"M{_at(from_x, from_y)}"
    if not bend:
        return f"{start}H{number(to_x)}"
    down = f"Q{_at(lane_x, from_y)} {_at(lane_x, from_y + bend)}"
    across = f"Q{_at(lane_x, to_y)} {_at(lane_x + abs(bend), to_y)}"
    return f"{start}H{number(lane_x - abs(bend))}{down}V{number(to_y - bend)}{across}H{number(to_x)}"


def _bend(down: float) -> float:
    """Return the radius of the corners of a line that leads so far down; negative where it leads up."""
    if abs(down) < 0.5:
        return 0.0
    return max(-RADIUS, min(RADIUS, down / 2))


def _at(x: float, y: float) -> str:
    return f"{number(x)} {number(y)}"
