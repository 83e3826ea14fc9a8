"""A process that is one function of several: its own routes, and errors that name who takes the others."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

import pytest

from router import ConfigurationError, Env, Resolver, RouteConflict, Router, WrongFunction
from router.testing import TestClient

GROUP = """
from router import Router
router = Router("/{name}")
calls = []

@router.get("/{{id}}")
def show(id: str):
    return {{"{name}": id}}

@router.on_queue("{name}")
def take(event):
    calls.append(event.body)

@router.on_invoke("{name}")
def call():
    return "{name}"
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that makes the application anew, as a process of one function would see it."""
    package = tmp_path / "parted_shop"
    package.mkdir()
    (package / "__init__.py").touch()
    for name in ("orders", "reports"):
        (package / f"{name}.py").write_text(GROUP.format(name=name))
    (package / "broken.py").write_text("import sys\nsys.exit('not here')")
    monkeypatch.syspath_prepend(tmp_path)

    def make(function: str = "", split: str = "", **options: Any) -> Resolver:
        monkeypatch.setenv("JUNCTION_FUNCTION", function)
        monkeypatch.setenv("JUNCTION_SPLIT", split)
        resolver = Resolver(**options)
        resolver.include("parted_shop.orders:router")
        resolver.include("parted_shop.reports:router", function="reports")
        return resolver

    yield make
    for name in [name for name in sys.modules if name.partition(".")[0] == "parted_shop"]:
        del sys.modules[name]


def is_imported(name: str) -> bool:
    return f"parted_shop.{name}" in sys.modules


def sqs(*queues: str) -> dict[str, Any]:
    arn = "arn:aws:sqs:eu-west-1:123456789012:"
    return {
        "Records": [
            {"eventSource": "aws:sqs", "messageId": name, "eventSourceARN": arn + name, "body": "{}"} for name in queues
        ]
    }


def test_without_a_function_all_is_one(shop: Any) -> None:
    client = TestClient(shop())

    assert client.get("/orders/7").json() == {"orders": "7"}
    assert client.get("/reports/7").json() == {"reports": "7"}


def test_a_function_registers_and_imports_only_its_own(shop: Any) -> None:
    resolver = shop("main")

    assert {str(route) for route in resolver.routes} == {"GET /orders/{id}", "sqs orders", "invoke orders"}
    assert TestClient(resolver).get("/orders/7").json() == {"orders": "7"}
    assert not is_imported("reports")
    assert len(resolver.every_route()) == 6
    assert is_imported("reports")


def test_a_request_of_another_function_is_misdirected(shop: Any, caplog: pytest.LogCaptureFixture) -> None:
    client = TestClient(shop("main"))

    for method, path in (("GET", "/reports/7"), ("DELETE", "/reports/7"), ("OPTIONS", "/reports/7")):
        answer = client.request(method, path)
        assert answer.status == 421
        assert answer.json()["detail"] == "this request belongs to the function 'reports'; this is 'main'"
    assert "GET /reports/7 belongs to the function 'reports' (GET /reports/{id})" in caplog.text
    assert client.get("/nowhere").status == 404
    assert client.delete("/orders/7").status == 405


def test_records_of_another_function_fail_also_where_unrouted_ones_are_ignored(
    shop: Any, caplog: pytest.LogCaptureFixture
) -> None:
    resolver = shop("main", unrouted="ignore")

    answer = resolver.resolve(sqs("orders", "reports", "nowhere"))

    assert answer == {"batchItemFailures": [{"itemIdentifier": "reports"}]}
    assert "belongs to the function 'reports'" in caplog.text


def test_a_direct_call_of_another_function_raises(shop: Any) -> None:
    with pytest.raises(WrongFunction, match=r"invoke 'reports' belongs to .* 'reports' .*this process is 'main'"):
        shop("main").resolve({"action": "reports"})
    with pytest.raises(WrongFunction, match="belongs to the function 'main'"):
        shop("reports").resolve({"action": "orders"})


def test_a_task_of_another_function_does_not_run(shop: Any, caplog: pytest.LogCaptureFixture) -> None:
    resolver = shop("main")
    resolver.on_task("nightly", function="tasks")(lambda: None)

    assert resolver.run_task({"TASK_NAME": "nightly"}) == 1
    assert "belongs to the function 'tasks'" in caplog.text


def test_a_connection_that_another_function_would_check_is_not_let_in(shop: Any) -> None:
    from router.testing import samples

    resolver = shop("main")
    resolver.on_connect(function="chat")(lambda: None)
    resolver.on_message("$default")(lambda: None)

    assert resolver.resolve(samples.websocket("CONNECT"))["statusCode"] == 404


def test_the_search_for_another_function_never_fails_the_event(shop: Any, caplog: pytest.LogCaptureFixture) -> None:
    resolver = shop("main")
    resolver.include("parted_shop.broken:router", function="broken")
    resolver.include("parted_shop.missing:router", function="missing")
    resolver.on_queue(Env("NOT_SET_HERE"), function="reports")(lambda: None)

    assert resolver.resolve(sqs("nowhere")) == {"batchItemFailures": [{"itemIdentifier": "nowhere"}]}
    assert resolver.resolve(sqs("reports")) == {"batchItemFailures": [{"itemIdentifier": "reports"}]}
    assert TestClient(resolver).get("/reports/1").status == 421
    assert caplog.text.count("cannot look into parted_shop.broken:router of the function 'broken'") == 1
    assert caplog.text.count("there is no module parted_shop.missing") == 1
    with pytest.raises(SystemExit):
        resolver.every_route()


def test_an_unknown_function_is_an_error_at_the_first_event(shop: Any) -> None:
    resolver = shop("typo")

    for event in (
        sqs("orders"),
        {"action": "orders"},
        {"rawPath": "/", "requestContext": {"http": {}}, "version": "2.0"},
    ):
        with pytest.raises(ConfigurationError, match=r"JUNCTION_FUNCTION=typo: .*; there is main, reports$"):
            resolver.resolve(event)


@pytest.mark.parametrize(("function", "split"), [("a b", ""), ("main", "tags")])
def test_settings_that_make_no_sense(shop: Any, function: str, split: str) -> None:
    with pytest.raises(ConfigurationError, match=r"JUNCTION_(FUNCTION|SPLIT)"):
        shop(function, split)


@pytest.mark.parametrize(
    ("function", "split", "routes"),
    [
        ("orders", "group", {"GET /orders/{id}", "sqs orders", "invoke orders"}),
        ("http", "source", {"GET /orders/{id}"}),
        ("reports", "source", {"GET /reports/{id}", "sqs reports", "invoke reports"}),
        ("take", "route", {"sqs orders"}),
    ],
)
def test_other_ways_to_split(shop: Any, function: str, split: str, routes: set[str]) -> None:
    assert {str(route) for route in shop(function, split).routes} == routes


def test_routes_that_would_share_the_function_of_one_are_refused(shop: Any) -> None:
    resolver = shop("take", "route")
    with pytest.raises(
        RouteConflict, match=r"sqs orders of take .* and sqs more of .*would both be the function 'take'"
    ):
        resolver.on_queue("more", name="take")(lambda: None)


def test_what_is_not_of_this_function_is_not_looked_at(shop: Any) -> None:
    """Neither signature nor middleware nor variables of a foreign route matter."""
    resolver = shop("main")
    group = Router("/odd", function="reports")
    group.get("/{id}", middleware=["none"], requires=["NOT_SET_HERE"])(lambda nowhere: None)
    resolver.include(group)
    resolver.on_invoke("odd", function="reports", requires=["NOT_SET_HERE"])(lambda nowhere: None)

    assert TestClient(resolver).get("/orders/1").status == 200
    assert resolver.resolve({"action": "orders"}) == "orders"


def test_two_resolvers_have_their_own_routes(shop: Any) -> None:
    first, second = shop("reports"), Resolver()
    second.get("/second", function="reports")(lambda: "second")

    assert TestClient(first).get("/reports/1").status == 200
    assert TestClient(second).get("/second").text == "second"
    assert TestClient(second).get("/reports/1").status == 404


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("parted_shop.orders", 'name the group as "package.module:name"'),
        (".orders:router", 'name the group as "package.module:name"'),
        ("parted_shop.nowhere:router", "there is no module parted_shop.nowhere"),
        ("parted_shop.orders:routes", "parted_shop.orders has no routes; its groups are router"),
        ("parted_shop.orders:calls", "calls of parted_shop.orders is not a Router but list; its groups are router"),
    ],
)
def test_names_that_lead_to_no_group(shop: Any, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        shop().include(text)


def test_a_group_by_name_is_whole_in_one_function(shop: Any, tmp_path: Path) -> None:
    (tmp_path / "parted_shop" / "mixed.py").write_text(
        GROUP.format(name="mixed") + "\nrouter.get('/x', function='b')(call)\n"
    )
    with pytest.raises(
        ConfigurationError, match=r"function='a'\): GET /mixed/x .*function='b'; .*whole in one function"
    ):
        shop().include("parted_shop.mixed:router", function="a")


def test_a_group_does_not_take_in_another_by_name() -> None:
    with pytest.raises(ConfigurationError, match=r"Resolver takes names"):
        Router().include("parted_shop.orders:router")  # type: ignore[arg-type]


def test_prefixes_of_a_gateway_are_off_before_the_search(shop: Any) -> None:
    assert TestClient(shop("main", strip_prefixes=["/shop"])).get("/shop/reports/1").status == 421


def test_nothing_is_logged_of_other_unknown_paths(shop: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert TestClient(shop("main")).get("/nowhere").status == 404
    assert "belongs to" not in caplog.text
