"""Where things are in a picture: nothing on top of anything else, and few lines that cross."""

from __future__ import annotations

from itertools import combinations, pairwise, permutations

import pytest

from router import Resolver
from router.contract.diagram import Picture, picture
from router.contract.diagram.layout import Box, End, Layout, Wire, _sorted, _spread, crossings, layout
from router.contract.interface import Info, describe
from tests.unit.router.contract.diagram import shops


def drawn(resolver: Resolver, group: str = "source") -> Picture:
    return picture(describe(resolver, Info("The shop")), group=group)


PICTURES = [(name, group) for name in ("small", "hostile", "40", "500") for group in ("source", "tag")]


@pytest.fixture(params=PICTURES, ids="-".join)
def placed(request: pytest.FixtureRequest) -> Layout:
    name, group = request.param
    resolver = shops.large(int(name)) if name.isdigit() else getattr(shops, name)()
    return layout(drawn(resolver, group))


def meet(one: Box, other: Box) -> bool:
    apart = one.x + one.width <= other.x or other.x + other.width <= one.x
    return not apart and one.y < other.y + other.height and other.y < one.y + one.height


def test_no_box_meets_another_one(placed: Layout) -> None:
    for boxes in (placed.sources, placed.rows, placed.uses, placed.panels):
        by_height = sorted(boxes, key=lambda box: box.y)
        assert not any(meet(one, other) for one, other in pairwise(by_height))
    columns = (placed.sources, placed.panels or placed.rows, placed.uses)
    for left, right in combinations([column for column in columns if column], 2):
        assert max(box.x + box.width for box in left) < min(box.x for box in right)


def test_everything_is_on_the_sheet(placed: Layout) -> None:
    for box in (*placed.sources, *placed.rows, *placed.uses, *placed.panels):
        assert 0 < box.x < box.x + box.width < placed.width
        assert 0 < box.y < box.y + box.height < placed.height


def test_routes_stay_inside_the_panel_of_their_group(placed: Layout) -> None:
    for panel in placed.panels:
        inside = [box for box in placed.rows if any(box.row is row for row in panel.group.rows)]
        assert len(inside) == len(panel.group.rows)
        assert all(panel.x < box.x and box.x + box.width < panel.x + panel.width for box in inside)
        assert all(panel.y < box.y and box.y + box.height < panel.y + panel.height for box in inside)


def test_lanes_are_between_the_columns_and_none_is_along_another(placed: Layout) -> None:
    edges = [(placed.left, placed.sources), (placed.right, placed.uses)]
    for wires, boxes in edges:
        lanes = [wire for wire in wires if not wire.is_straight]
        for one, other in combinations(lanes, 2):
            assert abs(one.x - other.x) > 8 or one.bottom < other.top or other.bottom < one.top
        for wire, box in zip(wires, boxes, strict=True):
            assert box.y < wire.node_y < box.y + box.height
    rows_end = max((box.x + box.width for box in placed.rows), default=0)
    for wire in placed.right:
        assert wire.is_straight or rows_end < wire.x < placed.uses[0].x


def test_each_line_begins_at_the_route_that_it_is_of(placed: Layout) -> None:
    used = [(use.node, box) for box in placed.rows for use in box.row.uses]
    assert sum(len(wire.ends) for wire in placed.right) == len(used)
    for wire in placed.right:
        boxes = sorted((box for node, box in used if node == wire.key), key=lambda box: box.y)
        for end, box in zip(wire.ends, boxes, strict=True):
            assert end.x == box.x + box.width
            assert box.y < end.y < box.y + box.height


@pytest.mark.parametrize(
    ("wanted", "places"),
    [
        ([], []),
        ([10, 50], [10, 50]),
        ([30, 30], [20, 40]),
        ([30, 30, 30, 200], [10, 30, 50, 200]),
        ([0, 0, 0], [5, 25, 45]),
        ([100, 101, 102], [81, 101, 121]),
    ],
)
def test_boxes_are_as_near_to_where_they_belong_as_their_neighbours_let_them(
    wanted: list[float], places: list[float]
) -> None:
    assert _spread(wanted, 20, 5) == places


def test_lanes_are_in_the_order_with_the_fewest_crossings() -> None:
    wires = [
        Wire("a", 10, [End(0, 5), End(0, 90)]),
        Wire("b", 60, [End(0, 20), End(0, 30)]),
        Wire("c", 80, [End(0, 40), End(0, 70)]),
    ]

    def crossing(order: tuple[Wire, ...]) -> int:
        for place, wire in enumerate(order):
            wire.x = place
        return crossings(order)

    found = tuple(track[0] for track in _sorted([[wire] for wire in wires]))
    assert crossing(found) == min(map(crossing, permutations(wires))) < max(map(crossing, permutations(wires)))
