"""S3 Object Lambda's other calls, and samples of `sam local generate-event`, in which parts are missing."""

from __future__ import annotations

from typing import Any

import pytest

from router import Resolver, Source, detect, read
from router.testing import samples

OBJECT_LAMBDA = {
    "xAmzRequestId": "r-1",
    "configuration": {"accessPointArn": "arn:aws:s3-object-lambda:eu-west-1:1:accesspoint/resize"},
    "userRequest": {"url": "https://b/k", "headers": {}},
}
REQUEST = {"clientIp": "203.0.113.178", "method": "GET", "uri": "/a", "querystring": "", "headers": {}}
RESPONSE = {"status": "200", "statusDescription": "OK", "headers": {}}


@pytest.mark.parametrize("key", ["getObjectContext", "headObjectContext", "listObjectsContext", "listObjectsV2Context"])
def test_every_call_of_s3_object_lambda(key: str) -> None:
    raw = {**OBJECT_LAMBDA, key: {"inputS3Url": "https://b/k"}}
    assert detect(raw) is Source.S3_OBJECT
    resolver = Resolver()
    resolver.on("s3-object", "resize")(lambda event: {"statusCode": 200, "headers": {"etag": event.id}})
    assert resolver.resolve(raw) == {"statusCode": 200, "headers": {"etag": "r-1"}}


@pytest.mark.parametrize("operation", ["GetObject", "HeadObject", "ListObjects", "ListObjectsV2"])
def test_a_route_may_be_for_one_call_of_s3_object_lambda(operation: str) -> None:
    resolver = Resolver()
    heads = {"headObjectContext": {"inputS3Url": [{"exists": True}]}}
    resolver.on("s3-object", pattern=heads)(lambda event: {"statusCode": 304, "headers": {}})
    resolver.on("s3-object")(lambda event: event.change)
    raw = samples.s3_object("a.json", operation=operation)
    assert detect(raw) is Source.S3_OBJECT
    answer = resolver.resolve(raw)
    assert answer == ({"statusCode": 304, "headers": {}} if operation == "HeadObject" else operation)
    assert ("outputToken" in str(raw)) == (operation == "GetObject")


def test_a_sample_of_another_call_is_refused() -> None:
    with pytest.raises(ValueError, match="operation must be one of"):
        samples.s3_object(operation="PutObject")


@pytest.mark.parametrize(
    ("cf", "name", "passed"),
    [
        ({"config": {"distributionId": "EXAMPLE"}, "request": REQUEST}, "viewer-request", REQUEST),
        ({"config": {"distributionId": "EXAMPLE"}, "response": RESPONSE}, "viewer-response", RESPONSE),
        ({"request": REQUEST, "response": RESPONSE}, "viewer-response", RESPONSE),
        ({"config": {"eventType": "origin-request"}, "request": REQUEST}, "origin-request", REQUEST),
    ],
)
def test_a_sample_of_lambda_edge_tells_request_and_response_apart(cf: Any, name: str, passed: Any) -> None:
    raw = {"Records": [{"cf": cf}]}
    assert read(raw)[0].name == name
    resolver = Resolver()
    resolver.on("cloudfront", name)(lambda event: None)
    assert resolver.resolve(raw) == passed


def test_a_firehose_sample_that_names_no_stream() -> None:
    raw = samples.firehose(["a"])
    del raw["deliveryStreamArn"]
    assert detect(raw) is Source.FIREHOSE
    resolver = Resolver()
    resolver.on("firehose")(lambda event: event.text.upper())
    assert resolver.resolve(raw)["records"][0]["result"] == "Ok"
    assert detect(samples.kinesis_analytics(["a"])) is Source.KINESIS_ANALYTICS
