"""Check that the changelog's newest release is the version that the package says it is."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADING = re.compile(r"^## \[(?P<title>[^\]]+)\](?: - (?P<date>\S+))?$", re.MULTILINE)
VERSION = re.compile(r"^__version__ = \"(?P<version>[^\"]+)\"$", re.MULTILINE)
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def problems(changelog: str, package: str) -> list[str]:
    """Return what is wrong between the text of CHANGELOG.md and that of the module that holds `__version__`."""
    version = VERSION.search(package)
    if version is None:
        return ['router/__init__.py has no line __version__ = "..."']
    headings = [(heading["title"], heading["date"]) for heading in HEADING.finditer(changelog)]
    if not headings or headings[0] != ("Unreleased", None):
        return ["CHANGELOG.md: the first heading must be ## [Unreleased]"]
    if len(headings) == 1:
        return ["CHANGELOG.md: no release below ## [Unreleased]"]
    found = [
        f"CHANGELOG.md: write ## [{title}] - YYYY-MM-DD, not {date}"
        for title, date in headings[1:]
        if date is None or not DATE.fullmatch(date)
    ]
    newest = headings[1][0]
    if newest != version["version"]:
        found.append(f"CHANGELOG.md ends at {newest}, router.__version__ is {version['version']}")
    return found


def main() -> int:
    """Print each problem; the number of them is the exit status."""
    found = problems((ROOT / "CHANGELOG.md").read_text("utf-8"), (ROOT / "router/__init__.py").read_text("utf-8"))
    for problem in found:
        print(problem, file=sys.stderr)
    return len(found)


if __name__ == "__main__":
    sys.exit(main())
