"""Compare two schemas of JSON values: which values one takes that the other does not.

A schema is seen as its forms: one for each type, and for each alternative of `anyOf` and `oneOf`. So a type that may be
null is the same, in whichever of the three ways it is written.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from router.contract.openapi import keywords
from router.contract.openapi.forms import ANY, Document, Form

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NARROWED, WIDENED, CHANGED = "narrowed", "widened", "changed"
"""Values that were taken are not any longer; are now that were not; or both."""
REMOVED, ADDED = "removed", "added"
"""A field is no longer there, or is new."""
CLOSED, OPENED = "closed", "opened"
"""Fields that nobody named are no longer allowed, or are now."""
NOTE = "note"
"""Something else is said of the same values."""

_TEXT: dict[str, Any] = {"type": "string"}
_Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference of two schemas.

    kind: NARROWED and the like. path: to the value, `lines[].sku`; "" for the value itself. text: what it is.
    """

    kind: str
    path: str
    text: str

    def below(self, step: str) -> Difference:
        """Return it as a difference of what this is a part of."""
        dot = "." if self.path and not self.path.startswith("[") else ""
        return replace(self, path=f"{step}{dot}{self.path}")


class Comparison:
    """Compare schemas of two documents.

    old, new: the documents. output: whether the values are answers; fields that are for requests alone are left out.
    """

    def __init__(self, old: Document, new: Document, *, output: bool) -> None:
        self._old, self._new = old, new
        self._left_out = "writeOnly" if output else "readOnly"
        self._known: dict[_Pair, tuple[Difference, ...]] = {}
        self._begun: dict[_Pair, tuple[Difference, ...]] = {}
        self._cut: set[_Pair] = set()

    def of(self, old: Any, new: Any) -> tuple[Difference, ...]:
        """Return the differences of two schemas. What is inside of itself is compared once.

        Raises:
            ConfigurationError: a schema refers to what is not in its document.
        """
        self._begun.clear()
        self._cut.clear()
        return self._compare(old, new)

    def _compare(self, old: Any, new: Any) -> tuple[Difference, ...]:
        pair = (id(self._old.node(old)), id(self._new.node(new)))
        if pair in self._known:
            return self._known[pair]
        if pair in self._begun:
            self._cut.add(pair)
            return self._begun[pair]
        self._begun[pair] = ()
        found = self._begun[pair] = tuple(dict.fromkeys(self._differences(old, new)))
        self._cut.discard(pair)
        if not self._cut:  # else it lacks the differences of what is around it, and counts only here
            self._known[pair] = found
        return found

    def _differences(self, old: Any, new: Any) -> Iterator[Difference]:
        yield from _notes(self._old.flat(old), self._new.flat(new))
        yield from self._of_forms(self._old.forms(old), self._new.forms(new))

    def _of_forms(self, old: list[Form], new: list[Form]) -> Iterator[Difference]:
        was, now = _types(old), _types(new)
        if was and now and not set(was) & set(now):
            yield Difference(CHANGED, "", f"is {_named(new)}, and was {_named(old)}")
            return
        gone, more = set(was) - set(now), set(now) - set(was)
        if not gone and len(now) == len(keywords.TYPES) and len(more) > 1 and not any(len(form) > 1 for form in new):
            yield Difference(WIDENED, "", "may be anything now")
            return
        for kind in dict.fromkeys((*was, *now)):
            olds = [form for form in old if keywords.group(form) == kind]
            news = [form for form in new if keywords.group(form) == kind]
            if not news:
                yield Difference(NARROWED, "", f"{_named(olds)} is no longer allowed")
            elif not olds:
                yield Difference(WIDENED, "", f"{_named(news)} is allowed now")
            elif len(olds) == len(news) == 1:
                yield from self._of_form(olds[0], news[0])
            else:
                yield from self._of_several(olds, news)

    def _of_several(self, olds: list[Form], news: list[Form]) -> Iterator[Difference]:
        """Compare the forms of one type: those of one name with each other, then each with those that may hold it."""
        names = {form["$name"] for form in olds if form.get("$name")} & {form.get("$name") for form in news}
        for name in sorted(names):
            first = next(form for form in olds if form.get("$name") == name)
            second = next(form for form in news if form.get("$name") == name)
            yield from self._of_form(first, second)
        for form in olds:
            if form.get("$name") not in names and not any(self._holds(form, other, NARROWED) for other in news):
                yield Difference(NARROWED, "", f"one form is no longer allowed: {_name(form)}")
        for form in news:
            if form.get("$name") not in names and not any(self._holds(other, form, WIDENED) for other in olds):
                yield Difference(WIDENED, "", f"one more form is allowed: {_name(form)}")

    def _holds(self, old: Form, new: Form, kind: str) -> bool:
        """Whether nothing is narrowed, or widened, from one form to another."""
        fatal = {kind, CHANGED, *((REMOVED, CLOSED) if kind == NARROWED else (ADDED, OPENED))}
        return not any(one.kind in fatal for one in self._of_form(old, new))

    def _of_form(self, old: Form, new: Form) -> Iterator[Difference]:
        if "enum" in old or "enum" in new:
            yield from _of_values(old, new)
            return
        if old["type"] != new["type"]:  # of numbers
            yield Difference(NARROWED if new["type"] == "integer" else WIDENED, "", f"is {new['type']} now")
        for kind, text in keywords.differences(old, new):
            yield Difference(kind, "", text)
        if old["type"] == "array":
            yield from self._of_items(old, new)
        elif old["type"] == "object":
            yield from self._of_fields(old, new)

    # ---- parts -----------------------------------------------------------------------------------------------------

    def _parts(self, step: str, old: Any, new: Any) -> Iterator[Difference]:
        for one in self._compare(old, new):
            yield one.below(step)

    def _of_items(self, old: Form, new: Form) -> Iterator[Difference]:
        first, second = old.get("prefixItems", ()), new.get("prefixItems", ())
        rest = old.get("items", ANY), new.get("items", ANY)
        for place in range(max(len(first), len(second))):
            was = first[place] if place < len(first) else rest[0]
            now = second[place] if place < len(second) else rest[1]
            yield from self._parts(f"[{place}]", was, now)
        yield from self._parts("[]", *rest)

    def _of_fields(self, old: Form, new: Form) -> Iterator[Difference]:
        was, now = self._fields(self._old, old), self._fields(self._new, new)
        others = old.get("additionalProperties", ANY), new.get("additionalProperties", ANY)
        for name, schema in was.items():
            if name in now:
                yield from self._parts(name, schema, now[name])
            else:
                yield Difference(REMOVED, name, "is no longer there")
        for name, schema in now.items():
            if name not in was:
                yield Difference(ADDED, name, "is new")
                if others[0] and others[0] is not True:
                    yield from self._parts(name, others[0], schema)
        must, needs = self._required(self._old, old), self._required(self._new, new)
        for name in sorted(needs - must):
            yield Difference(NARROWED, name, "is required now" if name in was else "is new, and required")
        for name in sorted(must - needs):
            if name in now or name not in was:
                yield Difference(WIDENED, name, "is no longer required")
        yield from self._of_others(*others)
        names = old.get("propertyNames", _TEXT), new.get("propertyNames", _TEXT)
        if names != (_TEXT, _TEXT):
            yield from self._parts("(name of a field)", *names)

    def _of_others(self, old: Any, new: Any) -> Iterator[Difference]:
        """Compare what further fields may hold."""
        if (old is False) != (new is False):
            text = "no fields beside the known ones are allowed" if new is False else "further fields are allowed"
            yield Difference(CLOSED if new is False else OPENED, "", text)
        elif old is not False:
            yield from self._parts("*", old, new)

    def _fields(self, document: Document, form: Form) -> dict[str, Any]:
        held = form.get("properties", {}).items()
        return {name: schema for name, schema in held if not document.flat(schema).get(self._left_out)}

    def _required(self, document: Document, form: Form) -> set[str]:
        held, there = form.get("properties", {}), self._fields(document, form)
        return {name for name in form.get("required", ()) if name in there or name not in held}


def _notes(old: Form, new: Form) -> Iterator[Difference]:
    if new.get("deprecated") and not old.get("deprecated"):
        yield Difference(NOTE, "", "is deprecated now")
    if "default" not in old and "default" not in new:
        return
    was, now = old.get("default"), new.get("default")
    if keywords.key(was) != keywords.key(now) or ("default" in old) != ("default" in new):
        said = "has no default any longer" if "default" not in new else f"has the default {keywords.shown(now)}"
        yield Difference(NOTE, "", said + (f", and had {keywords.shown(was)}" if "default" in old else ""))


def _of_values(old: Form, new: Form) -> Iterator[Difference]:
    """Compare forms of which one names its values."""
    was, now = old.get("enum"), new.get("enum")
    gone = [one for one in was or () if not keywords.takes(new, one)]
    more = [one for one in now or () if not keywords.takes(old, one)]
    if gone:
        yield Difference(NARROWED, "", f"no longer allowed: {_listed(gone)}")
    elif was is None:
        yield Difference(NARROWED, "", f"is one of {_listed(now or ())} now")
    if more:
        yield Difference(WIDENED, "", f"allowed now: {_listed(more)}")
    elif now is None:
        yield Difference(WIDENED, "", f"is no longer one of {_listed(was or ())} alone")


def _types(forms: Iterable[Form]) -> list[str]:
    return list(dict.fromkeys(keywords.group(form) for form in forms))


def _named(forms: Iterable[Form]) -> str:
    """Return the types of forms in words: integer, where one is."""
    return " or ".join(dict.fromkeys(str(form["type"]) for form in forms))


def _listed(values: Iterable[Any]) -> str:
    texts = [keywords.shown(one) for one in values]
    return ", ".join(texts[:5]) + (f" and {len(texts) - 5} more" if len(texts) > 5 else "")


def _name(form: Form) -> str:
    return str(form.get("$name") or form.get("title") or form["type"])
