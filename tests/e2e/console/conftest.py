"""A console with a scene behind it, in a browser; every complaint of the page fails the test that caused it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.e2e.console.scene import Scene, playing

if TYPE_CHECKING:
    from playwright.sync_api import Page

Open = Callable[[str], "Page"]


@pytest.fixture
def scene() -> Iterator[Scene]:
    """A gateway that has seen nothing yet."""
    with playing() as scene:
        yield scene


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """Return what the page said in the browser's log, and failed with."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", lambda said: found.append(said.text) if said.type in {"error", "warning"} else None)
    return found


@pytest.fixture
def console(page: Page, scene: Scene, complaints: list[str]) -> Iterator[Open]:
    """Opens a path of the console, and returns its page."""

    def open_path(path: str = "/") -> Page:
        page.set_default_timeout(10_000)
        page.goto(scene.url + path)
        page.get_by_role("main").wait_for()
        return page

    yield open_path
    assert not page.locator("#troubles").is_visible(), page.locator("#troubles").inner_text()
    assert complaints == []
