"""Which files count when they change."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from router.local.process.changes import Changes


def told(folder: Path, *changes: str) -> list[str]:
    """Returns which of these changes replace an application whose folder is as it is now."""
    found: list[str] = []
    home = folder.resolve()

    async def check() -> None:
        watching = Changes(folder, found.extend, found.append)
        await watching.look()
        for name in changes:
            watching._told([str(home / name)])

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


def test_folder_that_is_new_is_watched_and_environments_are_not(tmp_path: Path) -> None:
    (tmp_path / "own-env" / "lib").mkdir(parents=True)
    (tmp_path / "own-env" / "pyvenv.cfg").touch()
    found: list[list[str]] = []

    async def check() -> None:
        came = asyncio.Event()

        def changed(files: list[str]) -> None:
            found.append(files)
            came.set()

        async def next_one() -> list[str]:
            await asyncio.wait_for(came.wait(), 20)
            came.clear()
            return found[-1]

        watching = Changes(tmp_path, changed, lambda why: changed([why]))
        await watching.look()
        watching.start()
        await asyncio.sleep(0)  # the task begins
        (tmp_path / "own-env" / "lib" / "x.py").touch()
        folder = tmp_path / "shop"
        folder.mkdir()
        (folder / "orders.py").touch()
        assert await next_one() == ["shop/orders.py"]
        (folder / "orders.py").write_text("1")
        assert await next_one() == ["shop/orders.py"]
        await watching.stop()

    asyncio.run(check())


def test_fresh_files_are_noticed(tmp_path: Path) -> None:
    async def check() -> None:
        watching = Changes(tmp_path, lambda files: None, lambda why: None)
        assert not await watching.look()
        (tmp_path / "app.py").touch()
        assert await watching.look()
        os.utime(tmp_path / "app.py", (1, 1))
        assert not await watching.look()

    asyncio.run(check())
