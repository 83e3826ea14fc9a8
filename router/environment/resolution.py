"""`Environment`: where the variables of an application come from, and whom it tells which of them it uses.

    Resolver(
        requires={"ORDERS_TABLE": [DynamoDB.GET_ITEM], "API_KEY": []},
        environment=Environment(app="shop", stage="prod", service="billing", stores=[ParameterStore()]),
    )

Values are in no message, log line or record: they may be secrets.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from router.env import Env
from router.errors import ConfigurationError, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
    from typing import Any, Protocol

    class Store(Protocol):
        """Holds values under paths, such as `adapters.environment.ParameterStore`.

        path: how the path of a variable is made, `/{app}/{stage}/{service}/{name}`.
        """

        @property
        def path(self) -> str: ...

        def read(self, paths: Sequence[str], /) -> Mapping[str, str]:
            """Return the values of those paths that exist. What it raises ends the start."""


# The variables that say where an application runs, where `Environment` is not told.
_PLACES = {
    "app": ("JUNCTION_APP",),
    "stage": ("JUNCTION_STAGE", "STAGE"),
    "service": ("JUNCTION_SERVICE", "SERVICE_NAME"),
}
_FIELD = re.compile(r"\{([^{}]*)\}")
_MOST_ROUTES = 3  # that a message names
FROM_ENVIRONMENT = "environment"
EVERYWHERE = "*"  # in place of routes, for what the resolver itself declares


@dataclass(frozen=True, slots=True)
class Use:
    """One variable that an application uses, for a recorder; never with its value.

    variable: its name.
    operations: the IAM actions that are declared for it.
    routes: the routes that declare it; `*` for all.
    origin: where its value came from: `environment`, or the path in a store.
    function: the name of the Lambda function; empty outside of Lambda.
    app, stage, service: where it runs, as far as that is known.
    at: when the process started with it, in seconds since 1970.
    """

    variable: str
    operations: tuple[str, ...]
    routes: tuple[str, ...]
    origin: str
    function: str
    app: str
    stage: str
    service: str
    at: float


class Resolved(Mapping[str, str]):
    """The declared variables with their values. Shown or printed, it tells where each came from and no value.

    origins: by name, `environment` or the path in a store.
    """

    def __init__(self, values: Mapping[str, str], origins: Mapping[str, str]) -> None:
        self._values = dict(values)
        self.origins = dict(origins)

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Resolved({self.origins})"

    def fill(self, environ: MutableMapping[str, str]) -> None:
        """Set the variables that an environment lacks; an empty one counts as lacking.

        Raises:
            ConfigurationError: a value cannot stand in an environment.
        """
        for name, value in self._values.items():
            if environ.get(name):
                continue
            try:
                environ[name] = value
            except ValueError:  # a zero byte, or half a character
                unfit = name
            else:
                continue
            # Out of the except block: the error holds the value.
            raise ConfigurationError(f"{unfit}: its value from {self.origins[unfit]} cannot stand in an environment")


class Environment:
    """Where variables are looked up: in the environment, then in each store.

    app, stage, service: fill the paths of stores; a text, or an `Env`. By default what JUNCTION_APP, JUNCTION_STAGE (or
        STAGE) and JUNCTION_SERVICE (or SERVICE_NAME) say.
    stores: asked one after the other for what is still missing. None: the environment alone.
    record: called once a start with a list of `Use`. Its errors are logged, and harm nothing.

    Raises:
        ConfigurationError: a store has no path with `{name}`, or an argument is no text.
    """

    def __init__(
        self,
        *,
        app: str | None = None,
        stage: str | None = None,
        service: str | None = None,
        stores: Iterable[Store] = (),
        record: Callable[[list[Use]], object] | None = None,
    ) -> None:
        self._given = {"app": app, "stage": stage, "service": service}
        for name, text in self._given.items():
            if text is not None and (not isinstance(text, str) or not text):
                raise ConfigurationError(f"Environment({name}={text!r:.80}): give a text, or leave it out")
        self._stores = tuple(stores)
        for store in self._stores:
            _check_store(store)
        if record is not None and not callable(record):
            raise ConfigurationError("Environment(record=...): give a function of a list of Use")
        self._record = record

    @property
    def has_stores(self) -> bool:
        """Whether a store is asked for what the environment lacks."""
        return bool(self._stores)

    def users(self) -> tuple[Any, ...]:
        """Return what a start calls: the stores, and the recorder where there is one."""
        return self._stores if self._record is None else (*self._stores, self._record)

    def path_of(self, template: str, name: str) -> str:
        """Return where a store keeps a variable, with `*` for an app, stage or service that is told at the start."""
        place = {field: self._place(field, {}) or "*" for field in _PLACES}
        return _filled(template, {**place, "name": name})

    def resolve(
        self,
        names: Iterable[str],
        *,
        environ: Mapping[str, str] | None = None,
        wanted_by: Mapping[str, Sequence[str]] | None = None,
    ) -> Resolved:
        """Return the values of variables; nothing is asked of a store when the environment has all of them.

        names: the variables, or a mapping of which they are the keys.
        environ: the environment; `os.environ` by default. An empty variable counts as one that is not set.
        wanted_by: the routes that want each of them, for messages.

        Raises:
            ConfigurationError: naming all that are missing.
            Exception: what a store raised.
        """
        wanted = list(dict.fromkeys([names] if isinstance(names, str) else names))
        resolved, looked = self.find(wanted, os.environ if environ is None else environ)
        missing = [name for name in wanted if name not in resolved]
        if missing:
            raise ConfigurationError(_missing_text(missing, looked, wanted_by or {}))
        return resolved

    def find(self, wanted: Sequence[str], environ: Mapping[str, str]) -> tuple[Resolved, list[str]]:
        """Return those of the variables that are set somewhere, and where else the others were looked for.

        Raises:
            ConfigurationError: a store has something else than text.
            Exception: what a store raised.
        """
        values = {name: environ[name] for name in wanted if environ.get(name)}
        origins = dict.fromkeys(values, FROM_ENVIRONMENT)
        looked = []
        for store in self._stores:
            missing = [name for name in wanted if name not in values]
            if not missing:
                break
            looked.append(self._ask(store, missing, environ, values, origins))
        there = [name for name in wanted if name in values]
        return Resolved({name: values[name] for name in there}, {name: origins[name] for name in there}), looked

    def _ask(
        self,
        store: Store,
        missing: list[str],
        environ: Mapping[str, str],
        values: dict[str, str],
        origins: dict[str, str],
    ) -> str:
        """Add what a store holds, and return where it was looked for, as a part of a message."""
        kind = type(store).__name__
        place = {field: self._place(field, environ) for field in _FIELD.findall(store.path) if field != "name"}
        if unknown := [field for field, text in place.items() if not text]:
            told = " and ".join(f"{field} (Environment({field}=...) or {_PLACES[field][0]})" for field in unknown)
            return f"{kind} was not asked, for want of {told}"
        paths = {_filled(store.path, {**place, "name": name}): name for name in missing}
        for path, value in store.read(list(paths)).items():
            if path not in paths or not value:
                continue  # an empty one counts as missing, as everywhere
            if not isinstance(value, str):
                raise ConfigurationError(f"{kind}: {path} holds {type(value).__name__}, not text")
            values[paths[path]], origins[paths[path]] = value, path
        return f"{kind} has no {_filled(store.path, {**place, 'name': '{name}'})}"

    def _place(self, field: str, environ: Mapping[str, str]) -> str:
        """Return the app, stage or service."""
        given = self._given[field]
        if isinstance(given, Env):
            return environ.get(given.variable) or given.default or ""
        return given or next((environ[name] for name in _PLACES[field] if environ.get(name)), "")

    def record(
        self,
        resolved: Resolved,
        operations: Mapping[str, tuple[str, ...]],
        wanted_by: Mapping[str, Sequence[str]],
        environ: Mapping[str, str],
    ) -> None:
        """Tell the recorder of what was resolved. What it raises is logged, and no more."""
        if self._record is None or not resolved:
            return
        from time import time

        now, places = time(), {field: self._place(field, environ) for field in _PLACES}
        function = environ.get("AWS_LAMBDA_FUNCTION_NAME") or ""
        uses = [
            Use(name, operations[name], tuple(wanted_by[name]), origin, function=function, at=now, **places)
            for name, origin in resolved.origins.items()
        ]
        try:
            self._record(uses)
        except Exception as error:
            from logging import getLogger

            getLogger("router").warning("the variables in use were not recorded: %s", text_of(error))


def _check_store(store: Any) -> None:
    path, name = getattr(store, "path", None), type(store).__name__
    if isinstance(store, type) or not callable(getattr(store, "read", None)) or not isinstance(path, str):
        raise ConfigurationError(
            f"Environment(stores=...): {store!r:.80} is not a store; give objects with path and read"
        )
    fields = set(_FIELD.findall(path))
    if "name" not in fields or fields - {"name", *_PLACES}:
        raise ConfigurationError(
            f"{name}(path={path!r}): write it with {{name}}, and with {{app}}, {{stage}} and {{service}} as needed"
        )


def _filled(template: str, values: Mapping[str, str]) -> str:
    return _FIELD.sub(lambda found: values[found.group(1)], template)


def _missing_text(missing: list[str], looked: list[str], wanted_by: Mapping[str, Sequence[str]]) -> str:
    named = ", ".join(f"{name}{_wanted_text(wanted_by.get(name, ()))}" for name in missing)
    return f"not set: {named}; looked up in the environment{''.join(f'; {each}' for each in looked)}"


def _wanted_text(routes: Sequence[str]) -> str:
    return f" (for {listed(routes)})" if routes else ""


def listed(routes: Sequence[str], between: str = ", ") -> str:
    """Return some routes as a message names them; of many, the first ones and how many more there are."""
    shown = ["every route" if route == EVERYWHERE else route for route in routes[:_MOST_ROUTES]]
    if len(routes) > _MOST_ROUTES:
        shown[-1] += f" and {len(routes) - _MOST_ROUTES} more"
    return between.join(shown)
