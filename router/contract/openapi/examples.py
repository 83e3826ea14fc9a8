"""Write examples as OpenAPI has them beside a schema."""

from __future__ import annotations

from typing import Any

from router.encode import plain
from router.errors import EncodeError


def examples_of(given: tuple[Any, ...]) -> dict[str, Any]:
    """Return the examples of a parameter, a body or an answer: one alone, or several by name.

    given: values as they are in Python; those that JSON cannot hold are left out.
    """
    values = []
    for one in given:
        try:
            values.append(plain(one))
        except EncodeError:
            continue
    if len(values) == 1:
        return {"example": values[0]}
    return {"examples": {f"example{at}": {"value": one} for at, one in enumerate(values, 1)}} if values else {}
