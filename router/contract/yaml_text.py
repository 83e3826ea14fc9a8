"""Write templates as people do: `!Sub` in place of `Fn::Sub`, and in quotes what some reader would take for no text.

CloudFormation reads YAML 1.1, where `no` is false and `1:30` is 90, others read YAML 1.2; and it takes no aliases (AWS
CloudFormation User Guide, "CloudFormation template formats"). So a text has no quotes only where nobody can misread it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

_SHORT = {"Ref": "!Ref", "Fn::Sub": "!Sub", "Fn::GetAtt": "!GetAtt"}
_PLAIN = re.compile(r"[A-Za-z_/$](?:[A-Za-z0-9_/$.{}()*+?!@,;=~<>|&%^-]|:(?=[^\s])| (?=[^\s#:]))*", re.ASCII)
_WORDS = frozenset({"y", "yes", "n", "no", "on", "off", "true", "false", "null", "none"})
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def write(template: Mapping[str, Any] | list[Any]) -> str:
    """Return the text of a template, or of a document that is a list."""
    if isinstance(template, list):
        written = [line for item in template for line in _item(item)] or ["[]"]
        return "".join(f"{line}\n" for line in written)
    return "".join(f"{line}\n" for line in lines(template))


def lines(value: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a mapping."""
    for name, held in value.items():
        yield from _entry(f"{scalar(str(name))}:", held, "  ")


def scalar(value: Any) -> str:
    """Return a text, a number, a truth value or nothing as YAML has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if not isinstance(value, str):
        return str(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    if value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    return '"' + "".join(_ESCAPES.get(letter) or _escaped(letter) for letter in value) + '"'


def _escaped(letter: str) -> str:
    if letter.isprintable():
        return letter
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _entry(begin: str, value: Any, indent: str) -> Iterator[str]:
    """Yield the lines of a value that follows `name:` or `-`.

    indent: of what is inside of it.
    """
    short = _shortened(value)
    if short is not None:
        yield f"{begin} {short}"
    elif isinstance(value, dict):
        yield begin
        yield from (f"{indent}{line}" for line in lines(value))
    elif isinstance(value, list | tuple):
        yield begin
        for item in value:
            yield from (f"{indent}{line}" for line in _item(item))
    else:
        yield f"{begin} {scalar(value)}"


def _item(value: Any) -> Iterator[str]:
    """Yield the lines of an item of a list; a mapping begins beside the dash."""
    inside = lines(value) if isinstance(value, dict) and _shortened(value) is None else None
    if inside is None:
        yield from _entry("-", value, "  ")
        return
    yield f"- {next(inside)}"
    yield from (f"  {line}" for line in inside)


def _shortened(value: Any) -> str | None:
    """Return a value as one line where it has such a form: a function, and what is empty."""
    if isinstance(value, dict | list | tuple) and not value:
        return "{}" if isinstance(value, dict) else "[]"
    if isinstance(value, dict) and len(value) == 1:
        [(name, held)] = value.items()
        if name == "Fn::GetAtt" and isinstance(held, list | tuple) and all(isinstance(one, str) for one in held):
            held = ".".join(held)
        if name in _SHORT and isinstance(held, str):
            return f"{_SHORT[name]} {scalar(held)}"
    return None
