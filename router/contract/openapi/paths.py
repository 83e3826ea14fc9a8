"""Compare the templates of paths as OpenAPI does."""

from __future__ import annotations

import re

_PARAMETER = re.compile(r"\{([^}]*)\}")


def template(path: str) -> str:
    """Return a path without the names of its parameters: OpenAPI takes `/a/{x}` and `/a/{y}` for the same."""
    return _PARAMETER.sub("{}", path)


def names_of(path: str) -> list[str]:
    """Return the names of the parameters of a path, in order."""
    return _PARAMETER.findall(path)
