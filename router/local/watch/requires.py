"""Write `requires=` for calls that nothing covers."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

from router.environment import operations

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


_LONGEST = 100  # characters of a line


def requires_text(calls: Mapping[str, Iterable[str]]) -> str:
    """Return the text of a `requires=` for some calls, on one line where it is short; empty for none.

    calls: the IAM actions by the variable that holds the name of what they reach. Those of the variable "" are told in
        a comment: nothing names it.
    """
    parts = []
    for variable in sorted(name for name in calls if name):
        written = sorted({_written(action) for action in calls[variable]})
        if written:
            parts.append(f'"{variable}": [{", ".join(written)}]')
    text = f"requires={{{', '.join(parts)}}}" if parts else ""
    if len(text) > _LONGEST:
        text = "requires={\n" + "".join(f"    {part},\n" for part in parts) + "}"
    unnamed = sorted(set(calls.get("", ())))
    if unnamed:
        comment = f"# No variable names the resource of {', '.join(unnamed)}: put its name into one."
        text = f"{comment}\n{text}".rstrip()
    return text


def imports_text(calls: Mapping[str, Iterable[str]]) -> str:
    """Return the import that the text of `requires_text` wants; empty where it needs none."""
    constants = _constants()
    named = {constants[action].partition(".")[0] for held in calls.values() for action in held if action in constants}
    return f"from router.environment import {', '.join(sorted(named))}" if named else ""


def _written(action: str) -> str:
    return _constants().get(action, f'"{action}"')


@cache
def _constants() -> dict[str, str]:
    """Return the constant for each action that has one: `DynamoDB.GET_ITEM`."""
    enums = [one for one in vars(operations).values() if isinstance(one, type) and issubclass(one, StrEnum)]
    members = [(enum.__name__, member) for enum in enums if enum is not StrEnum for member in enum]
    return {str(member): f"{name}.{member.name}" for name, member in members}
