"""Find what brings events in a template: events of SAM functions, and resources that stand for themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.contract.checking.deployed import Delivery
from router.contract.checking.globs import ANY
from router.contract.checking.integrations import function_of_route
from router.contract.checking.requests import ALL, HTTP, requests, websockets
from router.contract.checking.structure import entries, listed, mapping
from router.env import name_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from router.contract.checking.deployed import Deployed, Template

# Events of SAM: the source, the property that names what they come from, whether Lambda polls for it.
_EVENTS = {
    "SQS": ("sqs", "Queue", True),
    "DynamoDB": ("dynamodb", "Stream", True),
    "Kinesis": ("kinesis", "Stream", True),
    "MSK": ("kafka", "Topics", True),
    "SelfManagedKafka": ("kafka", "Topics", True),
    "SNS": ("sns", "Topic", False),
    "S3": ("s3", "Bucket", False),
    "EventBridgeRule": ("eventbridge", "Pattern", False),
    "CloudWatchEvent": ("eventbridge", "Pattern", False),
    "Schedule": ("schedule", "Name", False),
    "ScheduleV2": ("schedule", "Name", False),
}
# Who is permitted to call a function, and what it brings.
_BY_PRINCIPAL = {
    "s3.amazonaws.com": ("s3",),
    "sns.amazonaws.com": ("sns",),
    "events.amazonaws.com": ("eventbridge", "schedule"),
    "apigateway.amazonaws.com": (HTTP, "websocket"),
    "elasticloadbalancing.amazonaws.com": (HTTP,),
    "vpc-lattice.amazonaws.com": (HTTP,),
}
_BY_ARN = {"sqs": "sqs", "dynamodb": "dynamodb", "kinesis": "kinesis", "kafka": "kafka"}
_BY_TYPE = {
    "AWS::SQS::Queue": "sqs",
    "AWS::DynamoDB::Table": "dynamodb",
    "AWS::Serverless::SimpleTable": "dynamodb",
    "AWS::Kinesis::Stream": "kinesis",
}


def deliveries_of(template: Template) -> list[Delivery]:
    """Return everything that brings events to the functions of a template."""
    found = [one for function in template.functions for one in _of_serverless(template, function)]
    for find in (_mappings, _subscriptions, _notifications, _rules, _schedules, _websocket_routes, requests):
        found += find(template)
    return [*found, *_permissions(template, {one.source for one in found})]


def _of_serverless(template: Template, function: Deployed) -> Iterator[Delivery]:
    for name, event in mapping(function.properties.get("Events")).items():
        kind, settings = mapping(event).get("Type"), mapping(mapping(event).get("Properties"))
        if kind not in _EVENTS:
            continue
        source, key, is_mapping = _EVENTS[kind]
        if kind == "SNS" and settings.get("SqsSubscription") not in (None, "false"):  # by a queue, which SAM makes
            source, key, is_mapping = "sqs", "QueueArn", True
            settings = mapping(settings["SqsSubscription"])
        place, label = template.place(function.logical, "Properties", "Events", name), f"{function.logical}.{name}"
        if kind in ("Schedule", "ScheduleV2"):
            named = template.references.text(settings.get("Name", ANY))
            yield Delivery(source, function.logical, named, None, place, label, settings)
            continue
        if source == "eventbridge":
            names = _detail_types(settings.get(key))
        elif source == "kafka":
            names = [template.references.text(one) for one in _topics(settings.get(key))]
        else:
            names = [_named(template, settings.get(key))]
        resource = None if source in ("eventbridge", "kafka") else template.references.logical_of(settings.get(key))
        for one in names:
            yield Delivery(source, function.logical, one, resource, place, label, settings, is_mapping)


def _mappings(template: Template) -> Iterator[Delivery]:
    for logical, held in template.of_type("AWS::Lambda::EventSourceMapping"):
        function = template.function_of(held.get("FunctionName"))
        place = template.place(logical)
        if topics := held.get("Topics"):
            for topic in _topics(topics):
                name = template.references.text(topic)
                yield Delivery("kafka", function, name, None, place, logical, held, is_mapping=True)
            continue
        arn = held.get("EventSourceArn")
        resource = template.references.logical_of(arn)
        source = _source(template, resource, template.references.text(arn))
        if source:
            name = _named(template, arn)
            yield Delivery(source, function, name, resource, place, logical, held, is_mapping=True)


def _topics(value: Any) -> list[Any]:
    """Return the topics of a mapping; any, where only the deployment tells them."""
    return value if isinstance(value, list) else [ANY]


def _source(template: Template, resource: str | None, arn: str) -> str:
    """Return the source that a mapping polls: `*` where only the deployment tells it, "" for none of ours."""
    if resource is not None and (kind := template.resources[resource].get("Type", "")) in _BY_TYPE:
        return _BY_TYPE[kind]
    parts = arn.split(":")
    service = parts[2] if len(parts) > 2 else ANY
    return ANY if ANY in service else _BY_ARN.get(service, "")


def _subscriptions(template: Template) -> Iterator[Delivery]:
    for logical, held in template.of_type("AWS::SNS::Subscription"):
        if held.get("Protocol") == "lambda":
            yield _pushed(template, "sns", held.get("Endpoint"), held.get("TopicArn"), logical, held)
    for logical, held in template.of_type("AWS::SNS::Topic"):
        for one in entries(held.get("Subscription")):
            if one.get("Protocol") == "lambda":
                yield _pushed(template, "sns", one.get("Endpoint"), {"Ref": logical}, logical, one)


def _notifications(template: Template) -> Iterator[Delivery]:
    for logical, held in template.of_type("AWS::S3::Bucket"):
        for one in entries(mapping(held.get("NotificationConfiguration")).get("LambdaConfigurations")):
            yield _pushed(template, "s3", one.get("Function"), {"Ref": logical}, logical, one)


def _rules(template: Template) -> Iterator[Delivery]:
    for logical, held in template.of_type("AWS::Events::Rule"):
        targets = {_target(template, one.get("Arn")): "RoleArn" in one for one in entries(held.get("Targets"))}
        for function, has_role in targets.items():
            if function == "":
                continue
            service = "" if has_role else "events.amazonaws.com"
            place = template.place(logical)
            if held.get("ScheduleExpression"):
                name = template.references.name(logical)
                yield Delivery("schedule", function, name, logical, place, logical, held, principal=service)
            for name in _detail_types(held.get("EventPattern")) if held.get("EventPattern") else ():
                yield Delivery("eventbridge", function, name, logical, place, logical, held, principal=service)


def _schedules(template: Template) -> Iterator[Delivery]:
    for logical, held in template.of_type("AWS::Scheduler::Schedule"):
        function = _target(template, mapping(held.get("Target")).get("Arn"))
        if function != "":
            name = template.references.name(logical)
            yield Delivery("schedule", function, name, logical, template.place(logical), logical, held)


def _websocket_routes(template: Template) -> Iterator[Delivery]:
    apis = websockets(template)
    for logical, held in template.of_type("AWS::ApiGatewayV2::Route"):
        if template.references.logical_of(held.get("ApiId")) in apis:
            name = template.references.text(held.get("RouteKey"))
            function = function_of_route(template, held)
            yield Delivery("websocket", function, name, logical, template.place(logical), logical, held)


def _permissions(template: Template, there: set[str]) -> Iterator[Delivery]:
    """Return what may call a function, where the trigger itself is made elsewhere: by hand, or by a resource of CDK.

    there: the sources of the triggers that the template makes.
    """
    by_custom = any(True for _ in template.of_type("Custom::S3BucketNotifications"))
    for logical, held in template.of_type("AWS::Lambda::Permission"):
        sources = _BY_PRINCIPAL.get(template.references.text(held.get("Principal")), ())
        origin = held.get("SourceArn")
        resource = template.references.logical_of(origin)
        if resource is not None and not (by_custom and "s3" in sources):
            continue  # it tells for itself
        if not there.isdisjoint(sources) and (origin is None or HTTP in sources):
            continue  # it is for those
        for source in sources:
            named = ANY if len(sources) > 1 or origin is None else _named(template, origin)
            name = ALL if source == HTTP else named
            function, place = template.function_of(held.get("FunctionName")), template.place(logical)
            yield Delivery(source, function, name, resource, place, logical, held, is_told=False)


def _pushed(
    template: Template, source: str, function: Any, origin: Any, logical: str, settings: Mapping[str, Any]
) -> Delivery:
    name = _named(template, origin)
    resource = template.references.logical_of(origin)
    called, place, service = template.function_of(function), template.place(logical), f"{source}.amazonaws.com"
    return Delivery(source, called, name, resource, place, logical, settings, principal=service)


def _target(template: Template, value: Any) -> str | None:
    """Return the function that a target is; None for one that cannot be told, "" for what is no function."""
    logical = template.references.logical_of(value)
    if logical is not None and all(one.logical != logical for one in template.functions):
        return ""
    return template.function_of(value)


def _named(template: Template, value: Any) -> str:
    """Return the name of what a value refers to, out of a URL or an ARN."""
    return name_in(template.references.text(value)) or ANY


def _detail_types(pattern: Any) -> list[str]:
    """Return the detail types of an event pattern, `*` for what may be several."""
    return [matcher(one) for one in listed(mapping(pattern).get("detail-type"))] or [ANY]


def matcher(one: Any) -> str:
    """Return the names that a matcher of an event pattern takes, with `*`."""
    if isinstance(one, str):
        return one
    if isinstance(one, dict):
        if isinstance(one.get("prefix"), str):
            return f"{one['prefix']}*"
        if isinstance(one.get("suffix"), str):
            return f"*{one['suffix']}"
        if isinstance(one.get("wildcard"), str):
            return str(one["wildcard"])
    return ANY


def by_function(template: Template, function: Deployed, found: Iterable[Delivery]) -> list[Delivery]:
    """Return what brings events to one function, and what may."""
    return [one for one in found if one.function in (None, function.logical)]
