"""The orders example in a local run, in a browser: an order's way, edited and sent again, dead letters, by keyboard.

PICTURES=docs/pictures pytest tests/e2e/console/test_orders_console.py      draws the pictures of the docs
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from websockets.sync.client import connect

from tests.servers.artefacts import MINISTACK
from tests.servers.gateway import LocalGateway
from tests.servers.requirements import require_artefact

pytestmark = [pytest.mark.timeout(180)]

ANN = {"x-tenant": "acme", "x-user": "ann"}


@pytest.fixture(scope="module")
def run() -> Iterator[LocalGateway]:
    require_artefact(MINISTACK)
    with LocalGateway("examples.orders.stack:stack", "--env-file", "examples/orders/local.env") as run:
        sqs = run.client("sqs")
        url = sqs.get_queue_url(QueueName="orders")["QueueUrl"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})  # tries in seconds
        last = buy(run, "tea")  # a poll that began before still hides what it brings for as long as it was told
        run.wait_for(lambda: run.entries(source="sqs", q=last))
        yield run


@pytest.fixture(params=["light", "dark"])
def page(request: pytest.FixtureRequest, browser: Browser, run: LocalGateway) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 1280, "height": 720}, color_scheme=request.param, base_url=run.urls["http"]
    )
    page = context.new_page()
    page.set_default_timeout(15_000)
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    yield page
    context.close()
    assert troubles == []


def picture(page: Page, name: str, height: int = 640) -> None:
    """Keeps what the page shows, for the docs, where they are asked for. height: of the picture, in pixels."""
    scheme = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'")
    folder = os.environ.get("PICTURES")
    if folder:
        page.set_viewport_size({"width": 1120, "height": height})
        page.screenshot(path=Path(folder) / f"{name}-{scheme}.png")


def buy(run: LocalGateway, product: str) -> str:
    status, body = run.request("POST", "/orders", {"product": product}, ANN)
    assert status == 202, body
    return str(json.loads(body)["order_id"])


def test_an_order_is_watched_over_five_hops(page: Page, run: LocalGateway) -> None:
    page.goto("/_console")
    with connect(f"{run.urls['websocket']}/?tenant=acme&user=ann", proxy=None) as client:
        order_id = buy(run, "tea")
        assert json.loads(client.recv(30))["order_id"] == order_id
    rows = page.get_by_role("main")
    expect(rows).to_contain_text("stream orders")
    picture(page, "console-events")

    run.wait_for(lambda: run.entries(source="http", q=order_id))
    [first] = run.entries(source="http", q=order_id)
    page.goto(f"/_console/trace/{first['correlation_id']}")
    hops = page.get_by_role("treegrid", name="Hops").get_by_role("row")
    expect(hops).to_have_count(6)  # with the names of the columns
    expect(page.get_by_role("main")).to_contain_text("5 hops")
    for place, name in enumerate(("/orders", "order-events", "orders", "stream orders", "push"), start=1):
        expect(hops.nth(place)).to_contain_text(name)
    picture(page, "console-trace", 400)


def test_an_order_is_edited_and_sent_again(page: Page, run: LocalGateway) -> None:
    order_id = buy(run, "tea")
    run.wait_for(lambda: run.entries(source="http", q=order_id))
    [first] = run.entries(source="http", q=order_id)
    page.goto(f"/_console/events/{first['id']}")
    page.get_by_role("button", name="Edit and send").click()
    field = page.get_by_label("Payload as JSON")
    expect(field).to_have_value(re.compile("tea"))
    field.fill(field.input_value().replace("tea", "coffee"))
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Send", exact=True).click()
    expect(dialog.get_by_role("region", name="Answer")).to_contain_text("accepted")
    run.wait_for(lambda: run.entries(source="sqs", q="coffee"))


def test_a_dead_letter_is_sent_back(page: Page, run: LocalGateway) -> None:
    buy(run, "unicorn")
    page.goto("/_console/queues")
    row = page.get_by_role("main")
    expect(row).to_contain_text("orders-dead")

    def dead() -> int:
        return int(next(one["messages"] for one in run.console("queues")["queues"] if one["name"] == "orders-dead"))

    run.wait_for(lambda: dead() > 0)
    picture(page, "console-queues")
    page.reload()
    tries = len(run.entries(source="sqs", outcome="failed"))
    page.get_by_role("button", name=re.compile("redrive|send back", re.IGNORECASE)).first.click()
    run.wait_for(lambda: len(run.entries(source="sqs", outcome="failed")) > tries)


def test_an_error_is_shown_with_its_source(page: Page, run: LocalGateway) -> None:
    buy(run, "unicorn")
    run.wait_for(lambda: run.entries(source="sqs", outcome="failed"))
    failed = run.entries(source="sqs", outcome="failed")[-1]
    page.goto(f"/_console/events/{failed['id']}")
    expect(page.get_by_label("Error", exact=True)).to_contain_text("raise NotSold(product)")
    picture(page, "console-error")


def test_everything_is_there_for_the_keyboard(page: Page, run: LocalGateway) -> None:
    buy(run, "tea")
    page.goto("/_console")
    expect(page.get_by_role("main")).to_contain_text("POST")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("complementary")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("q")
    expect(page).to_have_url(re.compile("/queues$"))
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
