"""The page of an OpenAPI document in a browser: it shows the operations, harms nobody, and asks nobody else.

PICTURES=docs/pictures pytest tests/e2e/api_page      draws the pictures of the docs
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from examples.orders.demo.resources import VARIABLES
from router import Resolver
from router.contract import Info, serve_openapi
from tests.e2e.api_page.web import serving
from tests.servers.browser import accessibility_faults

pytestmark = [pytest.mark.timeout(180)]

ROOT = Path(__file__).parents[3]
WIDE: Any = {"width": 1280, "height": 860}
PHONE: Any = {"width": 412, "height": 860}
HOSTILE = (
    "</script><script>document.title = 'owned'</script>"
    "<img src='https://evil.example/a.png' onerror=\"document.title = 'owned'\">"
    "<iframe src='https://evil.example/'></iframe><b onmouseover=\"document.title = 'owned'\">bold</b> "
    "[a link](javascript:document.title='owned') ![a picture](https://evil.example/b.png)"
)


class Seen:
    """Record what a page said, and whom it asked."""

    def __init__(self, page: Page) -> None:
        self.said: list[str] = []
        self.failed: list[str] = []
        self.asked: list[str] = []
        self.answered: list[str] = []
        page.on("pageerror", lambda error: self.failed.append(str(error)))
        page.on("console", lambda one: self.said.append(one.text) if one.type in ("error", "warning") else None)
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("response", lambda response: self.answered.append(response.url))

    def elsewhere(self, url: str) -> list[str]:
        """Return the requests to other hosts."""
        return [one for one in self.asked if not one.startswith((f"{url}/", "data:", "blob:"))]


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    """The page of examples/orders, in a process of its own, since that reads the environment."""
    environment = {**os.environ, **VARIABLES, "SESSION_SECRET": "0123456789abcdef" * 2, "AWS_REGION": "eu-west-1"}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.api_page.web"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.stdin.close()


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., tuple[Page, Seen]]]:
    """Opens pages; each in a browser's profile of its own."""
    contexts = []

    def open_page(url: str, scheme: Any = "light", viewport: Any = None) -> tuple[Page, Seen]:
        context = browser.new_context(color_scheme=scheme, viewport=viewport or WIDE)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.clock.install()
        seen = Seen(page)
        page.goto(url)
        return page, seen

    yield open_page
    for context in contexts:
        context.close()


def picture(page: Page, name: str) -> None:
    """Keeps what the page shows, for the docs, where they are asked for."""
    if folder := os.environ.get("PICTURES"):
        page.clock.run_for(1_000)  # what moves has come to rest
        page.screenshot(path=Path(folder) / f"{name}.png")


VIEWS = [("light", WIDE, "light"), ("dark", WIDE, "dark"), ("light", PHONE, "phone")]


@pytest.mark.parametrize(("scheme", "viewport", "name"), VIEWS)
def test_the_page_of_the_shop_shows_its_operations(
    opened: Callable[..., tuple[Page, Seen]], shop: str, scheme: str, viewport: Any, name: str
) -> None:
    page, seen = opened(f"{shop}/docs", scheme, viewport)
    main = page.get_by_role("main")
    expect(main).to_contain_text("Orders of many tenants, from the request to the parcel.")
    for operation in ("/orders", "/orders/{order_id}", "/price-lists"):
        expect(main.get_by_text(operation, exact=True).first).to_be_attached()
    expect(page).to_have_title("The shop")

    page.goto(f"{shop}/docs#/orders/place")
    expect(main).to_contain_text("Take an order and announce it")
    expect(main).to_contain_text("quantity")
    assert page.evaluate("document.documentElement.classList.contains('dark')") is (scheme == "dark")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "it scrolls sideways"
    picture(page, f"openapi-{name}")

    assert accessibility_faults(page, "serious", "critical") == []
    assert (seen.failed, seen.said, seen.elsewhere(shop)) == ([], [], [])


def test_nothing_is_sent_to_the_makers_of_the_viewer(opened: Callable[..., tuple[Page, Seen]], shop: str) -> None:
    page, seen = opened(f"{shop}/docs")
    expect(page.get_by_role("main")).to_contain_text("The shop")
    page.get_by_role("link", name="orders").first.click()
    page.clock.fast_forward(120_000)  # what waits to be sent is sent by then
    page.goto("about:blank")

    # The policy would stop it, and say so.
    assert (seen.elsewhere(shop), seen.said) == ([], [])
    assert {one.removeprefix(shop).partition("-")[0] for one in seen.asked if one.startswith(shop)} == {
        "/docs",
        "/docs/redoc",
        "/openapi.json",
    }


def hostile() -> Resolver:
    resolver = Resolver()

    @resolver.get("/hostile", name="hostile", tags=[HOSTILE], summary=HOSTILE)
    def hold() -> dict[str, str]:
        return {}

    hold.__doc__ = f"Hold what harms.\n\n{HOSTILE}"
    resolver.get("/described", name="described", tags=["plain"], responses={404: HOSTILE})(hold)
    serve_openapi(resolver, Info(HOSTILE, description=HOSTILE, tags={HOSTILE: HOSTILE}))
    return resolver


@pytest.mark.parametrize(("path", "shown"), [("/docs", "Download OpenAPI"), ("/docs#/plain/described", "/described")])
def test_a_document_that_is_made_to_harm_does_none(
    opened: Callable[..., tuple[Page, Seen]], path: str, shown: str
) -> None:
    with serving(hostile()) as url:
        page, seen = opened(f"{url}{path}")
        main = page.get_by_role("main")
        expect(main).to_contain_text(shown)
        expect(main.get_by_text("bold", exact=True).first).to_be_visible()
        for bold in page.get_by_text("bold", exact=True).all():
            bold.hover(force=True)
        page.clock.fast_forward(10_000)

        assert page.title() == HOSTILE  # as text
        assert seen.failed == []
        assert page.frames == [page.main_frame]
        assert page.locator("a[href^='javascript:']").count() == 0
        # The policy stops what is in the document: it says so, and nothing else goes wrong.
        assert [one for one in seen.said if "Content Security Policy" not in one] == []
        assert [one for one in seen.answered if not one.startswith((f"{url}/", "data:"))] == []


@pytest.mark.parametrize(("source", "stage", "slash"), [("rest", "/prod", ""), ("alb", "", "/"), ("url", "/a/b", "/")])
def test_the_page_is_shown_behind_any_api(
    opened: Callable[..., tuple[Page, Seen]], source: str, stage: str, slash: str
) -> None:
    resolver = Resolver()
    resolver.get("/things/{thing_id}", name="show_thing")(lambda thing_id: {"id": thing_id})
    serve_openapi(resolver, Info("Things"), path="/api/openapi.json", docs="/help/api")
    with serving(resolver, source, stage) as url:
        page, seen = opened(f"{url}/help/api{slash}")
        expect(page.get_by_role("main")).to_contain_text("/things/{thing_id}")
        assert (seen.failed, seen.said, seen.elsewhere(url)) == ([], [], [])


def test_a_page_whose_document_cannot_be_had_says_so(opened: Callable[..., tuple[Page, Seen]]) -> None:
    resolver = Resolver()
    serve_openapi(resolver, Info("Things"), permission=lambda event: not event.path.endswith(".json"))
    with serving(resolver) as url:
        page, seen = opened(f"{url}/docs")
        expect(page.locator("#api")).to_contain_text("403")
        assert seen.failed == []
