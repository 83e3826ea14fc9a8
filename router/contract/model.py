"""The infrastructure of an application, as plain data: templates, policies, checks and the local gateway read it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from router.contract.checks import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from router.contract.compute import Function
    from router.contract.declarations import Resource
    from router.contract.filtering import Filtering
    from router.event import Source
    from router.routing.route import Route


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Point to a line. file: relative to the current folder where it is inside of it. line: from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def place_of(route: Route) -> Place | None:
    """Return where the handler of a route is written; None for a callable without code of its own."""
    handler = getattr(route.handler, "of_class", route.handler)
    if called := getattr(handler, "called_at", None):  # of a function of the library, which made the route
        return place_in(*called[1:])
    code = getattr(handler, "__code__", None)
    if code is None:
        return None
    return place_in(code.co_filename, code.co_firstlineno)


def place_in(file: str, line: int) -> Place:
    """Return a line of a module, whose file has its name alone where it is outside of the current folder."""
    path, here = Path(file), Path.cwd()
    return Place(path.relative_to(here).as_posix() if path.is_relative_to(here) else path.name, line)


def named(route: Route) -> str:
    """Return how messages name a route, on one line: with the place of its handler."""
    place = place_of(route)
    text = printable(str(route))
    return text if place is None else f"{text} ({place})"


@dataclass(frozen=True, slots=True)
class Notification:
    """Name what a bucket tells of: one kind of event, of the keys that begin and end so."""

    event: str
    prefix: str = ""
    suffix: str = ""

    def overlaps(self, other: Notification) -> bool:
        """Whether a key may belong to both; S3 refuses two such notifications of one event."""
        return (
            self.event == other.event
            and (self.prefix.startswith(other.prefix) or other.prefix.startswith(self.prefix))
            and (self.suffix.endswith(other.suffix) or other.suffix.endswith(self.suffix))
        )


@dataclass(frozen=True, slots=True)
class Trigger:
    """Tell how events of one resource come to a function.

    source: of its events. resource: the queue, the table, the API.
    routes: those that take them.
    notifications: of a bucket. rules: of a bus, an event pattern each. filters: what AWS may decline before the call.
    """

    source: Source
    resource: Resource
    routes: tuple[Route, ...]
    notifications: tuple[Notification, ...] = ()
    rules: tuple[Mapping[str, object], ...] = ()
    filters: tuple[Filtering, ...] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """Say why a function may do something. what: in words. route, place: who asks; empty for the function itself."""

    what: str
    route: str = ""
    place: Place | None = None

    def __str__(self) -> str:
        by = f", {self.route}" if self.route else ""
        return f"{self.what}{by}{f' ({self.place})' if self.place else ''}"


@dataclass(frozen=True, slots=True)
class Grant:
    """Say what a function may do, with what, and why.

    actions: of IAM, sorted.
    resources: ARNs, with `${...}` as CloudFormation has it, sorted.
    reasons: who asks for it.
    condition: of IAM.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    reasons: tuple[Reason, ...]
    condition: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """One function of the stack.

    function: its settings. routes: those that it serves. triggers: what brings their events.
    grants: what it may do. variables: its environment; values with `${...}` as CloudFormation has it.
    task_grants: what its tasks may do, which run in containers with a role of their own.
    """

    function: Function
    routes: tuple[Route, ...]
    triggers: tuple[Trigger, ...]
    grants: tuple[Grant, ...]
    variables: Mapping[str, str]
    task_grants: tuple[Grant, ...] = ()

    @property
    def name(self) -> str:
        """Return the name of the function."""
        return self.function.name


@dataclass(frozen=True, slots=True)
class Parameter:
    """A variable whose value nobody declared: whoever deploys gives it.

    wanted_by: the routes that name it.
    what: it holds, where policies make ARNs of it: `name of the table`.
    """

    variable: str
    wanted_by: tuple[str, ...]
    what: str = ""

    @property
    def description(self) -> str:
        """Return what to enter, and for whom."""
        what = f"The {self.what} in" if self.what else "The value of"
        return f"{what} {self.variable}, for {', '.join(self.wanted_by)}"

    @property
    def is_secret(self) -> bool:
        """Whether its value is better not shown, by the sound of its name."""
        words = set(self.variable.upper().split("_"))
        return not words.isdisjoint({"SECRET", "TOKEN", "KEY", "PASSWORD", "CREDENTIALS"})


@dataclass(frozen=True, slots=True)
class Note:
    """Say what the infrastructure leaves out. text: what, and what to do. route: of which route it is said."""

    text: str
    route: str = ""

    def __str__(self) -> str:
        return f"{self.route}: {self.text}" if self.route else self.text


@dataclass(frozen=True, slots=True)
class Infrastructure:
    """Everything that an application needs.

    name: of the stack. handler: the function that Lambda calls. code: the folder of the package.
    application: `package.module:resolver`.
    parts: its functions, the main one first.
    resources: what is made, and what exists already, in the order in which it was declared or found.
    parameters: variables whose values are given when it is deployed.
    notes: what is left out, and why.
    """

    name: str
    handler: str
    code: str
    parts: tuple[Part, ...]
    resources: tuple[Resource, ...]
    parameters: tuple[Parameter, ...]
    notes: tuple[Note, ...]
    application: str = ""

    def of_kind(self, kind: str) -> tuple[Resource, ...]:
        """Return the resources of a kind: `queue`, `topic`, `table`."""
        return tuple(one for one in self.resources if one.kind == kind)

    @property
    def triggers(self) -> Iterator[tuple[Part, Trigger]]:
        """Return each trigger with the function that it calls."""
        return ((part, trigger) for part in self.parts for trigger in part.triggers)

    def fails_to(self) -> str:
        """Return the name of the queue for events that failed at every try, and have no queue of their own."""
        return "${AWS::StackName}-failed"


def merged(grants: Iterable[Grant]) -> tuple[Grant, ...]:
    """Return grants with those of the same resources as one, then those of the same actions: policies have a size.

    Nothing is allowed that was not, and the order does not change from run to run.
    """
    by_resources = _together(grants, lambda grant: grant.resources)
    return tuple(sorted(_together(by_resources, lambda grant: grant.actions), key=_in_order))


def _together(grants: Iterable[Grant], key: Callable[[Grant], tuple[str, ...]]) -> list[Grant]:
    """Return grants with those as one that share a condition, and either their resources or their actions."""
    found: dict[tuple[object, ...], list[Grant]] = {}
    for grant in grants:
        condition = tuple(sorted((test, tuple(sorted(keys.items()))) for test, keys in grant.condition.items()))
        found.setdefault((key(grant), condition), []).append(grant)
    return [
        Grant(
            tuple(sorted({action for grant in same for action in grant.actions})),
            tuple(sorted({resource for grant in same for resource in grant.resources})),
            tuple(dict.fromkeys(reason for grant in same for reason in grant.reasons)),
            same[0].condition,
        )
        for same in found.values()
    ]


def _in_order(grant: Grant) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return grant.actions, grant.resources
