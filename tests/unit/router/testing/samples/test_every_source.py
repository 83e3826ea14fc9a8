"""A sample for every source, each recognised as what it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from inspect import signature
from types import FunctionType
from typing import Any

import pytest

from router.event import Source
from router.sources._registry import detect
from router.testing import Context, samples

LATER = datetime(2030, 12, 31, 23, 59, 58, 765000, tzinfo=UTC)


def test_every_source_has_a_sample() -> None:
    assert set(samples.SAMPLES) == {source.value for source in Source}


@pytest.mark.parametrize("source", samples.SAMPLES)
def test_a_sample_is_recognised_as_its_source(source: str) -> None:
    called = samples.tool_client_context("find_order") if source == "tool" else None
    assert detect(samples.SAMPLES[source](), Context(client_context=called)) == source


@pytest.mark.parametrize("source", samples.SAMPLES)
def test_samples_are_plain_json_equal_in_every_call_and_share_nothing(source: str) -> None:
    first, second = samples.SAMPLES[source](), samples.SAMPLES[source]()
    assert first == second == json.loads(json.dumps(first))
    _spoil(first)
    assert second == samples.SAMPLES[source]()


def _spoil(value: Any) -> None:
    """Empty every dict and list of a payload."""
    if isinstance(value, dict | list):
        for each in list(value.values() if isinstance(value, dict) else value):
            _spoil(each)
        value.clear()


OTHER_FORMS = {
    "rest, nothing given": (Source.REST, samples.rest),
    "http, named stage": (Source.HTTP, lambda: samples.http(stage="dev")),
    "url with IAM": (Source.URL, lambda: samples.url(authorizer={"iam": {"userId": "AIDA"}})),
    "alb, multi-value": (Source.ALB, lambda: samples.alb(multi_value=True)),
    "lattice 1.0": (Source.LATTICE, lambda: samples.lattice(version="1.0")),
    "websocket connect": (Source.WEBSOCKET, lambda: samples.websocket("CONNECT", query={"room": "1"})),
    "websocket disconnect": (Source.WEBSOCKET, lambda: samples.websocket("DISCONNECT")),
    "SNS in SQS": (Source.SQS, lambda: samples.sns_in_sqs("orders", ["hello"])),
    "S3 test event": (Source.S3, lambda: samples.s3_test_event("orders")),
    "end of a DynamoDB window": (
        Source.DYNAMODB,
        lambda: samples.dynamodb("orders", [], window=samples.tumbling_window(final=True)),
    ),
    "end of a Kinesis window": (
        Source.KINESIS,
        lambda: samples.kinesis("orders", [], window=samples.tumbling_window(final=True)),
    ),
    "self-managed Kafka": (Source.KAFKA, lambda: samples.kafka("orders", ["a"], self_managed=True)),
    "S3 Batch 1.0": (Source.S3_BATCH, lambda: samples.s3_batch("orders", "a", version="1.0")),
    "Scheduler": (Source.SCHEDULE, lambda: samples.schedule("nightly", scheduler=True)),
    "REQUEST authorizer": (Source.AUTHORIZER, samples.authorizer),
    "authorizer 1.0": (Source.AUTHORIZER, lambda: samples.authorizer(version="1.0")),
    "authorizer 2.0": (Source.AUTHORIZER, lambda: samples.authorizer(version="2.0", cookies={"a": "b"})),
    "websocket authorizer": (Source.AUTHORIZER, samples.websocket_authorizer),
    "AppSync batch": (Source.APPSYNC, lambda: samples.appsync_batch("lines", [{"id": 1}, {"id": 2}])),
    "Lex V1": (Source.LEX, lambda: samples.lex(version="1")),
    "IoT button": (Source.IOT, samples.iot_button),
    "CDK custom resource": (
        Source.CLOUDFORMATION,
        lambda: samples.cloudformation("Delete", provider_framework=True),
    ),
    "origin response": (Source.CLOUDFRONT, lambda: samples.cloudfront("origin-response")),
    "Bedrock function": (Source.BEDROCK_AGENT, lambda: samples.bedrock_agent(function="find")),
    "analytics output": (Source.KINESIS_ANALYTICS, lambda: samples.kinesis_analytics([1], output=True)),
    "post-annotation": (Source.SAGEMAKER, lambda: samples.sagemaker("post-annotation")),
    "Pipes": (Source.INVOKE, lambda: samples.pipes(samples.sqs("orders", ["a"]))),
    "Lambda destination": (Source.INVOKE, lambda: samples.lambda_destination({"id": 1}, {"ok": True})),
    "invoke without anything": (Source.INVOKE, samples.invoke),
}


@pytest.mark.parametrize("form", OTHER_FORMS)
def test_the_other_forms_of_a_source_are_recognised_too(form: str) -> None:
    source, build = OTHER_FORMS[form]
    assert detect(build()) == source


BATCHES = {"bodies", "messages", "data", "documents", "records"}


def _required_arguments(builder: Callable[..., Any]) -> list[Any]:
    """Something fit for each argument that a builder cannot do without."""
    if builder is samples.dynamodb:
        return ["orders", [("INSERT", None, {"id": 1})]]
    parameters = signature(builder).parameters.values()
    required = [parameter.name for parameter in parameters if parameter.default is parameter.empty]
    return [[{"id": 1}] if name in BATCHES else "orders" for name in required]


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, builder in vars(samples).items()
        if isinstance(builder, FunctionType) and "timestamp" in signature(builder).parameters
    ],
)
def test_a_builder_that_has_a_time_takes_another_one(name: str) -> None:
    builder = getattr(samples, name)
    required = _required_arguments(builder)
    assert builder(*required, timestamp=LATER) != builder(*required)
    with pytest.raises(ValueError, match="time zone"):
        builder(*required, timestamp=LATER.replace(tzinfo=None))
