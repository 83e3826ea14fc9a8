"""What triggers a function with versions calls the one of its alias; moving the alias moves all of them."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.integration.deployed.deployment import Deployment, exported
from tests.servers.artefacts import MINISTACK
from tests.servers.ministack import MiniStack
from tests.servers.process import wait_until
from tests.servers.requirements import require_artefact

STACK = "tests.integration.deployed.published_stack:stack"
pytestmark = pytest.mark.timeout(180)


class Published(Deployment):
    """The stack, and what its handlers noted."""

    def noted(self, key: str) -> str:
        """Wait for a note, and return the version that made it."""
        found: list[str] = []

        def is_there() -> bool:
            answer = self.client("dynamodb").get_item(
                TableName=f"{self.name}-notes", Key={"pk": {"S": key}}, ConsistentRead=True
            )
            found.extend([answer["Item"]["version"]["S"]] if "Item" in answer else [])
            return bool(found)

        assert wait_until(is_there, timeout_s=20), f"nothing was noted of {key}"
        return found[0]

    def versions(self) -> set[str]:
        """Send an event by each trigger, and return the versions that handled them."""
        message, news = uuid4().hex, uuid4().hex
        sqs, sns = self.client("sqs"), self.client("sns")
        sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName=f"{self.name}-jobs")["QueueUrl"], MessageBody=message)
        [topic] = [one["TopicArn"] for one in sns.list_topics()["Topics"]]
        sns.publish(TopicArn=topic, Message=news)
        answers = [self.request(output, "GET", "/version") for output in ("HttpApiUrl", "MainFunctionUrl")]
        assert [answer.status for answer in answers] == [200, 200]
        return {answer.json()["version"] for answer in answers} | {self.noted(message), self.noted(news)}


@pytest.fixture
def published() -> Iterator[Published]:
    require_artefact(MINISTACK)
    with MiniStack() as server:
        yield Published(server, "published", exported(STACK), ("tests/integration/deployed/published_app.py",))


def test_all_triggers_follow_the_alias(published: Published) -> None:
    functions = published.client("lambda")
    assert published.versions() == {"1"}

    functions.update_function_configuration(FunctionName="published", Description="another version")
    second = functions.publish_version(FunctionName="published")["Version"]
    functions.update_alias(FunctionName="published", Name="live", FunctionVersion=second)
    assert published.versions() == {second}

    functions.update_alias(FunctionName="published", Name="live", FunctionVersion="1")  # the way back of the guide
    assert published.versions() == {"1"}
