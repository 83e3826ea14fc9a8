"""`Settings`: how recordings are replayed. The file `replay.json` beside them says it, and so does a caller."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path

from router.middleware.recording.form import SETTINGS, RecordingError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any


@dataclass(frozen=True, slots=True)
class Settings:
    """Hold how recordings are replayed.

    application: `package.module:resolver`, for `junction replay`.
    ignore: places in answers that do not count, such as `body.id`.
    fill: values for what was masked, by a rule as `Redact` takes them: `{"authorization": "Bearer $TOKEN"}`. `$TOKEN`
        is a variable of the environment.
    unmatched: rules of the recorder that need not have found anything.
    """

    application: str = ""
    ignore: tuple[str, ...] = ()
    fill: Mapping[str, Any] = field(default_factory=dict)
    unmatched: tuple[str, ...] = ()

    def also(
        self, ignore: Iterable[str] = (), fill: Mapping[str, Any] | None = None, unmatched: Iterable[str] = ()
    ) -> Settings:
        """Return the settings with more of a caller's."""
        return replace(
            self,
            ignore=(*self.ignore, *ignore),
            fill={**self.fill, **(fill or {})},
            unmatched=(*self.unmatched, *unmatched),
        )

    def values(self) -> dict[str, Any]:
        """Return what is filled in, with variables of the environment.

        Raises:
            RecordingError: a variable is not set.
        """
        return {rule: _expanded(rule, value) for rule, value in self.fill.items()}


def _expanded(rule: str, value: Any) -> Any:
    import re

    if not isinstance(value, str):
        return value

    def variable(found: re.Match[str]) -> str:
        name = found[1]
        if name not in os.environ:
            raise RecordingError(f"fill {rule}: the variable {name} is not set")
        return os.environ[name]

    return re.sub(r"\$([A-Za-z_][A-Za-z0-9_]*)", variable, value)


def settings_of(folder: str | os.PathLike[str]) -> Settings:
    """Return the settings beside recordings; the default where there is no such file.

    Raises:
        RecordingError: the file is broken, or has a field that is not known.
    """
    where = Path(folder)
    path = (where if where.is_dir() else where.parent) / SETTINGS
    try:
        held = json.loads(path.read_bytes())
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise RecordingError(f"{path}: is not JSON ({error})") from None
    kinds = {"application": str, "ignore": list, "fill": dict, "unmatched": list}
    if not isinstance(held, dict):
        raise RecordingError(f"{path}: give an object with {', '.join(kinds)}")
    for name, value in held.items():
        if name not in kinds:
            raise RecordingError(f"{path}: {name!r} is not a setting; there are {', '.join(kinds)}")
        if not isinstance(value, kinds[name]) or (
            kinds[name] is list and not all(isinstance(one, str) for one in value)
        ):
            shape = {"application": "a text", "fill": "an object"}.get(name, "a list of texts")
            raise RecordingError(f"{path}: {name!r} is {shape}")
    own = Settings(application=held.pop("application", ""))
    return own.also(**held)
