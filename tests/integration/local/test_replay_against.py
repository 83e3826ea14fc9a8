"""`junction replay --against`: recordings go to what runs, over real sockets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from router import Event, HttpEvent, QueueEvent, Recorder, Resolver, Response
from router.cli import app
from router.local.lambda_api.api import LambdaApi
from router.local.lambda_api.functions import Function
from router.testing import Context, TestClient
from router.testing.replay import replayed
from tests.integration.local.front_server import Application, served
from tests.servers.asgi import Served


def _shop(folder: Path | None = None, *, version: int = 1) -> Resolver:
    resolver = Resolver()
    if folder is not None:
        resolver.use(Recorder(folder))

    @resolver.post("/orders/{id}")
    def order(event: HttpEvent, id: str) -> Any:
        held = {"id": id, "tags": event.query.getall("tag"), "got": event.json(), "version": version}
        return Response.json(held, headers={"x-theme": event.cookies.get("theme", "none")})

    @resolver.get("/picture")
    def picture() -> Response:
        return Response(b"\x89PNG\xff", headers={"content-type": "image/png"})

    @resolver.on_queue("jobs")
    def job(event: QueueEvent) -> None:
        if event.json().get("bad"):
            raise ValueError("bad")

    @resolver.on_invoke("fail")
    def fail(event: Event) -> None:
        raise ValueError(f"version {version}")

    return resolver


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with recordings of requests, records and an error."""
    context = Context()
    context.invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:orders:live"
    client = TestClient(_shop(tmp_path), context=context)
    for source in ("rest", "http", "url", "alb"):
        client.post(
            "/orders/a%20b",
            json={"name": "ä"},
            params={"tag": ["a&b", "c"]},
            headers={"x-one": "1"},
            source=source,
        )
    client.get("/picture", source="http")
    client.queue("jobs", [{"bad": True}, {}])
    with pytest.raises(ValueError, match="version 1"):
        client.invoke("fail")
    return tmp_path


def replay(folder: Path, url: str, *options: str) -> Result:
    return CliRunner().invoke(app, ["replay", str(folder), "--against", url, *options])


@pytest.mark.parametrize("path", ["", "/2015-03-31/functions/orders/invocations"], ids=["gateway", "invoke"])
@pytest.mark.parametrize("version", [1, 2])
def test_a_gateway_gets_the_payloads(folder: Path, path: str, version: int) -> None:
    made: list[Application] = []

    def build() -> Any:
        functions = [Function("orders"), Function("shop-reports", "reports")]
        made.append(Application(_shop(version=version)))
        return LambdaApi(made[-1], functions).app

    with Served(build) as server:
        result = replay(folder, server.url + path, "--json")
    held = json.loads(result.stdout)
    assert (result.exit_code, held["recordings"], held["left_out"]) == (version - 1, 7, 0)
    # By that a recorder knows them, and keeps none of them once more.
    assert {call.origin for call in made[-1].calls} == {"replay"}
    changed = [one for one in held["outcomes"] if one["outcome"] == "changed"]
    assert len(changed) == (5 if version == 2 else 0)
    if changed:
        assert changed[-1]["differences"] == [{"path": "error.message", "before": "version 1", "after": "version 2"}]


def test_a_gateway_with_other_functions_asks_which(folder: Path) -> None:
    def build() -> Any:
        return LambdaApi(Application(_shop()), [Function("a"), Function("b")]).app

    with Served(build) as server:
        result = replay(folder, server.url)
    assert result.exit_code == 2
    assert "is of the function orders, and there are a, b: name one" in result.stderr


@pytest.fixture
def front() -> Iterator[str]:
    """Serve an application behind HTTP, as a gateway would."""
    with served(_shop()) as running:
        yield running.url


def test_an_application_behind_http_gets_the_requests(folder: Path, front: str) -> None:
    result = replay(folder, front)
    assert result.exit_code == 0, result.output
    assert result.stdout == "0 changed, 5 the same, 2 left out\n"
    assert result.stderr.count("it is not a request of HTTP") == 2


def test_a_url_of_nothing_is_told(folder: Path) -> None:
    result = replay(folder, "http://127.0.0.1:9")
    assert result.exit_code == 2
    assert "failed: " in result.stderr


def test_the_same_recordings_replay_in_this_process(folder: Path) -> None:
    replayed(_shop(), folder).check()
