"""FerretDB: a server for MongoDB's protocol over SQLite files, or the real MongoDB that MONGODB_URI names."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from tests.servers.artefacts import FERRETDB
from tests.servers.process import Server, ServerError

EXTERNAL_URI = "MONGODB_URI"
"""The environment variable that points the tests to a real MongoDB; then nothing is started."""


class FerretDB(Server):
    """FerretDB v1 with its data in a temporary folder; what it consists of must have been built.

    It has no transactions, no change streams and no TTL expiry: a test that needs them asks `is_mongodb`.
    """

    name = "ferretdb"
    ready_line = re.compile(r"^(?P<url>mongodb://127\.0\.0\.1:\d+/)$", re.MULTILINE)

    @property
    def is_mongodb(self) -> bool:
        """Whether the tests talk to a real MongoDB instead."""
        return bool(os.environ.get(EXTERNAL_URI))

    @property
    def uri(self) -> str:
        """The connection string."""
        return self.url

    def command(self, folder: Path) -> Sequence[str | Path]:
        """The built program with an empty folder for its databases."""
        data = folder / "data"
        data.mkdir()
        return [FERRETDB.folder / "ferretdb", "-listen", "127.0.0.1:0", "-data", data]

    def start(self) -> None:
        """Starts the server, or checks that the real MongoDB answers."""
        external = os.environ.get(EXTERNAL_URI)
        if not external:
            super().start()
            return
        self._url = external
        if not self.answers():
            self._url = None
            raise ServerError(f"no MongoDB answers at the address in {EXTERNAL_URI}")

    def answers(self) -> bool:
        """Whether the server answers a ping."""
        try:
            with self.client() as client:
                client.admin.command("ping")
        except PyMongoError:
            return False
        return True

    def client(self) -> MongoClient[dict[str, Any]]:
        """A new client; the caller closes it."""
        return MongoClient(self.uri, serverSelectionTimeoutMS=2000)

    def drop_databases(self, prefix: str) -> None:
        """Drops the databases whose names start with `prefix`, the only ones that are surely the tests' own."""
        if not prefix:
            raise ValueError("a prefix is needed: without one a real MongoDB would lose all its databases")
        with self.client() as client:
            for name in client.list_database_names():
                if name.startswith(prefix):
                    client.drop_database(name)
