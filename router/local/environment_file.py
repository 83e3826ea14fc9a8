"""Read the variables of an application from a file, as `.env`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.errors import ConfigurationError

if TYPE_CHECKING:
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
