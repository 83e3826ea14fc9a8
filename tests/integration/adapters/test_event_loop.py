"""A thousand sends at a time leave the event loop free for everything else."""

from __future__ import annotations

import asyncio
import sys
import time
import uuid

from adapters.sqs import Sqs
from tests.integration.adapters.places import aws_of, make_queue
from tests.servers.elasticmq import ElasticMQ

# Seconds. Measuring coverage traces each line of a thousand sends, on the loop as well: that time is not the adapter's.
MOST_LAG = 0.05 if sys.gettrace() is None else 0.25


async def worst_lag(work: asyncio.Task) -> float:
    """How late a short sleep ends at most while something else works, in seconds."""
    worst = 0.0
    while not work.done():
        started = time.perf_counter()
        await asyncio.sleep(0.005)
        worst = max(worst, time.perf_counter() - started - 0.005)
    return worst


def test_a_thousand_concurrent_sends(elasticmq: ElasticMQ):
    aws = aws_of(elasticmq)
    sqs, queue = Sqs(aws), f"adapters-{uuid.uuid4().hex}"
    url, _ = make_queue(aws, queue)

    async def send_all() -> None:
        ids = await asyncio.gather(*[sqs.send_async(queue, {"n": n}) for n in range(1000)])
        assert len(set(ids)) == 1000

    async def measured() -> float:
        return await worst_lag(asyncio.create_task(send_all()))

    # Whatever else the machine does only adds to it: the best of a few runs is what the adapter does.
    runs = 0
    best = float("inf")
    while best > MOST_LAG and runs < 5:
        best = min(best, asyncio.run(measured()))
        runs += 1
    assert best <= MOST_LAG
    answer = aws.call("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    assert int(answer["Attributes"]["ApproximateNumberOfMessages"]) == 1000 * runs
    aws.close()
