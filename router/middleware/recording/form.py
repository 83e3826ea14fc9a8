"""`Recording`: one call of the function, as a file: the payload, and what became of it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, fields
from pathlib import Path

import orjson

from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FORMAT = 1
SETTINGS = "replay.json"
"""The file beside recordings that says how they are replayed."""

_SUFFIX = ".json"
_KINDS: dict[str, type | tuple[type, ...]] = {
    "id": str,
    "recorded": str,
    "source": str,
    "routes": list,
    "ms": (int, float),
    "library": str,
    "context": dict,
    "redact": dict,
    "masked": list,
    "failures": list,
}


class RecordingError(ConfigurationError):
    """Raised for a file that is not a recording of this format. The message names it."""


@dataclass(slots=True)
class Recording:
    """One call of the function, without what is secret in it.

    id: sorts by time. recorded: when, in ISO 8601. source: of the payload. routes: those that took its events.
    ms: how long it took, in milliseconds. library: the version of the library.
    context: what an answer may depend on beside the payload: `function_arn`, `client_context`, `tenant_id`.
    redact: the `rules` of the application, what it had the recorder `keep`, and the `hits` of each rule.
    masked: where masks are. payload: as Lambda delivered it.
    answer: as the function returned it; of a stream with its whole body.
    error: in place of an answer, or what ended a stream: `type`, `message`.
    failures: the events that failed, each with `id`, `route`, `type`, `message`.
    path: the file; None for one that was not read from a file.
    """

    id: str
    recorded: str
    source: str
    routes: list[str]
    ms: float
    library: str
    context: dict[str, Any]
    redact: dict[str, Any]
    masked: list[str]
    payload: Any
    answer: Any = None
    error: dict[str, Any] | None = None
    failures: list[dict[str, Any]] = field(default_factory=list)
    path: Path | None = None

    def __str__(self) -> str:
        return self.id if self.path is None else self.path.stem

    @property
    def rules(self) -> list[str]:
        """Return the rules that the application gave, of which each should have found something."""
        return list(self.redact["rules"])

    def text(self) -> str:
        """Return the recording as a file holds it."""
        held = {"format": FORMAT}
        held |= {one.name: getattr(self, one.name) for one in fields(self) if one.name != "path"}
        try:
            return orjson.dumps(held, option=orjson.OPT_INDENT_2).decode() + "\n"
        except TypeError:  # half a character, or a number that has over 64 bits
            return json.dumps(held, indent=2, ensure_ascii=False) + "\n"

    def save(self) -> None:
        """Write the recording into its file again."""
        if self.path is None:
            raise ConfigurationError("this recording has no file")
        write_whole(self.path, self.text().encode("utf-8", "surrogatepass"))


def read(path: Path) -> Recording:
    """Return the recording in a file.

    Raises:
        RecordingError: it cannot be read, is broken, or has another format.
    """
    try:
        held = json.loads(path.read_bytes().decode("utf-8", "surrogatepass"))
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise RecordingError(f"{path}: is not a recording: it is not JSON ({error})") from None
    if not isinstance(held, dict) or "format" not in held:
        raise RecordingError(f'{path}: is not a recording: it has no "format"')
    if held["format"] != FORMAT:
        made = f", written by version {held['library']}" if isinstance(held.get("library"), str) else ""
        raise RecordingError(f"{path}: has the format {held['format']!r:.20}{made}; this version reads format {FORMAT}")
    return _checked(path, held)


def _checked(path: Path, held: dict[str, Any]) -> Recording:
    for name, kind in _KINDS.items():
        if not isinstance(held.get(name), kind):
            raise RecordingError(f"{path}: is broken: {name!r} is missing, or of the wrong kind")
    if "payload" not in held:
        raise RecordingError(f"{path}: is broken: 'payload' is missing")
    redact = held["redact"]
    for name in ("rules", "keep"):
        if not isinstance(redact.get(name), list) or not all(isinstance(rule, str) for rule in redact[name]):
            raise RecordingError(f"{path}: is broken: 'redact.{name}' is not a list of texts")
    if not isinstance(redact.get("hits"), dict):
        raise RecordingError(f"{path}: is broken: 'redact.hits' is missing")
    if not isinstance(held.get("error"), dict | None):
        raise RecordingError(f"{path}: is broken: 'error' is not an object")
    names = {one.name for one in fields(Recording)} - {"path"}
    return Recording(**{name: value for name, value in held.items() if name in names}, path=path)


def read_all(folder: str | os.PathLike[str]) -> list[Recording]:
    """Return the recordings in a folder and those below it, the oldest first.

    Raises:
        RecordingError: it is not a folder, has none, or a file is not one.
    """
    where = Path(folder)
    if where.is_file():
        return [read(where)]
    if not where.is_dir():
        raise RecordingError(f"{where}: there is no such folder")
    paths = sorted(path for path in where.rglob(f"*{_SUFFIX}") if path.name != SETTINGS and path.name[0] != ".")
    if not paths:
        raise RecordingError(f"{where}: there are no recordings in it")
    return sorted((read(path) for path in paths), key=lambda one: one.id)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there as a whole or not at all. Its owner alone may read it."""
    from uuid import uuid4

    beside = path.with_name(f".{path.name}.{uuid4().hex[:8]}")
    try:
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
