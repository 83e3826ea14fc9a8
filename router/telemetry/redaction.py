"""`Redact`: take the values of named fields out of what is logged.

    redact = Redact(["password", "authorization", "card.number", "*.token"])
    redact({"card": {"number": "4111", "brand": "visa"}})     # {"card": {"number": "***", "brand": "visa"}}

A copy is made of whatever holds such a field; the rest stays the caller's own object, and nothing of it is changed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from fnmatch import translate

from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    Matcher = Callable[[str], Any]

_DEEPEST = 32
_MOST = 10_000  # values that are looked at in one line
_LONGEST = 1_000_000  # characters of a text that is searched; CloudWatch takes a megabyte in a line
_MOST_NAMES = 10_000  # of which is remembered whether a rule means them
_OPENS = re.compile(r"[{\[]")
# After a name, as JSON or repr() write it; without its end, where a text was cut.
_VALUE = r"""\s*:\s*(?P<value>b?"(?:[^"\\]|\\.)*+"?|b?'(?:[^'\\]|\\.)*+'?|\[[^\]]*+\]?|\{[^}]*+\}?|[^\s,}\]]++)"""
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
        self._rules = [_segments(rule) for rule in rules]
        if not self._rules:
            raise ConfigurationError("Redact([]): name a field")
        self._known: dict[str, list[tuple[str, ...]]] = {}
        self._in_text = _searched([segments[-1] for segments in self._rules if len(segments) == 1])

    def __call__(self, value: Any) -> Any:
        """Return a value without what the rules name: the value itself, where they name nothing in it."""
        return _Walk(self).of(value, ())

    def text(self, text: str) -> str:
        """Return a text without what the rules name: in JSON in it, and after quoted names as `repr` writes them."""
        return _Walk(self).text(text, ())

    def names(self, name: str, around: tuple[str, ...]) -> bool:
        """Whether a rule names a field.

        name: of the field. around: the names of what it stands in, outermost first, as `plain_name` returns them.
        """
        rules = self._known.get(name)
        if rules is None:
            plain = plain_name(name)
            rules = [segments[:-1] for segments in self._rules if _fits(segments[-1], plain)]
            if len(self._known) < _MOST_NAMES:
                self._known[name] = rules
        for rest in rules:
            if len(rest) <= len(around) and all(map(_fits, rest, around[len(around) - len(rest) :])):
                return True
        return False

    def after_names(self, text: str) -> str:
        """Return a text with the mask after each quoted name that a rule of one name means."""
        return text if self._in_text is None else self._in_text.sub(self._masked, text)

    def _masked(self, found: re.Match[str]) -> str:
        start, quote = found.start("value") - found.start(), found["quote"]
        return f"{found[0][:start]}{quote}{self.mask}{quote}"


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


def _searched(names: list[str]) -> re.Pattern[str] | None:
    """Return a pattern for quoted names with a value after them, as a text may hold them; None for no names."""
    if not names:
        return None
    gap = "[-_ ]?"
    any_of = {"*": r"[\w -]*", "?": r"\w"}
    forms = "|".join(gap.join(any_of.get(char) or re.escape(char) for char in name) for name in names)
    return re.compile(rf"""(?P<quote>["'])(?:{forms})(?P=quote){_VALUE}""", re.IGNORECASE)


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
            if isinstance(name, str):
                named = self._redact.names(name, around)
                other = self._redact.mask if named else self.of(held, (*around, plain_name(name)))
            else:
                other = self.of(held, around)
            changed = changed or other is not held
            made[name] = other
        return made if changed else value

    def _of_list(self, value: Any, members: Any, around: tuple[str, ...]) -> Any:
        is_header = isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str)  # as lists have them
        if is_header and self._redact.names(value[0], around):
            return value[0], self._redact.mask
        made: list[Any] = []
        changed = False
        for held in members:
            self._left -= 1
            if self._left < 0:
                return [*made, "<cut>"]
            other = self.of(held, around)
            changed = changed or other is not held
            made.append(other)
        if not changed:
            return value
        return tuple(made) if isinstance(value, tuple) else made

    def text(self, text: str, around: tuple[str, ...]) -> str:
        """Return a text without what the rules name in the JSON in it, and after quoted names."""
        bracketed = "{" in text or "[" in text
        if not bracketed and "'" not in text and '"' not in text:
            return text
        if len(text) > _LONGEST:
            return f"<cut: {len(text)} characters>"
        other = "".join(self._parts(text, around)) if bracketed else text
        other = self._redact.after_names(other)
        return text if other == text else other

    def _parts(self, text: str, around: tuple[str, ...]) -> Iterator[str]:
        """Yield a text in parts, with the JSON in it redacted."""
        from json import JSONDecoder

        decoder, at = JSONDecoder(), 0
        for _ in range(20):  # a text full of brackets is no reason to try for long
            opens = _OPENS.search(text, at)
            if opens is None:
                break
            start = opens.start()
            yield text[at:start]
            try:
                value, end = decoder.raw_decode(text, start)
            except (ValueError, RecursionError):
                yield text[start]
                at = start + 1
                continue
            other = self.of(value, around)
            yield text[start:end] if other is value else _written(other)
            at = end
        yield text[at:]


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
    fields = getattr(kind, "__dataclass_fields__", None) or getattr(kind, "model_fields", None)
    if fields is None:
        fields = [one.name for one in getattr(kind, "__attrs_attrs__", None) or ()]
    return {name: getattr(value, name, None) for name in fields} if fields else None
