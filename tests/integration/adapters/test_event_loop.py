"""A thousand sends at a time leave the event loop free for everything else."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from tests.integration.adapters.places import aws_of, make_queue
from tests.servers.elasticmq import ElasticMQ

MOST_LAG = 0.05  # seconds
ROOT = Path(__file__).parents[3]


@pytest.mark.alone
def test_a_thousand_concurrent_sends(elasticmq: ElasticMQ):
    aws, queue = aws_of(elasticmq), f"adapters-{uuid.uuid4().hex}"
    url, _ = make_queue(aws, queue)
    untraced = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    command = [sys.executable, "-m", "tests.integration.adapters.lagging", elasticmq.url, queue, str(MOST_LAG)]
    done = subprocess.run(command, cwd=ROOT, env=untraced, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    best, runs = done.stdout.split()
    assert float(best) <= MOST_LAG
    answer = aws.call("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    assert int(answer["Attributes"]["ApproximateNumberOfMessages"]) == 1000 * int(runs)
    aws.close()
