"""Write `requires=` for calls that nothing covers."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

from router.environment import operations

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def requires_text(calls: Mapping[str, Iterable[str]]) -> str:
    """Return the text of a `requires=` for some calls; empty for none.

    calls: the IAM actions by the variable that holds the name of what they reach. Those of the variable "" are told in
        a comment: nothing names it.
    """
    lines = []
    for variable in sorted(name for name in calls if name):
        actions = sorted(set(calls[variable]))
        if actions:
            lines.append(f'    "{variable}": [{", ".join(map(_written, actions))}],')
    text = "requires={\n" + "\n".join(lines) + "\n}" if lines else ""
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
    return {str(member): f"{enum.__name__}.{member.name}" for enum in enums if enum is not StrEnum for member in enum}
