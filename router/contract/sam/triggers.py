"""Mappings, subscriptions, rules and schedules, and the permissions of services to call a function."""

from __future__ import annotations

from json import dumps, loads
from typing import TYPE_CHECKING

from router.contract.declarations import Bucket, Bus, Kafka, Mapped, Queue, Schedule, Table, Topic
from router.contract.filtering import topics_of
from router.contract.names import arn, logical, physical
from router.contract.sam.document import attribute, called, called_arn, function_id, literal, resource_id, sub
from router.contract.sam.functions import FAILED
from router.contract.sam.resources import permission_id
from router.env import Env

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from router.contract.declarations import Resource
    from router.contract.model import Part, Trigger
    from router.contract.sam.document import Document

_PARTIAL = ["ReportBatchItemFailures"]
_TRIES = 10  # of a batch of Kafka, where a mapping has no number of its own


def add_triggers(document: Document) -> None:
    """Add what brings events of resources to functions."""
    for part, trigger in document.infrastructure.triggers:
        add = next((add for kind, add in _ADD.items() if isinstance(trigger.resource, kind)), None)
        if add is not None:
            add(document, part, trigger)
    _subscribe_queues(document)


# ---- event source mappings -------------------------------------------------------------------------------------------


def _add_mapping(document: Document, part: Part, trigger: Trigger, properties: dict[str, Any]) -> None:
    resource = trigger.resource
    filtered = next((one.found for one in trigger.filters if one.applies and one.place == "mapping"), None)
    if filtered is not None:
        properties["FilterCriteria"] = literal(filtered.criteria)
    document.add(
        f"{resource_id(resource)}Mapping",
        "AWS::Lambda::EventSourceMapping",
        {"FunctionName": called(part), **properties},
        f"the mapping of {resource}",
    )


def _queue(document: Document, part: Part, trigger: Trigger) -> None:
    queue: Queue = trigger.resource  # type: ignore[assignment]
    properties: dict[str, Any] = {
        "EventSourceArn": sub(arn(queue)) if queue.exists else attribute(resource_id(queue), "Arn"),
        "BatchSize": queue.batch_size,
        "FunctionResponseTypes": _PARTIAL,
    }
    if queue.window:
        properties["MaximumBatchingWindowInSeconds"] = queue.window
    if queue.maximum_concurrency is not None:
        properties["ScalingConfig"] = {"MaximumConcurrency": queue.maximum_concurrency}
    _add_mapping(document, part, trigger, properties)


def _stream(document: Document, part: Part, trigger: Trigger) -> None:
    stream: Mapped = trigger.resource  # type: ignore[assignment]
    properties = _read_in_order(stream)
    if isinstance(stream, Table):
        if stream.exists:
            return  # the ARN of its stream has the moment in it when the stream was made
        properties["EventSourceArn"] = attribute(resource_id(stream), "StreamArn")
    else:
        properties["EventSourceArn"] = sub(arn(stream)) if stream.exists else attribute(resource_id(stream), "Arn")
    properties["BisectBatchOnFunctionError"] = stream.bisect
    properties["FunctionResponseTypes"] = _PARTIAL
    properties["ParallelizationFactor"] = stream.parallel
    _add_mapping(document, part, trigger, properties)


def _kafka(document: Document, part: Part, trigger: Trigger) -> None:
    topic: Kafka = trigger.resource  # type: ignore[assignment]
    properties = _read_in_order(topic)
    properties["Topics"] = [physical(topic)]
    partial = any(route.partial for route in trigger.routes)
    # Without pollers of its own a mapping with a destination for failures gives up after ten tries, and takes no number
    # of them (AWS Lambda Developer Guide, "Configuring error handling controls for Kafka event sources").
    pollers = max(topic.pollers, 1) if partial or topic.attempts != _TRIES else topic.pollers
    if pollers:
        properties["ProvisionedPollerConfig"] = {"MinimumPollers": pollers}
    else:
        del properties["MaximumRetryAttempts"]
    group = {"ConsumerGroupId": topic.group} if topic.group else {}
    if any(route.queue for route in trigger.routes):  # a share group knows no position and no window
        group["ConsumptionMode"] = "Queue"
        del properties["StartingPosition"]
        properties.pop("MaximumBatchingWindowInSeconds", None)
    access = [{"Type": "VPC_SUBNET", "URI": f"subnet:{one}"} for one in topic.subnets]
    access += [{"Type": "VPC_SECURITY_GROUP", "URI": f"security_group:{one}"} for one in topic.security_groups]
    if topic.cluster:
        properties["EventSourceArn"] = sub(topic.cluster)
        if group:
            properties["AmazonManagedKafkaEventSourceConfig"] = group
    else:
        properties["SelfManagedEventSource"] = {"Endpoints": {"KafkaBootstrapServers": list(topic.servers)}}
        if group:
            properties["SelfManagedKafkaEventSourceConfig"] = group
    if topic.secret:
        access.append({"Type": "SASL_SCRAM_512_AUTH", "URI": sub(topic.secret)})
    if access:
        properties["SourceAccessConfigurations"] = access
    if partial:
        properties["FunctionResponseTypes"] = _PARTIAL
    _add_mapping(document, part, trigger, properties)


def _read_in_order(mapped: Mapped) -> dict[str, Any]:
    held: dict[str, Any] = {
        "BatchSize": mapped.batch_size,
        "StartingPosition": mapped.position,
        "MaximumRetryAttempts": mapped.attempts,
        "DestinationConfig": {"OnFailure": {"Destination": attribute(FAILED, "Arn")}},
    }
    if mapped.window:
        held["MaximumBatchingWindowInSeconds"] = mapped.window
    return held


# ---- what calls ------------------------------------------------------------------------------------------------------


def permit(document: Document, part: Part, resource: Resource, service: str, source: Any) -> str:
    """Let a service call a function, for one source of events, and return the logical id of the permission."""
    return document.add(
        permission_id(part, resource),
        "AWS::Lambda::Permission",
        {
            "Action": "lambda:InvokeFunction",
            "FunctionName": called(part),
            "Principal": service,
            "SourceArn": source,
            **({"SourceAccount": {"Ref": "AWS::AccountId"}} if service == "s3.amazonaws.com" else {}),
        },
        f"the permission of {resource}",
    )


def _topic(document: Document, part: Part, trigger: Trigger) -> None:
    topic: Topic = trigger.resource  # type: ignore[assignment]
    source = sub(arn(topic)) if topic.exists else {"Ref": resource_id(topic)}
    permit(document, part, topic, "sns.amazonaws.com", source)
    document.add(
        f"{resource_id(topic)}To{function_id(part)}",
        "AWS::SNS::Subscription",
        {
            "TopicArn": source,
            "Protocol": "lambda",
            "Endpoint": called_arn(part),
            **_filter_policy([trigger]),
        },
        f"the subscription to {topic}",
    )


def _filter_policy(triggers: Iterable[Trigger]) -> dict[str, Any]:
    """Return the properties of a subscription that say which messages it takes; none where it takes all."""
    for one in (filtering for trigger in triggers for filtering in trigger.filters):
        if one.applies and one.place == "subscription":
            return {"FilterPolicyScope": one.found.scope, "FilterPolicy": literal(loads(one.found.patterns[0]))}
    return {}


def _bucket(document: Document, part: Part, trigger: Trigger) -> None:
    # By its name: the bucket itself waits for this.
    permit(document, part, trigger.resource, "s3.amazonaws.com", sub(arn(trigger.resource)))


def _bus(document: Document, part: Part, trigger: Trigger) -> None:
    bus = trigger.resource
    for number, rule in enumerate(trigger.rules, 1):
        name = f"{resource_id(bus)}{logical(part.name)}Rule{number}"
        document.add(
            name,
            "AWS::Events::Rule",
            {
                **({} if physical(bus) == "default" else {"EventBusName": sub(physical(bus))}),
                "EventPattern": _filled(rule, part.variables),
                "Targets": [{"Id": "function", "Arn": called_arn(part)}],
            },
            f"a rule of {bus}",
            **({} if bus.exists else {"DependsOn": [resource_id(bus)]}),
        )
        document.add(
            f"{name}Permission",
            "AWS::Lambda::Permission",
            {
                "Action": "lambda:InvokeFunction",
                "FunctionName": called(part),
                "Principal": "events.amazonaws.com",
                "SourceArn": attribute(name, "Arn"),
            },
            f"the permission of a rule of {bus}",
        )


def _filled(pattern: Any, variables: Mapping[str, str]) -> Any:
    """Return an event pattern with the values of variables in the place of names from the environment."""
    if isinstance(pattern, Env):
        return sub(variables.get(pattern.variable, str(pattern)))
    if isinstance(pattern, dict):
        return {key: _filled(value, variables) for key, value in pattern.items()}
    return [_filled(value, variables) for value in pattern] if isinstance(pattern, list) else literal(pattern)


def _schedule(document: Document, part: Part, trigger: Trigger) -> None:
    schedule: Schedule = trigger.resource  # type: ignore[assignment]
    if schedule.exists:
        service = "scheduler" if schedule.is_scheduler else "events"
        permit(document, part, schedule, f"{service}.amazonaws.com", sub(arn(schedule)))
        return
    if schedule.is_scheduler:
        _add_scheduler(document, part, schedule)
        return
    target: dict[str, Any] = {"Id": "function", "Arn": called_arn(part)}
    rule = document.add(
        resource_id(schedule),
        "AWS::Events::Rule",
        {
            "Name": sub(physical(schedule)),
            "ScheduleExpression": schedule.expression,
            "State": "ENABLED" if schedule.enabled else "DISABLED",
            "Targets": [target],
        },
        str(schedule),
    )
    permit(document, part, schedule, "events.amazonaws.com", attribute(rule, "Arn"))


def _add_scheduler(document: Document, part: Part, schedule: Schedule) -> None:
    made_for = str(schedule)
    trusted = {"Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole"}
    function = called_arn(part)
    allowed = {"Effect": "Allow", "Action": ["lambda:InvokeFunction"], "Resource": [function]}
    role = document.add(
        f"{resource_id(schedule)}Role",
        "AWS::IAM::Role",
        {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trusted]},
            "Policies": [{"PolicyName": "invoke", "PolicyDocument": {"Version": "2012-10-17", "Statement": [allowed]}}],
        },
        made_for,
    )
    # Scheduler sends what the input says and nothing else: these are the words by which the event is known.
    told = {
        "source": "aws.scheduler",
        "detail-type": "Scheduled Event",
        "resources": ["<aws.scheduler.schedule-arn>"],
        "time": "<aws.scheduler.scheduled-time>",
        "id": "<aws.scheduler.execution-id>",
        "detail": dict(schedule.payload or {}),
    }
    sent = dumps(told, sort_keys=True)
    document.add(
        resource_id(schedule),
        "AWS::Scheduler::Schedule",
        {
            "Name": sub(physical(schedule)),
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ScheduleExpression": schedule.expression,
            **({"ScheduleExpressionTimezone": schedule.timezone} if schedule.timezone else {}),
            "State": "ENABLED" if schedule.enabled else "DISABLED",
            "Target": {
                "Arn": function,
                "RoleArn": attribute(role, "Arn"),
                "Input": literal(sent),
            },
        },
        made_for,
    )


_ADD: dict[type[Resource], Callable[[Document, Part, Trigger], None]] = {
    Queue: _queue,
    Kafka: _kafka,
    Mapped: _stream,
    Topic: _topic,
    Bucket: _bucket,
    Bus: _bus,
    Schedule: _schedule,
}


# ---- queues of topics ------------------------------------------------------------------------------------------------


def _subscribe_queues(document: Document) -> None:
    """Subscribe queues to the topics whose envelopes they take, and let the topics send to them."""
    topics = {one.name: one for one in document.infrastructure.of_kind("topic")}
    for queue in (one for one in document.infrastructure.resources if isinstance(one, Queue)):
        fed = [trigger for _, trigger in document.infrastructure.triggers if trigger.resource is queue]
        sources = {}
        for name in topics_of(queue, (route for trigger in fed for route in trigger.routes)):
            if "*" in name:
                continue
            topic = topics.get(name) or Topic(name, exists=True)
            sources[name] = sub(arn(topic)) if topic.exists else {"Ref": resource_id(topic)}
        if not sources or queue.exists:
            continue
        for name, source in sources.items():
            document.add(
                f"{logical(name)}To{resource_id(queue)}",
                "AWS::SNS::Subscription",
                {
                    "TopicArn": source,
                    "Protocol": "sqs",
                    "Endpoint": attribute(resource_id(queue), "Arn"),
                    **({"RawMessageDelivery": True} if queue.raw else {}),
                    **_filter_policy(fed),
                },
                f"the subscription of {queue} to the topic {name}",
            )
        document.add(
            f"{resource_id(queue)}Policy",
            "AWS::SQS::QueuePolicy",
            {
                "Queues": [{"Ref": resource_id(queue)}],
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "sns.amazonaws.com"},
                            "Action": "sqs:SendMessage",
                            "Resource": attribute(resource_id(queue), "Arn"),
                            "Condition": {"ArnEquals": {"aws:SourceArn": list(sources.values())}},
                        }
                    ],
                },
            },
            f"the policy of {queue}",
        )
