"""`Redact`: take the values of named fields out of what is logged.

    redact = Redact(["password", "authorization", "card.number", "*.token"])
    redact({"card": {"number": "4111", "brand": "visa"}})     # {"card": {"number": "***", "brand": "visa"}}

A copy is made of whatever holds such a field; the rest stays the caller's own object, and nothing of it is changed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Set
from fnmatch import translate

from router.errors import ConfigurationError
from router.telemetry.redacted_text import TextRules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    Matcher = Callable[[str], Any]

_DEEPEST = 32
_MOST = 10_000  # values that are looked at in one line
_LONGEST = 1_000_000  # characters of a text that is searched; CloudWatch takes a megabyte in a line
_MOST_NAMES = 10_000  # of which is remembered whether a rule means them
_OPENS = re.compile(r"[{\[]")
_MARKS = ("=", ":", "'", '"')  # one of them follows each name in a text
_ATOMS = (str, int, float, bool, type(None))


class Redact:
    """Take the values of named fields out of dicts, lists, objects with fields, and JSON in texts.

    rules: names of fields, wherever they stand (`password`), or the end of the way to them (`card.number`). `*` stands
        for any name (`*.token`: not at the top), or for any part of one (`*secret*`). Upper case, dashes and
        underscores do not count; lists are looked through.
    mask: what takes the place of a value.

    Raises:
        ConfigurationError: a rule names no field, or can never match.
    """

    def __init__(self, rules: Iterable[str], mask: str = "***") -> None:
        if isinstance(rules, str):
            raise ConfigurationError(f"Redact({rules!r}): give a list of rules")
        self.mask = mask
        self.rules = tuple(rules)
        self._rules = [_segments(rule) for rule in self.rules]
        if not self._rules:
            raise ConfigurationError("Redact([]): name a field")
        self._known: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        self._in_text = TextRules(self._rules, _fits, plain_name)

    def __call__(self, value: Any) -> Any:
        """Return a value without what the rules name: the value itself, where they name nothing in it."""
        return _Walk(self).of(value, ())

    def text(self, text: str) -> str:
        """Return a text without what the rules name: in JSON in it, and after names as `repr` writes them."""
        return _Walk(self).text(text, ())

    def names(self, name: str, around: tuple[str, ...]) -> bool:
        """Whether a rule names a field.

        name: of the field. around: the names of what it stands in, outermost first, as `plain_name` returns them.
        """
        return self.rule_of(name, around) is not None

    def rule_of(self, name: str, around: tuple[str, ...]) -> str | None:
        """Return the first rule that names a field, as it was given; None for none.

        name, around: as for `names`.
        """
        if "." in name:  # `http.request.header.authorization`: a way that somebody wrote as one name
            *outer, name = name.split(".")
            around = (*around, *map(plain_name, outer))
        rules = self._known.get(name)
        if rules is None:
            plain = plain_name(name)
            given = zip(self._rules, self.rules, strict=True)
            rules = [(segments[:-1], rule) for segments, rule in given if _fits(segments[-1], plain)]
            if len(self._known) < _MOST_NAMES:
                self._known[name] = rules
        for rest, rule in rules:
            if len(rest) <= len(around) and all(map(_fits, rest, around[len(around) - len(rest) :])):
                return rule
        return None

    def after_names(self, text: str, known: Sequence[tuple[int, int]] = ()) -> str:
        """Return a text with the mask after each name that a rule means.

        known: from where to where it is JSON, of which `text` took what rules of several names mean.
        """
        return self._in_text.without(text, self.mask, known)


def plain_name(name: str) -> str:
    """Return a name without what does not count: upper case, dashes, underscores, spaces."""
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")


def _segments(rule: Any) -> tuple[str, ...]:
    """Return the names of a rule. Raises ConfigurationError."""
    if not isinstance(rule, str):
        raise ConfigurationError(f"Redact: a rule is text, not {type(rule).__name__}")
    if rule.startswith("$") or "[" in rule or "]" in rule or "/" in rule:
        raise ConfigurationError(
            f"Redact: the rule {rule!r} can never match: write names with dots (card.number); lists are looked through"
        )
    segments = tuple(plain_name(segment) for segment in rule.split("."))
    if not all(segments) or not segments[-1].strip("*?"):
        raise ConfigurationError(f"Redact: the rule {rule!r} names no field")
    if any("**" in segment for segment in segments):
        raise ConfigurationError(f"Redact: the rule {rule!r}: a name stands for itself at any depth; leave out the **")
    if len(segments) > _DEEPEST:
        raise ConfigurationError(
            f"Redact: the rule {rule!r:.80} can never match: what is deeper than {_DEEPEST} is cut"
        )
    return segments


_patterns: dict[str, Matcher] = {}


def _fits(segment: str, plain: str) -> bool:
    """Whether one name of a rule means a name."""
    if "*" not in segment and "?" not in segment:
        return segment == plain
    matcher = _patterns.get(segment)
    if matcher is None:
        _patterns[segment] = matcher = re.compile(translate(segment)).match
    return matcher(plain) is not None


class _Walk:
    """One look through a value: with an eye on cycles, depth and size."""

    __slots__ = ("_inside", "_left", "_redact")

    def __init__(self, redact: Redact) -> None:
        self._redact = redact
        self._inside: set[int] = set()  # the containers that are being looked into
        self._left = _MOST

    def of(self, value: Any, around: tuple[str, ...]) -> Any:
        """Return a value without what the rules name. What cannot be looked into does not go into the log."""
        if isinstance(value, str):
            return self.text(value, around)
        if isinstance(value, _ATOMS):
            return value
        if isinstance(value, bytes | bytearray):
            text = value.decode("utf-8", "replace")
            other = self.text(text, around)
            return value if other is text else other.encode("utf-8", "replace")
        if id(value) in self._inside:
            return "<cycle>"
        try:
            members = _members_of(value)
            if members is None:
                return value
            self._left -= 1
            if self._left < 0 or len(self._inside) >= _DEEPEST:
                return "<cut>"
            self._inside.add(id(value))
            look = self._of_names if isinstance(members, Mapping) else self._of_list
            return look(value, members, around)
        except Exception as error:
            return f"<not logged: {type(error).__name__}>"
        finally:
            self._inside.discard(id(value))

    def _of_names(self, value: Any, members: Mapping[Any, Any], around: tuple[str, ...]) -> Any:
        made: dict[Any, Any] = {}
        changed = False
        for name, held in members.items():
            self._left -= 1
            if self._left < 0:
                return {**made, "...": "<cut>"}
            if isinstance(name, str | bytes):
                text = _text_of_name(name)
                named = self._redact.rule_of(text, around) is not None
                other = self._redact.mask if named else self.of(held, (*around, *map(plain_name, text.split("."))))
            else:
                other = self.of(held, around)
            changed = changed or other is not held
            made[name] = other
        return made if changed else value

    def _of_list(self, value: Any, members: Any, around: tuple[str, ...]) -> Any:
        if isinstance(value, tuple) and self._is_header(value, around):
            return value[0], self._redact.mask
        made: list[Any] = []
        changed = False
        for held in members:
            self._left -= 1
            if self._left < 0:
                return [*made, "<cut>"]
            is_header = isinstance(held, list) and self._is_header(held, around)  # a pair in JSON
            other = [held[0], self._redact.mask] if is_header else self.of(held, around)
            changed = changed or other is not held
            made.append(other)
        if not changed:
            return value
        return tuple(made) if isinstance(value, tuple) else made

    def _is_header(self, pair: Any, around: tuple[str, ...]) -> bool:
        """Whether a list or tuple is a name with its value, and a rule means the name."""
        if len(pair) != 2 or not isinstance(pair[0], str | bytes):
            return False
        return self._redact.names(_text_of_name(pair[0]), around)

    def text(self, text: str, around: tuple[str, ...]) -> str:
        """Return a text without what the rules name in the JSON in it, and after names."""
        bracketed = "{" in text or "[" in text
        if not bracketed and not any(mark in text for mark in _MARKS):
            return text
        if len(text) > _LONGEST:
            return f"<cut: {len(text)} characters>"
        known: list[tuple[int, int]] = []
        other = self._without_json(text, around, known) if bracketed else text
        other = self._redact.after_names(other, known)
        return text if other == text else other

    def _without_json(self, text: str, around: tuple[str, ...], known: list[tuple[int, int]]) -> str:
        """Return a text with the JSON in it redacted.

        known: is given from where to where JSON goes in what is returned.
        """
        from json import JSONDecoder

        decoder, at, length, depth = JSONDecoder(object_pairs_hook=_all_of), 0, 0, 0
        parts: list[str] = []
        for _ in range(20):  # a text full of brackets is no reason to try for long
            opens = _OPENS.search(text, at)
            if opens is None:
                break
            start = opens.start()
            depth += _opened(text[at:start])
            try:
                value, end = decoder.raw_decode(text, start)
            except (ValueError, RecursionError):
                parts.append(text[at : start + 1])
                depth += 1
                at = start + 1
                length += len(parts[-1])
                continue
            other = self.of(value, around)
            parts += (text[at:start], text[start:end] if other is value else _written(other))
            length += start - at
            if depth <= 0:  # else it is a part of something, and the names around it are not known
                known.append((length, length + len(parts[-1])))
            length += len(parts[-1])
            at = end
        return "".join((*parts, text[at:]))


def _all_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the members of an object in JSON. Raises ValueError where a name is there twice: one would be lost."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError
    return members


def _opened(text: str) -> int:
    """Return how many more brackets are opened than closed in a text."""
    return text.count("{") + text.count("[") - text.count("}") - text.count("]")


def _text_of_name(name: str | bytes) -> str:
    return name if isinstance(name, str) else name.decode("latin-1")


def _written(value: Any) -> str:
    from router.encode import dumps
    from router.errors import EncodeError

    try:
        return dumps(value).decode()
    except EncodeError:  # half a character, which JSON may escape and orjson does not write
        from json import dumps as dumps_escaped

        return dumps_escaped(value, separators=(",", ":"))


def _members_of(value: Any) -> Any:
    """Return the fields of an object by name, or the value itself if it is a list; None for what is neither."""
    kind = type(value)
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        return {name: getattr(value, name) for name in kind._fields}
    if isinstance(value, Mapping | list | tuple | Set):
        return value
    if hasattr(kind, "model_fields"):
        return _members_of_model(value, kind)
    fields = getattr(kind, "__dataclass_fields__", None)
    if fields is None:
        fields = [one.name for one in getattr(kind, "__attrs_attrs__", None) or ()]
    if fields:
        return {name: getattr(value, name, None) for name in fields}
    if isinstance(value, type | memoryview):
        return None
    # What else is written into JSON with what it holds (`router.encode`).
    if callable(getattr(kind, "to_dict", None)):
        return value.to_dict()
    return list(value) if isinstance(value, Collection) else None


def _members_of_model(value: Any, kind: Any) -> dict[str, Any]:
    """Return the fields of a pydantic model by the names that it writes, and those that it did not declare."""
    made: dict[str, Any] = {}
    for name, field in kind.model_fields.items():
        made[getattr(field, "serialization_alias", None) or getattr(field, "alias", None) or name] = getattr(
            value, name, None
        )
    return {**made, **(getattr(value, "model_extra", None) or {})}
