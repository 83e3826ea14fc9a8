"""Put the resources of the routes into a template that somebody keeps by hand, and touch nothing else.

Each resource that is ours says so in its metadata, with a digest of what was written; of parameters and outputs, which
have no metadata, that of the template says it. So one that was edited since is found, and one that no route needs any
more is taken out. A reader that writes quotes or indents in another way edits nothing.
"""

from __future__ import annotations

from hashlib import sha256
from json import dumps
from typing import TYPE_CHECKING, NamedTuple

from router.contract.yaml_source import values
from router.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Where = Callable[[str, str], str]

MARK = "Junction"
"""The key of the metadata that tells whose a resource is."""

SERVERLESS = "AWS::Serverless-2016-10-31"
SECTIONS = ("Parameters", "Resources", "Outputs")
_WITHOUT_METADATA = ("Parameters", "Outputs")
# What somebody may have already: how it is declared, and where its name is.
_SHARED = {
    "AWS::DynamoDB::Table": ("Table", "TableName"),
    "AWS::Events::EventBus": ("Bus", "Name"),
    "AWS::Kinesis::Stream": ("Stream", "Name"),
    "AWS::S3::Bucket": ("Bucket", "BucketName"),
    "AWS::SNS::Topic": ("Topic", "TopicName"),
    "AWS::SQS::Queue": ("Queue", "QueueName"),
    "AWS::SecretsManager::Secret": ("Secret", "Name"),
}


class Plan(NamedTuple):
    """Hold what a merge changes.

    put: by section, the names that are written, with their values. drop: by section, the names that are taken out.
    marks: of parameters and outputs; None where they stay as they are. transform: whether SAM's is to be added.
    """

    put: dict[str, dict[str, Any]]
    drop: dict[str, list[str]]
    marks: dict[str, dict[str, str]] | None
    transform: bool

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes."""
        return not (any(self.put.values()) or any(self.drop.values()) or self.marks is not None or self.transform)


def digest(name: str, value: Any) -> str:
    """Return the digest of a resource, parameter or output, with its name and without its mark."""
    plain = canonical(value)
    if isinstance(plain, dict):
        plain.pop("Metadata", None)
    return f"v1-{sha256(dumps([name, plain], sort_keys=True).encode()).hexdigest()[:16]}"


def canonical(value: Any) -> Any:
    """Return a value with text in the place of numbers and truth values, as `Source.data` has them."""
    if isinstance(value, dict):
        return {str(name): canonical(held) for name, held in value.items()}
    if isinstance(value, list | tuple):
        return [canonical(held) for held in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if value is None else str(value)


def marked(ours: Mapping[str, Any]) -> dict[str, Any]:
    """Return a template with the mark on each of its resources, parameters and outputs."""
    resources = {
        name: {**resource, "Metadata": {MARK: digest(name, resource)}} for name, resource in ours["Resources"].items()
    }
    named = {
        section: {name: digest(name, one) for name, one in ours[section].items()}
        for section in _WITHOUT_METADATA
        if ours.get(section)
    }
    begin = {name: held for name, held in ours.items() if name not in SECTIONS}
    sections = {section: resources if section == "Resources" else ours.get(section) for section in SECTIONS}
    return {
        **begin,
        **({"Metadata": {MARK: named}} if named else {}),
        **{section: held for section, held in sections.items() if held},
    }


def plan(held: Mapping[str, Any], ours: Mapping[str, Any], where: Where, *, force: bool = False) -> Plan:
    """Return what to change in a template so that it has all of ours.

    held: the template, as `Source.data` has it.
    ours: what `marked` returned.
    where: returns the place of a section's entry, for messages.
    force: whether what is ours is written over where it was edited by hand.

    Raises:
        ConfigurationError: some of ours was edited by hand, or a name of ours is that of something else.
    """
    for section in ("Metadata", *SECTIONS):
        if not isinstance(held.get(section) or {}, dict):
            raise ConfigurationError(f"{where(section, '')}{section} is not a mapping")
    marks = {section: _marks(held, section) for section in SECTIONS}
    _refuse_taken(held, ours, marks, where)
    edited = {
        section: {name for name, mark in marks[section].items() if mark != digest(name, held[section][name])}
        for section in SECTIONS
    }
    if not force:
        _refuse_edited(edited, where)
    found = Plan({}, {}, None, _needs_transform(held.get("Transform")))
    new: dict[str, dict[str, str]] = {}
    for section in SECTIONS:
        # A parameter that is there already is how somebody gives it a default of his own.
        mine = {
            name: one
            for name, one in ours.get(section, {}).items()
            if name in marks[section] or name not in (held.get(section) or {})
        }
        now = {name: digest(name, one) for name, one in mine.items()}
        found.put[section] = {
            name: one for name, one in mine.items() if marks[section].get(name) != now[name] or name in edited[section]
        }
        found.drop[section] = [name for name in marks[section] if name not in mine]
        if section in _WITHOUT_METADATA and now:
            new[section] = now
    if not force:
        _refuse_orphans(held, marks, found, where)
    before = (held.get("Metadata") or {}).get(MARK)
    return found if (before or {}) == new else found._replace(marks=new)


def expected(held: Mapping[str, Any], found: Plan) -> dict[str, Any]:
    """Return the template that a plan leads to, as `Source.data` has it."""
    after: dict[str, Any] = dict(held)
    for section in SECTIONS:
        if found.put[section] or found.drop[section]:
            before = after.get(section) or {}
            kept = {name: one for name, one in before.items() if name not in found.drop[section]}
            new = {
                name: with_metadata(canonical(one), kept.get(name)) if section == "Resources" else canonical(one)
                for name, one in found.put[section].items()
            }
            after[section] = {**kept, **new}
            if not after[section] and section != "Resources":
                del after[section]
    if found.marks is not None:
        metadata = {name: one for name, one in (after.get("Metadata") or {}).items() if name != MARK}
        after["Metadata"] = {**metadata, **({MARK: found.marks} if found.marks else {})}
        if not after["Metadata"]:
            del after["Metadata"]
    if found.transform:
        after["Transform"] = transformed(after.get("Transform"))
    return after


def transformed(transform: Any) -> Any:
    """Return the transforms of a template with that of SAM."""
    others = [] if not transform else transform if isinstance(transform, list) else [transform]
    return [*others, SERVERLESS] if others else SERVERLESS


def with_metadata(one: Mapping[str, Any], before: Any) -> dict[str, Any]:
    """Return a resource with the metadata that others gave it, such as SAM's BuildMethod."""
    others = before.get("Metadata") if isinstance(before, dict) else None
    return {**one, "Metadata": {**(others if isinstance(others, dict) else {}), **one["Metadata"]}}


def _marks(held: Mapping[str, Any], section: str) -> dict[str, str]:
    """Return the marks of what is ours in a section, by name."""
    entries = held.get(section) or {}
    if section in _WITHOUT_METADATA:
        marks = (held.get("Metadata") or {}).get(MARK)
        named = marks.get(section) if isinstance(marks, dict) else None
        return {name: str(mark) for name, mark in named.items() if name in entries} if isinstance(named, dict) else {}
    found = {}
    for name, one in entries.items():
        metadata = one.get("Metadata") if isinstance(one, dict) else None
        if isinstance(metadata, dict) and MARK in metadata:
            found[name] = str(metadata[MARK])
    return found


def _refuse_taken(
    held: Mapping[str, Any], ours: Mapping[str, Any], marks: Mapping[str, Mapping[str, str]], where: Where
) -> None:
    """Refuse names of ours that others have: parameters and resources share theirs, and outputs have theirs alone."""
    for section in SECTIONS:
        others = ("Outputs",) if section == "Outputs" else ("Parameters", "Resources")
        for name in ours.get(section, {}):
            for other in others:
                if section == other == "Parameters" or name not in (held.get(other) or {}) or name in marks[other]:
                    continue
                raise ConfigurationError(
                    f"{where(other, name)}the template has {name} in its {other}, and the export needs this name in "
                    f"its {section}: rename yours{_or_kept(ours[section][name], held[other][name])}"
                )


def _or_kept(ours: Any, theirs: Any) -> str:
    """Return what helps beside another name, where somebody has made by hand what the export would make."""
    kind = ours.get("Type") if isinstance(ours, dict) else None
    if kind not in _SHARED or not isinstance(theirs, dict) or theirs.get("Type") != kind:
        return ""
    word, field = _SHARED[kind]
    properties = ours["Properties"]
    if not isinstance(properties.get(field), str) or "RedriveAllowPolicy" in properties:
        return ""  # its name is of the stack, or it is for dead letters: nobody declares those
    declared = f"{word}({dumps(properties[field])}, exists=True)"
    return f"; or, if it is the one that the routes mean, declare {declared}: it is used then, and not made"


def _refuse_edited(edited: Mapping[str, set[str]], where: Where) -> None:
    found = [
        f"{name} ({where(section, name).removesuffix(': ')})" if where(section, name) else name
        for section, names in edited.items()
        for name in sorted(names)
    ]
    if found:
        raise ConfigurationError(
            f"edited by hand since the last export: {', '.join(found)}; keep the edit in a declaration, take the mark "
            f"({MARK}) away to have it as your own, or write over it with --force"
        )


def _refuse_orphans(held: Mapping[str, Any], marks: Mapping[str, Mapping[str, str]], found: Plan, where: Where) -> None:
    """Refuse to take out what something that stays refers to."""
    gone = {name for section in ("Parameters", "Resources") for name in found.drop[section]}
    if not gone:
        return
    for section, entries in held.items():
        for name, one in entries.items() if isinstance(entries, dict) else ():
            if section == "Metadata" or name in marks.get(section, {}):
                continue
            for target in sorted(gone & _referred(one)):
                raise ConfigurationError(
                    f"{where(section, name)}{name} refers to {target}, which no route needs any more: change {name}, "
                    "or take it out all the same with --force"
                )


def _referred(one: Any) -> set[str]:
    """Return the names that a value may refer to."""
    found: set[str] = set()
    for held in values(one):
        if not isinstance(held, dict):
            continue
        for name in ("Ref", "Fn::GetAtt", "DependsOn", "Fn::Sub"):
            told = held.get(name)
            texts = [told] if isinstance(told, str) else told if isinstance(told, list) else []
            for text in texts[:1] if name != "DependsOn" else texts:
                if isinstance(text, str):
                    filled = [part.partition("}")[0] for part in text.split("${")[1:]] if name == "Fn::Sub" else [text]
                    found.update(part.partition(".")[0] for part in filled)
    return found


def _needs_transform(transform: Any) -> bool:
    return SERVERLESS not in ([transform] if isinstance(transform, str) else transform or [])
