"""`Changes`: files of the application that change on disk."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_CODE = (".py",)
_SETTINGS = (".env", ".json", ".toml", ".yaml", ".yml")
_IGNORED = frozenset({"__pycache__", "node_modules", "site-packages", "venv", "env", "build", "dist", "htmlcov"})
_QUIET_MS = 40  # a save of several files is one change
_LONGEST_MS = 400


class Changes:
    """Watch the folder of an application.

    A file of code counts when it appears, changes or goes. A file of settings counts from its second change on where it
    was not there at the start: an application may write such files itself, each time it is called.

    folder: of the application. on_change: is told of the files, relative to it.
    on_trouble: is told why files cannot be watched.
    """

    def __init__(self, folder: Path, on_change: Callable[[list[str]], None], on_trouble: Callable[[str], None]) -> None:
        self._folder = folder.resolve()
        self._on_change = on_change
        self._on_trouble = on_trouble
        self._known: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        self._stop: asyncio.Event | None = None

    async def start(self) -> None:
        """Begin to watch."""
        self._known = await asyncio.to_thread(lambda: set(_settings_below(self._folder)))
        self._stop = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._watch(self._stop))

    async def stop(self) -> None:
        """End to watch."""
        if self._task is not None and self._stop is not None:
            self._stop.set()
            await asyncio.wait([self._task])

    async def _watch(self, stop: asyncio.Event) -> None:
        from watchfiles import awatch

        try:
            async for found in awatch(
                self._folder,
                watch_filter=None,
                debounce=_LONGEST_MS,
                step=_QUIET_MS,
                stop_event=stop,
                ignore_permission_denied=True,
            ):
                self._told(path for _, path in found)
        except (OSError, RuntimeError) as error:
            self._on_trouble(f"files are not watched, so that a change is seen after a restart only: {error}")

    def _told(self, paths: Iterable[str]) -> None:
        counting = sorted(path for path in set(paths) if self._counts(path))
        if counting:
            self._on_change([os.path.relpath(path, self._folder) for path in counting])

    def _counts(self, path: str) -> bool:
        *folders, name = Path(os.path.relpath(path, self._folder)).parts
        if any(_is_ignored(folder) for folder in folders):
            return False
        if name.endswith(_CODE):
            return not name.startswith(".")
        if not _is_settings(name):
            return False
        if path in self._known:
            return True
        self._known.add(path)
        return False


def _settings_below(folder: Path) -> Iterator[str]:
    for home, folders, files in os.walk(folder):
        folders[:] = [one for one in folders if not _is_ignored(one) and not _is_environment(os.path.join(home, one))]
        yield from (os.path.join(home, name) for name in files if _is_settings(name))


def _is_settings(name: str) -> bool:
    return name.startswith(".env") or (name.endswith(_SETTINGS) and not name.startswith("."))


def _is_ignored(folder: str) -> bool:
    return folder.startswith(".") or folder in _IGNORED or folder.endswith(".egg-info")


def _is_environment(folder: str) -> bool:
    return os.path.exists(os.path.join(folder, "pyvenv.cfg"))
