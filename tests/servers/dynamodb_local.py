"""DynamoDB Local: Amazon's own DynamoDB for one machine, with streams, transactions and PartiQL, in memory."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from botocore.exceptions import ConnectionError as NotConnected

from tests.servers.artefacts import DYNAMODB_LOCAL
from tests.servers.aws import AwsServer
from tests.servers.tools import JAVA_OPTIONS, find


class DynamoDBLocal(AwsServer):
    """DynamoDB Local, started by the small launcher beside its pom.xml; telemetry is not part of it.

    All regions and credentials see the same tables. Needs Java; what it consists of must have been fetched.
    """

    name = "dynamodb-local"
    ready_line = re.compile(r"^(?P<url>http://127\.0\.0\.1:\d+)$", re.MULTILINE)

    def command(self, folder: Path) -> Sequence[str | Path]:
        """Java with the launcher, the libraries and the native SQLite among them."""
        parts = DYNAMODB_LOCAL.folder
        class_path = os.pathsep.join([str(parts / "classes"), str(parts / "libraries" / "*")])
        libraries = f"-Djava.library.path={parts / 'libraries'}"
        return [find("java"), *JAVA_OPTIONS, libraries, "-cp", class_path, "LocalDynamoDB"]

    def answers(self) -> bool:
        """Whether tables can be listed."""
        with suppress(NotConnected):
            self.client("dynamodb").list_tables()
            return True
        return False

    def reset(self) -> None:
        """Deletes all tables and their streams."""
        dynamodb = self.client("dynamodb")
        for page in dynamodb.get_paginator("list_tables").paginate():
            for table in page["TableNames"]:
                dynamodb.delete_table(TableName=table)
