"""`MongoSettings`: which clusters, which driver, whose databases. The one reader of the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from types import MappingProxyType

from adapters._core.blocking import checked_mode
from adapters.mongo.tenants import Tenants
from router.durations import seconds
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from router.durations import Duration

DRIVERS = ("motor", "pymongo")
_URI = "MONGODB_URI"
_SCHEMES = ("mongodb://", "mongodb+srv://")


@dataclass(frozen=True, slots=True)
class Cluster:
    """One MongoDB deployment.

    Durations are seconds, or a timedelta, an hour at most.

    uri: its connection string, or a function that returns it, such as one that reads a secret: it is called for each
        new client, and after the server refused the credentials. Never shown.
    timeout: until a cluster of which no server answers is given up, and for connecting to one.
    operation_timeout: for an answer; reads and writes that may be repeated are, once.
    connections: kept open at most.
    idle: until an unused connection is closed; a function is frozen between invocations, and what sits between it and
        the cluster drops connections that are silent for long.
    options: further keyword arguments of the driver's client, such as `tlsCAFile` or `readPreference`.
    """

    uri: str | Callable[[], str] = field(repr=False)
    _: KW_ONLY
    timeout: Duration = 5.0
    operation_timeout: Duration = 20.0
    connections: int = 20
    idle: Duration = 240.0
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if not callable(self.uri):
            checked_uri(self.uri, "Cluster")
        for name in ("timeout", "operation_timeout", "idle"):
            value = seconds(getattr(self, name), f"Cluster({name}=...)", least=0.001, most=3600)
            object.__setattr__(self, name, value)
        if type(self.connections) is not int or self.connections < 1:
            raise ConfigurationError(f"Cluster(connections={self.connections!r}): give a whole number from 1")
        object.__setattr__(self, "options", MappingProxyType(dict(self.options)))

    def __hash__(self) -> int:
        return hash((self.uri, self.timeout, self.operation_timeout, self.connections, self.idle))


@dataclass(frozen=True, slots=True)
class MongoSettings:
    """The settings of the MongoDB adapters.

    clusters: by the names that repositories use; a connection string stands for `Cluster(...)`.
    default: the cluster that is meant where none is named; the first one. driver: "motor", or "pymongo" for PyMongo's
    own AsyncMongoClient, for async code; sync code uses MongoClient. tenants: whose database is whose. blocking: what a
    verb for sync code does in async code: "error" refuses it; "warn" lets it block the event loop, and the log says so.
    """

    clusters: Mapping[str, Cluster | str] = field(repr=False)
    default: str | None = field(default=None, kw_only=True)
    driver: str = field(default="motor", kw_only=True)
    tenants: Tenants = field(default_factory=Tenants, kw_only=True)
    blocking: str = field(default="error", kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.clusters, Mapping) or not self.clusters:
            raise ConfigurationError("MongoSettings: give at least one cluster, such as {'main': 'mongodb://...'}")
        if not isinstance(self.tenants, Tenants):
            raise ConfigurationError(f"MongoSettings(tenants={self.tenants!r:.80}): give Tenants(...)")
        checked_mode(self.blocking, "MongoSettings")
        if self.driver not in DRIVERS:
            raise ConfigurationError(f"MongoSettings(driver={self.driver!r}): use {' or '.join(DRIVERS)}")
        clusters = {
            name: cluster if isinstance(cluster, Cluster) else Cluster(checked_uri(cluster, f"the cluster {name}"))
            for name, cluster in self.clusters.items()
        }
        default = next(iter(clusters)) if self.default is None else self.default
        if default not in clusters:
            raise ConfigurationError(f"MongoSettings(default={default!r}): there is only {', '.join(clusters)}")
        object.__setattr__(self, "clusters", MappingProxyType(clusters))
        object.__setattr__(self, "default", default)

    def cluster(self, name: str | None = None) -> tuple[str, Cluster]:
        """Return the name of a cluster and what is known of it. Raises ConfigurationError for an unknown one."""
        name = self.default if name is None else name
        found = self.clusters.get(str(name))
        if not isinstance(found, Cluster):
            raise ConfigurationError(f"there is no cluster {name!r}; MongoSettings has {', '.join(self.clusters)}")
        return str(name), found

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> MongoSettings:
        """Return the settings that the environment gives.

        `MONGODB_URI` is the cluster `main`, and `MONGODB_URI_ARCHIVE` one called `archive`. `JUNCTION_MONGO_DRIVER` is
        the driver, `JUNCTION_MONGO_DATABASE` the template of tenants' databases, `JUNCTION_MONGO_TIMEOUT` the timeout
        of every cluster in seconds, `JUNCTION_BLOCKING` is `error` or `warn`.
        """
        environ = os.environ if environ is None else environ
        options: dict[str, Any] = {}
        if environ.get("JUNCTION_MONGO_TIMEOUT"):
            options["timeout"] = _number_of_seconds("JUNCTION_MONGO_TIMEOUT", environ["JUNCTION_MONGO_TIMEOUT"])
        clusters: dict[str, Cluster | str] = {}
        for variable, uri in sorted(environ.items()):
            if uri and (variable == _URI or variable.startswith(f"{_URI}_")):
                name = variable.removeprefix(_URI).removeprefix("_").lower() or "main"
                clusters[name] = Cluster(checked_uri(uri, f"the environment variable {variable}"), **options)
        if "main" not in clusters:
            # Otherwise another cluster, such as an archive, would be taken for it.
            raise ConfigurationError(f"MongoDB: set the environment variable {_URI}, or give MongoSettings(...)")
        further: dict[str, Any] = {}
        if environ.get("JUNCTION_MONGO_DRIVER"):
            further["driver"] = environ["JUNCTION_MONGO_DRIVER"]
        if environ.get("JUNCTION_BLOCKING"):
            further["blocking"] = environ["JUNCTION_BLOCKING"]
        if environ.get("JUNCTION_MONGO_DATABASE"):
            further["tenants"] = Tenants(environ["JUNCTION_MONGO_DATABASE"])
        return cls(clusters, default="main", **further)


def checked_uri(uri: object, where: str) -> str:
    """Return a connection string. Raises ConfigurationError that shows nothing of it: it may hold a password."""
    if not isinstance(uri, str) or not uri.startswith(_SCHEMES):
        raise ConfigurationError(f"{where}: a connection string begins with mongodb:// or mongodb+srv://")
    return uri


def hosts_of(uri: str) -> str:
    """Return the hosts of a connection string, without the credentials, for messages."""
    authority, *further = re.split(r"[/?]", uri.partition("://")[2], maxsplit=1)
    if any("@" in part for part in further):
        # Perhaps a password that was not percent-encoded; then what is left of it may stand where a host should.
        return "hosts not shown"
    return authority.rpartition("@")[2] or "no host"


def _number_of_seconds(variable: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ConfigurationError(f"the environment variable {variable} must be a number of seconds") from None
