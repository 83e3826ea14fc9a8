"""A task that waits for ever, in async code: what ECS stops is not always busy."""

from __future__ import annotations

import asyncio
import sys

from router import Resolver

resolver = Resolver()


@resolver.on_task("wait")
async def wait() -> None:
    """Wait until the process is stopped."""
    sys.stdout.write("waiting\n")
    sys.stdout.flush()
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        await asyncio.sleep(0)  # what cleans up may have to wait, too
        sys.stdout.write("cleaned up\n")


if __name__ == "__main__":
    sys.exit(resolver.run_task())
