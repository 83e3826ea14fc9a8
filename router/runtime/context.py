"""The context object of a call, with the fields and methods that it has in AWS's runtime."""

from __future__ import annotations

import json
import logging
import os
import sys
from time import time

from router.errors import InvalidEvent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any

    from router.runtime.api import Invocation

_W3C = ("traceparent", "tracestate", "baggage")


class CognitoIdentity:
    """The identity of a caller that came through Cognito."""

    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")

    def __init__(self, held: Mapping[str, Any]) -> None:
        self.cognito_identity_id = held.get("cognitoIdentityId")
        self.cognito_identity_pool_id = held.get("cognitoIdentityPoolId")


class Client:
    """The application of a mobile client."""

    __slots__ = ("app_package_name", "app_title", "app_version_code", "app_version_name", "installation_id")

    def __init__(self, held: Mapping[str, Any]) -> None:
        self.installation_id = held.get("installation_id")
        self.app_title = held.get("app_title")
        self.app_version_name = held.get("app_version_name")
        self.app_version_code = held.get("app_version_code")
        self.app_package_name = held.get("app_package_name")


class ClientContext:
    """Hold what the caller of a synchronous invoke sent beside the payload."""

    __slots__ = ("client", "custom", "env")

    def __init__(self, held: Mapping[str, Any]) -> None:
        self.custom = held.get("custom")
        self.env = held.get("env")
        client = held.get("client")
        self.client = Client(client) if isinstance(client, dict) else None


class LambdaContext:
    """Tell a handler of its call: its id, its time, its function and its caller.

    streamed_sources: the sources whose answers are sent chunk by chunk; AWS's own context has no such field.

    Raises:
        InvalidEvent: a header of the invocation is no JSON, or the deadline is no number.
    """

    def __init__(self, invocation: Invocation, streamed_sources: Collection[str] = ()) -> None:
        headers = invocation.headers
        client = _parsed(headers.get("Lambda-Runtime-Client-Context"), "client context")
        identity = _parsed(headers.get("Lambda-Runtime-Cognito-Identity"), "Cognito identity")
        self.aws_request_id = invocation.request_id
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = headers.get("Lambda-Runtime-Invoked-Function-Arn")
        self.tenant_id = headers.get("Lambda-Runtime-Aws-Tenant-Id")
        w3c = client.pop("w3c", None) if client else None
        held = w3c if isinstance(w3c, dict) else {}
        self._w3c_fields = {name: held[name] for name in _W3C if isinstance(held.get(name), str)}
        self.client_context = None if client is None else ClientContext(client)
        self.identity = CognitoIdentity(identity or {})
        try:
            self._epoch_deadline_time_in_ms = int(headers.get("Lambda-Runtime-Deadline-Ms", "0"))
        except ValueError:
            raise InvalidEvent("the Runtime API sent a deadline that is not a number") from None
        self.streamed_sources = streamed_sources

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until Lambda ends this call."""
        return max(0, self._epoch_deadline_time_in_ms - int(time() * 1000))

    def w3c(self) -> dict[str, str]:
        """Return the trace context that the caller sent: `traceparent`, `tracestate`, `baggage`."""
        return dict(self._w3c_fields)

    def log(self, msg: object) -> None:
        """Write a line to the log, as it is."""
        for handler in logging.getLogger().handlers:
            sink = getattr(handler, "sink", None)
            if sink is not None:
                sink.write(str(msg))
                return
        sys.stdout.write(str(msg))


def _parsed(header: str | None, what: str) -> dict[str, Any] | None:
    """Return the JSON object of a header; None for none."""
    if not header:
        return None
    try:
        held = json.loads(header)
    except ValueError as error:
        raise InvalidEvent(f"the Runtime API sent a {what} that is no JSON: {error}") from None
    return held if isinstance(held, dict) else None
