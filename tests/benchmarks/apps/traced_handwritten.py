"""The yardstick for traces: what a careful developer writes by hand with OpenTelemetry, by the same conventions."""

from urllib.parse import unquote

import orjson
from opentelemetry.propagators.aws import AwsXRayPropagator
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Link, SpanKind, StatusCode, get_current_span

from tests.benchmarks.apps import show
from tests.benchmarks.apps.handwritten import PREFIX, answer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tests.benchmarks.apps import Handler, Work


def _of_function(event: "dict[str, Any]", context: "Any", trigger: str) -> "dict[str, Any]":
    arn = context.invoked_function_arn
    return {
        "faas.trigger": trigger,
        "faas.coldstart": False,
        "faas.invocation_id": context.aws_request_id,
        "aws.lambda.invoked_arn": arn,
        "cloud.resource_id": arn,
        "cloud.account.id": arn.split(":")[4],
    }


def build(provider: TracerProvider, work: "Work" = show) -> "Handler":
    """A handler that checks path, parameter and method with if and else, in a span."""
    tracer = provider.get_tracer("hand")

    def handler(event: "dict[str, Any]", context: "Any") -> "dict[str, Any]":
        method, path, headers = event["httpMethod"], event["path"], event["headers"]
        held = {
            **_of_function(event, context, "http"),
            "http.request.method": method,
            "http.route": "/orders/{order_id}",
            "url.path": path,
            "url.scheme": headers.get("X-Forwarded-Proto", "https"),
            "server.address": headers.get("Host", ""),
            "user_agent.original": headers.get("User-Agent", ""),
        }
        with tracer.start_as_current_span(
            f"{method} /orders/{{order_id}}", kind=SpanKind.SERVER, attributes=held
        ) as span:
            response = answer(404, {"detail": "Not Found"})
            if path.startswith(PREFIX) and method == "GET":
                response = answer(200, work(unquote(path[len(PREFIX) :])))
            span.set_attribute("http.response.status_code", response["statusCode"])
            if response["statusCode"] >= 500:
                span.set_status(StatusCode.ERROR)
        provider.force_flush()
        return response

    return handler


def build_batch(
    provider: TracerProvider, work: "Callable[[Any], object]"
) -> "Callable[[dict[str, Any], object], dict[str, Any]]":
    """A handler that reports each failed record, in a span for the batch and one for each record, with its link."""
    tracer, xray = provider.get_tracer("hand"), AwsXRayPropagator()

    def handler(event: "dict[str, Any]", context: "Any") -> "dict[str, Any]":
        failures = []
        records = event["Records"]
        queue = records[0]["eventSourceARN"].rpartition(":")[2]
        about = {
            "faas.trigger": "pubsub",
            "messaging.system": "aws_sqs",
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.destination.name": queue,
        }
        held = {**_of_function(event, context, "pubsub"), **about, "messaging.batch.message_count": len(records)}
        name = f"{queue} process"
        with tracer.start_as_current_span(name, kind=SpanKind.CONSUMER, attributes=held):
            for record in records:
                producer = xray.extract({"X-Amzn-Trace-Id": record["attributes"]["AWSTraceHeader"]})
                links = [Link(get_current_span(producer).get_span_context())]
                session = orjson.loads(record["messageAttributes"]["session"]["stringValue"])
                of_record = {
                    **about,
                    "messaging.message.id": record["messageId"],
                    "messaging.message.conversation_id": session["correlation_id"],
                }
                try:
                    with tracer.start_as_current_span(name, kind=SpanKind.CONSUMER, attributes=of_record, links=links):
                        work(orjson.loads(record["body"]))
                except Exception:
                    failures.append({"itemIdentifier": record["messageId"]})
        provider.force_flush()
        return {"batchItemFailures": failures}

    return handler
