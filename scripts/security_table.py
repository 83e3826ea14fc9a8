"""Write the table of who writes a payload into docs/security.md: `python -m scripts.security_table`.

Who may write a payload is AWS's to say: `WRITERS` has it. Where a session is believed although nothing signs it is
found out, by a forged one in every place of a source's sample.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from router.errors import RouterError
from router.event import Source
from router.sources import load, read
from router.sources._registry import ROWS
from router.testing import Context
from router.testing.samples import SAMPLES, tool_client_context

PAGE = Path(__file__).resolve().parent.parent / "docs" / "security.md"
HEADER = ("source", "content is written by", "AWS itself says", "an unsigned session is believed in")


class Writers(NamedTuple):
    """Name who writes the payload of a source.

    content: who writes what a handler works with; a permission of IAM stands for everybody who has it.
    word: what the service vouches for.
    client: the places in the source's sample, `Records[].ses.mail`, that people without any permission write.
    """

    content: str
    word: str
    client: tuple[str, ...] = ()


_REQUEST = "a client: path, query, headers, cookies, body"
_API = "`requestContext`: what an authorizer said (`event.claims`), the address"
_AUTHORIZER = "a client: the token, and all of its request"
_PRODUCER = "a producer with an account of the broker: key, headers, value"
_MAIL = "whoever sends a mail: addresses, subject, headers"
_USER = "a user, by voice or text"

WRITERS: dict[str, Writers] = {
    "rest": Writers(_REQUEST, _API, ("path", "headers", "queryStringParameters", "pathParameters", "body")),
    "http": Writers(
        _REQUEST, _API, ("rawPath", "rawQueryString", "headers", "queryStringParameters", "cookies", "body")
    ),
    "url": Writers(
        _REQUEST,
        "`requestContext`: who signed the request, with IAM authorization; the address",
        ("rawPath", "rawQueryString", "headers", "queryStringParameters", "body"),
    ),
    "alb": Writers(
        _REQUEST,
        "the last address of `X-Forwarded-For`; `x-amzn-oidc-*` where the listener's rule authenticates",
        ("path", "headers", "queryStringParameters", "body"),
    ),
    "lattice": Writers(
        _REQUEST,
        "`requestContext.identity` (`event.claims`): the caller, where the auth policy asks for IAM",
        ("path", "headers", "queryStringParameters", "body"),
    ),
    "websocket": Writers(
        "a client: messages and, by them, the route key; headers and query of `$connect`",
        "`requestContext`: `eventType`, the connection, what the authorizer said at `$connect`",
        ("body",),
    ),
    "sqs": Writers(
        "anyone with `sqs:SendMessage` on the queue, and whoever writes to what forwards to it: body and message "
        "attributes",
        "`attributes` (sender, time, receive count), `eventSourceARN`",
    ),
    "sns": Writers(
        "anyone with `sns:Publish` on the topic: message, subject, attributes", "`TopicArn`, `MessageId`, `Timestamp`"
    ),
    "dynamodb": Writers(
        "anyone with `dynamodb:PutItem` and the like on the table: the images", "keys, `eventName`, the order"
    ),
    "kinesis": Writers(
        "anyone with `kinesis:PutRecord`: data and partition key", "sequence number, arrival, the order"
    ),
    "kafka": Writers(_PRODUCER, "topic, partition, offset"),
    "activemq": Writers("a producer with an account of the broker: properties and data", "`eventSourceArn`"),
    "rabbitmq": Writers("a producer with an account of the broker: properties, headers and data", "the queue"),
    "documentdb": Writers("anyone with a user of the database: the documents", "`operationType`, `ns`, cluster time"),
    "firehose": Writers(
        "anyone with `firehose:PutRecord`, or who writes to the stream before it", "`recordId`, the ARN"
    ),
    "s3": Writers(
        "anyone who may put an object, a client with a presigned URL too: key, size, metadata",
        "bucket, `eventName`, `userIdentity`, `sourceIPAddress`",
        ("Records[].s3.object.key",),
    ),
    "s3-batch": Writers("whoever creates the job and its manifest: `s3:CreateJob`, `iam:PassRole`", "`invocationId`"),
    "s3-object": Writers(
        "a client of the access point: `userRequest`", "`userIdentity`, `configuration`", ("userRequest",)
    ),
    "eventbridge": Writers(
        "anyone with `events:PutEvents` on the bus, of a partner's account too: `detail`, `detail-type`, `source`, "
        "`resources`, `time`",
        "`account`; a `source` that begins with `aws.` is of AWS, one with `aws.partner/` of a partner",
    ),
    "schedule": Writers(
        "whoever makes the rule or the schedule (`events:PutTargets`, `scheduler:CreateSchedule`): its input",
        "name, time",
    ),
    "logs": Writers(
        "whatever writes to the log group; a log line may quote a client", "`owner`, `logGroup`, `logStream`"
    ),
    "alarm": Writers("whoever makes the alarm, and its metric", "state, time"),
    "dashboard": Writers(
        "a viewer of the dashboard: parameters and forms of the widget",
        "`widgetContext`, apart from its `params` and `forms`",
        ("widgetContext.params", "widgetContext.forms"),
    ),
    "cognito": Writers(
        "a user who signs up or in: `request.userAttributes` (they are `event.claims`, and vouched for by nobody at "
        "sign-up), `validationData`, `clientMetadata`",
        "`triggerSource`, `userPoolId`, `callerContext.clientId`",
        ("request.userAttributes",),
    ),
    "cognito-sync": Writers("a user's device: the records", "`identityId`", ("datasetRecords",)),
    "authorizer": Writers(
        _AUTHORIZER, "`methodArn` or `routeArn`, of which the path is the client's", ("authorizationToken",)
    ),
    "appsync": Writers(
        "a client: arguments, selection, headers",
        "`identity`: claims, or what a Lambda authorizer said (`event.claims`)",
        ("arguments", "request.headers", "info.variables"),
    ),
    "appsync-authorizer": Writers(
        "a client: the token, the query, the headers",
        "`requestContext.apiId`",
        ("authorizationToken", "requestHeaders"),
    ),
    "appsync-events": Writers(
        "a client: what it publishes, the channel's path, headers",
        "`identity` (`event.claims`), as of `appsync`; the operation",
        ("events", "info.channel", "request.headers"),
    ),
    "appsync-events-authorizer": Writers(
        "a client: the token, the channel, the headers",
        "`requestContext.apiId`, the operation",
        ("authorizationToken", "requestHeaders", "requestContext.channel"),
    ),
    "ses": Writers(_MAIL, "`receipt`: verdicts and recipients", ("Records[].ses.mail",)),
    "codecommit": Writers("anyone with `codecommit:GitPush`: names of branches and tags", "`userIdentityARN`"),
    "codepipeline": Writers("whoever defines the pipeline: `UserParameters`", "the job, the artifacts' credentials"),
    "codedeploy": Writers("nobody: there are two ids", "both ids"),
    "config": Writers(
        "whoever changes a resource: its configuration in `invokingEvent`", "rule, account, result token"
    ),
    "connect": Writers(
        f"{_USER}: attributes and parameters that the flow fills from it",
        "`ContactData`, apart from its `Attributes`",
        ("Details.Parameters", "Details.ContactData.Attributes"),
    ),
    "lex": Writers(
        f"{_USER}: transcript and slots; the application that calls Lex: session attributes",
        "`bot`, the intent",
        ("inputTranscript", "interpretations", "sessionState", "transcriptions"),
    ),
    "alexa": Writers(
        f"{_USER}: slots. Alexa's own `session` is not one of this library",
        "`applicationId`: compare it with your skill's",
        ("request", "session"),
    ),
    "alexa-home": Writers(f"{_USER}: the directive", "the token in `scope`, which you check", ("directive",)),
    "iot": Writers("whoever presses the button, or holds the device's certificate", "`deviceInfo`", ("deviceEvent",)),
    "iot-authorizer": Writers(
        "a device: token, user name, password, client id",
        "`signatureVerified`: whether the authorizer's key signed the token; the protocols",
        ("token", "protocolData"),
    ),
    "iot-provisioning": Writers(
        "a device with a claim certificate, which many share: the parameters, the client id",
        "`templateArn`, the certificates",
        ("parameters", "clientId"),
    ),
    "transfer": Writers(
        "a client: user name and password", "`serverId`, `protocol`, `sourceIp`", ("username", "password")
    ),
    "cloudformation": Writers(
        "whoever deploys the stack: `ResourceProperties`", "`StackId`, `RequestId`, `ResponseURL`"
    ),
    "cloudfront": Writers(
        _REQUEST, "`config`, `clientIp`", ("Records[].cf.request.headers", "Records[].cf.request.uri")
    ),
    "secretsmanager": Writers("whoever may rotate the secret: `secretsmanager:RotateSecret`", "all of it"),
    "bedrock-agent": Writers(
        f"{_USER}, and the model: parameters, body, `inputText`. Who calls `InvokeAgent`: the session attributes",
        "`agent`, `actionGroup`",
        ("parameters", "inputText"),
    ),
    "tool": Writers(
        "a client of the gateway, often a model: the arguments; `headers` and `query`, where no interceptor sets them",
        "the tool, `gateway_id`, `target_id`, the ids of message and request",
        ("order_id", "items", "note"),
    ),
    "kinesis-analytics": Writers("anyone who writes to the stream that it reads", "`recordId`, the ARN"),
    "sagemaker": Writers("whoever makes the manifest; workers, their answers", "`labelingJobArn`", ("dataObject",)),
    "workmail": Writers(_MAIL, "`messageId`, `flowDirection`", ("envelope", "sender", "subject")),
    "vpn": Writers(
        "a client: its platform and version",
        "`common-name`, `username`, `public-ip`, once it has authenticated",
        ("platform", "platform-version", "client-openvpn-version"),
    ),
    "task": Writers("anyone with `ecs:RunTask` on the task definition: the environment", "the metadata URI"),
    "invoke": Writers(
        "anyone with `lambda:InvokeFunction`: all of it; and a client, where a service hands on what it sends "
        "(an IoT rule with `SELECT *`, a REST integration that passes bodies through)",
        "nothing",
    ),
}


# ---- where a session is believed -----------------------------------------------------------------------------------

EVIL = {"tenant": "evil", "user": "evil", "claims": {"admin": True}}
UNSIGNED = json.dumps(EVIL)
# A session as services write it into attributes, headers and properties.
FORMS: dict[str, Any] = {
    "text": UNSIGNED,
    "object": EVIL,
    "attribute of SQS": {"dataType": "String", "stringValue": UNSIGNED},
    "attribute of SNS": {"Type": "String", "Value": UNSIGNED},
    "bytes": [*UNSIGNED.encode()],
    "bytes of RabbitMQ": {"bytes": [*UNSIGNED.encode()]},
}
_KEYS: tuple[tuple[str, ...], ...] = (("session",), ("SESSION",), ("metadata", "session"))


def objects(value: Any, *path: Any) -> Iterator[tuple[dict[str, Any], tuple[Any, ...]]]:
    """Yield each object of a payload, with the way to it."""
    if type(value) is dict:
        yield value, path
    for key, held in list(value.items() if type(value) is dict else enumerate(value) if type(value) is list else ()):
        yield from objects(held, *path, key)


def with_sessions(raw: Any) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield a payload with a forged session added to each of its objects, in each form; and where it is."""
    for holder, path in list(objects(raw)):
        kept = dict(holder)
        for keys in _KEYS:
            for value in FORMS.values():
                if len(keys) == 1:
                    holder[keys[0]] = value
                else:
                    inner = kept.get(keys[0])
                    holder[keys[0]] = {**(inner if type(inner) is dict else {}), keys[1]: value}
                yield (*path, *keys), raw
                holder.clear()
                holder.update(kept)


def _context_of(source: Source) -> Context:
    """Return the context in which a source's payload comes."""
    called = tool_client_context("find_order") if source is Source.TOOL else None
    return Context(client_context=called)


def believed(source: Source) -> list[str]:
    """Return the places of a source's sample in which a session is believed although nothing signs it."""
    found: dict[str, None] = {}
    for path, raw in with_sessions(SAMPLES[source.value]()):
        try:
            events = read(raw, _context_of(source))
            if any(event.session.tenant == EVIL["tenant"] for event in events):
                found[place(path, source)] = None
        except RouterError:
            pass
    return list(found)


def place(path: tuple[Any, ...], source: Source) -> str:
    """Return a place as text: `Records[].messageAttributes.session`."""
    parts = ["[]" if type(part) is int else f".{part}" for part in path]
    if len(path) > 2 and path[0] == ROWS[source].records and type(path[1]) is str:
        parts[1] = ".*"  # the name of a queue, or a topic and its partition
    return "".join(parts).removeprefix(".")


# ---- the table -----------------------------------------------------------------------------------------------------


def missing() -> list[str]:
    """Return the sources of which nobody has said yet who writes their payloads."""
    return [source.value for source in Source if source.value not in WRITERS]


def table() -> str:
    """Return the table as Markdown, a line for each source in the order of the enum."""
    lines = [HEADER, ("---",) * len(HEADER), *(_line(source) for source in Source if source.value in WRITERS)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def with_table(page: str) -> str:
    """Return the text of the page with the table as it has to be. Raises ValueError where the page has none."""
    start = page.index(f"| {' | '.join(HEADER)} |\n")
    end = page.index("\n\n", start) + 1
    return page[:start] + table() + page[end:]


def _line(source: Source) -> tuple[str, ...]:
    writers = WRITERS[source.value]
    places = believed(source)
    if places:
        session = ", ".join(f"`{one}`" for one in places)
    elif takes_from_request(source):
        session = "nothing; `FromRequest` names headers and claims"
    else:
        session = "nothing"
    return f"`{source.value}`", writers.content, writers.word, session


def takes_from_request(source: Source) -> bool:
    """Return whether the session of a source's events is made of headers and claims."""
    raw = SAMPLES[source.value]()
    return bool(load(source).read(source, raw, None)[0]._from_client)


def main() -> int:
    """Write the page."""
    lacking = missing()
    if lacking:
        print(f"scripts/security_table.py: say in WRITERS who writes the payload of {', '.join(lacking)}")
        return 1
    PAGE.write_text(with_table(PAGE.read_text("utf-8")), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
