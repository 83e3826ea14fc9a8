"""The pages on deployment: what a newcomer types works, and no command has an option that is not there."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from router.cli.commands import app
from tests.unit.router.cli.processes import junction

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = sorted((ROOT / "docs").glob("deploying*.md"))


def commands(text: str) -> Iterator[str]:
    """Return the commands `junction` of a page, of its blocks and of its lines."""
    blocks = re.findall(r"^```(?:sh|yml|dockerfile)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    for block in blocks:
        for line in block.splitlines():
            found = re.search(r"(?<![\w\"/-])junction [^#|&\n]+", line)
            if found:
                yield found[0]
    outside = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    yield from re.findall(r"`(junction [^`]+)`", outside)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_command_takes_what_the_page_gives_it(page: Path) -> None:
    for line in commands(page.read_text()):
        command = get_command(app)
        words = shlex.split(line)[1:]
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]  # type: ignore[attr-defined]
        known = {name for param in command.params for name in param.opts}
        unknown = [word for word in words if word.startswith("-") and word.partition("=")[0] not in known]
        assert not hasattr(command, "commands"), f"{page.name} has a command that is not there: {line}"
        assert unknown == [], f"{page.name} has options that are not there: {line}"


def test_a_newcomer_has_a_template_that_stays_current(tmp_path: Path) -> None:
    first = README.read_text().partition("## A first route")[2]
    (tmp_path / "app.py").write_text(re.findall(r"^```python\n(.*?)^```", first, re.MULTILINE | re.DOTALL)[0])
    page = (ROOT / "docs" / "deploying.md").read_text()
    (tmp_path / "stack.py").write_text(re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)[0])
    rows = re.findall(r"^\| \d\. .*?\| `(junction [^`]+)`", page, re.MULTILINE)
    rows = [row for row in rows if "--bundle" not in row]  # a test of the workflow has a package
    assert len(rows) == 3

    for row in rows:
        ended = junction(*shlex.split(row)[1:], cwd=tmp_path)
        assert ended.returncode == 0, ended.stderr
    assert "Handler: app.handler" in (tmp_path / "template.yaml").read_text()
    assert junction(*shlex.split(rows[1])[1:], "--check", cwd=tmp_path).returncode == 0
    (tmp_path / "stack.py").write_text((tmp_path / "stack.py").read_text().replace("timeout=30", "timeout=60"))
    assert junction(*shlex.split(rows[1])[1:], "--check", cwd=tmp_path).returncode == 1


def test_the_readme_shows_what_the_commands_say(tmp_path: Path) -> None:
    text = README.read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    first = next(block for block in blocks if "resolver = Resolver()" in block)
    sources = next(block for block in blocks if '@resolver.on_queue("orders")' in block)
    (tmp_path / "app.py").write_text(first + sources.partition("assert client")[0])
    section = text.partition("## Deploy it")[2].partition("\n## ")[0]
    (tmp_path / "stack.py").write_text(re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)[0])
    [console] = re.findall(r"^```console\n(.*?)^```", section, re.MULTILINE | re.DOTALL)

    for step in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]:
        line, _, shown = step.partition("\n")
        words = shlex.split(line)
        if words[0] == "junction":
            ended = junction(*words[1:], cwd=tmp_path)
        else:
            ended = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert " ".join(ended.stdout.split()) == " ".join(shown.split()), ended.stderr
