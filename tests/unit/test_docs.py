"""Every Python block of the README and the docs runs, in order, as a reader would type it."""

from __future__ import annotations

import asyncio
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]


@pytest.fixture
def loop() -> Iterator[None]:
    """Set an event loop, for Mangum, which makes one where there is none, and leaves it open."""
    made = asyncio.new_event_loop()
    asyncio.set_event_loop(made)
    yield
    asyncio.set_event_loop(None)
    made.close()


@pytest.mark.usefixtures("loop")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_snippets_run(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = page.read_text()
    module = ModuleType(f"snippets_of_{page.stem}")
    monkeypatch.setitem(sys.modules, module.__name__, module)  # where dataclasses look annotations up
    for match in re.finditer(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        # Blank lines in front, so that a traceback names the line of the page.
        line = text.count("\n", 0, match.start(1))
        exec(compile("\n" * line + match[1], str(page), "exec"), vars(module))
        for name in re.findall(r"^def (test_\w+)\(\)", match[1], re.MULTILINE):  # as pytest would find them
            vars(module)[name]()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_readme_leads_to_every_page() -> None:
    linked = set(re.findall(r"\]\(docs/([a-z-]+\.md)", README.read_text()))
    moving = set(re.findall(r"\]\((moving-[a-z0-9-]+\.md)", (ROOT / "docs" / "moving.md").read_text()))

    assert {page.name for page in PAGES} - {README.name} == linked | moving


@pytest.mark.parametrize(
    "page", [page for page in PAGES if "```yaml\n" in page.read_text()], ids=lambda page: page.name
)
def test_templates_are_well_formed(page: Path) -> None:
    import cfnlint.api
    import cfnlint.decode

    for block in re.findall(r"^```yaml\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
        is_whole = "Resources:" in block
        template = block if is_whole else f"Resources:\n{textwrap.indent(block, '  ')}"
        loaded, problems = cfnlint.decode.decode_str(template)
        assert problems == []
        if is_whole:
            assert [str(problem) for problem in cfnlint.api.lint(template)] == []
        else:
            assert loaded["Resources"]
