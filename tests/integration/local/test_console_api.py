"""Check over a real port what a page and a script get from the console's API, and what is refused."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from router.local.store import Filters
from router.testing import samples
from tests.integration.local.served import Served, served
from tests.unit.router.local.entries import call, entry

DOCS = Path(__file__).parents[3] / "docs" / "local-api.md"
REDRIVEN = {"moved": 2, "to": {"orders": 2}, "left": 1, "why": "orders is full"}
TABLE = "arn:aws:dynamodb:us-east-1:000000000000:table/orders"


@pytest.fixture(scope="module")
def console() -> Iterator[Served]:
    with served() as found:
        yield found


@pytest.fixture(autouse=True)
def empty(request: pytest.FixtureRequest) -> None:
    if "console" in request.fixturenames:
        store = request.getfixturevalue("console").store
        for one in store.page(0, 1000, Filters(bookmarked=True))[0]:
            store.bookmark(one["id"], on=False)
        store.clear()


def add(console: Served, **values: Any) -> str:
    console.store.add(entry(**values))
    console.store.flush()
    return str(console.store.page(0, 1)[0][0]["id"])


def documented() -> list[tuple[str, str, Any]]:
    """Return the requests of the page: method, path, and the body of its example."""
    pattern = re.compile(r"^### `(GET|POST|PUT|DELETE) /_console/api/(\S+)`\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
    found = []
    for method, path, text in pattern.findall(DOCS.read_text()):
        sent = re.search(r"```json request\n(.*?)```", text, re.DOTALL)
        found.append((method, path, json.loads(sent.group(1)) if sent else None))
    return found


REAL = {
    "events/{id}": "events/E",
    "events/{id}/replay": "events/E/replay",
    "events/{id}/bookmark": "events/E/bookmark",
    "traces/{correlation_id}": "traces/k1",
    "samples/{source}": "samples/sqs?queue=orders",
    "queues/{name}/messages": "queues/orders-dead/messages",
    "queues/{name}/redrive": "queues/orders-dead/redrive",
    "connections/{id}": "connections/L0SM9cOFvHcCIhw=",
    "connections/{id}/message": "connections/L0SM9cOFvHcCIhw=/message",
    "executions/{id}": "executions/arn:x/1",
    "executions/{id}/callbacks/{callback_id}": "executions/arn:x/1/callbacks/approve",
}


@pytest.mark.parametrize(("method", "path", "body"), documented())
def test_every_documented_request_is_answered(console: Served, method: str, path: str, body: Any) -> None:
    made = add(console, correlation_id="k1", raw={"version": "2.0"})
    if path == "live":
        name, data = next(console.messages())
        assert (name, data["application"]["phase"]) == ("state", "ready")
        return
    status, answer = console.ask(method, REAL.get(path, path).replace("/E", f"/{made}"), body)
    if path.endswith("/skip"):  # of an execution that waits for a callback
        status, answer = console.ask(method, "executions/arn:x/1/skip", body)
        assert (status, answer) == (422, {"error": "order-1 does not wait for a time"})
    else:
        assert status == 200, answer


def test_every_endpoint_is_documented(console: Served) -> None:
    from router.local.console.events import Events
    from router.local.console.sending import Sending
    from router.local.console.surroundings import Surroundings

    parts: Any = type("Parts", (), {"store": None, "variables": None, "application": None})()
    routes = [*Events(parts).routes(), *Sending(parts).routes(), *Surroundings(parts).routes()]
    names = {"wanted:path": "correlation_id", "id:path": "id", "callback": "callback_id"}
    there = set()
    for one in routes:
        path = re.sub(r"\{(.*?)\}", lambda found: f"{{{names.get(found[1], found[1])}}}", one.path[1:])
        there |= {(method, path) for method in (one.methods or set()) - {"HEAD"}}
    assert there | {("GET", "live")} == {(method, path) for method, path, _ in documented()}


def test_a_page_of_events_has_the_newest_first_and_says_what_is_gone(console: Served) -> None:
    for number in range(5):
        add(console, path=f"/{number}", tenant="acme" if number % 2 else None)
    status, page = console.ask("GET", "events?limit=2&offset=1")
    assert (status, [one["path"] for one in page["entries"]], page["total"]) == (200, ["/3", "/2"], 5)
    assert page["history"]["keep"] == 10_000
    assert console.ask("GET", "events?tenant=acme&source=http,sqs")[1]["total"] == 2
    assert console.ask("GET", "events?q=%2F4")[1]["entries"][0]["path"] == "/4"


@pytest.mark.parametrize(
    ("query", "status", "told"),
    [
        ("limit=x", 422, "limit is a number from 0 to 1000, not 'x'"),
        ("limit=1001", 422, "limit is a number from 0 to 1000"),
        ("offset=-1", 422, "offset is a number"),
        ("bookmarked=perhaps", 422, "bookmarked is true or false, not 'perhaps'"),
        ("sorce=sqs", 422, "the parameter 'sorce' is not known here; known are: offset, limit, source"),
        ("before=17", 404, "'17' is not the id of an entry; they look like e17"),
    ],
)
def test_a_wrong_filter_is_told(console: Served, query: str, status: int, told: str) -> None:
    got, answer = console.ask("GET", f"events?{query}")
    assert got == status
    assert told in answer["error"]


@pytest.mark.parametrize(
    "path", ["events/e999999", "events/x", "traces/nothing", "samples/fax", "nothing", "events/e1/x"]
)
def test_what_is_not_there_is_a_404_with_a_sentence(console: Served, path: str) -> None:
    status, answer = console.ask("GET", path)
    assert status == 404
    assert len(answer["error"].split()) > 4


def test_a_method_that_is_not_there_is_told(console: Served) -> None:
    assert console.ask("POST", "events") == (405, {"error": "/_console/api/events does not take POST"})


def test_an_event_is_sent_again_as_it_was(console: Served) -> None:
    record = samples.sqs("orders", [{"id": 1}])["Records"][0]
    first = add(console, source="sqs", raw=record, function="reports")
    status, answer = console.ask("POST", f"events/{first}/replay")
    assert (status, answer["became"], answer["answer"]) == (200, "answered", {"got": {"Records": [record]}})
    assert [(one["replay_of"], one["origin"], one["source"]) for one in answer["entries"]] == [(first, "replay", "sqs")]
    assert console.echo.calls[-1].function == "reports"


def test_an_edited_payload_is_sent_in_its_place(console: Served) -> None:
    first = add(console, raw={"id": 1})
    text = '{\n  "id": 2\n}'
    assert console.ask("POST", f"events/{first}/replay", {"text": text})[1]["answer"] == {"got": {"id": 2}}
    assert console.ask("POST", f"events/{first}/replay", {"raw": None})[1]["answer"] == {"got": None}


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (
            {"text": '{\n  "id": 2,\n  "b" 3}'},
            400,
            "the payload is not JSON: line 3, column 7: expecting ':' delimiter",
        ),
        ({"text": "NaN"}, 400, "the payload is not JSON: NaN is not a value of JSON"),
        ({"text": "[" * 200_000}, 400, "the payload is nested too deeply"),
        ({"text": 5}, 422, '"text" is a string with JSON in it'),
        ({"text": "1", "raw": 1}, 422, "not both"),
        ({"rwa": 1}, 422, "'rwa' is not known here; known are: raw, text, function"),
        ({"raw": 1, "function": ""}, 422, '"function" is the name of a part of the application'),
        ([1], 422, "send a JSON object"),
    ],
)
def test_a_broken_payload_is_told_with_its_place(console: Served, body: Any, status: int, told: str) -> None:
    first = add(console, raw={"id": 1})
    got, answer = console.ask("POST", f"events/{first}/replay", body)
    assert (got, told in answer["error"]) == (status, True), answer


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (b'{"raw": 1', 400, "the body is not JSON: line 1, column 10"),
        (b'{"raw": "\xff"}', 400, "the body is not UTF-8: byte 9"),
        (b"{}", 422, 'give the payload as "raw", or its JSON as "text"'),
        (b'{"raw": 1, "client_context": 5}', 422, '"client_context" is an object'),
        (b'{"raw": "' + b"x" * 17_000_000 + b'"}', 413, "a request has 16777216 bytes at most"),
    ],
)
def test_a_broken_body_is_told(console: Served, body: bytes, status: int, told: str) -> None:
    got, answer = console.ask("POST", "send", body=body)
    assert (got, told in answer["error"]) == (status, True), answer


def test_a_payload_that_was_cut_or_never_was_is_not_sent_again(console: Served) -> None:
    cut = add(console, raw={"body": "x" * 2_000_000})
    none = add(console, kind="notice")
    calls = len(console.echo.calls)
    assert "too long to be kept" in console.ask("POST", f"events/{cut}/replay")[1]["error"]
    assert "has no payload" in console.ask("POST", f"events/{none}/replay")[1]["error"]
    assert len(console.echo.calls) == calls


def test_a_sample_of_each_source_can_be_made_and_sent(console: Served) -> None:
    there = console.ask("GET", "samples")[1]["samples"]
    assert {one["source"] for one in there} > set(samples.SAMPLES)
    for one in there:
        made = console.ask("GET", f"samples/{one['source']}")[1]
        if one["source"] in samples.SAMPLES:
            assert made["raw"].keys() == samples.SAMPLES[one["source"]]().keys()
        assert console.ask("POST", "send", {"raw": made["raw"]})[1]["became"] == "answered"


def test_a_task_that_is_sent_runs_as_one_with_what_is_its_own(console: Served) -> None:
    calls = len(console.echo.calls)
    made = console.ask("GET", 'samples/task?name=nightly&environment={"TASK_DATA":"{}"}')[1]["raw"]
    assert made["PATH"]
    sent = console.ask("POST", "send", {"raw": made})[1]
    assert (sent["became"], sent["answer"], sent["entries"][0]["kind"]) == ("answered", {"exitCode": 0}, "task")
    first = sent["entries"][0]["id"]
    again = console.ask("POST", f"events/{first}/replay")[1]
    assert again["entries"][0]["replay_of"] == first
    # The paths, the region and the credentials are those of the run.
    assert console.echo.tasks[-2:] == [{"TASK_NAME": "nightly", "TASK_DATA": "{}"}] * 2
    edited = console.ask("POST", f"events/{first}/replay", {"raw": {"TASK_NAME": "broken"}})[1]
    assert (edited["became"], edited["answer"]) == ("failed", {"exitCode": 1})
    assert edited["entries"][0]["outcome"] == "failed"
    status, refused = console.ask("POST", f"events/{first}/replay", {"raw": {"TASK_NAME": "x", "n": 1}})
    assert (status, "an object of texts" in refused["error"]) == (422, True)
    assert len(console.echo.calls) == calls


def test_a_sample_takes_options(console: Served) -> None:
    made = console.ask("GET", 'samples/sqs?queue=jobs&bodies=[{"id":7},"x"]&receive_count=3')[1]["raw"]
    assert [one["body"] for one in made["Records"]] == ['{"id":7}', "x"]
    assert made["Records"][0]["attributes"]["ApproximateReceiveCount"] == "3"
    for wrong, told in (
        ("queu=x", "'queu' is not an option of sqs; there are queue, bodies"),
        ("receive_count=x", "receive_count is of the type int"),
        ("timestamp=soon", "timestamp 'soon': write it as"),
        ("queue=a%20b", "'a b'"),
    ):
        status, answer = console.ask("GET", f"samples/sqs?{wrong}")
        assert (status, told in answer["error"]) == (422, True), answer


def test_an_error_of_the_application_is_an_answer_too(console: Served) -> None:
    status, answer = console.ask("POST", "send", {"raw": {"fail": True}})
    assert (status, answer["became"], answer["error"]["errorMessage"]) == (200, "failed", "told to fail")
    assert answer["entries"][0]["outcome"] == "failed"


@pytest.mark.parametrize(
    ("ends", "worst"),
    [
        ([("done", 201)], ("done", 201)),
        ([("refused", 404)], ("refused", 404)),
        ([("failed", 500)], ("failed", 500)),
        ([("done", None), ("discarded", None), ("failed", None), ("retry", None)], ("failed", None)),
    ],
)
def test_an_answer_tells_of_the_entry_that_ended_worst(
    console: Served, ends: list[Any], worst: tuple[str, int | None]
) -> None:
    """A batch is answered although records of it failed, and so is a request that is refused."""
    answer = console.ask("POST", "send", {"raw": {"outcomes": ends}})[1]
    assert (answer["became"], len(answer["entries"])) == ("answered", len(ends))
    assert (answer["outcome"], answer["status"]) == worst
    again = console.ask("POST", f"events/{answer['entries'][0]['id']}/replay")[1]
    assert (again["outcome"], again["status"]) == worst


def test_a_fault_of_the_gateway_is_a_500_with_its_reason_in_the_log(
    console: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken() -> Any:
        raise TypeError("no queue")

    monkeypatch.setattr(console.neighbours, "queues", broken)
    status, answer = console.ask("GET", "queues")
    assert status == 500
    assert answer["error"].startswith("the gateway failed: TypeError: no queue")
    assert "GET /_console/api/queues" in caplog.text


def test_too_many_bookmarks_are_a_conflict(console: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("router.local.store.ring.BOOKMARKS", 0)
    status, answer = console.ask("PUT", f"events/{add(console)}/bookmark")
    assert (status, answer["error"]) == (409, "there are 0 bookmarks already: remove some first")


def test_permissions_can_be_copied_as_requires(console: Served) -> None:
    add(console, calls=[call("dynamodb:GetItem", TABLE, covered=False), call("kms:Decrypt", "*", covered=False)])
    answer = console.ask("GET", "permissions")[1]
    assert answer["requires"] == [
        {
            "route": "POST /orders",
            "text": "from router.environment import DynamoDB, KMS\n\n"
            'requires={"KMS": [KMS.DECRYPT], "ORDERS_TABLE": [DynamoDB.GET_ITEM]}',
            "made_up": ["KMS"],
        }
    ]
    assert answer["calls"][0]["covered"] is False


def test_bookmarks_are_set_found_and_removed(console: Served) -> None:
    first = add(console)
    add(console)
    assert console.ask("PUT", f"events/{first}/bookmark") == (200, {"id": first, "bookmarked": True})
    assert [one["id"] for one in console.ask("GET", "events?bookmarked=true")[1]["entries"]] == [first]
    assert console.ask("DELETE", "events") == (200, {"cleared": 1})
    console.ask("DELETE", f"events/{first}/bookmark")
    assert console.ask("GET", "events?bookmarked=true")[1]["total"] == 0


def test_neighbours_are_shown_and_driven(console: Served) -> None:
    (queue,) = console.ask("GET", "queues")[1]["queues"]
    assert queue == {
        "name": "orders-dead",
        "messages": 2,
        "in_flight": 1,
        "fifo": False,
        "dead_letters_of": ["orders"],
    }
    assert console.ask("DELETE", "connections/gone") == (404, {"error": "there is no connection 'gone'"})
    assert console.ask("POST", "connections/gone/message", {"text": "hi"})[0] == 404
    assert console.ask("POST", "queues/orders-dead/redrive") == (200, REDRIVEN)
    assert console.ask("POST", "queues/x/redrive") == (404, {"error": "there is no x"})
    assert console.ask("POST", "connections/L0SM9cOFvHcCIhw=/message", {"text": "hi"}) == (200, {"sent": True})
    assert console.ask("POST", "connections/L0SM9cOFvHcCIhw=/message", {})[0] == 422
    callback = "executions/arn:x/1/callbacks/approve"
    assert console.ask("POST", callback, {"result": {"ok": True}}) == (200, {"answered": True})
    assert console.ask("POST", callback, {"error": "no"}) == (200, {"answered": True})
    assert console.ask("POST", callback, {"error": 5})[0] == 422
    assert console.ask("POST", callback, {})[1] == {"error": 'give a "result" or an "error"'}
    assert console.neighbours.log[-3:] == ["hi", ("approve", {"ok": True}, None), ("approve", None, "no")]
    rule = {"kind": "latency", "probability": 0.5, "ms": 200}
    assert console.ask("PUT", "faults", [rule])[1]["rules"] == [{"id": "f1", "hits": 0, **rule}]
    assert console.ask("PUT", "faults", [{**rule, "probability": 2}])[1] == {
        "error": "probability is a number from 0 to 1"
    }
    assert console.ask("PUT", "faults", 5)[0] == 422


def test_what_is_not_part_of_the_run_says_so() -> None:
    with served(alone=True, aws="none") as console:
        assert console.ask("GET", "queues") == (404, {"error": "there are no queues in this run with --aws none"})
        assert console.ask("GET", "connections") == (404, {"error": "there are no connections in this run"})
        assert set(console.ask("GET", "state")[1]["parts"].values()) == {False}


def test_the_state_has_routes_counts_and_history(console: Served) -> None:
    add(console)
    state = console.ask("GET", "state")[1]
    assert state["application"] == {
        "name": "shop.app:resolver",
        "phase": "ready",
        "error": None,
        "pid": 4711,
        "took_ms": 310.0,
    }
    assert state["routes"][0]["route"] == "POST /orders"
    assert state["counts"]["source"] == {"http": 1}
    assert state["history"]["entries"] == 1


def test_an_event_is_on_the_page_within_200_ms(console: Served) -> None:
    stream = console.messages()
    assert next(stream)[0] == "state"
    before = time.perf_counter()
    console.store.add(entry(path="/new"))
    name, data = next(stream)
    seconds = time.perf_counter() - before
    stream.close()
    assert (name, data["entries"][0]["path"]) == ("entries", "/new")
    assert seconds < 0.2


def test_a_change_of_the_state_and_a_clear_reach_the_page(console: Served) -> None:
    stream = console.messages()
    next(stream)
    console.store.state_changed()
    assert next(stream)[0] == "state"
    console.store.clear()
    assert next(stream)[0] == "reload"
    stream.close()


def test_nothing_is_kept_for_a_page_that_has_gone(console: Served) -> None:
    stream = console.messages()
    next(stream)
    assert console.store._feed.watched
    stream.close()
    end = time.monotonic() + 10
    while console.store._feed.watched and time.monotonic() < end:
        time.sleep(0.01)
    assert not console.store._feed.watched


def test_a_payload_with_odd_values_is_shown_as_it_is(console: Served) -> None:
    raw = {"large": 2**80, "half": "\ud800", "text": "Größe"}
    assert console.ask("GET", f"events/{add(console, raw=raw)}")[1]["raw"] == raw


def test_a_server_that_stops_ends_the_streams() -> None:
    with served() as console:
        stream = console.messages()
        next(stream)
        console.store.end_subscriptions()
        assert list(stream) == []


# ---- other pages ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example:PORT", "127.0.0.1.evil.example:PORT", "localhost:1", "localhost", "127.0.0.1@evil.example"),
        *("[::2]:PORT", "", "localhost:PORT:PORT", "localhost:x", "0.0.0.0:PORT", "10.0.0.5:PORT", "[::1:PORT"),
    ],
)
def test_a_name_that_is_not_of_this_machine_is_refused(console: Served, host: str) -> None:
    named = host.replace("PORT", str(console.port))
    status, answer = console.ask("GET", "state", headers={"Host": named})
    assert status == 421
    assert "--allow-host" in answer["error"]


@pytest.mark.parametrize("host", ["localhost:PORT", "127.0.0.1:PORT", "127.1.2.3:PORT", "[::1]:PORT", "LOCALHOST:PORT"])
def test_names_of_this_machine_are_allowed(console: Served, host: str) -> None:
    assert console.ask("GET", "state", headers={"Host": host.replace("PORT", str(console.port))})[0] == 200


def test_further_names_can_be_allowed() -> None:
    with served(allowed_hosts=("box.internal", "localhost:8443")) as console:
        for host, status in (("box.internal", 421), ("box.internal:99", 200), ("localhost:8443", 200), ("x", 421)):
            assert console.ask("GET", "state", headers={"Host": host})[0] == (200 if host == "box.internal" else status)


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://localhost:1", "https://127.0.0.1", "file://"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS"])
def test_a_page_of_another_origin_is_refused(console: Served, method: str, origin: str) -> None:
    first = add(console)
    for path in ("/_console/api/send", "/_console/api/events", "/2015-03-31/functions/main/invocations", "/_local/x"):
        status, headers, text = console.raw(method, path, headers={"Origin": origin})
        assert status == 403
        assert "may not call the local gateway" in json.loads(text)["error"]
        assert not [name for name in headers if name.startswith("access-control")]
    assert console.store.page()[0][0]["id"] == first


def test_the_page_itself_may_call(console: Served) -> None:
    for origin in (f"http://127.0.0.1:{console.port}", f"HTTP://127.0.0.1:{console.port}"):
        assert console.ask("GET", "state", headers={"Origin": origin, "Sec-Fetch-Site": "same-origin"})[0] == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_script_of_another_page_is_refused_and_a_link_is_not(console: Served, site: str) -> None:
    assert console.ask("GET", "state", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"})[0] == 403
    assert console.ask("GET", "state", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"})[0] == 200


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
def test_what_a_browser_sends_without_asking_is_refused(console: Served, kind: str) -> None:
    calls = len(console.echo.calls)
    status, answer = console.ask("POST", "send", {"raw": 1}, headers={"Content-Type": kind})
    assert (status, answer) == (415, {"error": "send Content-Type: application/json"})
    assert console.ask("PUT", "faults", [], headers={"Content-Type": kind})[0] == 415
    assert len(console.echo.calls) == calls


def test_the_headers_of_the_console_keep_a_browser_to_it(console: Served) -> None:
    _, headers, _ = console.raw("GET", "/_console/api/state")
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")
    assert headers["cache-control"] == "no-store"


def test_two_names_in_one_request_are_refused(console: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", console.port)
    connection.putrequest("GET", "/_console/api/state", skip_host=True)
    connection.putheader("Host", f"localhost:{console.port}")
    connection.putheader("Host", "evil.example")
    connection.endheaders()
    assert connection.getresponse().status in {400, 421}
    connection.close()
