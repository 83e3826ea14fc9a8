"""Make what brings events of services to the gateway: forwarders, subscriptions, notifications and rules."""

from __future__ import annotations

from json import dumps
from typing import TYPE_CHECKING, Any

from router.local.aws.forwarding import ADDRESS, DIRECT, address, code
from router.local.aws.resources import code_of, url_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from router.local.aws.clients import Clients
    from router.local.aws.names import Names
    from router.local.aws.shapes import FunctionPlan, Plan

EVENTS = "__events"
"""The end of the name of a forwarder for events that come asynchronously. The gateway tries those again, so it answers
at once: the emulator, which tries some of them only once, never has to."""
_RUNTIME = "python3.12"  # MiniStack takes the Python that it runs in
_MOST_S = 900
_ROLE = "junction"


class Deliveries:
    """Makes forwarders, and what calls them.

    clients: of the emulator.
    names: where it is.
    gateway: the URL of the gateway, as the emulator reaches it.
    token: lets forwarders in.
    """

    def __init__(self, clients: Clients, names: Names, gateway: str, token: str) -> None:
        self._clients = clients
        self._names = names
        self._gateway = gateway
        self._token = token
        self._code = code()
        self._subscribed: dict[str, str] = {}  # by name, the ARN of the subscription

    def wanted(self, plan: Plan) -> dict[tuple[str, str], Any]:
        """Return what is made for a plan, by kind and name. What has changed has other settings."""
        functions = {one["part"]: one for one in plan["functions"]}
        found: dict[tuple[str, str], Any] = {}
        for one in plan["functions"]:
            found["function", one["name"]] = {**_function(one), "kind": "RequestResponse"}
            if one["failures"]:
                found["function", one["name"] + EVENTS] = {**_function(one), "kind": "Event"}
        for subscription in plan["subscriptions"]:
            name = subscription["queue"] or functions[subscription["part"] or ""]["name"]
            found["subscription", f"{subscription['topic']} to {name}"] = {**subscription, "function": name}
        for bucket in plan["buckets"]:
            if bucket["notifications"]:
                told = [{**one, "function": functions[one["part"]]["name"]} for one in bucket["notifications"]]
                found["notifications", bucket["name"]] = {"bucket": bucket["name"], "told": told}
        for rule in (one for one in plan["rules"] if one["pattern"] is not None):  # of the others there is a clock
            found["rule", f"{rule['bus']}/{rule['name']}"] = {**rule, "function": functions[rule["part"]]["name"]}
        return found

    def make(self, kind: str, wanted: Any, there: bool) -> None:
        """Make one of what is wanted. there: whether it was made before, with other settings."""
        _MAKE[kind](self, wanted, there)

    def remove(self, kind: str, name: str) -> None:
        """Take away what was made."""
        try:
            _REMOVE[kind](self, name)
        except Exception as error:
            if not _is_missing(error):
                raise

    def _events(self, function: str) -> str:
        return self._names.arn("lambda", f"function:{function}{EVENTS}")

    # ---- forwarders --------------------------------------------------------------------------------------------------

    def _make_function(self, wanted: Any, there: bool) -> None:
        function, kind = wanted["name"], wanted["kind"]
        name = function + (EVENTS if kind == "Event" else "")
        where = address(self._gateway, function, self._token, kind)
        variables = {ADDRESS: where}
        if kind == "Event":
            # Without a process for each: a burst of messages would start as many. Answers are not looked at, so what
            # MiniStack makes of an error there does not matter.
            variables[DIRECT] = where
        settings = {"Timeout": min(wanted["timeout"], _MOST_S), "Environment": {"Variables": variables}}
        client = self._clients("lambda")
        try:
            self._create(name, settings)
        except client.exceptions.ResourceConflictException:
            client.update_function_configuration(FunctionName=name, **settings)
        except client.exceptions.InvalidParameterValueException:
            self._make_role()  # moto asks for it
            self._create(name, settings)
        # Whoever calls the function and does not wait for it gets the tries of the gateway, not those of the emulator.
        if kind == "Event":
            client.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)

    def _create(self, name: str, settings: dict[str, Any]) -> None:
        self._clients("lambda").create_function(
            FunctionName=name,
            Runtime=_RUNTIME,
            Role=f"arn:aws:iam::{self._names.account}:role/{_ROLE}",
            Handler="forward.handler",
            Code={"ZipFile": self._code},
            **settings,
        )

    def _make_role(self) -> None:
        trusted = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        iam = self._clients("iam")
        try:
            iam.create_role(
                RoleName=_ROLE,
                AssumeRolePolicyDocument=dumps({"Version": "2012-10-17", "Statement": [trusted]}),
            )
        except iam.exceptions.EntityAlreadyExistsException:
            return

    def _remove_function(self, name: str) -> None:
        self._clients("lambda").delete_function(FunctionName=name)

    # ---- topics ------------------------------------------------------------------------------------------------------

    def _subscribe(self, wanted: Any, there: bool) -> None:
        name = f"{wanted['topic']} to {wanted['function']}"
        if there:
            self._unsubscribe(name)
        sns, queue, topic = self._clients("sns"), wanted["queue"], self._names.arn("sns", wanted["topic"])
        attributes: dict[str, str] = {}
        if wanted["raw"]:
            attributes["RawMessageDelivery"] = "true"
        if wanted["policy"] is not None:
            attributes |= {"FilterPolicyScope": wanted["scope"], "FilterPolicy": dumps(wanted["policy"])}
        if queue:
            self._let_in(queue)
        self._subscribed[name] = sns.subscribe(
            TopicArn=topic,
            Protocol="sqs" if queue else "lambda",
            Endpoint=self._names.arn("sqs", queue) if queue else self._events(wanted["function"]),
            Attributes=attributes,
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]

    def _let_in(self, queue: str) -> None:
        """Let topics send to a queue, as the policy of a template does."""
        allowed = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": self._names.arn("sqs", queue),
        }
        policy = dumps({"Version": "2012-10-17", "Statement": [allowed]})
        sqs = self._clients("sqs")
        sqs.set_queue_attributes(QueueUrl=url_of(self._clients, queue), Attributes={"Policy": policy})

    def _unsubscribe(self, name: str) -> None:
        if arn := self._subscribed.pop(name, None):
            self._clients("sns").unsubscribe(SubscriptionArn=arn)

    # ---- buckets -----------------------------------------------------------------------------------------------------

    def _notify(self, wanted: Any, there: bool) -> None:
        told: list[dict[str, Any]] = []
        for one in wanted["told"]:
            rules = [{"Name": key, "Value": one[key]} for key in ("prefix", "suffix") if one[key]]
            made: dict[str, Any] = {"LambdaFunctionArn": self._events(one["function"]), "Events": [one["event"]]}
            if rules:
                made["Filter"] = {"Key": {"FilterRules": rules}}
            told.append(made)
        self._put_notifications(wanted["bucket"], told)

    def _put_notifications(self, bucket: str, told: list[dict[str, Any]]) -> None:
        self._clients("s3").put_bucket_notification_configuration(
            Bucket=bucket,
            NotificationConfiguration={"LambdaFunctionConfigurations": told} if told else {},
            SkipDestinationValidation=True,
        )

    def _remove_notifications(self, bucket: str) -> None:
        self._put_notifications(bucket, [])

    # ---- rules ------------------------------------------------------------------------------------------------------

    def _rule(self, wanted: Any, there: bool) -> None:
        events = self._clients("events")
        name, bus, state = wanted["name"], wanted["bus"], "ENABLED" if wanted["enabled"] else "DISABLED"
        events.put_rule(Name=name, EventBusName=bus, State=state, EventPattern=dumps(wanted["pattern"]))
        target = {"Id": "function", "Arn": self._events(wanted["function"])}
        events.put_targets(Rule=name, EventBusName=bus, Targets=[target])

    def _remove_rule(self, name: str) -> None:
        bus, _, rule = name.partition("/")
        events = self._clients("events")
        events.remove_targets(Rule=rule, EventBusName=bus, Ids=["function"])
        events.delete_rule(Name=rule, EventBusName=bus)


def _function(one: FunctionPlan) -> dict[str, Any]:
    return {"name": one["name"], "timeout": one["timeout"]}


def _is_missing(error: BaseException) -> bool:
    """Whether an error says that what is to be removed is not there."""
    code = code_of(error)
    return any(word in code for word in ("NotFound", "NoSuch", "NonExist"))


_MAKE: dict[str, Callable[[Deliveries, Any, bool], None]] = {
    "function": Deliveries._make_function,
    "subscription": Deliveries._subscribe,
    "notifications": Deliveries._notify,
    "rule": Deliveries._rule,
}
_REMOVE: dict[str, Callable[[Deliveries, str], None]] = {
    "function": Deliveries._remove_function,
    "subscription": Deliveries._unsubscribe,
    "notifications": Deliveries._remove_notifications,
    "rule": Deliveries._remove_rule,
}
