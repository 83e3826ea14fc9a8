"""A local AWS with what the template of the orders would create."""

from __future__ import annotations

import json
import secrets
from typing import Any

from moto.apigatewaymanagementapi.models import apigatewaymanagementapi_backends

from examples.local_aws import ACCOUNT, REGION, LocalAws
from examples.orders.demo.resources import VARIABLES, Resources, create_resources


class Cloud(LocalAws):
    """Run a local AWS with the application's resources."""

    resources: Resources

    def create(self) -> None:
        """Create what the application's template would create."""
        self.resources = create_resources(self.aws)

    def environment(self) -> dict[str, str]:
        """Return the environment of the function and the task."""
        return {**VARIABLES, "AWS_ENDPOINT_URL": self.url, "SESSION_SECRET": secrets.token_hex(32)}

    def sent_to(self, connection_id: str) -> list[Any]:
        """Return what was posted to a connection. AWS has no call that tells, so this looks into the server itself."""
        data = apigatewaymanagementapi_backends[ACCOUNT][REGION].connections[connection_id].data.decode()
        decoder, messages, at = json.JSONDecoder(), [], 0
        while at < len(data):  # the server keeps the messages of a connection in one piece
            message, at = decoder.raw_decode(data, at)
            messages.append(message)
        return messages
