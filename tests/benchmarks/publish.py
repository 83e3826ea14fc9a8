"""A thousand messages through `adapters.sns` beside boto3 by hand, in one run: `python -m tests.benchmarks.publish`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import orjson

from adapters.aws import Aws, Settings
from adapters.sns import Sns
from tests.benchmarks.report import show_budgets, show_section
from tests.benchmarks.results import Budget, Figure, Section, Spread, ratios
from tests.benchmarks.timing import interleaved
from tests.servers.aws import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY
from tests.servers.moto import MotoServer

MESSAGES = [{"id": number, "text": "an everyday message " * 5} for number in range(1_000)]


def by_hand(client: Any, topic: str) -> None:
    """What a careful developer writes: batches of ten, and an error for what was refused."""
    for start in range(0, len(MESSAGES), 10):
        batch = MESSAGES[start : start + 10]
        entries = [{"Id": str(number), "Message": orjson.dumps(one).decode()} for number, one in enumerate(batch)]
        answer = client.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
        if answer.get("Failed"):
            raise RuntimeError(f"{len(answer['Failed'])} messages were refused")


def requests_of(aws: Aws, topic: str) -> int:
    """How many requests the adapter makes for all messages."""
    made: list[str] = []
    events = aws.client("sns").meta.events
    events.register("before-send.sns.*", lambda **_: made.append("request"), unique_id="count")
    Sns(aws).publish_many(topic, MESSAGES)
    events.unregister("before-send.sns.*", unique_id="count")
    return len(made)


def main(rounds: int = 10) -> None:
    """Prints figures and budgets."""
    with MotoServer() as server:
        aws = Aws(
            Settings(
                region=REGION,
                endpoint=server.url,
                access_key_id=ACCESS_KEY_ID,
                secret_access_key=SECRET_ACCESS_KEY,
            )
        )
        topic = aws.call("sns", "create_topic", Name="benchmark")["TopicArn"]
        requests = requests_of(aws, topic)
        calls: dict[str, Callable[[], object]] = {
            "junction": partial(Sns(aws).publish_many, topic, MESSAGES),
            "boto3 by hand": partial(by_hand, server.client("sns"), topic),
        }
        samples = interleaved(calls, rounds=rounds, seconds=0, repeat=1)
        fewer = Spread.of([len(MESSAGES) / requests])
        slower = Spread.of(ratios(samples, "junction", "boto3 by hand"))
        budgets = [
            Budget("publish 1,000: times fewer requests than one by one", fewer, 8, at_most=False),
            Budget("publish 1,000 / hand-written publish_batch", slower, 1.15),
        ]
        figures = [Figure(name, "publish 1,000", Spread.of(taken), "s") for name, taken in samples.items()]
        show_section(Section("publish", "1,000 messages to a topic", figures, budgets))
        show_budgets(budgets)
        aws.close()


if __name__ == "__main__":
    main()
