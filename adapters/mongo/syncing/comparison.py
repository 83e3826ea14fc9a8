"""`plan`: what is to be done to a collection so that it has the declared indexes. A pure comparison, without I/O.

What servers answer to `listIndexes` is brought into the form of a declaration first, so that an index that was made
from a declaration is found again as the same one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Set
    from typing import Any

    from adapters.mongo.index import Index, Key

_ID: tuple[Key, ...] = (("_id", 1),)
_ENCRYPTION_FIELD = "__safeContent__"

# The options that make two indexes different, by MongoDB's names, and what the declaration calls them. What else a
# server lists (`v`, `ns`, `background`, versions of kinds) is its own affair.
_OPTIONS = {
    "unique": "unique",
    "sparse": "sparse",
    "partialFilterExpression": "partial",
    "expireAfterSeconds": "expire_after",
    "collation": "collation",
    "hidden": "hidden",
    "weights": "weights",
    "default_language": "default_language",
    "language_override": "language_override",
    "bits": "bits",
    "min": "min",
    "max": "max",
}
# What a server lists without having been asked for it (MongoDB manual: createIndexes, text indexes, 2d indexes).
_DEFAULTS: Mapping[str, Any] = {
    "unique": False,
    "sparse": False,
    "hidden": False,
    "default_language": "english",
    "language_override": "language",
    "bits": 26,
    "min": -180,
    "max": 180,
}
# The other parts of a collation have defaults that depend on the locale (MongoDB manual, Collation Default Parameters).
_COLLATION_DEFAULTS: Mapping[str, Any] = {
    "caseLevel": False,
    "strength": 3,
    "numericOrdering": False,
    "maxVariable": "punct",
}
# What `collMod` changes without a new index.
_CHANGEABLE = frozenset(("expireAfterSeconds", "hidden"))


@dataclass(frozen=True, slots=True)
class IndexConflict:
    """A declared index in whose place is another one, which is not silently dropped."""

    index: Index
    reason: str


@dataclass(frozen=True, slots=True)
class IndexPlan:
    """The work to do on one collection.

    missing: to be created. unchanged: there already. orphans: the names of those that nothing declares.
    """

    missing: tuple[Index, ...] = ()
    unchanged: tuple[Index, ...] = ()
    conflicts: tuple[IndexConflict, ...] = ()
    orphans: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Existing:
    """An index that a server lists, in the words of a declaration."""

    name: str
    keys: tuple[Key, ...]
    options: Mapping[str, Any]

    @property
    def is_protected(self) -> bool:
        """Whether it is the server's own: that of `_id`, clustered or not, or the one of Queryable Encryption."""
        return self.keys == _ID or any(field == _ENCRYPTION_FIELD for field, _ in self.keys)

    @property
    def is_text(self) -> bool:
        """Whether it is a text index, of which a collection has one."""
        return any(kind == "text" for _, kind in self.keys)


def plan(declared: Iterable[Index], listed: Iterable[Mapping[str, Any]], unlisted: Set[str] = frozenset()) -> IndexPlan:
    """Compare the declarations of a collection with what the server lists.

    unlisted: options, by MongoDB's names, that this server takes and does not list.
    """
    existing = [read(document) for document in listed]
    # The index of _id always has the collection's own collation, which an index without one gets as well.
    default = next((found.options.get("collation") for found in existing if found.keys == _ID), None)
    missing, unchanged, conflicts = [], [], []
    claimed = set()
    for index in declared:
        expected = _expected(index, default)
        found = _in_place_of(index, expected, existing)
        if found is None:
            missing.append(index)
            continue
        claimed.add(found.name)
        if reason := _difference(index, expected, found, unlisted):
            conflicts.append(IndexConflict(index, reason))
        else:
            unchanged.append(index)
    orphans = [found.name for found in existing if found.name not in claimed and not found.is_protected]
    return IndexPlan(tuple(missing), tuple(unchanged), tuple(conflicts), tuple(orphans))


# ---- what a server lists -------------------------------------------------------------------------------------------


def read(document: Mapping[str, Any]) -> Existing:
    """Return an index as `listIndexes` tells of it."""
    options = {name: document[name] for name in _OPTIONS if name in document and document[name] != _DEFAULTS.get(name)}
    weights = options.get("weights")
    if isinstance(weights, Mapping) and all(weight == 1 for weight in weights.values()):
        del options["weights"]
    return Existing(document["name"], _keys(document), options)


def _keys(document: Mapping[str, Any]) -> tuple[Key, ...]:
    keys: list[Key] = []
    for field, kind in document["key"].items():
        if field == "_fts":  # a text index: its fields are in the weights alone, sorted by name
            keys += [(name, "text") for name in sorted(document.get("weights", ()))]
        elif field != "_ftsx":
            keys.append((field, _kind(kind)))
    return tuple(keys)


def _kind(kind: Any) -> int | str:
    """Return a kind of index; any number means a direction (1.0 and 5 do what 1 does)."""
    if isinstance(kind, int | float):
        return 1 if kind > 0 else -1
    return str(kind)


# ---- comparing -----------------------------------------------------------------------------------------------------


def _expected(index: Index, default_collation: Mapping[str, Any] | None) -> Existing:
    """Return the index as a server would list it after making it."""
    text = sorted(field for field, kind in index.keys if kind == "text")
    keys = tuple((text.pop(0), kind) if kind == "text" else (field, kind) for field, kind in index.keys)
    options = index.options()
    collation = options.pop("collation", default_collation)
    if collation is not None and collation["locale"] != "simple":
        options["collation"] = collation
    return Existing(index.name, keys, options)


def _in_place_of(index: Index, expected: Existing, existing: Iterable[Existing]) -> Existing | None:
    """Return the index that has the name of the wanted one, or stands where it would."""
    by_name = next((found for found in existing if found.name == index.name), None)
    return by_name or next((found for found in existing if _exclude_each_other(expected, found)), None)


def _exclude_each_other(expected: Existing, found: Existing) -> bool:
    """Return whether a collection cannot have both; indexes of one key may differ in their collation or filter."""
    if expected.is_text and found.is_text:
        return True
    return expected.keys == found.keys and not {"collation", "partialFilterExpression"} & _differing(expected, found)


def _difference(index: Index, expected: Existing, found: Existing, unlisted: Set[str]) -> str | None:
    """Return how the index that is there differs, and what to do; None when it is the expected one."""
    if expected.keys != found.keys:
        if expected.name == found.name:
            return (
                f"the name is taken by an index of {_keys_as_text(found.keys)}; drop that one, or declare another name"
            )
        return f"a collection has one text index, and {found.name!r} is one; drop that one, and run this again"
    different = [name for name in _OPTIONS if name in _differing(expected, found) - unlisted]
    if not different:
        if expected.name == found.name:
            return None
        return f"it exists under the name {found.name!r}; declare it with name={found.name!r}, or drop that one"
    differences = "; ".join(_describe(name, expected.options.get(name), found.options.get(name)) for name in different)
    where = "it exists with other options" if expected.name == found.name else f"{found.name!r} has the same key"
    drop = "change it with collMod, or drop it" if _CHANGEABLE.issuperset(different) else "drop it"
    return f"{where}: {differences}; {drop}, and run this again"


def _differing(expected: Existing, found: Existing) -> set[str]:
    """Return the options that are not the same, by MongoDB's names."""
    return {name for name in _OPTIONS if not _same(name, expected.options.get(name), found.options.get(name))}


def _same(option: str, expected: Any, found: Any) -> bool:
    if option == "collation" and expected is not None and found is not None:
        return all(
            expected.get(part, default) == found.get(part, default) for part, default in _COLLATION_DEFAULTS.items()
        ) and all(found.get(part) == value for part, value in expected.items())
    return bool(_comparable(expected) == _comparable(found))


def _comparable(value: Any) -> Any:
    """Return a value so that it is equal to what a server gives back for it."""
    if isinstance(value, Mapping):
        return {key: _comparable(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [_comparable(held) for held in value]
    if isinstance(value, bool):  # not the number that it equals in Python
        return ("bool", value)
    if isinstance(value, datetime):  # BSON holds milliseconds, and drivers give UTC with or without saying so
        aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return aware.replace(microsecond=aware.microsecond // 1000 * 1000)
    for back in ("to_decimal", "as_uuid"):  # of bson's Decimal128 and Binary
        if hasattr(value, back):
            return _converted(value, back)
    return value


def _converted(value: Any, back: str) -> Any:
    """Return a value of bson as the Python value that was sent, where it is one."""
    try:
        return getattr(value, back)()
    except ValueError:  # a Binary that is no UUID
        return value


def _describe(option: str, expected: Any, found: Any) -> str:
    """Return one difference as text. It does not show the values of filters."""
    if option == "partialFilterExpression":
        if expected is not None and found is not None:
            return "partial is another filter in the database"
        expected, found = ("None" if value is None else "a filter" for value in (expected, found))
        return f"partial is {found} in the database, {expected} is declared"
    expected, found = (dict(value) if isinstance(value, Mapping) else value for value in (expected, found))
    expected, found = (_DEFAULTS.get(option) if value is None else value for value in (expected, found))
    return f"{_OPTIONS[option]} is {found!r} in the database, {expected!r} is declared"


def _keys_as_text(keys: Iterable[Key]) -> str:
    return ", ".join(f"{field}: {kind}" for field, kind in keys)
