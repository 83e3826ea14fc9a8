"""An application serves its own OpenAPI document and a page of it: once made, cheap, and behind every kind of API."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from pathlib import Path
from threading import Barrier
from typing import Any
from urllib.parse import urljoin

import pytest
from openapi_spec_validator import validate
from typer.testing import CliRunner

import router.contract.openapi.document as made_by
from router import Identity, Resolver, Response, SessionPolicy
from router.cli import app as commands
from router.contract import Info, serve_openapi
from router.contract.openapi import script
from router.errors import ConfigurationError
from router.guards import Bearer, anyone
from router.middleware.compress import Compress
from router.middleware.security_headers import SecurityHeaders
from router.testing import TestClient

SOURCES = ["rest", "http", "url", "alb", "lattice"]
INFO = Info("The <shop>", "2")
PAGE = Path(script.__file__).parent / "page"


def shop(**options: Any) -> Resolver:
    """Return an application that serves its document."""
    resolver = Resolver()

    @resolver.get("/orders/{order_id}")
    def show(order_id: str) -> dict[str, str]:
        """Show an order."""
        return {"id": order_id}

    serve_openapi(resolver, INFO, **options)
    return resolver


@pytest.fixture(params=SOURCES)
def client(request: pytest.FixtureRequest) -> TestClient:
    return TestClient(shop(), source=request.param)


def links(page: str) -> dict[str, str]:
    """Return the links in the head of a page, by id."""
    found = re.finditer(r'<link [^>]*id="(\w+)"[^>]*href="([^"]*)"', page)
    return {one[1]: unescape(one[2]) for one in found}


# ---- the document --------------------------------------------------------------------------------------------------


def test_the_document_is_served_and_does_not_name_its_own_routes(client: TestClient) -> None:
    answer = client.get("/openapi.json")

    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["x-content-type-options"] == "nosniff"
    validate(answer.json())
    assert list(answer.json()["paths"]) == ["/orders/{order_id}"]
    assert answer.json()["info"] == {"title": "The <shop>", "version": "2"}


def test_who_has_the_document_does_not_get_it_again(client: TestClient) -> None:
    first = client.get("/openapi.json")
    assert first.headers["cache-control"] == "private, max-age=60"

    again = client.get("/openapi.json", headers={"If-None-Match": f'"other", {first.headers["etag"]}'})
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert "content-type" not in again.headers
    assert client.get("/openapi.json", headers={"if-none-match": '"other"'}).status == 200


def test_head_has_no_body(client: TestClient) -> None:
    answer = client.head("/openapi.json")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["etag"] == client.get("/openapi.json").headers["etag"]


@pytest.mark.parametrize("source", SOURCES)
def test_the_document_is_compressed_where_the_source_takes_bytes(source: str) -> None:
    client = TestClient(shop(), source=source)  # type: ignore[arg-type]
    plain = client.get("/openapi.json")
    packed = client.get("/openapi.json", headers={"accept-encoding": "gzip, br"})

    assert "content-encoding" not in plain.headers
    # A REST API sends base64 as text, unless it was told of the media type.
    assert packed.raw["isBase64Encoded"] is (source != "rest")
    assert packed.headers.get("content-encoding") == (None if source == "rest" else "gzip")
    assert packed.body == plain.body
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    refused = client.get("/openapi.json", headers={"accept-encoding": "gzip;q=0"})
    assert "content-encoding" not in refused.headers


def test_what_middleware_changes_is_no_longer_so_at_the_next_request() -> None:
    resolver = shop()
    resolver.use(SecurityHeaders(), Compress(1))
    client = TestClient(resolver, source="http")

    seen = [dict(client.get("/openapi.json", headers={"accept-encoding": "gzip"}).headers) for _ in range(2)]
    assert seen[0] == seen[1]
    assert seen[0]["content-encoding"] == "gzip"
    assert "strict-transport-security" in seen[0]


@pytest.mark.parametrize("value", [None, 5, ["a"], {"a": "b"}])
def test_headers_of_another_type_do_no_harm(value: Any) -> None:
    client = TestClient(shop(), source="http")
    from router.testing import samples

    raw = samples.http("GET", "/openapi.json", headers={})
    raw["headers"] = {"if-none-match": value, "accept-encoding": value}
    assert client.event(raw)["statusCode"] == 200


def test_many_threads_that_ask_first_get_one_document(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    original = made_by.openapi
    monkeypatch.setattr(made_by, "openapi", lambda *args: calls.append(1) or original(*args))  # type: ignore[func-returns-value]
    resolver, start = shop(), Barrier(8)

    def ask(_: int) -> Any:
        start.wait()
        return TestClient(resolver).get("/openapi.json").body

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1
    assert len(calls) == 1


def test_the_document_is_in_the_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    client = TestClient(shop())
    client.snapshot()
    monkeypatch.delattr(made_by, "openapi")
    assert client.get("/openapi.json").status == 200


def test_routes_that_come_later_are_in_the_document() -> None:
    resolver = shop()
    resolver.get("/later")(lambda: None)
    assert "/later" in TestClient(resolver).get("/openapi.json").json()["paths"]


# ---- who may see it ------------------------------------------------------------------------------------------------


def test_credentials_are_those_of_the_resolver_unless_it_says_otherwise() -> None:
    class Known:
        def authenticate(self, token: str, /) -> None:
            return None

    closed, opened = Resolver(auth=Bearer(Known())), Resolver(auth=Bearer(Known()))
    serve_openapi(closed, INFO)
    serve_openapi(opened, INFO, auth="off")

    for path in ("/openapi.json", "/docs", script.path_below("/docs")):
        assert TestClient(closed).get(path).status == 401
        assert TestClient(opened).get(path).status == 200


def test_a_browser_asks_again_for_what_not_everybody_may_see() -> None:
    class Known:
        def authenticate(self, token: str, /) -> Identity | None:
            return Identity("ann", ["acme"]) if token == "good" else None

    guarded, permitted = Resolver(auth=Bearer(Known())), Resolver()
    opened, denying = Resolver(auth=Bearer(Known())), Resolver(deny_by_default=True)
    serve_openapi(guarded, INFO)
    serve_openapi(permitted, INFO, permission=lambda: True)
    serve_openapi(opened, INFO, auth="off")
    serve_openapi(denying, INFO, permission=anyone)
    sent = {"authorization": "Bearer good"}
    for resolver, kept in ((guarded, False), (permitted, False), (opened, True), (denying, True)):
        first = TestClient(resolver).get("/openapi.json", headers=sent)
        again = TestClient(resolver).get("/openapi.json", headers={**sent, "if-none-match": first.headers["etag"]})
        assert (first.status, again.status) == (200, 304)
        expected = "private, max-age=60" if kept else "private, no-cache"
        assert [one.headers["cache-control"] for one in (first, again)] == [expected] * 2
        assert first.json()["info"]["title"] == INFO.title
    assert TestClient(guarded).get("/openapi.json", headers={"if-none-match": first.headers["etag"]}).status == 401


def test_a_session_is_not_asked_for() -> None:
    resolver = Resolver(session=SessionPolicy(require=("tenant",)))
    serve_openapi(resolver, INFO)
    assert TestClient(resolver).get("/openapi.json").status == 200


def test_a_resolver_that_denies_by_default_denies_the_document_too() -> None:
    closed, opened = Resolver(deny_by_default=True), Resolver(deny_by_default=True)
    serve_openapi(closed, INFO)
    serve_openapi(opened, INFO, permission=lambda: True)
    assert TestClient(closed).get("/openapi.json").status == 403
    assert TestClient(opened).get("/openapi.json").status == 200


# ---- the page ------------------------------------------------------------------------------------------------------


def test_the_page_allows_nothing_but_itself(client: TestClient) -> None:
    first, second = client.get("/docs"), client.get("/docs")
    policy = first.headers["content-security-policy"]
    [nonce] = set(re.findall(r"'nonce-(\w+)'", policy))

    assert first.headers["content-type"] == "text/html; charset=utf-8"
    assert first.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert f'<script type="module" nonce="{nonce}">' in first.text
    assert nonce not in second.text  # a number that a page could know lets it in
    assert "<title>The &lt;shop&gt;</title>" in first.text


@pytest.mark.parametrize(
    ("path", "docs"),
    [
        ("/openapi.json", "/docs"),
        ("/api/v1/openapi.json", "/help/api"),
        ("/openapi.json", "/"),
        ("/a b:c.json", "/x/y z"),
    ],
)
@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("base", ["https://api.example", "https://api.example/prod", "https://api.example/a/b"])
def test_the_page_finds_its_document_and_script_behind_any_path(base: str, path: str, docs: str, slash: str) -> None:
    from urllib.parse import quote, unquote

    client = TestClient(shop(path=path, docs=docs))
    shown = docs if docs == "/" else docs + slash
    page = client.get(quote(shown)).text

    for name, expected in (("document", path), ("viewer", script.path_below(docs))):
        found = urljoin(f"{base}{quote(shown)}", links(page)[name])
        assert unquote(found.removeprefix(base)) == expected
        assert client.get(found.removeprefix(base)).status == 200


def test_the_page_is_found_behind_a_base_path() -> None:
    resolver = Resolver(strip_prefixes=["/shop"])
    serve_openapi(resolver, INFO)
    client = TestClient(resolver)

    page = client.get("/shop/docs")
    for link in links(page.text).values():
        assert client.get(urljoin("https://x/shop/docs", link).removeprefix("https://x")).status == 200


def test_the_script_is_kept_for_a_year_and_fits_every_source(client: TestClient) -> None:
    answer = client.get(script.path_below("/docs"), headers={"accept-encoding": "gzip"})

    assert answer.status == 200
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert hashlib.sha256(answer.body).hexdigest() == script.DIGEST
    assert len(json.dumps(answer.raw)) < (1_000_000 if client.source in ("alb", "http", "url") else 6_000_000)


def test_the_script_is_what_its_digest_says_and_has_its_licence() -> None:
    packed = (PAGE / "redoc.js.gz").read_bytes()
    assert hashlib.sha256(gzip.decompress(packed)).hexdigest() == script.DIGEST
    assert b"cdn.redoc.ly" not in gzip.decompress(packed)
    assert "MIT" in (PAGE / "LICENSE.redoc").read_text()


def test_there_may_be_no_page() -> None:
    client = TestClient(shop(docs=None))
    assert client.get("/docs").status == 404
    assert client.get(script.path_below("/docs")).status == 404
    assert client.get("/openapi.json").status == 200


def test_an_application_loads_nothing_of_it_before_it_is_asked_for() -> None:
    program = """
import sys
from router import Resolver
from router.contract import Info, serve_openapi
serve_openapi(Resolver(), Info("A shop"))
print(*sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    loaded = done.stdout.split()
    named = ("document", "content", "viewer", "operations", "changes")
    assert not {f"router.contract.openapi.{name}" for name in named} & set(loaded)
    assert not [name for name in loaded if name.startswith(("router.contract.schemas", "pydantic", "secrets"))]


# ---- faults --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"path": "openapi.json"},
        {"path": "/{version}/openapi.json"},
        {"docs": "/docs/{rest+}"},
        {"path": ""},
        {"docs": 5},
        {"max_age": -1},
        {"max_age": True},
    ],
)
def test_what_cannot_be_served_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"^serve_openapi\("):
        shop(**options)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: serve_openapi(Resolver(), "x"),  # type: ignore[arg-type]
            "serve_openapi(): its second argument is an Info, such as Info('x'), not str",
        ),
        (
            lambda: serve_openapi(Resolver(), Info("x"), title="x"),  # type: ignore[arg-type]
            "serve_openapi() has no option title; write Info(..., title=...)",
        ),
        (
            lambda: serve_openapi(Resolver(), Info("x"), doc="/x"),  # type: ignore[arg-type]
            "serve_openapi() has no option doc; did you mean docs?",
        ),
    ],
)
def test_wrong_arguments_are_named(call: Any, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        call()
    assert str(caught.value) == message


def test_a_path_that_is_taken_names_the_lines_of_the_application() -> None:
    resolver = Resolver()
    serve_openapi(resolver, Info("x"))
    with pytest.raises(ConfigurationError, match="it is served already; a second time needs another path") as caught:
        serve_openapi(resolver, Info("x"))
    places = re.findall(r"serve_openapi\(path=\.\.\.\) \([^()]*test_serving\.py:([0-9]+)\)", str(caught.value))
    assert len(set(places)) == 2
    with pytest.raises(ConfigurationError, match=r"give one of them another path: serve_openapi\(docs=\.\.\.\)"):
        resolver.get("/docs")(lambda: None)
    resolver = Resolver()
    resolver.get("/docs")(lambda: None)
    with pytest.raises(ConfigurationError, match=r"give one of them another path: serve_openapi\(docs=\.\.\.\)"):
        serve_openapi(resolver, Info("x"))


class Odd:
    """A type that has no schema."""

    def __init__(self, *values: object) -> None: ...


broken = Resolver()
serve_openapi(broken, INFO)


@broken.get("/odd")
def odd() -> Odd:
    """Return what has no schema."""
    return Odd()


def test_a_document_that_cannot_be_made_names_the_route(caplog: pytest.LogCaptureFixture) -> None:
    assert TestClient(broken).get("/openapi.json").status == 500
    assert f"GET /odd (tests/unit/router/contract/openapi/{Path(__file__).name}:" in caplog.text


def test_the_check_finds_a_document_that_cannot_be_made() -> None:
    result = CliRunner().invoke(commands, ["check", f"{__name__}:broken", "--offline", "--json"])

    assert result.exit_code == 1
    [found] = [one for one in json.loads(result.stdout)["findings"] if one["rule"] == "document"]
    line = odd.__code__.co_firstlineno
    assert (found["file"].rpartition("/")[2], found["line"]) == (Path(__file__).name, line)
    assert found["text"].startswith("GET /openapi.json: its document cannot be made: GET /odd")


good = shop()


def test_the_check_is_content_with_a_document_that_can_be_made() -> None:
    result = CliRunner().invoke(commands, ["check", f"{__name__}:good", "--offline", "--json"])
    assert result.exit_code == 0, result.stdout


def test_a_prepared_body_looks_the_same_as_one_that_is_not() -> None:
    from router.sources._answers import Prepared

    resolver = Resolver()
    resolver.get("/plain")(lambda: Response(bytes(range(256))))
    resolver.get("/prepared")(lambda: Response(Prepared(bytes(range(256)))))
    client = TestClient(resolver)
    assert client.get("/plain").raw == client.get("/prepared").raw
