"""Read the variables of an application from a file, as `.env`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from router.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def variables_in(file: Path) -> dict[str, str]:
    """Return the variables of a file: `NAME=value` on each line.

    Raises:
        ConfigurationError: the file cannot be read, or a line gives no value.
    """
    from io import StringIO

    from dotenv import dotenv_values
    from dotenv.parser import parse_stream

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: {error}") from error
    for one in parse_stream(StringIO(text)):
        if one.error or (one.key is not None and one.value is None):
            line = one.original.string.strip().splitlines()[0]
            raise ConfigurationError(f"{file}:{one.original.line}: {line!r:.80} is not NAME=value")
    found = dotenv_values(stream=StringIO(text), interpolate=True)
    return {name: value for name, value in found.items() if value is not None}


class FileVariables(Mapping[str, str]):
    """Hold the variables of a file, which is read again when it has changed, and further ones, which go before them.

    file: with the variables. further: those of the command line.

    A file that cannot be read any more leaves the variables as they were; `problem` says why.

    Raises:
        ConfigurationError: the file cannot be read at first.
    """

    def __init__(self, file: Path, further: Mapping[str, str]) -> None:
        self._file = file
        self._further = dict(further)
        self._state = self._look()
        self._held = {**variables_in(file), **self._further}
        self.problem = ""

    def __getitem__(self, name: str) -> str:
        return self._current()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._current())

    def __len__(self) -> int:
        return len(self._current())

    def _current(self) -> dict[str, str]:
        state = self._look()
        if state != self._state:
            self._state = state
            try:
                self._held = {**variables_in(self._file), **self._further}
                self.problem = ""
            except ConfigurationError as error:
                self.problem = str(error)
        return self._held

    def _look(self) -> tuple[int, int]:
        """Return what changes with the file."""
        try:
            found = self._file.stat()
        except OSError:
            return 0, 0
        return found.st_mtime_ns, found.st_size
