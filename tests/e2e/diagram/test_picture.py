"""The SVG in a real browser: no text leaves its box or meets another one, everyone can read it, light and dark.

PICTURES=docs/pictures pytest tests/e2e/diagram/test_picture.py      draws the picture of the docs
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from router.contract.diagram import picture, svg
from router.contract.interface import Info, describe
from tests.e2e.diagram.drawing import EXAMPLES, exported
from tests.unit.router.contract.diagram import shops

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.timeout(180)]

SHOPS: dict[str, Callable[[], Any]] = {
    "small": shops.small,
    "hostile": shops.hostile,
    "forty": lambda: shops.large(40),
}
_MEASURE = """() => {
    const box = element => {
        const {x, y, right, bottom} = element.getBoundingClientRect();
        return [x, y, right, bottom];
    };
    return [...document.querySelectorAll('text')].map(text => ({
        text: text.textContent,
        box: box(text),
        around: box(text.parentElement.querySelector(':scope > rect:not(.ground)') ?? document.documentElement),
        size: parseFloat(getComputedStyle(text).fontSize),
    }));
}"""


def drawn(name: str, group: str = "source") -> str:
    if name in EXAMPLES:
        return exported(name, "--format", "svg", "--group", group)
    return svg(picture(describe(SHOPS[name](), Info("The shop")), group=group))


@pytest.fixture
def opened(page: Page, tmp_path: Path) -> Callable[[str], Page]:
    """Return what opens an SVG as a document of its own."""

    def open_text(text: str) -> Page:
        file = tmp_path / "drawn.svg"
        file.write_text(text, "utf-8")
        page.goto(file.as_uri())
        return page

    return open_text


@pytest.mark.parametrize("group", ["source", "tag"])
@pytest.mark.parametrize("name", [*SHOPS, *EXAMPLES])
def test_texts_stay_in_their_boxes_and_apart(opened: Callable[[str], Page], name: str, group: str) -> None:
    texts = opened(drawn(name, group)).evaluate(_MEASURE)
    assert len(texts) > 8
    for one in texts:
        left, top, right, bottom = one["box"]
        x, y, end, below = one["around"]
        assert x <= left, one
        assert right <= end, one
        assert y - 1 <= top, one  # the box of a text has room above its letters
        assert bottom <= below + 1, one
    placed = sorted(texts, key=lambda one: one["box"][1])
    for place, one in enumerate(placed):
        for other in placed[place + 1 :]:
            if other["box"][1] >= one["box"][3] - 2:
                break  # so are all that follow
            beside = one["box"][2] <= other["box"][0] or other["box"][2] <= one["box"][0]
            assert beside, (one, other)


@pytest.mark.parametrize("name", ["orders", "forty"])
def test_it_can_be_read_as_large_as_it_is(opened: Callable[[str], Page], name: str) -> None:
    page = opened(drawn(name))
    assert min(one["size"] for one in page.evaluate(_MEASURE)) >= 10
    assert page.evaluate("document.documentElement.getBoundingClientRect().width") < 1100


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_kept_from_reading_it(
    browser: Browser, accessibility_faults: Callable[..., list[str]], scheme: Any
) -> None:
    with browser.new_context(color_scheme=scheme) as context:
        page = context.new_page()
        page.set_content(f"<!doctype html><html lang=en><title>Shop</title><main><h1>Shop</h1>{drawn('small')}</main>")
        assert accessibility_faults(page, "serious", "critical") == []
        listed = page.get_by_role("list", name="Sources").get_by_role("listitem")
        assert listed.count() == 5
        assert page.get_by_role("listitem", name="GET /health").count() == 1


def test_it_follows_the_colours_that_the_reader_prefers(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "drawn.svg"
    file.write_text(drawn("small"), "utf-8")
    fills = {}
    for scheme in ("light", "dark"):
        with browser.new_context(color_scheme=scheme) as context:
            page = context.new_page()
            page.goto(file.as_uri())
            fills[scheme] = page.evaluate("getComputedStyle(document.querySelector('.bg')).fill")
    assert fills == {"light": "rgb(255, 255, 255)", "dark": "rgb(15, 20, 27)"}


def test_its_texts_can_be_selected_and_found(opened: Callable[[str], Page]) -> None:
    page = opened(drawn("orders"))
    page.evaluate("getSelection().selectAllChildren(document.documentElement)")
    assert "/orders/{order_id}" in page.evaluate("getSelection().toString()")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_docs_show_the_picture_of_the_shop(browser: Browser, scheme: Any) -> None:
    current = drawn("orders")
    folder = os.environ.get("PICTURES")
    if folder:
        (Path(folder) / "diagram.svg").write_text(current, "utf-8")
    shown = Path(__file__).parents[3] / "docs" / "pictures" / "diagram.svg"
    with browser.new_context(color_scheme=scheme, viewport={"width": 1000, "height": 600}) as context:
        page = context.new_page()
        page.goto(shown.as_uri())
        height = page.evaluate("document.documentElement.getBoundingClientRect().height")
        page.set_viewport_size({"width": 1000, "height": int(height)})
        if folder:
            page.screenshot(path=Path(folder) / f"diagram-{scheme}.png")
    assert shown.read_text("utf-8") == current
