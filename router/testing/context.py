"""The context objects that tests hand to an application."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Context:
    """The context that Lambda passes to a handler. `remaining` is how many seconds the invocation still has."""

    def __init__(
        self,
        *,
        remaining: float = 30.0,
        tenant_id: str | None = None,
        request_id: str = "test",
        client_context: Any = None,
    ) -> None:
        self.function_name = "test"
        self.function_version = "$LATEST"
        self.invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:test"
        self.memory_limit_in_mb = "128"
        self.aws_request_id = request_id
        self.log_group_name = "/aws/lambda/test"
        self.log_stream_name = "test"
        self.tenant_id = tenant_id
        self.client_context = client_context
        self.remaining = remaining

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds left."""
        return int(self.remaining * 1000)


class WithClientContext:
    """A context object of the test's own, with the client context of one call."""

    def __init__(self, context: Any, client_context: Any) -> None:
        self._context = context
        self.client_context = client_context

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)
