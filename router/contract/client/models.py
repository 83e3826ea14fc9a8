"""Write the classes of a client: a frozen dataclass for each object, an Enum for each choice that has a name."""

from __future__ import annotations

from keyword import iskeyword
from typing import TYPE_CHECKING, Any

from router.contract.client.text import Group, docstring, laid_out, listed, literal
from router.contract.client.twins import OUTPUT, twins
from router.contract.client.types import Types, enum_base, is_object, members_of, optional
from router.contract.client.words import Names, attribute, camel, member

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from router.contract.client.text import Node

    Schema = Mapping[str, Any]

_DATACLASS = "@_dataclass(frozen=True, kw_only=True, slots=True)"
_NO_DEFAULT = object()


class Models:
    """The classes of one module.

    components: schemas by name.
    names: of the module; no field may have one of them, or it would stand for that inside its class.
    """

    def __init__(self, components: Mapping[str, Schema], names: Names) -> None:
        self._components = components
        self._names = names
        self._enums: dict[str, dict[Any, str]] = {}  # members by value, of each Enum by its name in Python
        alike = twins(components)
        classes = {
            name: names.new(camel(_shorter(name, components)))
            for name, schema in sorted(components.items())
            if (is_object(schema) or enum_base(schema)) and name not in alike
        }
        own = dict(classes)
        classes |= {name: classes[bare] for name, bare in alike.items()}
        self._classes = own
        self._pending: dict[str, Schema] = {own[name]: components[name] for name in own if is_object(components[name])}
        self.types = Types(components, classes, names, self._add)

    def _add(self, name: str, schema: Schema) -> None:
        self._pending[name] = schema

    def lines(self) -> list[str]:
        """Return the source of all classes; those that annotations of calls have asked for are there by then."""
        enums = [line for name in sorted(self._classes) for line in self._enum(name)]
        written: dict[str, list[str]] = {}
        while self._pending:
            name = min(self._pending)
            written[name] = list(self._dataclass(name, self._pending.pop(name)))
        return enums + [line for name in sorted(written) for line in written[name]]

    # ---- enums -------------------------------------------------------------------------------------------------------

    def _enum(self, component: str) -> Iterator[str]:
        schema, name = self._components[component], self._classes[component]
        base = "" if is_object(schema) else enum_base(schema)
        if not base:
            return
        members, names = self._enums.setdefault(name, {}), Names()
        yield from ("", "", f"class {name}({base}):")
        said = docstring([schema.get("description", "")], 1)
        yield from [*said, ""] if said else ()
        for value, said_name in zip(schema["enum"], _varnames(schema), strict=True):
            text = f"minus {-value}" if isinstance(value, int) and value < 0 else str(value)
            members[value] = names.new(said_name if _may_be_member(said_name) else member(text))
            written = literal(value) if isinstance(value, str) else repr(value)
            yield f"    {members[value]} = {written}"

    # ---- dataclasses -------------------------------------------------------------------------------------------------

    def _dataclass(self, name: str, schema: Schema) -> Iterator[str]:
        properties = schema["properties"]
        named = _fields(properties, self._names)
        said = [
            f"{named[wire]}: {held['description']}"
            for wire, held in properties.items()
            if isinstance(held, dict) and held.get("description") and "$ref" not in held
        ]
        yield from ("", "", _DATACLASS, f"class {name}:")
        head = docstring([schema.get("description", ""), *listed(said)], 1)
        yield from head
        if head and properties:
            yield ""
        if not head and not properties:
            yield "    pass"
        required = set(schema.get("required", ()))
        for wire, held in properties.items():
            yield from self._field(name, wire, named[wire], held if isinstance(held, dict) else {}, wire in required)

    def _field(self, owner: str, wire: str, name: str, schema: Schema, required: bool) -> list[str]:
        kind = self.types.of(schema, f"{owner}{camel(wire)}")
        options: list[Node] = []
        named = [literal(wire)] if wire != name else []
        default = _NO_DEFAULT if required else self._default(kind, schema)
        if not required and default is _NO_DEFAULT:
            kind = optional(kind)
            options.append("default=None")
            named.append("left_out=True")
        elif default in ("list", "dict"):
            options.append(f"default_factory={default}")
        elif default is not _NO_DEFAULT and named:
            options.append(f"default={default}")
        if named:
            options.append(Group("metadata=_wire(", tuple(named), ")"))
        if options:
            return laid_out(f"{name}: {kind} = ", Group("_field(", tuple(options), ")"), "", 1)
        return [f"    {name}: {kind}" + ("" if default is _NO_DEFAULT else f" = {default}")]

    def _default(self, kind: str, schema: Schema) -> Any:
        """Return the default of a field as source; `_NO_DEFAULT` where there is none, or one not to be written."""
        if "default" not in schema:
            return _NO_DEFAULT
        value = schema["default"]
        kinds = members_of(kind)
        if value is None:
            return "None" if "None" in kinds or kind == "_Any" else _NO_DEFAULT
        if value in ([], {}):
            opening = "list" if value == [] else "dict"
            return opening if kind.startswith(f"{opening}[") else _NO_DEFAULT
        if type(value).__name__ in kinds:  # str, int, float or bool
            return literal(value) if isinstance(value, str) else repr(value)
        if type(value) is int and "float" in kinds:
            return f"{value}.0"
        return self._default_of(kinds, value)

    def _default_of(self, kinds: list[str], value: Any) -> Any:
        for kind in kinds:
            if kind in self._enums and isinstance(value, str | int) and value in self._enums[kind]:
                return f"{kind}.{self._enums[kind][value]}"
            if kind in ("_Decimal", "_UUID") and isinstance(value, str | int | float) and not isinstance(value, bool):
                return f"{kind}({literal(str(value))})"
            if kind.startswith("_Literal[") and isinstance(value, str | int):
                return literal(value) if isinstance(value, str) else repr(value)
        return _NO_DEFAULT


def _varnames(schema: Schema) -> list[str]:
    """Return the names that a schema gives the members of an Enum; "" for each that has none."""
    names = schema.get("x-enum-varnames")
    values = schema["enum"]
    if not isinstance(names, list) or len(names) != len(values) or not all(isinstance(one, str) for one in names):
        return [""] * len(values)
    return names


def _may_be_member(name: str) -> bool:
    """Return whether a member of a StrEnum or IntEnum may have a name: those of methods of `str` and `int` may not."""
    if not name.isidentifier() or not name.isascii() or iskeyword(name) or name.startswith("_"):
        return False
    return name not in ("mro", "name", "value") and not hasattr(str, name) and not hasattr(int, name)


def _shorter(name: str, components: Mapping[str, Any]) -> str:
    """Return the name of a class: what answers hold has its own where requests hold nothing of that name."""
    bare = name.removesuffix(OUTPUT)
    return name if not bare or bare in components else bare


def _fields(properties: Mapping[str, Any], module: Names) -> dict[str, str]:
    """Return the name in Python of each field; those that are names already have theirs before others take it."""
    names, found = Names(), {}
    for wire in sorted(properties, key=lambda one: attribute(one) != one):
        name = attribute(wire)
        found[wire] = names.new(f"{name}_" if module.has(name) or iskeyword(name) else name)
    return found
