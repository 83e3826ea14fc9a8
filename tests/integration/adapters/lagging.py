"""A thousand sends at once, and how late the event loop was meanwhile: `python -m tests.integration.adapters.lagging`.

A process of its own, so that nothing traces it: a tracer's work on each line would count as the adapter's.
Arguments: the server's URL, a queue, and the seconds that are late enough to try again. Writes the best of the runs,
and their number.
"""

from __future__ import annotations

import asyncio
import sys
import time

from adapters.aws import Aws, Settings
from adapters.sqs import Sqs
from tests.servers.aws import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY

MOST_RUNS = 5


async def worst_lag(work: asyncio.Task) -> float:
    """How late a short sleep ends at most while something else works, in seconds."""
    worst = 0.0
    while not work.done():
        started = time.perf_counter()
        await asyncio.sleep(0.005)
        worst = max(worst, time.perf_counter() - started - 0.005)
    await work
    return worst


async def measured(sqs: Sqs, queue: str) -> float:
    async def send_all() -> None:
        ids = await asyncio.gather(*[sqs.send_async(queue, {"n": n}) for n in range(1000)])
        assert len(set(ids)) == 1000

    return await worst_lag(asyncio.create_task(send_all()))


def main(url: str, queue: str, limit: float) -> None:
    settings = Settings(
        region=REGION, endpoint=url, access_key_id=ACCESS_KEY_ID, secret_access_key=SECRET_ACCESS_KEY, backoff=0
    )
    aws = Aws(settings)
    sqs = Sqs(aws)
    best, runs = float("inf"), 0
    # Whatever else the machine does only adds to it: the best of a few runs is what the adapter does.
    while best > limit and runs < MOST_RUNS:
        best = min(best, asyncio.run(measured(sqs, queue)))
        runs += 1
    aws.close()
    sys.stdout.write(f"{best} {runs}\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
