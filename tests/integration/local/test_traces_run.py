"""Follow messages of a topic through a whole run, with AWS beside it: to a function, to a queue, and raw to a queue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from tests.servers.artefacts import MINISTACK
from tests.servers.gateway import LocalGateway
from tests.servers.requirements import require_artefact

APPLICATION = """
    import os

    from adapters.aws import Aws
    from adapters.sns import Sns
    from router import Resolver
    from router.contract import Function, HttpApi, Queue, Stack, Topic

    resolver = Resolver()
    sns = Sns(Aws())

    @resolver.post("/news")
    def post():
        sns.publish(os.environ["NEWS"], {"title": "tea is back"})

    @resolver.on_topic("news")
    @resolver.on_queue("wrapped")
    @resolver.on_queue("raw")
    def read(event): ...

    def handler(event, context):
        return resolver.resolve(event, context)

    stack = Stack(
        "news:resolver",
        Function(),
        HttpApi(),
        Topic("news", variable="NEWS"),
        Queue("wrapped", topics=("news",)),
        Queue("raw", topics=("news",), raw=True),
        name="news",
        handler="news.handler",
    )
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalGateway]:
    require_artefact(MINISTACK)
    folder = tmp_path_factory.mktemp("news")
    (Path(folder) / "news.py").write_text(dedent(APPLICATION))
    with LocalGateway("news:stack", folder=folder) as found:
        found.wait_for(lambda: found.console("state")["application"]["phase"] == "ready")
        yield found


@pytest.fixture(scope="module")
def hops(run: LocalGateway) -> dict[str, Any]:
    """Return the hops of one request by their routes."""
    status, body = run.request("POST", "/news", {})
    assert status < 300, body
    run.wait_for(lambda: len(run.entries(source="sqs,sns", outcome="done")) == 3)
    [first] = run.entries(source="http")
    return {one["route"]: one for one in run.console(f"traces/{first['correlation_id']}")["entries"]}


@pytest.mark.parametrize("route", ["sns news", "sqs wrapped"])
def test_a_message_of_a_topic_is_below_the_request_that_published_it(hops: dict[str, Any], route: str) -> None:
    request, message = hops["POST /news"], hops[route]
    assert message["parent"] == request["id"]
    assert request["started"] <= message["sent"] <= message["started"]


def test_a_raw_message_has_no_sender_and_is_in_the_trace_by_its_correlation_id(hops: dict[str, Any]) -> None:
    assert hops["sqs raw"]["parent"] is None
    assert hops["sqs raw"]["correlation_id"] == hops["POST /news"]["correlation_id"]


def test_all_hops_are_of_one_trace_in_the_list(run: LocalGateway, hops: dict[str, Any]) -> None:
    listed = [one["trace"] for one in run.entries(source="http,sqs,sns")]
    assert listed == [hops["POST /news"]["correlation_id"]] * 4


def test_what_requires_lacks_names_the_variable_of_the_topic(run: LocalGateway, hops: dict[str, Any]) -> None:
    assert run.console("permissions")["requires"] == [
        {
            "route": "POST /news",
            "text": 'from router.environment import SNS\n\nrequires={"NEWS": [SNS.PUBLISH]}',
            "made_up": [],
        }
    ]
