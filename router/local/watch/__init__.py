"""Observe an application while it runs: its events, sessions, log lines, errors and calls of AWS."""

from router.local.watch.watch import Watch

__all__ = ["Watch"]
