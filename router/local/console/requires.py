"""Write the calls of AWS that a route made and may not make as `requires=`, to copy it into the code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from router.local.watch.requires import imports_text, requires_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from router.local.store.permissions import Seen

# How variables are named whose resource no variable names yet.
_KINDS = {"dynamodb": "TABLE", "sqs": "QUEUE", "sns": "TOPIC", "s3": "BUCKET", "events": "BUS", "lambda": "FUNCTION"}


def requires_of(seen: Iterable[Seen], variables: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return what is missing in `requires=`, with the import that it wants, for each route that lacks something.

    seen: calls of routes; those that are covered, or of which nothing can be said, are left out.
    variables: the environment of the application. A resource that none of them names gets a name that is made up, and
        `made_up` lists it.
    """
    routes: dict[str, dict[str, set[str]]] = {}
    made_up: dict[str, set[str]] = {}
    for one in seen:
        if one.covered is not False or not one.route:
            continue
        name = _variable(one.resource, variables)
        if name is None:
            name = _made_up(one.action, one.resource)
            made_up.setdefault(one.route, set()).add(name)
        routes.setdefault(one.route, {}).setdefault(name, set()).add(one.action)
    return [
        {"route": route, "text": _text(needs), "made_up": sorted(made_up.get(route, ()))}
        for route, needs in sorted(routes.items())
    ]


def _text(needs: Mapping[str, Iterable[str]]) -> str:
    return "\n\n".join(part for part in (imports_text(needs), requires_text(needs)) if part)


def _name_in(resource: str) -> str:
    """Return the name in an ARN."""
    last = resource.split(":", 5)[-1] if resource.startswith("arn:") else resource
    last = re.sub(r"^(table|function|stateMachine|event-bus|parameter|secret|key|bucket)[:/]", "", last)
    return re.split(r"[/:]", last, maxsplit=1)[0]


def _variable(resource: str, variables: Mapping[str, str]) -> str | None:
    """Return the variable that names a resource: by its ARN, its name, or the last part of its URL."""
    if resource == "*":
        return None
    name = _name_in(resource)
    for variable, value in sorted(variables.items()):
        if value and (value in {resource, name} or ("://" in value and value.rstrip("/").rpartition("/")[2] == name)):
            return variable
    return None


def _made_up(action: str, resource: str) -> str:
    service = action.partition(":")[0]
    words = re.sub(r"[^A-Za-z0-9]+", "_", "" if resource == "*" else _name_in(resource)).strip("_").upper()
    kind = _KINDS.get(service, service.upper().replace("-", "_"))
    return words if words.endswith(kind) else f"{words}_{kind}".strip("_")
