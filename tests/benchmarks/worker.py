"""10,000 messages through the worker, which is killed (kill -9) twice: `python -m tests.benchmarks.worker`.

ElasticMQ is the queue. Prints what was lost (nothing may be), and what was handled more than once and why. The exit
code is 1 when a message was lost, or handled twice without a kill to blame.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.integration.adapters.killing import Account, kill_and_count
from tests.servers.elasticmq import ElasticMQ


def main() -> int:
    """Runs a standard and a FIFO queue, one after the other."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.worker", description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    options = parser.parse_args()
    good = True
    with ElasticMQ() as server:
        for fifo in (False, True):
            with tempfile.TemporaryDirectory() as folder:
                account = kill_and_count(
                    server, Path(folder), messages=options.messages, kill_at=(1 / 3, 2 / 3), fifo=fifo, timeout_s=600
                )
            print(f"{'fifo' if fifo else 'standard'}: {_told(account)}", flush=True)
            good = good and not (account.lost or account.unexplained or account.misplaced or account.out_of_order)
    return 0 if good else 1


def _told(account: Account) -> str:
    return (
        f"{account.messages:,} messages in {account.seconds:.1f} s ({account.messages / account.seconds:,.0f}/s, "
        f"2 kills and restarts included): {account.lost} lost, {account.duplicates} handled twice, "
        f"{account.unexplained} of them unexplained, {account.misplaced} without their session, "
        f"{account.out_of_order} out of order"
    )


if __name__ == "__main__":
    sys.exit(main())
