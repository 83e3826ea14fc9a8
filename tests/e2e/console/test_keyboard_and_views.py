"""Every view, by keyboard, in both themes, in narrow windows, and when things fail."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.console.conftest import Open
from tests.e2e.console.history import an_order, entry, mixed
from tests.e2e.console.scene import Scene

if TYPE_CHECKING:
    from playwright.sync_api import Page

VIEWS = {
    "/": "Events",
    "/events/e5": "Events",
    "/events/e5/payload": "Events",
    "/events/e1/calls": "Events",
    "/trace": "Traces",
    "/trace/k-order-1042?at=e5": "Traces",
    "/routes": "Routes",
    "/send/sqs": "Send",
    "/queues/orders-dead": "Queues",
    "/connections": "Connections",
    "/executions/approve-1042": "Executions",
    "/faults": "Faults",
    "/permissions": "Permissions",
    "/state": "State",
}

TITLES = (
    *("Traces", "Routes", "Send", "Queues", "Connections", "Executions", "Faults", "Permissions", "State", "Events"),
)


@pytest.fixture
def busy(scene: Scene) -> Scene:
    """A scene with something in every view."""
    scene.add(*an_order(), *mixed())
    return scene


def test_everything_is_reached_by_keyboard_alone(console: Open, busy: Scene) -> None:
    page = console("/")
    page.locator("#row-e17").wait_for()
    press = page.keyboard.press
    press("j")
    expect(page.locator(".row.selected")).to_have_attribute("data-id", "e17")
    press("j")
    press("ArrowDown")
    expect(page.locator(".row.selected")).to_have_attribute("data-id", "e15")
    press("k")
    expect(page).to_have_url(re.compile("/events/e16"))

    press("Enter")
    expect(page.get_by_role("tab", name="Overview")).to_be_focused()
    press("ArrowRight")
    expect(page.get_by_role("tab", name="Payload")).to_be_focused()
    expect(page).to_have_url(re.compile("/events/e16/payload"))
    expect(page.get_by_role("complementary", name="Details of e16")).to_have_attribute("aria-busy", "false")
    press("b")
    expect(page.get_by_role("button", name="Bookmark", exact=True)).to_have_attribute("aria-pressed", "true")
    press("Escape")
    expect(page.get_by_role("grid", name="Events")).to_be_focused()
    press("End")
    expect(page.locator(".row.selected")).to_have_attribute("data-id", "e1")
    expect(page.get_by_role("complementary", name="Details of e1", exact=True)).to_have_attribute("aria-busy", "false")
    press("r")
    expect(page.get_by_role("status").filter(has_text="e1 was sent again")).to_be_visible()
    press("t")
    expect(page.get_by_role("treegrid")).to_be_visible()
    press("Escape")
    press("Escape")

    for letter, title in zip(
        "etrsqcxfpa", ("Events", "Traces", "Routes", "Send", "Queues", "Connections"), strict=False
    ):
        press("g")
        press(letter)
        expect(page).to_have_title(f"{title} · Junction")
        assert page.evaluate("document.activeElement !== document.body"), f"the focus is lost in {title}"
    press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_letters_can_be_turned_off(console: Open, busy: Scene) -> None:
    page = console("/")
    page.get_by_role("button", name="Keys").click()
    page.get_by_label("Single letters do something").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.locator(".row.selected")).to_have_count(0)
    page.get_by_role("grid").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".row.selected")).to_have_count(1)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_no_view_has_an_accessibility_fault(
    console: Open, busy: Scene, accessibility_faults: Callable[..., list[str]], theme: str
) -> None:
    faults = []
    for path, title in VIEWS.items():
        page = console(path)
        page.get_by_role("button", name=f"{theme} theme").click()
        expect(page).to_have_title(f"{title} · Junction")
        _settle(page)
        faults += [f"{path}: {fault}" for fault in accessibility_faults(page, "serious", "critical")]
    assert faults == []


@pytest.mark.parametrize("width", [1024, 400])
def test_no_view_is_wider_than_its_window(console: Open, busy: Scene, width: int) -> None:
    wide = []
    for path in VIEWS:
        page = console(path)
        page.set_viewport_size({"width": width, "height": 800})
        _settle(page)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wide.append(path)
    assert wide == []


def test_the_theme_is_remembered(console: Open, busy: Scene) -> None:
    page = console("/")
    page.emulate_media(color_scheme="light")
    ground = "getComputedStyle(document.querySelector('main')).colorScheme"
    page.get_by_role("button", name="dark theme").click()
    page.reload()

    assert page.evaluate(ground) == "dark"
    page.get_by_role("button", name="system theme").click()
    assert page.evaluate(ground) != "dark"


def test_dead_letters_are_sent_back(console: Open, busy: Scene) -> None:
    page = console("/queues/orders-dead")
    page.get_by_role("button", name="f3a1c2d4-0001").click()
    expect(page.get_by_role("group", name="Message", exact=True)).to_contain_text("1042")
    page.get_by_role("button", name="Send back").click()

    expect(page.get_by_text("2 messages were sent back.")).to_be_visible()
    expect(page.get_by_text("The queue is empty.")).to_be_visible()
    assert busy.queues.dead == []


def test_a_message_is_sent_to_a_client_and_the_client_is_closed(console: Open, busy: Scene) -> None:
    page = console("/connections")
    first = page.get_by_role("listitem").filter(has_text="Kx9dPfVy1oAMEeDw=")
    first.get_by_role("textbox").fill('{"hello": 1}')
    first.get_by_role("button", name="Send").click()
    expect(page.get_by_text("The message was sent.")).to_be_visible()
    first.get_by_role("button", name="Close").click()
    expect(page.get_by_text("Kx9dPfVy1oAMEeDw= is closed.")).to_be_visible()

    assert busy.connections.sent == [("Kx9dPfVy1oAMEeDw=", '{"hello": 1}')]
    assert list(busy.connections.open) == ["Kx9dPfVy2oAMEeDw="]


def test_a_callback_is_answered(console: Open, busy: Scene) -> None:
    page = console("/executions/approve-1042")
    page.get_by_label("Answer as JSON").fill('{"approved": true}')
    page.get_by_role("button", name="Succeed").click()

    expect(page.get_by_text("The callback is answered.")).to_be_visible()
    assert busy.executions.answers == [("cb-1", {"approved": True}, None)]


def test_fault_rules_are_added_turned_off_and_refused(console: Open, busy: Scene, complaints: list[str]) -> None:
    page = console("/faults")
    page.get_by_role("button", name="Add a rule").click()
    page.get_by_label("Kind").select_option("throttle")
    page.get_by_label("Service").fill("sqs")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("sqs:*")).to_be_visible()
    assert [rule["kind"] for rule in busy.faults.kept] == ["latency", "fail", "throttle"]

    page.get_by_role("row", name="throttle").get_by_role("button", name="Turn off").click()
    expect(page.get_by_role("row", name="throttle")).to_contain_text("off")
    assert [rule["kind"] for rule in busy.faults.kept] == ["latency", "fail"]
    page.reload()
    page.get_by_role("row", name="throttle").get_by_role("button", name="Turn on").click()
    expect(page.get_by_role("button", name="Turn on")).to_have_count(0)
    assert [rule["kind"] for rule in busy.faults.kept] == ["latency", "fail", "throttle"]


def test_permissions_that_are_missing_come_first(console: Open, busy: Scene) -> None:
    page = console("/permissions")
    first = page.get_by_role("row").nth(1)

    expect(first).to_contain_text("not covered")
    expect(first).to_contain_text("execute-api:ManageConnections")
    expect(page.locator(".code").first).to_contain_text("requires={")


def test_a_broken_application_says_where(console: Open, busy: Scene) -> None:
    page = console("/")
    page.locator("#row-e17").wait_for()
    busy.break_application()
    banner = page.get_by_role("alert")
    expect(banner).to_contain_text("The application cannot be imported.")
    expect(banner).to_contain_text("shop/orders.py:27")
    busy.repair_application()
    expect(page.get_by_text("The application is ready.")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_gateway_that_goes_and_comes_back_is_followed(console: Open, busy: Scene, complaints: list[str]) -> None:
    page = console("/")
    page.locator("#row-e17").wait_for()
    busy.stop()
    expect(page.get_by_text("The gateway does not answer.")).to_be_visible()
    busy.add(entry("rest", "POST /orders", name="missed"))
    busy.start()

    expect(page.locator("#row-e18")).to_be_visible()
    expect(page.get_by_text("The gateway does not answer.")).to_have_count(0)
    complaints.clear()  # the browser logs each connection that failed


def test_an_api_that_fails_is_said_and_tried_again(console: Open, busy: Scene, complaints: list[str]) -> None:
    page = console("/state")
    page.route("**/api/queues", lambda route: route.fulfill(status=500, json={"error": "the emulator is gone"}))
    page.get_by_role("link", name="Queues").click()

    expect(page.get_by_role("main")).to_contain_text("the emulator is gone")
    expect(page.locator("#troubles")).to_contain_text("the emulator is gone")
    page.unroute("**/api/queues")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("main")).to_contain_text("orders-dead")
    page.get_by_role("button", name="Dismiss").click()
    complaints.clear()


def test_a_view_that_cannot_be_drawn_says_so(console: Open, busy: Scene, complaints: list[str]) -> None:
    page = console("/state")
    page.route("**/api/faults", lambda route: route.fulfill(json={"rules": {"no": "list"}}))
    page.get_by_role("link", name="Faults").click()

    expect(page.get_by_role("main")).to_contain_text("This part of the page could not be drawn.")
    expect(page.locator("#troubles")).to_contain_text("The view faults could not be drawn")
    page.get_by_role("link", name="Events", exact=True).click()
    page.locator("#row-e17").wait_for()
    page.get_by_role("button", name="Dismiss").click()
    complaints.clear()


def test_a_page_whose_modules_are_missing_is_not_blank(page: Page, scene: Scene) -> None:
    page.route("**/assets/views/trace.js", lambda route: route.fulfill(status=404, body="gone"))
    page.goto(f"{scene.url}/")

    expect(page.locator("#troubles")).to_contain_text("could not be loaded")


def _settle(page: Page) -> None:
    expect(page.locator(".loading, [aria-busy=true]")).to_have_count(0)
    page.evaluate("document.fonts.ready")
