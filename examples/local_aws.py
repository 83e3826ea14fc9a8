"""A local AWS in this process, in memory."""

from __future__ import annotations

import logging
import os
from typing import Self

from moto.server import ThreadedMotoServer

from adapters.aws import Aws, Settings

REGION = "eu-west-1"
ACCOUNT = "123456789012"


def isolate() -> None:
    """Make this process forget whatever accounts, profiles and endpoints of AWS the machine is set up for."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "JUNCTION_"))]:
        del os.environ[name]
    os.environ |= {
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCOUNT_ID": ACCOUNT,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


class LocalAws:
    """Run Moto's server on a free port of this machine; all of it is gone when the `with` block ends."""

    def __init__(self) -> None:
        self._server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
        self.url = ""
        self.aws: Aws

    def __enter__(self) -> Self:
        logging.getLogger("werkzeug").setLevel(logging.WARNING)  # the server would log each request
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.url = f"http://{host}:{port}"
        try:
            self.aws = Aws(Settings.from_env().replace(endpoint=self.url))
            self.create()
        except BaseException:
            self._server.stop()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.stop()

    def create(self) -> None:
        """Create what the application's template would create."""

    def queue(self, name: str, **attributes: str) -> tuple[str, str]:
        """Create a queue, and return its URL and ARN."""
        url = self.aws.call("sqs", "create_queue", QueueName=name, Attributes=attributes)["QueueUrl"]
        answer = self.aws.call("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["QueueArn"])
        return str(url), str(answer["Attributes"]["QueueArn"])
