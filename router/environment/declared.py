"""`Declared`: everything that an application declared with `requires=`, and its resolution, once, at the start."""

from __future__ import annotations

import os
import threading

from router.environment.requirements import Requires, checked, merged
from router.environment.resolution import EVERYWHERE, FROM_ENVIRONMENT, Environment, Resolved
from router.errors import ConfigurationError
from router.snapshots import renewed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from router.event import Source
    from router.routing.route import Route


class Declared:
    """The declarations of an application.

    routes: its routes; the list grows as routes are registered.
    """

    def __init__(self, routes: list[Route]) -> None:
        self.routes = routes
        self.everywhere = Requires()
        self.environment = Environment()
        self._lock = threading.RLock()  # the first events may come at once, in several threads
        self._complete = False
        self._served: set[Source] = set()
        self._resolved = Resolved({}, {})
        renewed(self)

    def _renew(self, *, forked: bool) -> None:
        self._lock = threading.RLock()

    def set(self, requires: Any, environment: Environment | None) -> None:
        """Take what the resolver was given: what all its routes need, and where variables come from.

        Raises:
            ConfigurationError: one of them is something else.
        """
        if requires is not None:
            self.everywhere = checked(requires, "Resolver")
        if environment is not None:
            if not isinstance(environment, Environment):
                raise ConfigurationError(
                    f"Resolver(environment=...) takes an Environment, not {type(environment).__name__}"
                )
            self.environment = environment

    def of(self, route: Route) -> Requires:
        """Return all that a route needs: what it declares, its groups and the resolver."""
        return merged([self.everywhere, *reversed(route.group_requires), route.requires])

    def wanted_by(self, routes: Iterable[Route] | None = None) -> dict[str, list[str]]:
        """Return which routes want each variable; `*` for what the resolver declares.

        routes: the routes to look at; all by default.
        """
        wanted: dict[str, dict[str, None]] = {name: {EVERYWHERE: None} for name in self.everywhere}
        for route in self.routes if routes is None else routes:
            for part in (*reversed(route.group_requires), route.requires):
                for name in part:
                    wanted.setdefault(name, {})[str(route)] = None
        return {name: list(labels) for name, labels in wanted.items()}

    def reopen(self) -> None:
        """Note that a route was added: what it needs is still to be resolved."""
        self._complete = False
        self._served.clear()

    def forget(self) -> None:
        """Take what came from a store out of the environment again; the next load reads it anew.

        A snapshot should hold no secret, and an environment that is restored from it should not start with an old one.
        """
        with self._lock:
            held, origins = self._resolved, self._resolved.origins
            stored = {name for name in held if origins[name] != FROM_ENVIRONMENT}
            for name in stored:
                if os.environ.get(name) == held[name]:
                    del os.environ[name]
            kept = {name: held[name] for name in held if name not in stored}
            self._resolved = Resolved(kept, {name: origins[name] for name in kept})
            if stored:
                self.reopen()

    # ---- resolution ------------------------------------------------------------------------------------------------

    def load_for(self, source: Source) -> None:
        """Resolve everything before the first event; nothing where its source is ready already."""
        if not self._complete and source not in self._served:
            self.load()

    def load(self, sources: Iterable[Source] | None = None) -> Resolved:
        """Resolve what the routes of some sources need, or all of them, and set what `os.environ` lacks.

        Raises:
            ConfigurationError: naming all that are missing; the next call tries again.
            Exception: what a store raised.
        """
        served = None if sources is None else set(sources)
        with self._lock:
            if self._complete or (served is not None and served <= self._served):
                return self._resolved
            routes = [route for route in self.routes if served is None or served.intersection(route.sources)]
            told = self._resolve(routes, os.environ)
            if served is None:
                self._complete = True
            else:
                self._served |= served
        if told:  # no longer under the lock: a slow recorder keeps nobody else waiting
            self.environment.record(*told, os.environ)
        return self._resolved

    def load_task(self, routes: list[Route], environ: Mapping[str, str], further: Iterable[str]) -> None:
        """Resolve what one task needs.

        routes: that the task may run.
        environ: its environment.
        further: names of other variables that it needs.

        Raises:
            ConfigurationError: naming all that are missing.
            Exception: what a store raised.
        """
        with self._lock:
            told = self._resolve(routes, environ, further)
        if told:
            self.environment.record(*told, environ)

    def _resolve(
        self, routes: list[Route], environ: Mapping[str, str], further: Iterable[str] = ()
    ) -> tuple[Resolved, dict[str, tuple[str, ...]], dict[str, list[str]]] | None:
        """Resolve what routes need. Return what was resolved now, for the recorder; None when that is nothing."""
        wanted_by = self.wanted_by(routes)
        for name in further:
            wanted_by.setdefault(name, [])
        new = [name for name in wanted_by if name not in self._resolved]
        if not new:
            return None
        resolved = self.environment.resolve(new, environ=environ, wanted_by=wanted_by)
        resolved.fill(os.environ)
        self._resolved = Resolved({**self._resolved, **resolved}, {**self._resolved.origins, **resolved.origins})
        operations = merged([dict.fromkeys(new, ()), *(self.of(route) for route in routes), self.everywhere])
        return resolved, operations, wanted_by
