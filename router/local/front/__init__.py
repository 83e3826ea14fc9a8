"""Stand in front of the application as API Gateway, a function URL or a load balancer does: HTTP and WebSocket."""

from __future__ import annotations

from router.local.front.front import Front

__all__ = ["Front"]
