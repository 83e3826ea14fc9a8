"""Run the application as an ECS task: `TASK_NAME=nightly SESSION=... python -m examples.orders.task`.

The exit code tells ECS what came of it: 0 done, 1 failed, 2 could not start, 143 stopped by SIGTERM.
"""

from __future__ import annotations

import logging
import sys

from examples.orders.app import resolver


def main() -> int:
    """Run the task that the environment names. Everything it has to say goes to standard output, as ECS expects."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    return resolver.run_task(require_env=("SESSION",))


if __name__ == "__main__":
    sys.exit(main())
