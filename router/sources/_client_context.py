"""The client context of an invocation, in which its caller says what the payload does not.

Whoever may invoke the function can write it, and test doubles put anything there: nothing of it is taken on trust.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TOOL_NAME = "bedrockAgentCoreToolName"


def custom_of(context: object) -> Mapping[str, Any]:
    """Return the `custom` part of a client context; an empty one where there is none, or something else."""
    client = getattr(context, "client_context", None)
    # An object of the runtime client; a mapping in other runtimes and in tests.
    held = client.get("custom") if isinstance(client, Mapping) else getattr(client, "custom", None)
    found = as_object(held)
    return {} if found is None else found


def tool_in(context: object) -> str | None:
    """Return the name of the tool that a gateway calls, with its target in front; None for any other invocation."""
    name = custom_of(context).get(TOOL_NAME)
    return name if isinstance(name, str) and name else None


def as_object(held: Any) -> Mapping[str, Any] | None:
    """Return an object, which some runtimes hand over as JSON text; None for anything else."""
    if isinstance(held, str):
        try:
            held = orjson.loads(held)
        except orjson.JSONDecodeError:
            return None
    return held if isinstance(held, Mapping) else None
