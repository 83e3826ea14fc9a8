"""Which files count when they change."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from router.local.process.changes import Changes


def told(folder: Path, *changes: str) -> list[str]:
    """Returns which of these changes replace an application whose folder is as it is now."""
    found: list[str] = []
    home = folder.resolve()

    async def check() -> None:
        watching = Changes(folder, found.extend, found.append)
        await watching.start()
        for name in changes:
            watching._told([str(home / name)])
        await watching.stop()

    asyncio.run(check())
    return found


@pytest.mark.parametrize("name", ["app.py", "shop/new/app.py"])
def test_code_counts_also_where_it_is_new(tmp_path: Path, name: str) -> None:
    assert told(tmp_path, name) == [name]


@pytest.mark.parametrize("name", [".env", ".env.local", "settings.toml", "a/b.yaml", "a/c.yml", "data.json"])
def test_settings_count_where_they_were_there_or_change_again(tmp_path: Path, name: str) -> None:
    assert told(tmp_path, name) == []
    assert told(tmp_path, name, name) == [name]
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    assert told(tmp_path, name) == [name]


@pytest.mark.parametrize(
    "name",
    [
        *("notes.txt", "app.pyc", ".hidden.py", ".git/hooks/a.py", ".venv/lib/x.py", "venv/lib/x.py"),
        *("__pycache__/app.py", "node_modules/a/b.json", "a/.cache/x.json", "x.egg-info/a.py"),
    ],
)
def test_other_files_do_not_count(tmp_path: Path, name: str) -> None:
    assert told(tmp_path, name, name) == []
