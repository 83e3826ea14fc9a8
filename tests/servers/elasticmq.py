"""ElasticMQ: a server for the SQS protocol whose visibility timeouts, FIFO groups and redrive are real."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from botocore.exceptions import ConnectionError as NotConnected

from tests.servers.artefacts import ELASTICMQ
from tests.servers.aws import AwsServer
from tests.servers.tools import JAVA_OPTIONS, find

_CONFIGURATION = """\
rest-sqs { enabled = true, bind-hostname = "127.0.0.1", bind-port = 0, sqs-limits = strict }
rest-stats { enabled = false }
generate-node-address = true
"""


class ElasticMQ(AwsServer):
    """ElasticMQ with no queues at first: tests make them through the API.

    Limits are checked as SQS checks them. Needs Java; what it consists of must have been fetched.
    """

    name = "elasticmq"
    ready_line = re.compile(r"visible server address (?P<url>http://127\.0\.0\.1:\d+)")

    def command(self, folder: Path) -> Sequence[str | Path]:
        """Java with ElasticMQ's own main class and a configuration that takes a free port."""
        configuration = folder / "elasticmq.conf"
        configuration.write_text(_CONFIGURATION, encoding="utf-8")
        class_path = ELASTICMQ.folder / "libraries" / "*"
        option = f"-Dconfig.file={configuration}"
        return [find("java"), *JAVA_OPTIONS, option, "-cp", class_path, "org.elasticmq.server.Main"]

    def answers(self) -> bool:
        """Whether queues can be listed."""
        with suppress(NotConnected):
            self.client("sqs").list_queues()
            return True
        return False

    def reset(self) -> None:
        """Deletes all queues and their messages."""
        sqs = self.client("sqs")
        for url in sqs.list_queues().get("QueueUrls", []):
            sqs.delete_queue(QueueUrl=url)
