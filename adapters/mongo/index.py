"""`Index`: an index as a repository declares it. It does no I/O and needs no driver.

    orders = Repository(mongo, "orders", Order, indexes=[
        Index("sku", "-placed"),                              # ascending, descending
        Index("number", unique=True),
        Index("expires", expire_after=0),                     # TTL: deleted at the time in the field
        Index(("place", "2dsphere")),
    ])

`adapters.mongo.syncing` makes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from itertools import groupby
from math import ceil

from router.durations import seconds
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, TypeAlias

    from router.durations import Duration

    Key: TypeAlias = tuple[str, int | str]
    """A field and its kind."""
    Field: TypeAlias = str | Key
    """`"sku"`, `"-placed"` or `("place", "2dsphere")`."""

ASCENDING = 1
DESCENDING = -1
KINDS = (ASCENDING, DESCENDING, "2d", "2dsphere", "hashed", "text")

# MongoDB manual, Limits and Thresholds. The limit of names went with 4.2, but not from everything that reads them.
_MOST_FIELDS = 32
_LONGEST_NAME = 127  # bytes
_LONGEST_EXPIRY = 2**31 - 1  # seconds (MongoDB manual, TTL indexes)

# What a collation may hold (MongoDB manual, Collation).
_COLLATION = frozenset(
    (
        "alternate",
        "backwards",
        "caseFirst",
        "caseLevel",
        "locale",
        "maxVariable",
        "normalization",
        "numericOrdering",
        "strength",
    )
)


@dataclass(frozen=True, slots=True, init=False)
class Index:
    """An index of a collection.

    fields: `"sku"` (ascending), `"-placed"` (descending), or a pair with the kind: 1, -1, `2d`, `2dsphere`, `hashed`,
        `text`.
    partial: a filter; only documents that match are in the index.
    expire_after: from the time in the field until the server deletes a document; seconds, or a timedelta, rounded up to
        whole seconds. 0: at that very time.
    collation: how strings are compared, as `{"locale": "en", "strength": 2}`.
    name: by default MongoDB's own, `sku_1_placed_-1`.
    """

    keys: tuple[Key, ...]
    name: str
    unique: bool
    sparse: bool
    partial: Mapping[str, Any] | None
    expire_after: int | None
    collation: Mapping[str, Any] | None
    hidden: bool

    def __init__(
        self,
        *fields: Field,
        unique: bool = False,
        sparse: bool = False,
        partial: Mapping[str, Any] | None = None,
        expire_after: Duration | None = None,
        collation: Mapping[str, Any] | None = None,
        hidden: bool = False,
        name: str | None = None,
    ) -> None:
        keys = tuple(_key(field) for field in fields)
        values = {
            "keys": keys,
            "name": default_name(keys) if name is None else name,
            "unique": unique,
            "sparse": sparse,
            # Copies: what the caller changes later does not change the declaration.
            "partial": deepcopy(partial),
            "expire_after": None if expire_after is None else _whole_seconds(keys, expire_after),
            "collation": deepcopy(collation),
            "hidden": hidden,
        }
        for attribute, value in values.items():
            object.__setattr__(self, attribute, value)
        _check_keys(self)
        _check_name(self)
        _check_options(self)

    @property
    def is_text(self) -> bool:
        """Whether it is a text index, of which a collection has one."""
        return any(kind == "text" for _, kind in self.keys)

    def options(self) -> dict[str, Any]:
        """Return the options that are not the default, by MongoDB's names."""
        values = {
            "unique": self.unique or None,
            "sparse": self.sparse or None,
            "partialFilterExpression": self.partial,
            "expireAfterSeconds": self.expire_after,
            "collation": self.collation,
            "hidden": self.hidden or None,
        }
        return {name: value for name, value in values.items() if value is not None}

    def __hash__(self) -> int:
        return hash((self.name, self.keys))

    def __repr__(self) -> str:
        words = [repr(_written(*key)) for key in self.keys]
        options = {name: getattr(self, name) for name in _OPTIONS}
        words += [f"{name}={value!r}" for name, value in options.items() if value is not None and value is not False]
        if self.name != default_name(self.keys):
            words.append(f"name={self.name!r}")
        return f"Index({', '.join(words)})"


_OPTIONS = ("unique", "sparse", "partial", "expire_after", "collation", "hidden")


def default_name(keys: Iterable[Key]) -> str:
    """Return the name that MongoDB's drivers give to an index without one."""
    return "_".join(f"{field}_{kind}" for field, kind in keys)


def checked_indexes(indexes: Iterable[Index], where: str) -> tuple[Index, ...]:
    """Return the declarations of a collection, each once; raises ConfigurationError where two of them cannot both be.

    where: the collection, for the message.
    """
    if isinstance(indexes, (Index, str)):
        raise ConfigurationError(f"{where}: indexes={indexes!r}: write a list, as indexes=[Index(...)]")
    found: list[Index] = []
    for index in indexes:
        if not isinstance(index, Index):
            raise ConfigurationError(f"{where}: indexes holds {index!r}, which is no Index")
        if index in found:
            continue
        for other in found:
            if why := _clash(index, other):
                raise ConfigurationError(f"{where}: {other!r} and {index!r} {why}")
        found.append(index)
    return tuple(found)


def _clash(one: Index, other: Index) -> str | None:
    """Return why a collection cannot have both."""
    if one.name == other.name:
        return f"have the same name {one.name!r}"
    # Several indexes of one key may differ by their collation or filter (MongoDB manual, createIndexes).
    if (one.keys, one.collation, one.partial) == (other.keys, other.collation, other.partial):
        return "have the same key"
    if one.is_text and other.is_text:
        return "are both text indexes, of which a collection has one"
    return None


# ---- checks --------------------------------------------------------------------------------------------------------


def _key(field: Any) -> Key:
    """Return a field as it was given, as `(name, kind)`."""
    if isinstance(field, str):
        return (field[1:], DESCENDING) if field.startswith("-") else (field, ASCENDING)
    if isinstance(field, (tuple, list)) and len(field) == 2 and isinstance(field[0], str):
        name, kind = field
        if isinstance(kind, (int, str)) and not isinstance(kind, bool) and kind in KINDS:
            return name, kind
        raise ConfigurationError(f"Index({field!r}): {kind!r} is no kind of index; there is {_listed(KINDS)}")
    raise ConfigurationError(f'Index({field!r}): write a field as "name", "-name" or ("name", kind)')


def _check_keys(index: Index) -> None:
    """The fields: each named once, by a path that may be indexed, in a combination that MongoDB takes."""
    fields = [field for field, _ in index.keys]
    kinds = [kind for _, kind in index.keys]
    if not fields:
        raise ConfigurationError("Index(): name at least one field")
    for field in fields:
        _check_path(field)
        if fields.count(field) > 1:
            raise ConfigurationError(f"Index{tuple(fields)!r}: the field {field!r} is named twice")
    if fields == ["_id"] and kinds[0] in (ASCENDING, DESCENDING):
        raise ConfigurationError("Index('_id'): every collection has this index already; leave it out")
    if len(fields) > _MOST_FIELDS:
        raise ConfigurationError(f"Index({fields[0]!r}, ...): {len(fields)} fields, and MongoDB takes {_MOST_FIELDS}")
    if kinds.count("hashed") > 1:
        raise ConfigurationError(f"Index{index.keys!r}: only one field of an index may be hashed")
    if [kind for kind, _ in groupby(kinds)].count("text") > 1:
        raise ConfigurationError(f"Index{index.keys!r}: the text fields have to stand side by side")


def _check_path(field: str) -> None:
    if not field or not all(field.split(".")):
        raise ConfigurationError(f"Index({field!r}): a field has a name, and each part of a path, too")
    if "\0" in field:
        raise ConfigurationError(f"Index({field!r}): the name of a field holds no NUL")
    if any(part.startswith("$") for part in field.split(".")):
        raise ConfigurationError(f"Index({field!r}): a field whose name begins with $ cannot be indexed here")


def _check_name(index: Index) -> None:
    name: Any = index.name
    if not isinstance(name, str) or not name or "\0" in name or name.startswith("$") or name in ("*", "_id_"):
        raise ConfigurationError(f"{_brief(index)}: {name!r} is no name that an index may have")
    if len(name.encode()) > _LONGEST_NAME:
        raise ConfigurationError(
            f"{_brief(index)}: its name has {len(name.encode())} bytes; give it one of at most {_LONGEST_NAME} by name="
        )


def _check_options(index: Index) -> None:
    kinds = {kind for _, kind in index.keys}
    for flag in ("unique", "sparse", "hidden"):
        if not isinstance(getattr(index, flag), bool):
            raise ConfigurationError(f"{_brief(index)}: {flag} is True or False, not {getattr(index, flag)!r}")
    _check_filter(index)
    _check_expiry(index)
    _check_collation(index)
    if index.unique and kinds & {"hashed", "text", "2d", "2dsphere"}:
        [kind] = sorted(str(kind) for kind in kinds - {ASCENDING, DESCENDING})[:1]
        raise ConfigurationError(f"{_brief(index)}: an index of kind {kind} cannot be unique")


def _check_filter(index: Index) -> None:
    partial: Any = index.partial
    if partial is None:
        return
    if not isinstance(partial, Mapping) or not partial or not all(isinstance(key, str) for key in partial):
        raise ConfigurationError(f"{_brief(index)}: partial is a filter, as {{'status': 'open'}}")
    if index.sparse:
        raise ConfigurationError(f"{_brief(index)}: an index is either sparse or partial, not both")


def _whole_seconds(keys: tuple[Key, ...], expire_after: Duration) -> int:
    what = f"Index({', '.join(repr(_written(*key)) for key in keys)}, expire_after=...)"
    return ceil(seconds(expire_after, what, most=_LONGEST_EXPIRY))


def _check_expiry(index: Index) -> None:
    if index.expire_after is None:
        return
    if len(index.keys) > 1 or index.keys[0][1] not in (ASCENDING, DESCENDING):
        raise ConfigurationError(f"{_brief(index)}: expire_after needs an index of one plain field, which holds a time")


def _check_collation(index: Index) -> None:
    collation: Any = index.collation
    if collation is None:
        return
    if not isinstance(collation, Mapping) or not isinstance(collation.get("locale"), str) or not collation["locale"]:
        raise ConfigurationError(f"{_brief(index)}: a collation names its locale, as {{'locale': 'en'}}")
    if unknown := sorted(str(key) for key in collation.keys() - _COLLATION):
        raise ConfigurationError(f"{_brief(index)}: a collation has no {_listed(unknown)}")


def _brief(index: Index) -> str:
    """Return the index in a message, by its fields alone."""
    return f"Index({', '.join(repr(_written(*key)) for key in index.keys)})"


def _written(field: str, kind: int | str) -> Field:
    """Return a field as a declaration would write it."""
    if field.startswith("-"):
        return field, kind
    if kind == ASCENDING:
        return field
    return f"-{field}" if kind == DESCENDING else (field, kind)


def _listed(values: Iterable[object]) -> str:
    return ", ".join(str(value) for value in values)
