"""Messages to WebSocket clients, through the management API of the API Gateway stage that holds their connections."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson

from adapters.aws import Aws
from adapters.errors import AdapterError

AT_A_TIME = 8


class Sockets:
    """The connections of one stage.

    endpoint: the stage's URL, `https://{api}.execute-api.{region}.amazonaws.com/{stage}`. A WebSocket event knows it
        (`event.endpoint`); any other event has to be told.
    """

    def __init__(self, aws: Aws, endpoint: str) -> None:
        self._aws = Aws(aws.settings.replace(endpoint=endpoint))

    def send(self, connection_id: str, message: Any) -> bool:
        """Send one message as JSON. False: the client has gone, often without API Gateway having noticed."""
        data = orjson.dumps(message, default=str)
        try:
            self._aws.call("apigatewaymanagementapi", "post_to_connection", ConnectionId=connection_id, Data=data)
        except AdapterError as error:
            if error.code == "GoneException":
                return False
            raise
        return True

    def send_to_all(self, connection_ids: Iterable[str], message: Any) -> list[str]:
        """Send one message to many, a few at a time, and return the connections that are gone."""
        ids = list(connection_ids)
        with ThreadPoolExecutor(AT_A_TIME) as threads:
            sent = list(threads.map(lambda id: self.send(id, message), ids))
        return [id for id, arrived in zip(ids, sent, strict=True) if not arrived]
