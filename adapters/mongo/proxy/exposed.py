"""`Exposed`: what of one collection is open to queries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from adapters.mongo.proxy.pipeline_expressions import EXPRESSIONS
from adapters.mongo.proxy.request_filters import OPERATORS
from adapters.mongo.proxy.stages import DEFAULT_STAGES, STAGES
from adapters.mongo.proxy.visible_fields import fault_of
from adapters.mongo.repository import Repository
from router.durations import seconds
from router.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Collection

    from router.durations import Duration

_MOST = 10_000
_LONGEST_TIME = 3600.0


@dataclass(frozen=True, slots=True)
class Exposed:
    """The part of one collection that is open to queries.

    repository: of the collection; it follows the tenant of the session, and so do the queries. Answers are documents as
        they are stored, whatever its model.
    fields: paths of fields as they are called in the database, each with all that is below it. `_id` is one like the
        others; a list can be read page by page only where it is open, since a page token holds it.
    operators, stages, expressions: of those that the proxy knows.
    lookups: collections of the same proxy that `$lookup` may join; naming one opens the stage, which needs MongoDB 5.0.
    most: documents of one answer.
    max_time: for which the server may work on one query; seconds, or a timedelta, an hour at most.
    """

    repository: Repository[Any]
    fields: Collection[str]
    operators: Collection[str] = field(default=OPERATORS, kw_only=True)
    stages: Collection[str] = field(default=DEFAULT_STAGES, kw_only=True)
    expressions: Collection[str] = field(default=EXPRESSIONS, kw_only=True)
    lookups: Collection[str] = field(default=(), kw_only=True)
    most: int = field(default=500, kw_only=True)
    max_time: Duration = field(default=10.0, kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.repository, Repository):
            raise ConfigurationError(f"Exposed: give a Repository, not {type(self.repository).__name__}")
        what = f"Exposed({self.repository.name})"
        if self.repository.database is not None:
            raise ConfigurationError(f"{what}: its database is fixed; a proxy is for data of the session's tenant")
        for name in ("fields", "operators", "stages", "expressions", "lookups"):
            names = getattr(self, name)
            if isinstance(names, str) or not all(isinstance(one, str) for one in names):
                raise ConfigurationError(f"{what}: {name}= takes a list of names")
            object.__setattr__(self, name, tuple(dict.fromkeys(names)))
        self._check_fields(what)
        _check_known(what, "operators", self.operators, OPERATORS)
        _check_known(what, "stages", self.stages, STAGES)
        _check_known(what, "expressions", self.expressions, EXPRESSIONS)
        if "$lookup" in self.stages and not self.lookups:
            raise ConfigurationError(f"{what}: $lookup may join what lookups= names, and that is nothing")
        if type(self.most) is not int or not 1 <= self.most <= _MOST:
            raise ConfigurationError(f"{what}: most={self.most!r}: give a whole number from 1 to {_MOST}")
        limit = seconds(self.max_time, f"{what}: max_time=...", least=0.001, most=_LONGEST_TIME)
        object.__setattr__(self, "max_time", limit)

    def _check_fields(self, what: str) -> None:
        if not self.fields:
            raise ConfigurationError(f"{what}: fields= is empty; name the fields that are open to queries")
        for path in self.fields:
            fault = fault_of(path)
            if fault is not None:
                raise ConfigurationError(f"{what}: fields={path!r:.80}: {fault}")


def _check_known(what: str, name: str, names: Collection[str], known: frozenset[str]) -> None:
    for one in names:
        if one not in known:
            raise ConfigurationError(f"{what}: {name}: the proxy cannot check {one!r:.80}; it knows {_listed(known)}")


def _listed(names: frozenset[str]) -> str:
    return " ".join(sorted(names))
