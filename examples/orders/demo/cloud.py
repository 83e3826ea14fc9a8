"""A local AWS in this process, with what the application's template would create."""

from __future__ import annotations

import json
import logging
import os
import secrets
from typing import Any, Self

from moto.apigatewaymanagementapi.models import apigatewaymanagementapi_backends
from moto.server import ThreadedMotoServer

from adapters.aws import Aws, Settings
from examples.orders.demo.resources import Resources, create_resources

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


class Cloud:
    """Run Moto's server on a free port of this machine; all is in memory, and gone when the `with` block ends."""

    def __init__(self) -> None:
        self._server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
        self.url = ""
        self.aws: Aws
        self.resources: Resources

    def __enter__(self) -> Self:
        logging.getLogger("werkzeug").setLevel(logging.WARNING)  # the server would log each request
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.url = f"http://{host}:{port}"
        try:
            self.aws = Aws(Settings.from_env().replace(endpoint=self.url))
            self.resources = create_resources(self.aws)
        except BaseException:
            self._server.stop()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.stop()

    def environment(self) -> dict[str, str]:
        """Return the environment of the function and the task."""
        return {"AWS_ENDPOINT_URL": self.url, "SESSION_SECRET": secrets.token_hex(32)}

    def sent_to(self, connection_id: str) -> list[Any]:
        """Return what was posted to a connection. AWS has no call that tells, so this looks into the server itself."""
        data = apigatewaymanagementapi_backends[ACCOUNT][REGION].connections[connection_id].data.decode()
        decoder, messages, at = json.JSONDecoder(), [], 0
        while at < len(data):  # the server keeps the messages of a connection in one piece
            message, at = decoder.raw_decode(data, at)
            messages.append(message)
        return messages
