"""Mermaid itself draws the flowcharts, and what it shows is what was to be shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Page

from router import Resolver
from router.contract.diagram import mermaid, picture
from router.contract.interface import Info, describe
from tests.e2e.diagram.drawing import EXAMPLES, exported
from tests.servers.artefacts import MERMAID
from tests.servers.requirements import require_artefact
from tests.unit.router.contract.diagram import shops

pytestmark = [pytest.mark.timeout(180)]

_DRAW = """async text => {
    mermaid.initialize({startOnLoad: false, deterministicIds: true});
    const {svg} = await mermaid.render('drawn', text);
    document.body.innerHTML = svg;
    const parts = label => label.innerText.replaceAll('\\u200b', '').split('\\n');
    const lines = label => parts(label).map(line => line.trim()).filter(Boolean);
    const all = name => [...document.querySelectorAll(name)];
    return {
        nodes: all('g.node .nodeLabel').map(lines),
        groups: all('g.cluster .nodeLabel').map(lines),
        edges: all('path.flowchart-link').length,
        foreign: all('svg b, svg script, svg i, svg img, svg a, svg em, svg strong, svg .katex').map(x => x.outerHTML),
        title: document.querySelector('svg > title')?.textContent,
    };
}"""


@pytest.fixture(scope="module")
def drawing(browser: Browser) -> Iterator[Page]:
    """A page with Mermaid in it, from the disk; every error of the page fails the test."""
    require_artefact(MERMAID)
    page = browser.new_page()
    troubles: list[str] = []

    def refuse(dialog: Dialog) -> None:
        troubles.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", refuse)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.add_script_tag(path=MERMAID.folder / "node_modules" / "mermaid" / "dist" / "mermaid.min.js")
    yield page
    page.close()
    assert troubles == []


def shown(page: Page, text: str) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(_DRAW, text)
    return found


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_draws_the_examples_with_all_their_nodes_and_lines(drawing: Page, name: str) -> None:
    text = exported(name)
    found = shown(drawing, text)
    labels = re.findall(r'^ +[sru]_\w+[\[({]+"(.+?)"[\])}]+', text, re.MULTILINE)
    texts = [re.sub(r"#(\d+);", lambda number: chr(int(number[1])), label) for label in labels]
    assert sorted(map(tuple, found["nodes"])) == sorted(tuple(label.split("<br/>")) for label in texts)
    assert found["edges"] == len(re.findall(r"^ +\w+ -\.?->", text, re.MULTILINE)) > 0
    assert sorted(found["groups"]) == sorted([title] for title in re.findall(r'subgraph \w+\["(.+)"\]', text))


@pytest.mark.parametrize("group", ["source", "tag"])
def test_it_shows_hostile_names_as_they_are(drawing: Page, group: str) -> None:
    drawn = picture(describe(shops.hostile(), Info("<b>The shop</b>")), group=group)
    found = shown(drawing, mermaid(drawn))

    def cut(text: str) -> str:
        return " ".join((text if len(text) <= 60 else f"{text[:60]}…").split())

    nodes = {line for lines in found["nodes"] for line in lines}
    assert {cut(node.name) for node in (*drawn.sources, *drawn.uses)} <= nodes
    assert {cut(row.name if not row.method else f"{row.method} {row.name}") for row in drawn.rows} <= nodes
    assert {title for lines in found["groups"] for title in lines} == {cut(one.title) for one in drawn.groups} - {""}
    assert found["foreign"] == []


@pytest.mark.parametrize("make", [shops.small, Resolver, lambda: shops.large(40)])
def test_it_draws_small_empty_and_large_applications(drawing: Page, make: Callable[[], Resolver]) -> None:
    drawn = picture(describe(make(), Info("The shop")))
    found = shown(drawing, mermaid(drawn))
    assert len(found["nodes"]) == len(drawn.sources) + len(drawn.rows) + len(drawn.uses)
    assert found["title"] == "The shop"
