"""The files of the console's page, as they are served."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from router.local.console.static import FOLDER, page_routes

LARGEST_SCRIPT = 150 * 1024

_MAKES_HTML = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(")


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=page_routes()), follow_redirects=False)


@pytest.mark.parametrize("path", ["", "events", "events/e17/payload", "trace/a%2Fb"])
def test_every_path_of_the_page_is_the_page(client: TestClient, path: str) -> None:
    answer = client.get(f"/_console/{path}")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "<title>Junction console</title>" in answer.text


def test_the_address_without_a_slash_leads_to_the_page(client: TestClient) -> None:
    answer = client.get("/_console")

    assert (answer.status_code, answer.headers["location"]) == (307, "/_console/")


@pytest.mark.parametrize("path", ["/_console/api/nothing", "/_console/api", "/_console/mcp"])
def test_what_is_not_the_pages_is_an_error_and_not_the_page(client: TestClient, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 404
    assert "error" in answer.json()


@pytest.mark.parametrize(
    "path",
    [
        "nothing.js",
        "../static.py",
        "..%2Fstatic.py",
        "%2e%2e/static.py",
        "/etc/passwd",
        "lib/../../static.py",
        "lib",
        "",
    ],
)
def test_only_files_of_the_page_are_served(client: TestClient, path: str) -> None:
    answer = client.get(f"/_console/assets/{path}")

    assert "def page_routes" not in answer.text
    assert answer.status_code == 404 or "<title>Junction console</title>" in answer.text


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("app.js", "text/javascript; charset=utf-8"),
        ("vendor/preact.mjs", "text/javascript; charset=utf-8"),
        ("css/base.css", "text/css; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
        ("vendor/NOTICE", "text/plain; charset=utf-8"),
    ],
)
def test_files_have_the_types_that_browsers_insist_on(client: TestClient, name: str, kind: str) -> None:
    answer = client.get(f"/_console/assets/{name}")

    assert answer.headers["content-type"] == kind
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_file_is_asked_for_each_time_and_sent_when_it_has_changed(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("one", "utf-8")
    client = TestClient(Starlette(routes=page_routes(tmp_path)))
    first = client.get("/_console/")
    again = client.get("/_console/", headers={"if-none-match": first.headers["etag"]})
    (tmp_path / "index.html").write_text("two", "utf-8")
    changed = client.get("/_console/", headers={"if-none-match": first.headers["etag"]})

    assert first.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content) == (304, b"")
    assert (changed.status_code, changed.text) == (200, "two")


def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere(client: TestClient) -> None:
    policy = client.get("/_console/").headers["content-security-policy"]

    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_files_name_no_other_address_and_make_no_html_of_data() -> None:
    for file in FOLDER.rglob("*"):
        if file.suffix in {".js", ".mjs", ".css", ".html"}:
            text = file.read_text("utf-8")
            foreign = set(re.findall(r"https?://[^\s\"'`)]+", text)) - {"http://www.w3.org/2000/svg"}
            foreign -= {"http://www.w3.org/1998/Math/MathML", "http://www.w3.org/1999/xhtml"}
            assert not foreign, f"{file.name} names {foreign}"
            if "vendor" not in file.parts:
                assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", text), (
                    file.name
                )


def test_the_script_is_small() -> None:
    sizes = {file: file.stat().st_size for file in FOLDER.rglob("*") if file.suffix in {".js", ".mjs"}}

    assert sum(sizes.values()) <= LARGEST_SCRIPT, sizes


def test_modules_are_short() -> None:
    for file in FOLDER.rglob("*.js"):
        assert len(file.read_text("utf-8").splitlines()) <= 400, file.name
