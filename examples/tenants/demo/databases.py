"""The databases of one run, looked at with the driver alone: what is checked here must not be told by the library."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, Self

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from adapters.mongo.mongo_settings import checked_uri, hosts_of
from router import ConfigurationError

_TIMEOUT_MS = 3000


class Unreachable(Exception):
    """The server does not answer; the message names its hosts, without credentials."""


class Databases:
    """Databases with a prefix that no other run has, so that the server may be a shared one.

    They are dropped when the `with` block ends. Raises Unreachable when the server does not answer, ConfigurationError
    for what is no valid connection string.
    """

    def __init__(self, uri: str) -> None:
        self.hosts = hosts_of(checked_uri(uri, "MONGODB_URI"))
        self.prefix = f"demo_{secrets.token_hex(4)}"
        self._client = _client(uri)
        self.server = ""

    def __enter__(self) -> Self:
        try:
            build = self._ask(self._client.server_info)
        except BaseException:
            self._client.close()
            raise
        self.server = "FerretDB" if "ferretdbVersion" in build else f"MongoDB {build['version']}"
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None or not issubclass(kind, Unreachable):  # then it would only wait once more
                for name in self.names():
                    self._ask(self._client.drop_database, name)
        finally:
            self._client.close()

    def environment(self) -> dict[str, str]:
        """Return the application's environment, beside MONGODB_URI."""
        return {"NOTES_DATABASE": self.prefix, "SESSION_SECRET": secrets.token_hex(32)}

    def of(self, tenant: str) -> str:
        """The name of a tenant's database."""
        return f"{self.prefix}_{tenant}"

    def names(self) -> list[str]:
        """The databases that this run has made so far."""
        every = self._ask(self._client.list_database_names)
        return sorted(name for name in every if name == self.prefix or name.startswith(f"{self.prefix}_"))

    def documents(self, database: str, collection: str) -> list[dict[str, Any]]:
        """All documents of a collection."""
        found: list[dict[str, Any]] = self._ask(lambda: list(self._client[database][collection].find()))
        return found

    def _ask(self, ask: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return ask(*arguments)
        except PyMongoError as error:
            refused = type(error).__name__
        # The driver's own text is long, and may quote options of the connection string.
        raise Unreachable(f"the MongoDB at {self.hosts} does not answer ({refused})")


def _client(uri: str) -> MongoClient[dict[str, Any]]:
    try:
        return MongoClient(uri, serverSelectionTimeoutMS=_TIMEOUT_MS)
    except (PyMongoError, ValueError) as error:
        refused = type(error).__name__
    raise ConfigurationError(f"MONGODB_URI is no valid connection string ({refused})")
