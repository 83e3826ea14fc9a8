"""`Changes`: files of the application that change on disk."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_CODE = ".py"
_SETTINGS = (".env", ".json", ".toml", ".yaml", ".yml")
_IGNORED = frozenset({"__pycache__", "node_modules", "site-packages", "venv", "env", "build", "dist", "htmlcov"})
_QUIET_MS = 40  # a save of several files is one change
_LONGEST_MS = 400
_FRESH_S = 2.5
_MOST_FOLDERS = 5_000


class Found(NamedTuple):
    """Name the folders and files that count. newest: when a file of code was changed last, in epoch seconds."""

    folders: list[str]
    code: set[str]
    settings: set[str]
    newest: float


class Changes:
    """Watch the folder of an application.

    A file of code counts when it appears, changes or goes. A file of settings counts from its second change on where it
    was not there at the start: an application may write such files itself, each time it is called.

    Folders are watched one by one, without hidden ones, environments and the like: those have thousands of folders.

    folder: of the application. on_change: is told of the files, relative to it.
    on_trouble: is told why files cannot be watched.
    """

    def __init__(self, folder: Path, on_change: Callable[[list[str]], None], on_trouble: Callable[[str], None]) -> None:
        self._folder = str(folder.resolve())
        self._on_change = on_change
        self._on_trouble = on_trouble
        self._found = Found([], set(), set(), 0.0)
        self._task: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()

    async def look(self) -> bool:
        """Look at all files. Return whether one of code was changed a moment ago.

        Byte code that is written then may be taken for that of the next change: it holds the time in whole seconds.
        """
        self._found = await asyncio.to_thread(found_below, self._folder)
        return time() - self._found.newest < _FRESH_S

    def start(self) -> None:
        """Begin to watch what `look` has found."""
        self._task = asyncio.get_running_loop().create_task(self._watch())

    async def stop(self) -> None:
        """End to watch."""
        self._stop.set()
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _watch(self) -> None:
        try:
            while not self._stop.is_set():
                await self._watch_folders()
                if not self._stop.is_set():  # there is a new folder
                    before = self._found
                    await self.look()
                    self._found.settings.update(before.settings)
                    self._told(self._found.code - before.code)
        except Exception as error:
            self._on_trouble(f"files are not watched, so that a change is seen after a restart only: {error}")

    async def _watch_folders(self) -> None:
        """Tell of changes, until there is a new folder."""
        from watchfiles import Change, awatch

        if len(self._found.folders) > _MOST_FOLDERS:
            raise OSError(f"{self._folder} has over {_MOST_FOLDERS:,} folders")
        async for changes in awatch(
            *self._found.folders,
            watch_filter=None,
            debounce=_LONGEST_MS,
            step=_QUIET_MS,
            stop_event=self._stop,
            recursive=False,
            ignore_permission_denied=True,
        ):
            self._told(path for _, path in changes)
            if any(kind is Change.added and self._is_folder(path) for kind, path in changes):
                return

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
        if path in self._found.settings:
            return True
        self._found.settings.add(path)
        return False

    def _is_folder(self, path: str) -> bool:
        folders = Path(os.path.relpath(path, self._folder)).parts
        return os.path.isdir(path) and not any(_is_ignored(folder) for folder in folders)


def found_below(folder: str) -> Found:
    """Return what counts below a folder, and the folder itself."""
    found = Found([], set(), set(), 0.0)
    newest = 0.0
    for home, folders, files in os.walk(folder):
        folders[:] = [one for one in folders if not _is_ignored(one) and not _is_environment(os.path.join(home, one))]
        found.folders.append(home)
        for name in files:
            path = os.path.join(home, name)
            if name.endswith(_CODE) and not name.startswith("."):
                found.code.add(path)
                newest = max(newest, _changed_at(path))
            elif _is_settings(name):
                found.settings.add(path)
        if len(found.folders) > _MOST_FOLDERS:
            break
    return found._replace(newest=newest)


def _changed_at(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0


def _is_settings(name: str) -> bool:
    return name.startswith(".env") or (name.endswith(_SETTINGS) and not name.startswith("."))


def _is_ignored(folder: str) -> bool:
    return folder.startswith(".") or folder in _IGNORED or folder.endswith(".egg-info")


def _is_environment(folder: str) -> bool:
    return os.path.exists(os.path.join(folder, "pyvenv.cfg"))
