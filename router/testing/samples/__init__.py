"""Payloads as AWS delivers them, for tests: one builder for every event source, and `SAMPLES`, one payload of each.

Every builder returns a new payload on each call and shares nothing with its arguments. Ids and times are the same in
every run unless given (`timestamp=`, `request_id=`, `message_ids=` and the like): ids depend on the content alone.
A `session=` (a mapping, or text that is already signed) goes where the source carries one. Arguments that no service
could deliver raise `ValueError`.
"""

from __future__ import annotations

from router.testing.samples.assistants import alexa, alexa_home, bedrock_agent, connect, lex
from router.testing.samples.brokers import activemq, kafka, rabbitmq
from router.testing.samples.bus import alarm, dashboard, eventbridge, logs, schedule
from router.testing.samples.delivery import (
    cloudformation,
    codecommit,
    codedeploy,
    codepipeline,
    config,
    secretsmanager,
)
from router.testing.samples.direct import invoke, lambda_destination, pipes, task
from router.testing.samples.graphql import appsync, appsync_authorizer, appsync_batch
from router.testing.samples.identity import authorizer, cognito, cognito_sync
from router.testing.samples.messaging import sns, sns_in_sqs, sqs, sqs_record
from router.testing.samples.others import cloudfront, iot, iot_button, sagemaker, ses, vpn, workmail
from router.testing.samples.sockets import websocket, websocket_authorizer
from router.testing.samples.storage import s3, s3_batch, s3_object, s3_test_event
from router.testing.samples.streams import (
    attribute_value,
    documentdb,
    dynamodb,
    firehose,
    kinesis,
    kinesis_analytics,
    tumbling_window,
)
from router.testing.samples.web import alb, http, lattice, rest, url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

__all__ = [
    "SAMPLES",
    "activemq",
    "alarm",
    "alb",
    "alexa",
    "alexa_home",
    "appsync",
    "appsync_authorizer",
    "appsync_batch",
    "attribute_value",
    "authorizer",
    "bedrock_agent",
    "cloudformation",
    "cloudfront",
    "codecommit",
    "codedeploy",
    "codepipeline",
    "cognito",
    "cognito_sync",
    "config",
    "connect",
    "dashboard",
    "documentdb",
    "dynamodb",
    "eventbridge",
    "firehose",
    "http",
    "invoke",
    "iot",
    "iot_button",
    "kafka",
    "kinesis",
    "kinesis_analytics",
    "lambda_destination",
    "lattice",
    "lex",
    "logs",
    "pipes",
    "rabbitmq",
    "rest",
    "s3",
    "s3_batch",
    "s3_object",
    "s3_test_event",
    "sagemaker",
    "schedule",
    "secretsmanager",
    "ses",
    "sns",
    "sns_in_sqs",
    "sqs",
    "sqs_record",
    "task",
    "tumbling_window",
    "url",
    "vpn",
    "websocket",
    "websocket_authorizer",
    "workmail",
]

SAMPLES: Mapping[str, Callable[[], Any]] = {
    "rest": lambda: rest("POST", "/orders", body={"id": 1}, query={"dry": "1"}),
    "http": lambda: http("POST", "/orders", body={"id": 1}, query={"dry": "1"}, cookies={"theme": "dark"}),
    "url": lambda: url("POST", "/orders", body={"id": 1}, query={"dry": "1"}),
    "alb": lambda: alb("POST", "/orders", body={"id": 1}, query={"dry": "1"}),
    "lattice": lambda: lattice("POST", "/orders", body={"id": 1}, query={"dry": "1"}),
    "websocket": lambda: websocket("MESSAGE", route_key="chat", body={"action": "chat", "text": "hello"}),
    "sqs": lambda: sqs("orders", [{"id": 1}, {"id": 2}], attributes={"kind": "new"}),
    "sns": lambda: sns("order-events", [{"id": 1}], subject="Order placed", attributes={"kind": "new"}),
    "dynamodb": lambda: dynamodb("orders", [("INSERT", None, {"id": 1}), ("REMOVE", {"id": 2}, None)]),
    "kinesis": lambda: kinesis("orders", [{"id": 1}, {"id": 2}]),
    "kafka": lambda: kafka("orders", [{"id": 1}, {"id": 2}], keys=["1", "2"], headers={"kind": "new"}),
    "activemq": lambda: activemq("orders", [{"id": 1}, {"id": 2}], properties={"kind": "new"}),
    "rabbitmq": lambda: rabbitmq("orders", [{"id": 1}, {"id": 2}], headers={"kind": "new"}),
    "documentdb": lambda: documentdb("orders", [{"total": 1}, {"total": 2}]),
    "firehose": lambda: firehose([{"id": 1}, {"id": 2}]),
    "s3": lambda: s3("orders", ["new/order 1.json"]),
    "s3-batch": lambda: s3_batch("orders", "new/order 1.json", arguments={"kind": "new"}),
    "s3-object": s3_object,
    "eventbridge": lambda: eventbridge("OrderPlaced", {"id": 1}),
    "schedule": lambda: schedule("nightly"),
    "logs": lambda: logs("/aws/lambda/orders", ["START", {"level": "ERROR", "message": "failed"}]),
    "alarm": lambda: alarm("orders-failing"),
    "dashboard": lambda: dashboard({"tenant": "acme"}),
    "cognito": cognito,
    "cognito-sync": cognito_sync,
    "authorizer": lambda: authorizer("Bearer token"),
    "appsync": lambda: appsync("getOrder", arguments={"id": "1"}),
    "appsync-authorizer": appsync_authorizer,
    "ses": ses,
    "codecommit": lambda: codecommit("orders"),
    "codepipeline": lambda: codepipeline("orders", {"kind": "new"}),
    "codedeploy": codedeploy,
    "config": lambda: config("orders-encrypted"),
    "connect": lambda: connect({"order": "1"}),
    "lex": lambda: lex("OrderFlowers", slots={"FlowerType": "roses", "PickupDate": None}),
    "alexa": lambda: alexa("GetOrderIntent", slots={"number": "1"}),
    "alexa-home": alexa_home,
    "iot": iot,
    "cloudformation": lambda: cloudformation("Create", properties={"Rows": "10"}),
    "cloudfront": cloudfront,
    "secretsmanager": secretsmanager,
    "bedrock-agent": lambda: bedrock_agent("/orders/{id}", parameters={"id": 1}),
    "kinesis-analytics": lambda: kinesis_analytics([{"id": 1}, {"id": 2}]),
    "sagemaker": sagemaker,
    "workmail": workmail,
    "vpn": vpn,
    "invoke": lambda: invoke("rebuild", {"id": 1}),
    "task": lambda: task("nightly"),
}
"""A representative payload of every event source, by the value of its `Source`: `SAMPLES["sqs"]()`."""
