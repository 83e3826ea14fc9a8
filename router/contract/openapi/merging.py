"""Merge the OpenAPI documents of several applications into one, as behind one domain."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from router.contract.interface.reading import identifier
from router.contract.openapi.paths import names_of, template
from router.errors import ConfigurationError

_KINDS = ("schemas", "securitySchemes")
_LITERAL = ("example", "examples", "default", "enum", "const")


def merged(documents: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return one document of several; title, version and description are those of the first.

    documents: of one version of OpenAPI. Components of one name that are the same are shared; where they differ, those
        of the later document get its title in front of their names.

    Raises:
        ConfigurationError: there is none, the versions differ, or both have an operation of one name, or one method of
            one path.
    """
    if not documents:
        raise ConfigurationError("merged([]): give at least one document")
    first, *others = [dict(one) for one in documents]
    made = {**first, "paths": dict(first.get("paths", {})), "components": _components(first)}
    shared = all(one.get("servers") == first.get("servers") for one in others)
    if not shared:
        made.pop("servers", None)
        made["paths"] = _placed(first, made["paths"])
    owners = {path: _title(first) for path in made["paths"]}
    for one in others:
        if one.get("openapi") != first.get("openapi"):
            raise ConfigurationError(
                f"{_title(first)} is of OpenAPI {first.get('openapi')}, and {_title(one)} of {one.get('openapi')}"
            )
        renamed = _renamed(one, made["components"])
        paths = renamed["paths"] if shared else _placed(renamed, renamed["paths"])
        _refuse_same_operations(made["paths"], owners, paths, _title(one))
        _add_paths(made["paths"], owners, paths, _title(one))
        for kind in _KINDS:
            made["components"][kind] |= renamed["components"][kind]
        made["tags"] = _tags(made.get("tags", []), one.get("tags", []))
    return _in_order(made)


def _in_order(made: dict[str, Any]) -> dict[str, Any]:
    """Return a document with its parts in the order in which they are written, and without empty ones."""
    made["paths"] = {path: made["paths"][path] for path in sorted(made["paths"])}
    held = {kind: dict(sorted(made["components"][kind].items())) for kind in _KINDS if made["components"][kind]}
    made["components"] = held
    names = ("openapi", "info", "servers", "tags", "paths", "components")
    ordered = {name: made[name] for name in names if made.get(name) or name == "paths"}
    return ordered | {name: value for name, value in made.items() if name not in names}


def _title(document: Mapping[str, Any]) -> str:
    return repr(document["info"]["title"])


def _components(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {kind: dict(document.get("components", {}).get(kind, {})) for kind in _KINDS}


# ---- paths ---------------------------------------------------------------------------------------------------------


def _placed(document: Mapping[str, Any], paths: Mapping[str, Any]) -> dict[str, Any]:
    """Return paths that say by themselves where they answer."""
    servers = document.get("servers")
    return {path: {"servers": servers, **item} if servers else dict(item) for path, item in paths.items()}


def _add_paths(held: dict[str, Any], owners: dict[str, str], paths: Mapping[str, Any], title: str) -> None:
    """Add the paths of a document to those of the ones before."""
    known = {template(path): path for path in held}
    for path, item in paths.items():
        there = known.get(template(path), path)
        if there not in held:
            held[there], owners[there] = item, title
            continue
        both = held[there].keys() & item.keys()
        clashing = sorted(name for name in both if name != "servers" or held[there][name] != item[name])
        if clashing or names_of(there) != names_of(path) or ("servers" in held[there]) != ("servers" in item):
            named = ", ".join(name.upper() for name in clashing if name != "servers")
            raise ConfigurationError(f"{owners[there]} and {title} both have {f'{named} {path}'.strip()}")
        held[there] = {**held[there], **item}


def _refuse_same_operations(
    held: Mapping[str, Any], owners: Mapping[str, str], paths: Mapping[str, Any], title: str
) -> None:
    known = {name: owners[path] for path, item in held.items() for name in _operation_ids(item)}
    for path, item in paths.items():
        for name in _operation_ids(item):
            if name in known:
                raise ConfigurationError(
                    f"{known[name]} and {title} ({path}) both have an operation named {name!r}; give a route name="
                )


def _operation_ids(item: Mapping[str, Any]) -> list[str]:
    return [one["operationId"] for one in item.values() if isinstance(one, Mapping) and "operationId" in one]


def _tags(held: Sequence[Mapping[str, str]], others: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    known = {one["name"] for one in held}
    return [*held, *(one for one in others if one["name"] not in known)]


# ---- components ----------------------------------------------------------------------------------------------------


def _renamed(document: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return a document whose components have names that are not taken by different ones."""
    own = _components(document)
    names: dict[str, dict[str, str]] = {}
    for kind in _KINDS:
        differing = {name for name, value in own[kind].items() if known[kind].get(name, value) != value}
        # What refers to a component that gets another name is another one, too.
        while kind == "schemas" and (more := _referring(own[kind], differing) & known[kind].keys() - differing):
            differing |= more
        names[kind] = {name: _free(document, name, kind, known, own) for name in sorted(differing)}
    made: dict[str, Any] = _rewritten({**document, "components": own}, names)
    return made


def _referring(schemas: Mapping[str, Any], names: set[str]) -> set[str]:
    wanted = {f"#/components/schemas/{name}" for name in names}
    return {name for name, schema in schemas.items() if wanted & set(_references(schema))}


def _references(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [target for one in value.values() for target in _references(one)]
    return [target for one in value for target in _references(one)] if isinstance(value, list) else []


def _free(
    document: Mapping[str, Any], name: str, kind: str, known: Mapping[str, Mapping[str, Any]], own: Mapping[str, Any]
) -> str:
    """Return another name for a component: that with the title of its document in front."""
    title = re.sub(
        r"[^A-Za-z0-9]", "", "".join(word[:1].upper() + word[1:] for word in document["info"]["title"].split())
    )
    wanted = f"{title}{name}" if kind == "schemas" else f"{identifier(document['info']['title'])}_{name}"
    if wanted in known[kind] or wanted in own[kind]:
        raise ConfigurationError(
            f"{_title(document)} and a document before it have different {kind} named {name!r}, and {wanted!r} is "
            "taken as well: name one of them otherwise"
        )
    return wanted


def _rewritten(value: Any, names: Mapping[str, Mapping[str, str]]) -> Any:
    """Return a part of a document with the new names of its components."""
    if isinstance(value, list):
        return [_rewritten(one, names) for one in value]
    if not isinstance(value, Mapping):
        return value
    made: dict[str, Any] = {}
    for key, one in value.items():
        if key in _LITERAL:
            made[key] = one
        elif key == "security" and isinstance(one, list):
            made[key] = [
                {names["securitySchemes"].get(name, name): held for name, held in each.items()} for each in one
            ]
        elif key in _KINDS and isinstance(one, Mapping):
            made[key] = {names[key].get(name, name): _rewritten(held, names) for name, held in one.items()}
        elif key == "$ref" and isinstance(one, str):
            head, _, name = one.rpartition("/")
            made[key] = f"{head}/{names['schemas'].get(name, name)}" if head == "#/components/schemas" else one
        else:
            made[key] = _rewritten(one, names)
    return made
