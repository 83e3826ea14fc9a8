"""Requests as queries: what comes from outside on the one side, what goes to the database on the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adapters.mongo.proxy.refusal import QueryRefused
from adapters.mongo.proxy.request_filters import Filters
from adapters.mongo.proxy.scope import Scope
from adapters.mongo.proxy.stages import Joined, Pipeline, Rules, whole_number
from adapters.mongo.proxy.visible_fields import VisibleFields, checked_path, inside
from adapters.mongo.selection import Aggregation, FindParameters, Selection
from adapters.mongo.stamps import DELETED_AT
from router.durations import seconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.mongo.paging import Order
    from adapters.mongo.proxy.exposed import Exposed
    from adapters.mongo.proxy.request_limits import Limits
    from adapters.mongo.proxy.stages import Stage

_USUAL_LIMIT = 100
_FIND = ("collection", "filter", "projection", "sort", "limit", "token")
_AGGREGATE = ("collection", "pipeline", "limit")


@dataclass(frozen=True, slots=True)
class ListQuery:
    """A list to read. fields: of the answer. token: where it goes on; None for its beginning, or without paging."""

    selection: Selection[dict[str, Any]]
    parameters: FindParameters
    fields: VisibleFields
    limit: int
    token: str | None
    paged: bool


class ExposedCollection:
    """One exposed collection: reads the requests that are about it."""

    def __init__(self, exposed: Exposed, joined: Mapping[str, Joined], limits: Limits) -> None:
        repository = exposed.repository
        self._operations = repository._operations
        self._fields = VisibleFields(exposed.fields)
        self._page_secret = repository.page_secret
        self._hidden = hidden(exposed)
        self._most = exposed.most
        self._max_time = exposed.max_time
        stages = {*exposed.stages, "$lookup"} if exposed.lookups else exposed.stages
        self._rules = Rules(
            operators=frozenset(exposed.operators),
            stages=frozenset(stages),
            expressions=frozenset(exposed.expressions),
            joined=joined,
            most=exposed.most,
            limits=limits,
        )

    def find(self, request: Mapping[str, Any]) -> ListQuery:
        """Return the query of a request for a list. Raises QueryRefused."""
        _known(request, _FIND)
        fields = self._projection(request.get("projection"))
        filters = Filters(self._fields, self._rules.operators, self._rules.limits)
        match = filters.read(request.get("filter", {}), "filter")
        limit = self._limit(request)
        paged = self._fields.shows("_id")
        token = request.get("token")
        if token is not None and (type(token) is not str or not paged):
            raise QueryRefused("token", "a token of an answer is expected" if paged else "this list has no pages")
        parameters = FindParameters(
            # Within $and no key of the client's meets one of ours.
            where={**({"$and": [match]} if match else {}), **self._hidden},
            order=self._order(request.get("sort")),
            limit=limit,
            only=fields.names,
            max_time=self._max_time,
        )
        # Read by `dict`: documents as they are stored, whatever the repository's model.
        selection = Selection(self._operations, dict, parameters, self._page_secret)
        return ListQuery(selection, parameters, fields, limit, token, paged)

    def pipeline(self, request: Mapping[str, Any]) -> list[Stage]:
        """Return the pipeline of a request. Raises QueryRefused.

        It begins with what leaves out deleted documents and hidden fields, so that nothing of the client's can see
        them, and ends with a limit.
        """
        _known(request, _AGGREGATE)
        if "pipeline" not in request:
            raise QueryRefused("pipeline", "a list of stages is expected")
        limits = self._rules.limits
        most = max(limits.references, len(self._fields.names))
        reader = Pipeline(self._rules, Scope(dict.fromkeys(self._fields.names, 1), most))
        stages = reader.read(request["pipeline"], "pipeline")
        return [*_opening(self._hidden, self._fields), *stages, {"$limit": self._limit(request)}]

    def aggregation(self, pipeline: list[Stage]) -> Aggregation[dict[str, Any]]:
        """Return the documents of a pipeline that was read."""
        limit = round(seconds(self._max_time, "max_time") * 1000)
        return Aggregation(self._operations, dict, pipeline, {"maxTimeMS": limit})

    def _limit(self, request: Mapping[str, Any]) -> int:
        if request.get("limit") is None:
            return min(_USUAL_LIMIT, self._most)
        return whole_number(request["limit"], "limit", 1, self._most)

    def _projection(self, value: Any) -> VisibleFields:
        """Return the fields of an answer: a list of names, or an object that says 1 of each."""
        if value is None:
            return self._fields
        if type(value) is dict:
            for path, held in value.items():
                if type(held) not in (bool, int) or held != 1:
                    raise QueryRefused(inside("projection", path), "1 is expected: fields are named, and not computed")
            places = [(path, inside("projection", path)) for path in value]
        elif type(value) is list:
            places = [(path, f"projection[{index}]") for index, path in enumerate(value)]
        else:
            raise QueryRefused("projection", "a list of fields is expected")
        if not places:
            raise QueryRefused("projection", "names no field")
        return VisibleFields([self._fields.require(checked_path(path, at), at) for path, at in places])

    def _order(self, value: Any) -> Order:
        """Return the order: names of fields, `"-placed"` descending, or an object of fields with 1 or -1."""
        if value is None:
            return []
        named = [value] if type(value) is str else value
        if type(named) is dict:
            pairs = [(path, direction, inside("sort", path)) for path, direction in named.items()]
        elif type(named) is list and all(type(one) is str for one in named):
            pairs = [
                (one.removeprefix("-"), -1 if one.startswith("-") else 1, f"sort[{index}]")
                for index, one in enumerate(named)
            ]
        else:
            raise QueryRefused("sort", "a list of fields is expected")
        order: Order = []
        for path, direction, at in pairs:
            if type(direction) is not int or direction not in (1, -1):
                raise QueryRefused(at, "1 or -1 is expected")
            self._fields.require(checked_path(path, at), at)
            if any(path == known for known, _ in order):
                raise QueryRefused(at, "is named twice")
            order.append((path, direction))
        return order


def hidden(exposed: Exposed) -> dict[str, Any]:
    """Return the filter that leaves out what was deleted softly."""
    return {DELETED_AT: None} if exposed.repository.soft_delete else {}


def joined(exposed: Exposed) -> Joined:
    """Return a collection as `$lookup` joins it."""
    fields = VisibleFields(exposed.fields)
    pipeline = (*_opening(hidden(exposed), fields), {"$limit": exposed.most})
    return Joined(exposed.repository.name, fields, pipeline)


def _opening(filter: dict[str, Any], fields: VisibleFields) -> list[Stage]:
    """Return the stages before which nothing happens, and after which only what is open is left."""
    return [*([{"$match": filter}] if filter else []), {"$project": fields.projection()}]


def _known(request: Mapping[str, Any], keys: tuple[str, ...]) -> None:
    for key in request:
        if key not in keys:
            raise QueryRefused(inside("", key), f"is not allowed in a request; there are {', '.join(keys)}")
