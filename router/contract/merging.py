"""Put the resources of the routes into a template that somebody keeps by hand, and touch nothing else.

Each resource that is ours says so in its metadata, with a digest of what was written. So one that was edited since is
found, and one that no route needs any more is taken out.
"""

from __future__ import annotations

from hashlib import sha256
from json import dumps
from typing import TYPE_CHECKING

from router.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping
    from typing import Any

    Template = MutableMapping[str, Any]

MARK = "Junction"
"""The key of the metadata that tells whose a resource is."""

_SERVERLESS = "AWS::Serverless-2016-10-31"
_NAMED = ("Parameters", "Outputs")  # what has no metadata of its own: the template's says which are ours


def digest(resource: Mapping[str, Any]) -> str:
    """Return the digest of a resource without its mark."""
    plain = {name: long_form(held) for name, held in resource.items() if name != "Metadata"}
    return sha256(dumps(plain, sort_keys=True, default=str).encode()).hexdigest()[:16]


def long_form(value: Any) -> Any:
    """Return a value as JSON has it: of `!Sub text` as it was read `{"Fn::Sub": "text"}`."""
    tag = str(getattr(getattr(value, "tag", None), "value", None) or "")
    if tag.startswith("!") and hasattr(value, "value"):
        name, held = tag[1:], value.value
        if name == "GetAtt":
            return {"Fn::GetAtt": held.split(".", 1)}
        return {name if name in ("Ref", "Condition") else f"Fn::{name}": held}
    if hasattr(value, "items"):
        return {str(name): long_form(held) for name, held in value.items()}
    if isinstance(value, list | tuple):
        return [long_form(held) for held in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def marked(ours: Mapping[str, Any]) -> dict[str, Any]:
    """Return a template with the mark on each of its resources, parameters and outputs."""
    resources = {
        name: {**resource, "Metadata": {MARK: digest(resource)}} for name, resource in ours["Resources"].items()
    }
    named = {section: sorted(ours[section]) for section in _NAMED if section in ours}
    return {
        **{name: held for name, held in ours.items() if name not in ("Resources", *_NAMED)},
        "Metadata": {MARK: named},
        **{section: ours[section] for section in _NAMED if section in ours and section == "Parameters"},
        "Resources": resources,
        **{section: ours[section] for section in _NAMED if section in ours and section == "Outputs"},
    }


def merged_into(held: Template, ours: Mapping[str, Any], *, force: bool = False) -> Template:
    """Put a marked template into another one, in place, and return it.

    held: the other one, as it was read.
    ours: what `marked` returned.
    force: whether resources of ours that were edited by hand are written over.

    Raises:
        ConfigurationError: resources of ours were edited by hand, or a name of ours is taken by one that is not ours;
            nothing is changed then.
    """
    resources = held.get("Resources") or {}
    edited = [name for name, one in resources.items() if _mark(one) not in (None, digest(one))]
    taken = [name for name in ours["Resources"] if name in resources and _mark(resources[name]) is None]
    if taken:
        raise ConfigurationError(
            f"the template has {', '.join(sorted(taken))}, and the routes need resources of these names: rename yours"
        )
    if edited and not force:
        raise ConfigurationError(
            f"edited by hand since the last export: {', '.join(sorted(edited))}; keep the edit in a declaration, or "
            "write over it with --force"
        )
    _put_sections(held, ours)
    target = held.setdefault("Resources", {})
    for name in [name for name, one in target.items() if _mark(one) is not None and name not in ours["Resources"]]:
        del target[name]
    target.update(ours["Resources"])
    _put_transform(held)
    return held


def _mark(resource: Any) -> str | None:
    metadata: Any = resource.get("Metadata") if hasattr(resource, "get") else None
    return metadata.get(MARK) if hasattr(metadata, "get") else None


def _put_sections(held: Template, ours: Mapping[str, Any]) -> None:
    """Put parameters and outputs. One of somebody else's with the name of ours stays as it is."""
    metadata = held.setdefault("Metadata", {})
    before = metadata.get(MARK) or {}
    metadata[MARK] = ours["Metadata"][MARK]
    for section in _NAMED:
        mine = set(before.get(section) or ())
        target = held.setdefault(section, {})
        for name in mine - set(ours.get(section, {})):
            target.pop(name, None)
        for name, one in ours.get(section, {}).items():
            if name not in target or name in mine:
                target[name] = one
        if not target:
            del held[section]


def _put_transform(held: Template) -> None:
    transform = held.get("Transform")
    if transform is None:
        held["Transform"] = _SERVERLESS
    elif isinstance(transform, str) and transform != _SERVERLESS:
        held["Transform"] = [transform, _SERVERLESS]
    elif not isinstance(transform, str) and _SERVERLESS not in transform:
        transform.append(_SERVERLESS)
