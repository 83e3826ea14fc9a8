"""Find values after names in texts that are no JSON: what `repr` writes, JSON that was cut, JSON in a text."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Fits = Callable[[str, str], bool]
    Rule = tuple[str, ...]

# A quote with the backslashes in front of it: JSON inside of JSON, and a `repr` of it, has some. They open and close.
_QUOTE = r"""(?<!\\)\\{0,64}+["']"""
_TOKEN = re.compile(r"""\\*+["']|[\[({<]|[\])}>]|[,\n]""")
_TOKEN_OF_FIELD = re.compile(rf"{_TOKEN.pattern}|[\s&;]")  # of `name=value`, which others may follow
_STRING = re.compile(r"""[bBrRuU]{0,2}(?P<quote>\\*+["'])""")
_OPEN, _CLOSED = "[({<", "])}>"
# What stands before a credential in `Authorization`. Those of the second kind have several parts after them.
_SCHEMES = r"(?:Bearer|Basic|DPoP|Negotiate|Token|ApiKey)", r"(?:Digest|Signature|AWS4-HMAC-SHA256)"
_SCHEME = re.compile(rf"(?:{_SCHEMES[0]}|(?P<parts>{_SCHEMES[1]}))[ \t]++", re.IGNORECASE)


class TextRules:
    """The rules of a `Redact`, for texts without a structure.

    The names of a rule count where they follow each other: what stands inside of what cannot be told.

    rules: the names of each, as `plain_name` returns them.
    fits: whether one name of a rule means a name.
    plain: `plain_name`.
    """

    __slots__ = ("_fits", "_pattern", "_plain", "_rules")

    def __init__(self, rules: Sequence[Rule], fits: Fits, plain: Callable[[str], str]) -> None:
        # A name that stands for any is no condition here.
        self._rules = [(tuple(name for name in rule if name.strip("*?")), len(rule) == 1) for rule in rules]
        self._fits = fits
        self._plain = plain
        self._pattern = _searched({name for rule, _ in self._rules for name in rule})

    def without(self, text: str, mask: str, known: Sequence[tuple[int, int]]) -> str:
        """Return a text with the mask in the place of each value after a name that a rule means.

        known: from where to where it is JSON, in which rules of several names were obeyed already.
        """
        parts: list[str] = []
        at = 0
        for start, end, quote in self._values(text, known):
            parts += (text[at:start], quote, mask, quote)
            at = end
        return "".join((*parts, text[at:])) if parts else text

    def _values(self, text: str, known: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int, str]]:
        """Yield from where to where each value goes, and how a quote is written there."""
        passed = [0] * len(self._rules)  # how many names of each rule came by
        part, at = 0, 0
        while (found := self._pattern.search(text, at)) is not None:
            start, at = found.start(), found.end()
            while part < len(known) and known[part][1] <= start:
                part += 1
            is_json = part < len(known) and known[part][0] <= start
            for name in map(self._plain, (found["name"] or found["field"]).split(".")):
                meant = self._means(name, passed, is_json)
                if not is_json:
                    self._pass(name, passed)
            if meant:
                start, at = at, _end_of(text, at, found["quote"])
                yield start, at, found["quote"] or ""

    def _pass(self, name: str, passed: list[int]) -> None:
        for position, (rule, _) in enumerate(self._rules):
            done = passed[position]
            if done < len(rule) - 1 and self._fits(rule[done], name):
                passed[position] = done + 1

    def _means(self, name: str, passed: list[int], is_json: bool) -> bool:
        return any(
            done == len(rule) - 1 and (is_single or not is_json) and self._fits(rule[-1], name)
            for (rule, is_single), done in zip(self._rules, passed, strict=True)
        )


def _searched(names: set[str]) -> re.Pattern[str]:
    """Return a pattern for a quoted name with a colon after it, or one with `=`; it may be the end of one with dots.

    Without quotes a colon counts where a credential follows it (`Authorization: Bearer ...`): most others end a phrase.
    """
    quoted, plain = ("|".join(_form(name, space) for name in sorted(names)) for space in (" ", ""))
    name = rf"(?P<name>(?:[\w -]{{0,99}}\.){{0,9}}(?:{quoted}))"
    header = rf":[ \t]*+(?=(?:{'|'.join(_SCHEMES)})[ \t])"
    field = rf"(?<![\w-])(?P<field>{plain})(?:=(?![=>])|{header})"
    return re.compile(rf"(?P<quote>{_QUOTE}){name}(?P=quote)\s*+:\s*+|{field}", re.IGNORECASE)


def _form(name: str, space: str) -> str:
    """Return a pattern for a name of a rule, however its words are set apart."""
    any_of = {"*": rf"[\w{space}-]{{0,99}}", "?": r"\w"}
    return f"[{space}_-]?".join(any_of.get(char) or re.escape(char) for char in name)


def _end_of(text: str, at: int, quote: str | None) -> int:
    """Return where the value ends that begins at a place; the end of the text, where it was cut.

    quote: how quotes are written around it, None for `name=value`. One with fewer backslashes ends the text that it
        stands in.
    """
    scheme = _SCHEME.match(text, at) if quote is None else None
    if scheme is not None:
        at = scheme.end()
        if scheme["parts"]:
            end = text.find("\n", at)
            return end if end >= 0 else len(text)
    begins = _STRING.match(text, at)
    if begins is not None:
        return _end_of_string(text, begins.end(), begins["quote"])
    tokens, depth = _TOKEN if quote else _TOKEN_OF_FIELD, 0
    while (found := tokens.search(text, at)) is not None:
        mark, at = found[0], found.end()
        if mark[-1] in "\"'":
            if len(mark) < len(quote or "") or depth == 0:
                return found.start()
            at = _end_of_string(text, at, mark)
        elif mark in _OPEN:
            depth += 1
        elif mark in _CLOSED and depth > 1:
            depth -= 1
        elif depth == 1 and mark in _CLOSED:
            return at
        elif depth == 0 and mark != ">":
            return found.start()
    return len(text)


def _end_of_string(text: str, at: int, quote: str) -> int:
    """Return where a string ends of which the first quote was read."""
    before = len(quote) - 1
    for found in re.compile(rf"\\*+{quote[-1]}").finditer(text, at):
        slashes = len(found[0]) - 1
        if slashes < before:  # of the text around it
            return found.start()
        if (slashes - before) % (2 * (before + 1)) == 0:
            return found.end()
    return len(text)
