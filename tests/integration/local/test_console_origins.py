"""Check with a real browser that a page of another origin can neither read nor change anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.integration.local.served import Served, served
from tests.unit.router.local.entries import entry

if TYPE_CHECKING:
    from playwright.sync_api import Page

# Tries all that a page can send to another origin, and returns what it could read.
_ATTACK = """async (base) => {
  const read = [];
  const tries = [
    ["events", {}],
    ["events", {method: "DELETE"}],
    ["send", {method: "POST", body: '{"raw": 1}', headers: {"Content-Type": "application/json"}}],
    ["send", {method: "POST", body: '{"raw": 1}', headers: {"Content-Type": "text/plain"}}],
    ["send", {method: "POST", body: '{"raw": 1}', mode: "no-cors"}],
    ["faults", {method: "PUT", body: "[]"}],
  ];
  for (const [path, options] of tries) {
    try { read.push(await (await fetch(`${base}/_console/api/${path}`, options)).text()); } catch { }
  }
  const invoke = `${base}/2015-03-31/functions/main/invocations`;
  try { await fetch(invoke, {method: "POST", body: "{}", mode: "no-cors"}); } catch { }
  await new Promise((done) => {
    const source = new EventSource(`${base}/_console/api/live`);
    source.addEventListener("state", (event) => { read.push(event.data); done(); });
    source.onerror = () => { source.close(); done(); };
  });
  await new Promise((done) => {
    const script = document.createElement("script");
    script.src = `${base}/_console/api/state`;
    script.onload = () => { read.push("a script"); done(); };
    script.onerror = done;
    document.body.append(script);
  });
  await new Promise((done) => {
    const frame = document.createElement("iframe");
    frame.name = "answer";
    document.body.append(frame);
    document.body.insertAdjacentHTML("beforeend",
      `<form method="post" target="answer" enctype="text/plain" action="${base}/_console/api/send">
       <input name='{"raw": 1, "x' value='": 1}'></form>`);
    frame.onload = done;
    document.forms[0].submit();
  });
  return read.filter((text) => text);
}"""


@pytest.fixture(scope="module")
def console() -> Iterator[Served]:
    with served() as found:
        yield found


def test_a_page_of_another_port_reads_and_changes_nothing(page: Page, elsewhere: str, console: Served) -> None:
    console.store.add(entry(path="/secret"))
    console.store.flush()
    page.goto(elsewhere)
    assert page.evaluate(_ATTACK, console.url) == []
    assert console.echo.calls == []
    assert console.store.kept().entries == 1
