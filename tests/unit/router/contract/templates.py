"""Templates that the tests of the check change, and what it finds in them."""

from __future__ import annotations

from pathlib import Path

from router.contract.checking import Finding
from router.contract.checking.deployed import Template


def changed(folder: Path, text: str, *changes: tuple[str, str]) -> Template:
    """Return a template with the first of each text in the place of another; each has to be there."""
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    file = folder / "template.yaml"
    file.write_text(text)
    return Template(file)


def rules(found: list[Finding]) -> list[str]:
    """Return the rules of findings."""
    return [one.rule for one in found]
