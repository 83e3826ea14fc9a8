"""`Tenants`: which database is whose. A name from outside becomes the name of a database here, and nowhere else."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass

from adapters.mongo.document_errors import InvalidTenant, UnknownTenant
from adapters.mongo.naming import FORBIDDEN, has_utf8
from router.durations import seconds
from router.errors import ConfigurationError
from router.snapshots import renewed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from router.durations import Duration

# Lower case, since MongoDB refuses two databases whose names differ in case alone (naming restrictions, manual).
PATTERN = r"[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?"
_LONGEST = 63  # bytes of a database's name (naming restrictions, MongoDB manual)
# What the server itself uses.
_OF_THE_SERVER = frozenset(("admin", "local", "config"))
_FIELD = "{tenant}"
_NAMES_KEPT = 4096


@dataclass(frozen=True, slots=True)
class TenantList:
    """The collection that holds the known tenants: a document each, with the name in `field`."""

    collection: str
    database: str
    field: str = "_id"
    cluster: str | None = None


class Tenants:
    """The databases of tenants.

    Durations are seconds, or a timedelta.

    database: a template with `{tenant}`, such as `app_{tenant}`.
    pattern: a regular expression that the whole of a tenant's name must match.
    known: the tenants there are: names, a function that returns them, or a `TenantList`; without it every well-formed
        name is a tenant, and `database` needs a text of its own beside `{tenant}`.
    cache: for how long the list is believed.
    least_wait: a name that is not in the list is looked up again, at most once in this time, so that a new tenant need
        not wait and a flood of wrong names asks no more.
    reserved: databases that are never a tenant's, beside those of repositories with a fixed database and of the server.
    """

    def __init__(
        self,
        database: str = "tenant_{tenant}",
        *,
        pattern: str = PATTERN,
        known: Iterable[str] | Callable[[], Iterable[str]] | TenantList | None = None,
        cache: Duration = 60.0,
        least_wait: Duration = 1.0,
        reserved: Iterable[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        before, field, after = database.partition(_FIELD)
        if not field or FORBIDDEN & set(before + after) or _FIELD in after:
            raise ConfigurationError(
                f"Tenants(database={database!r}): give a name with one {_FIELD}, such as app_{_FIELD}"
            )
        try:
            self._pattern = re.compile(pattern)
        except re.error as error:
            raise ConfigurationError(f"Tenants(pattern={pattern!r}): {error}") from None
        if isinstance(known, str):
            raise ConfigurationError(f"Tenants(known={known!r}): give a list of names, a function or a TenantList")
        self._before, self._after = before, after
        self._reserved = {*_OF_THE_SERVER, *(name.casefold() for name in reserved)}
        if isinstance(known, TenantList):
            self.reserve(known.database)
        self.known = known if known is None or callable(known) or isinstance(known, TenantList) else frozenset(known)
        if self.known is None and not any(map(str.isalnum, before + after)):
            raise ConfigurationError(
                f"Tenants(database={database!r}) takes every database of the cluster for a tenant's: name the tenants "
                f"in known=..., or give their databases a text of their own, such as app_{_FIELD}"
            )
        self._names_of: dict[str, str] = {}  # of databases, by tenants whose names are known to be well-formed
        self._cache = seconds(cache, "Tenants(cache=...)")
        self._least_wait = seconds(least_wait, "Tenants(least_wait=...)")
        self._clock = clock
        self._lock = threading.Lock()
        self._names: frozenset[str] | None = None
        self._read_at = self._asked_at = 0.0
        renewed(self)

    def _renew(self, *, forked: bool) -> None:
        self._lock = threading.Lock()
        self._names = None
        self._read_at = self._asked_at = 0.0

    def reserve(self, database: str) -> None:
        """Let no tenant have this database from now on."""
        if not isinstance(database, str):
            raise ConfigurationError(f"Tenants.reserve: give the name of a database, not {database!r:.80}")
        self._reserved.add(database.casefold())

    def database(self, tenant: str) -> str:
        """Return the name of a tenant's database.

        Raises InvalidTenant; whether the tenant is known is not looked at here.
        """
        name = self._names_of.get(tenant) if isinstance(tenant, str) else None
        if name is None:
            name = self._well_formed(tenant)
            if len(self._names_of) >= _NAMES_KEPT:
                self._names_of.clear()
            self._names_of[tenant] = name
        if name.casefold() in self._reserved:
            raise InvalidTenant("its database would be one that belongs to no tenant")
        return name

    def _well_formed(self, tenant: str) -> str:
        if not isinstance(tenant, str):
            raise InvalidTenant(f"it is a {type(tenant).__name__}, not text")
        if not tenant:
            raise InvalidTenant("it is empty")
        if not self._pattern.fullmatch(tenant) or not FORBIDDEN.isdisjoint(tenant):
            raise InvalidTenant(f"it does not match {self._pattern.pattern}")
        name = f"{self._before}{tenant}{self._after}"
        if not has_utf8(name):
            raise InvalidTenant("it has half of a surrogate pair, which has no UTF-8 form")
        if len(name.encode()) > _LONGEST:
            raise InvalidTenant(f"its database's name would be longer than {_LONGEST} bytes")
        return name

    def is_valid(self, tenant: str) -> bool:
        """Return whether a tenant of this name can have a database."""
        try:
            self.database(tenant)
        except InvalidTenant:
            return False
        return True

    def tenant_of(self, database: str) -> str | None:
        """Return the tenant of a database; None when it belongs to no tenant."""
        if not isinstance(database, str) or not (database.startswith(self._before) and database.endswith(self._after)):
            return None
        tenant = database[len(self._before) : len(database) - len(self._after)]
        try:
            return tenant if self.database(tenant) == database else None
        except InvalidTenant:
            return None

    # ---- known tenants ------------------------------------------------------------------------------------------

    def needs_names(self, tenant: str) -> bool:
        """Return whether the caller has to read the list before it is said whether the tenant is known.

        While one reads it, others go by the one there is, for `least_wait` and no longer: where it cannot be read, it
        is not believed for ever.
        """
        if self.known is None or isinstance(self.known, frozenset):
            return False
        now = self._clock()
        with self._lock:
            age = now - self._read_at
            if self._names is None or age >= self._cache + self._least_wait:
                self._asked_at = now
                return True
            wanted = age >= self._cache or tenant not in self._names
            if not wanted or now - self._asked_at < self._least_wait:
                return False
            self._asked_at = now
            return True

    def learn(self, names: Iterable[Any]) -> None:
        """Take the list that was read."""
        now = self._clock()
        with self._lock:
            self._names = frozenset(name for name in names if isinstance(name, str))
            self._read_at = self._asked_at = now

    def require_known(self, tenant: str) -> None:
        """Raises UnknownTenant for one that is not in the list."""
        if self.known is None:
            return
        names = self.known if isinstance(self.known, frozenset) else self._names
        if names is None or tenant not in names:
            raise UnknownTenant("the session's tenant is not one of the known tenants")
