"""Redoc shows AsyncAPI documents: what is in one is on the page, and nothing is found wrong with it.

PICTURES=docs/pictures pytest tests/e2e/asyncapi      draws the picture of the docs
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

import router.contract.openapi
from router.contract.asyncapi import asyncapi
from router.contract.interface import describe
from tests.unit.router.contract.asyncapi.messaged import resolver, stack

pytestmark = [pytest.mark.timeout(180)]

ROOT = Path(__file__).parents[3]
VIEWER = Path(router.contract.openapi.__file__).parent / "page" / "redoc.js.gz"
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Messages</title><link rel="icon" href="data:,"></head>
<body><div id="api"></div><script type="module">
const { init } = await import("/redoc.js");
init("/asyncapi.json", {disableTelemetry: true, sanitize: true}, document.getElementById("api"));
</script></body></html>"""
SITE = "http://127.0.0.1:9"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 4_000})
    page = context.new_page()
    page.set_default_timeout(60_000)
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
    yield page
    context.close()
    assert troubles == []


def shown(page: Page, document: dict[str, Any]) -> None:
    """Open a document. Everything that the page asks for is answered here."""
    script = gzip.decompress(VIEWER.read_bytes())
    answers = {
        "/": ("text/html", PAGE.encode()),
        "/redoc.js": ("text/javascript", script),
        "/asyncapi.json": ("application/json", json.dumps(document).encode()),
    }

    def answer(route: Route) -> None:
        found = answers.get(route.request.url.removeprefix(SITE))
        if found is None:
            route.abort()
        else:
            route.fulfill(content_type=found[0], body=found[1])

    page.route("**/*", answer)
    page.goto(f"{SITE}/")


def go_to(page: Page, channel: str, title: str) -> None:
    """Choose a channel in the menu, and wait until it is shown: only what is on the screen is drawn."""
    page.locator(f'a[href$="/{channel.lower()}"]').first.click()
    expect(page.locator("h2").filter(has_text=title).first).to_be_visible(timeout=20_000)


def test_the_shop_is_shown(page: Page) -> None:
    document = json.loads((ROOT / "examples" / "orders" / "contract" / "asyncapi.json").read_text("utf-8"))
    shown(page, document)
    body = page.locator("body")
    go_to(page, "topic_order_events", "Topic order-events")
    expect(body).to_contain_text("Sent by POST /orders")
    go_to(page, "websocket", "WebSocket API")
    expect(body).to_contain_text("Answer a client that asks for an order")
    expect(body).to_contain_text("ShownOrder")  # the reply
    go_to(page, "queue_orders", "Queue orders")
    expect(body).to_contain_text("Price an order and write it down")
    expect(body).to_contain_text("It is signed with HMAC-SHA256")
    expect(body).to_contain_text("orders-dead")
    expect(body).to_contain_text("The number of an order.")
    folder = os.environ.get("PICTURES")
    if folder:
        page.set_viewport_size({"width": 1280, "height": 860})
        go_to(page, "queue_orders", "Queue orders")
        page.screenshot(path=Path(folder) / "asyncapi.png")


def test_every_channel_is_shown_with_its_operations(page: Page) -> None:
    assert stack.info is not None
    document = asyncapi(describe(resolver, stack.info), stack.declared)
    shown(page, document)
    for name, channel in document["channels"].items():
        go_to(page, name, channel["title"])
        for operation, held in document["operations"].items():
            if held["channel"]["$ref"].endswith(f"/{name}"):
                expect(page.locator(f'a[href$="/operations/{operation.lower()}"]').first).to_be_attached()
    expect(page.locator("body")).to_contain_text("optional string note = 10;")  # of Protobuf
