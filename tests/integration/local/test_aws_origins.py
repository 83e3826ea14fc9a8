"""Check that a page of another origin cannot use the AWS beside a local run."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.servers.ministack import MiniStack

_READ = """async (base) => {
  const read = [];
  for (const [path, options] of [
    ["/", {}],
    ["/secrets-of-the-shop", {}],
    ["/", {method: "POST", body: "Action=ListQueues", headers: {"Content-Type": "application/x-www-form-urlencoded"}}],
    ["/", {method: "POST", body: "{}", headers: {"X-Amz-Target": "DynamoDB_20120810.ListTables"}}],
  ]) {
    try { read.push(await (await fetch(base + path, options)).text()); } catch { }
  }
  return read;
}"""


def asked(server: MiniStack, **headers: str) -> tuple[int, str | None, str]:
    """Return status, the CORS header and the body of a list of buckets."""
    parts = urlsplit(server.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=30)
    connection.request("GET", "/", headers=headers)
    answer = connection.getresponse()
    found = answer.status, answer.headers.get("Access-Control-Allow-Origin"), answer.read().decode()
    connection.close()
    return found


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://localhost.evil.example", "file://"])
def test_an_origin_elsewhere_is_refused(ministack: MiniStack, origin: str) -> None:
    status, cors, text = asked(ministack, Origin=origin)
    assert (status, cors) == (403, None)
    assert "another origin" in json.loads(text)["message"]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:4566", "127.0.0.1.evil.example", "amazonaws.com.evil.example"]
)
def test_a_name_that_is_made_to_point_here_is_refused(ministack: MiniStack, host: str) -> None:
    assert asked(ministack, Host=host)[0] == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://localhost:5173"},
        {"Origin": "http://127.0.0.1:3000"},
        {"Host": "localhost:4566"},
        {"Host": "s3.us-east-1.amazonaws.com"},
        {"Host": "bucket.localhost:4566"},
        {"Host": "x.execute-api.127.0.0.1:4566"},
    ],
)
def test_programs_and_pages_of_this_machine_are_answered(ministack: MiniStack, headers: dict[str, str]) -> None:
    assert asked(ministack, **headers)[0] != 403


def test_a_frame_without_an_origin_reads_nothing(page: Page, elsewhere: str, ministack: MiniStack) -> None:
    page.goto(elsewhere)
    page.evaluate("""() => {
      document.body.innerHTML = '<iframe sandbox="allow-scripts" srcdoc="<title>Foreign</title>"></iframe>';
    }""")
    frame = next(one for one in page.frames if one is not page.main_frame)
    assert page.evaluate(_READ, ministack.url) != []  # a page of this machine
    assert frame.evaluate(_READ, ministack.url) == []
