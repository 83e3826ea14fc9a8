"""A real browser, Debian's Chromium, that reaches this machine alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.servers.artefacts import AXE
from tests.servers.tools import find

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_OPTIONS = (
    "--no-sandbox",  # which a container without user namespaces does not have
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Whatever else a page names is not found, be it a name or an address.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
    "--no-proxy-server",
)
_RUN_AXE = "axe.run(document, {resultTypes: ['violations']}).then(found => JSON.stringify(found.violations))"


@contextmanager
def running() -> Iterator[Browser]:
    """Run a browser with user data of its own.

    Raises:
        MissingTool: it is not installed.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find("chromium"), args=list(_OPTIONS), timeout=60_000)
        try:
            yield browser
        finally:
            browser.close()


def accessibility_faults(page: Page, *impacts: str) -> list[str]:
    """Return what axe-core finds wrong with a page, each as its rule, its help and the elements.

    impacts: only those of such weight: minor, moderate, serious, critical. Without any, all of them.
    """
    # By the debugger: a page that forbids foreign scripts is judged all the same.
    debugger = page.context.new_cdp_session(page)
    try:
        library = (AXE.folder / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")
        # The value of the library itself cannot leave the page.
        debugger.send("Runtime.evaluate", {"expression": f"{library}\n;undefined"})
        answer = debugger.send(
            "Runtime.evaluate", {"expression": _RUN_AXE, "awaitPromise": True, "returnByValue": True}
        )
    finally:
        debugger.detach()
    if "exceptionDetails" in answer:
        raise AssertionError(f"axe-core failed: {answer['exceptionDetails']}")
    return [
        f"{fault['id']} ({fault['impact']}): {fault['help']}: "
        + ", ".join(" ".join(str(step) for step in node["target"]) for node in fault["nodes"])
        for fault in json.loads(answer["result"]["value"])
        if not impacts or fault["impact"] in impacts
    ]
