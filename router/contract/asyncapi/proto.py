"""Write a message class that `protoc` made as a `.proto` file has it, with all messages and enums that it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_SCALARS = (
    *("", "double", "float", "int64", "uint64", "int32", "fixed64", "fixed32", "bool", "string", "", "", "bytes"),
    *("uint32", "", "sfixed32", "sfixed64", "sint32", "sint64"),
)
"""The types of fields, by their numbers in `FieldDescriptorProto.Type`."""
_KNOWN = "google.protobuf."


def proto_text(descriptor: Any) -> str:
    """Return a message as a `.proto` file in the syntax proto3, with the comment `@RootNode` above it.

    descriptor: of the message. Types of Google's own files are imported, and not written out.
    """
    tops = _tops(descriptor)
    lines = ['syntax = "proto3";', ""]
    if descriptor.file.package:
        lines += [f"package {descriptor.file.package};", ""]
    imports = sorted({field.file.name for field in _named(tops) if field.full_name.startswith(_KNOWN)})
    lines += [f'import "{name}";' for name in imports] + ([""] if imports else [])
    for one in tops:
        lines += [*(_enum(one, "") if hasattr(one, "values_by_number") else _message(one, "", descriptor)), ""]
    return "\n".join(lines).rstrip() + "\n"


def _tops(descriptor: Any) -> list[Any]:
    """Return the outermost messages and enums that a message needs: its own first, the others by name."""
    first = _top(descriptor)
    found = {first.full_name: first}
    pending = [first]
    while pending:
        for one in _named([pending.pop()]):
            top = _top(one)
            if top.full_name not in found and not top.full_name.startswith(_KNOWN):
                found[top.full_name] = top
                pending.append(top)
    return [first, *(found[name] for name in sorted(found) if name != first.full_name)]


def _top(descriptor: Any) -> Any:
    while descriptor.containing_type is not None:
        descriptor = descriptor.containing_type
    return descriptor


def _named(messages: list[Any]) -> Iterator[Any]:
    """Return the messages and enums that the fields of some messages name."""
    for one in messages:
        for field in getattr(one, "fields", ()):
            held = field.message_type or field.enum_type
            if held is not None and (held.containing_type is None or held.containing_type.full_name != one.full_name):
                yield held
        yield from _named(list(getattr(one, "nested_types", ())))


def _message(one: Any, indent: str, root: Any) -> list[str]:
    inner = f"{indent}  "
    # How tools find out which message of the file is meant.
    lines = [f"{indent}// @RootNode"] if one.full_name == root.full_name else []
    lines.append(f"{indent}message {one.name} {{")
    for enum in one.enum_types:
        lines += _enum(enum, inner)
    for nested in one.nested_types:
        if not nested.GetOptions().map_entry:
            lines += _message(nested, inner, root)
    choices = [choice for choice in one.oneofs if not _is_optional(choice)]
    chosen = {field.name for choice in choices for field in choice.fields}
    lines += [f"{inner}{_field(field)}" for field in one.fields if field.name not in chosen]
    for choice in choices:
        lines += [f"{inner}oneof {choice.name} {{"]
        lines += [f"{inner}  {_type(field)} {field.name} = {field.number};" for field in choice.fields]
        lines += [f"{inner}}}"]
    return [*lines, f"{indent}}}"]


def _enum(one: Any, indent: str) -> list[str]:
    values = [f"{indent}  {value.name} = {value.number};" for value in one.values]
    return [f"{indent}enum {one.name} {{", *values, f"{indent}}}"]


def _field(field: Any) -> str:
    held = field.message_type
    if held is not None and held.GetOptions().map_entry:
        key, value = held.fields_by_name["key"], held.fields_by_name["value"]
        return f"map<{_type(key)}, {_type(value)}> {field.name} = {field.number};"
    is_told = field.has_presence and held is None  # whether it was set: messages always tell
    label = "repeated " if _is_many(field) else "optional " if is_told else ""
    return f"{label}{_type(field)} {field.name} = {field.number};"


def _type(field: Any) -> str:
    held = field.message_type or field.enum_type
    return _SCALARS[field.type] if held is None else f".{held.full_name}"


def _is_many(field: Any) -> bool:
    """Return whether a field is repeated, in older and newer versions of the library."""
    many = getattr(field, "is_repeated", None)
    return bool(field.label == field.LABEL_REPEATED) if many is None else bool(many() if callable(many) else many)


def _is_optional(choice: Any) -> bool:
    """Return whether a `oneof` stands for the word `optional` alone: protoc names it after its field."""
    return len(choice.fields) == 1 and choice.name == f"_{choice.fields[0].name}"
