"""Where the servers are kept, relative to this repository."""

from __future__ import annotations

from pathlib import Path

SERVERS = Path(__file__).resolve().parent
REPOSITORY = SERVERS.parent.parent
CACHE = REPOSITORY / ".cache" / "servers"
