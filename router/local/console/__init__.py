"""Show a local run: the JSON API of the console, its live stream, and tools for agents."""

from __future__ import annotations
