"""One event: what is shown of it, editing and sending, bookmarks, and the way it took."""

from __future__ import annotations

import json
import re

from playwright.sync_api import expect

from tests.e2e.console.conftest import Open
from tests.e2e.console.history import an_order, entry, failure
from tests.e2e.console.scene import Scene


def test_a_failure_shows_the_applications_own_lines(console: Open, scene: Scene) -> None:
    scene.add(entry("sqs", "orders", outcome="failed", error=failure()))
    page = console("/events/e1")
    error = page.get_by_label("Error", exact=True)

    expect(error.locator(".line.current").first).to_contain_text('invoice(order["customer"], order["total"])')
    expect(error).to_contain_text("no customer for the token")
    expect(error).not_to_contain_text("dispatch/engine.py")
    page.get_by_role("button", name="2 steps in libraries").click()
    expect(error).to_contain_text("dispatch/engine.py:88")


def test_an_event_is_edited_and_sent_again(console: Open, scene: Scene) -> None:
    scene.add(entry("rest", "POST /orders", raw={"count": 1, "exact": 12345678901234567890}))
    page = console("/events/e1")
    page.get_by_role("button", name="Edit and send").click()
    field = page.get_by_label("Payload as JSON")
    send = page.get_by_role("dialog").get_by_role("button", name="Send", exact=True)

    field.fill('{\n  "count": 2,\n  count: 3\n}')
    expect(page.get_by_text("Line 3, column 3: a key in double quotes is expected, not c.")).to_be_visible()
    expect(send).to_be_disabled()

    field.fill('{"count": 2, "exact": 12345678901234567890}')
    send.click()
    expect(page.get_by_role("dialog").get_by_role("region", name="Answer")).to_contain_text("order")
    assert scene.application.received == [{"count": 2, "exact": 12345678901234567890}]

    page.get_by_role("dialog").get_by_role("link", name="e2").click()
    expect(page.get_by_role("complementary", name="Details of e2")).to_contain_text("Sends again")


def test_a_failed_send_shows_why(console: Open, scene: Scene) -> None:
    page = console("/send/invoke")
    page.get_by_label("Payload as JSON").fill('{"fail": true}')
    page.get_by_role("button", name="Send", exact=True).click()

    expect(page.get_by_role("region", name="Answer")).to_contain_text("KeyError")
    page.get_by_role("link", name="e1").click()
    expect(page.get_by_role("complementary")).to_contain_text("shop/orders.py:27")


def test_an_answer_that_refuses_is_not_shown_as_done(console: Open, scene: Scene) -> None:
    page = console("/send/invoke")
    page.get_by_label("Payload as JSON").fill('{"refuse": true}')
    page.get_by_role("button", name="Send", exact=True).click()

    outcome = page.get_by_role("region", name="Answer").locator(".outcome")
    expect(outcome).to_have_text(re.compile(r"refused\s+404"))
    expect(outcome).to_have_class(re.compile("warn"))


def test_a_sample_is_made_of_the_options(console: Open, scene: Scene) -> None:
    page = console("/routes")
    page.get_by_role("link", name="Send a sample to orders-dead").click()
    expect(page.get_by_label("Payload as JSON")).to_have_value(re.compile("orders-dead"))
    page.get_by_label("bodies").fill('[{"order": 7}]')
    expect(page.get_by_label("Payload as JSON")).to_have_value(re.compile("order.*7"))
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("region", name="Answer")).to_contain_text("done")

    sent = scene.application.received[0]["Records"][0]
    assert json.loads(sent["body"]) == {"order": 7}


def test_a_bookmark_is_kept(console: Open, scene: Scene) -> None:
    scene.add(entry("rest", "POST /orders"), entry("rest", "POST /orders"))
    page = console("/events/e1")
    page.get_by_role("button", name="Bookmark", exact=True).click()
    expect(page.get_by_role("button", name="Bookmark", exact=True)).to_have_attribute("aria-pressed", "true")

    page.get_by_role("button", name="Bookmarked").click()
    expect(page.locator(".events-grid [data-id]")).to_have_count(1)
    assert scene.store.entry("e1")["bookmarked"]


def test_an_event_is_copied_as_a_test_that_runs(console: Open, scene: Scene) -> None:
    raw = {"text": "'''\\ \u00e9 \U0001f600", "true": True, "null": None, "number": 12345678901234567890}
    scene.add(entry("rest", "POST /orders", raw=raw, answer={"statusCode": 201}))
    page = console("/events/e1")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy as test").click()
    expect(page.get_by_role("status").filter(has_text="A test with this event is copied")).to_be_visible()
    text = page.evaluate("navigator.clipboard.readText()")

    seen: list[object] = []

    class Client:
        def __init__(self, resolver: object) -> None:
            pass

        def event(self, given: object) -> object:
            seen.append(given)
            return {"statusCode": 201}

    code = re.sub(r"^from .*$", "", text, flags=re.MULTILINE)
    space: dict[str, object] = {"TestClient": Client, "resolver": None}
    exec(code, space)
    test = space["test_post_orders"]
    assert callable(test)
    test()
    assert seen == [raw]


def test_a_trace_shows_each_hop_with_its_waiting_and_its_tries(console: Open, scene: Scene) -> None:
    scene.add(*an_order())
    page = console("/trace/k-order-1042")
    hops = page.locator(".waterfall .hop:not(.head)")
    expect(hops).to_have_count(6)
    said = [hop.get_attribute("aria-label") for hop in hops.all()]

    assert said == [
        "POST /orders, rest, ran 38 ms, done",
        "order-events, sns, waited 65 ms, ran 42 ms, done",
        "orders, sqs, waited 38 ms, ran 88 ms, retry",
        "orders, sqs, try 2, waited 222 ms, ran 64 ms, done",
        "orders, dynamodb, waited 83 ms, ran 45 ms, done",
        "order placed, websocket, ran 3.1 ms, done",
    ]
    assert [hop.get_attribute("aria-level") for hop in hops.all()] == ["1", "2", "3", "3", "2", "3"]
    for hop in hops.all()[1:5]:
        waited, ran = hop.locator(".bar.waited").bounding_box(), hop.locator(".bar.ran").bounding_box()
        assert waited is not None
        assert ran is not None
        assert abs(waited["x"] + waited["width"] - ran["x"]) < 2

    hops.nth(2).click()
    expect(page.get_by_role("complementary", name="Details of e5")).to_contain_text("KeyError")
    page.get_by_role("button", name="Zoom in").click()
    page.keyboard.press("0")
    page.reload()
    expect(page.get_by_role("complementary", name="Details of e5")).to_contain_text("KeyError")


def test_the_list_of_traces_counts_hops_with_a_correlation_id_of_their_own(console: Open, scene: Scene) -> None:
    *first, changed, pushed, failed, billed = an_order()
    changed["correlation_id"], pushed["correlation_id"] = "of-the-change", None
    scene.add(*first, changed, pushed, failed, billed)
    page = console("/trace")
    rows = page.locator("tbody tr")

    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("k-order-1042")
    expect(rows.first.locator(".hops .source")).to_have_count(6)


def test_many_children_of_one_route_are_one_row(console: Open, scene: Scene) -> None:
    same = {"correlation_id": "k-many"}
    root = entry("rest", "POST /orders", **same, calls=[_sent(f"sqs:m{number}") for number in range(1000)])
    scene.add(root, *(entry("sqs", "orders", **same, links=[f"sqs:m{number}"]) for number in range(1000)))
    page = console("/trace/k-many")
    page.get_by_text("of the same route").wait_for()
    expect(page.locator(".waterfall .hop:not(.head)")).to_have_count(7)

    page.get_by_role("button", name="995 more of orders").click()
    expect(page.get_by_role("treegrid")).to_have_attribute("aria-rowcount", "1002")
    assert page.locator(".waterfall .hop").count() < 60


def _sent(link: str) -> object:
    return {
        "at": 0.0,
        "ms": 1.0,
        "service": "sqs",
        "operation": "SendMessage",
        "action": "sqs:SendMessage",
        "resource": "*",
        "covered": True,
        "error": None,
        "fault": None,
        "links": [link],
    }
