"""Names of every kind in every field: an error that says where, or a template that means what was written."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from types import ModuleType
from typing import Any

import cfnlint.api
import pytest
from cfnlint.decode.cfn_yaml import loads

from router import ConfigurationError, Env, Event, Resolver
from router.contract import (
    Bucket,
    Bus,
    Function,
    HttpApi,
    Kafka,
    Queue,
    RestApi,
    Schedule,
    Stack,
    Stream,
    Table,
    Task,
    Topic,
    WebSocketApi,
)
from router.contract.merging import marked
from router.contract.sam import template
from router.contract.yaml_text import write
from router.environment import SQS, DynamoDB

TEXTS = [
    *("${AWS::Region}", "${x}", "${!x}", "no", "1e3", ": ", "a: b", "!x", "&a", "*b", "Fn::Sub", "é", "x" * 300, "😀"),
    *("a b", "'", '"', "#", "%", "{a", "- a", "<<", "~", "012", "2026-01-01"),
]
BROKEN = [*TEXTS, "a\nb", "a\x00b", "\u2028", "a/b/../c"]

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def made() -> Iterator[tuple[Resolver, Make]]:
    """Return an application, and what makes a template of it with declarations."""
    module = ModuleType("hostile_app")
    module.resolver = resolver = Resolver()  # type: ignore[attr-defined]
    sys.modules["hostile_app"] = module

    def make(*declared: Any, split: str = "function", name: str = "shop") -> dict[str, Any]:
        return template(Stack("hostile_app:resolver", *declared, name=name).infrastructure(split))

    yield resolver, make
    del sys.modules["hostile_app"]


def take(event: Event) -> None: ...


PLACE = rf"\(\S*test_hostile_names\.py:{take.__code__.co_firstlineno}\)"


def plain(value: Any) -> Any:
    """Return a value with `Fn::Sub` filled in, where nothing but `${!` is in it."""
    if isinstance(value, dict) and list(value) == ["Fn::Sub"]:
        text: str = value["Fn::Sub"].replace("${!", "$\0")
        assert "${" not in text
        return text.replace("$\0", "${")
    return value


# ---- names that AWS refuses ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("kind", ["queue", "topic", "object", "stream", "task", "schedule", "kafka", "topics", "env"])
def test_a_route_with_a_name_that_aws_does_not_take_is_named_with_its_line(
    made: tuple[Resolver, Make], kind: str, name: str
) -> None:
    resolver, make = made
    taken = {"no", "1e3", "012", "2026-01-01", *(["x" * 300] if kind == "env" else [])}
    if name in taken and kind not in ("stream", "schedule", "kafka"):
        return
    try:
        if kind == "topics":
            resolver.on_queue("q", topics=[name])(take)
        else:
            register = resolver.on_queue if kind == "env" else getattr(resolver, f"on_{kind}")
            register(Env(name) if kind == "env" else name)(take)
    except ConfigurationError:
        return  # refused where it is written, which Python's traceback shows
    if "*" in name and kind != "env":
        return  # a pattern, which names nothing that is made
    with pytest.raises(ConfigurationError, match=PLACE) as refused:
        make()
    assert len(str(refused.value).split("\n")) == 2, "a name may not break the lines of a message"


@pytest.mark.parametrize(
    ("declare", "said"),
    [
        (lambda: Queue("q" * 80), r"queue q+: QueueName q+-dead has 85 characters, and AWS takes 80"),
        (lambda: Queue(variable="Q" * 80), r"queue Q+: QueueName shop-q+-dead has 90 characters"),
        (lambda: Schedule("s" * 65, "rate(1 day)"), "AWS takes no such name for a schedule"),
        (lambda: Bucket(variable="B" * 60), r"bucket B+: BucketName shop-b+ has 65 characters, and AWS takes 63"),
        (lambda: Function(variables={"A": "${Nothing}"}), r"\$\{Nothing\} is neither a parameter nor a resource"),
        (lambda: Function(variables={"A": "x" * 2000, "B": "y" * 2000, "C": "z" * 2000}), "have 6,003 bytes, and La"),
        (lambda: Task("export", image="${Repository}:1"), r"task export: \$\{Repository\} is neither"),
    ],
)
def test_names_that_are_too_long_or_name_nothing(made: tuple[Resolver, Make], declare: Any, said: str) -> None:
    resolver, make = made
    resolver.on_task("export")(take)
    with pytest.raises(ConfigurationError, match=said):
        make(declare())


def test_a_bucket_with_the_name_of_a_stack_in_capitals(made: tuple[Resolver, Make]) -> None:
    with pytest.raises(ConfigurationError, match=r"no such name for a bucket: 'Shop-files'; use 3 to 63 small"):
        made[1](Bucket(variable="FILES"), name="Shop")


def test_variables_that_would_share_a_parameter_or_the_name_of_a_resource(made: tuple[Resolver, Make]) -> None:
    resolver, make = made
    resolver.get("/a", requires={"A_B": [DynamoDB.GET_ITEM]})(lambda: 1)
    resolver.get("/b", requires={"A__B": [DynamoDB.GET_ITEM]})(lambda: 1)
    with pytest.raises(ConfigurationError, match=r"variables A_B and A__B: .*GET /b \(.*both would be"):
        make()


def test_a_variable_with_the_name_of_a_resource(made: tuple[Resolver, Make]) -> None:
    resolver, make = made
    resolver.on_queue("q", requires={"Q_QUEUE": [SQS.SEND_MESSAGE]})(take)
    with pytest.raises(ConfigurationError, match=rf"variable Q_QUEUE: .*{PLACE}: its parameter QQueue would"):
        make()


def test_a_variable_with_the_name_of_the_parameter_for_images(made: tuple[Resolver, Make]) -> None:
    resolver, make = made
    resolver.on_task("export", requires={"TASK_IMAGE": []})(lambda event: None)
    with pytest.raises(ConfigurationError, match="would be the parameter TaskImage, which is of the image"):
        make()


def test_two_resources_of_one_variable() -> None:
    with pytest.raises(ConfigurationError, match=r"Topic\(b\): variable='JOBS' is that of queue a, too"):
        Stack("a:b", Queue("a", variable="JOBS"), Topic("b", variable="JOBS"))


# ---- texts that AWS takes as they are --------------------------------------------------------------------------------


def test_texts_that_mean_something_to_yaml_or_cloudformation_are_taken_as_they_are(
    made: tuple[Resolver, Make],
) -> None:
    resolver, make = made
    texts = [text for text in TEXTS if len(text) < 256 and "*" not in text]
    for number, text in enumerate(texts):
        resolver.on_bus(text, source=text)(take)
        resolver.on_object(f"bucket{number}", events=["ObjectCreated:*"], prefix=text, suffix=text)(take)
        resolver.on_message(text)(take)
    resolver.on_task("export")(take)
    resolver.on_schedule("nightly")(take)
    declared = [
        Task("export", command=tuple(texts)),
        Schedule("nightly", "rate(1 day)", payload={text: text for text in texts}),
        Function(variables={f"V{n}": text.replace("${", "${!") for n, text in enumerate(texts)}),
    ]
    ours = make(*declared)
    text = write(marked(ours))
    assert [str(one) for one in cfnlint.api.lint(text)] == []
    read = json.loads(json.dumps(loads(text)))["Resources"]
    held: dict[str, list[Any]] = {}
    for one in read.values():
        held.setdefault(one["Type"], []).append(one["Properties"])
    rules = [one["EventPattern"] for one in held["AWS::Events::Rule"]]
    assert [plain(one["detail-type"][0]) for one in rules] == texts
    assert [plain(one["source"][0]) for one in rules] == texts
    told = [one["NotificationConfiguration"]["LambdaConfigurations"][0] for one in held["AWS::S3::Bucket"]]
    assert [plain(one["Filter"]["S3Key"]["Rules"][0]["Value"]) for one in told] == texts
    assert {plain(one["RouteKey"]) for one in held["AWS::ApiGatewayV2::Route"]} >= set(texts)
    container = held["AWS::ECS::TaskDefinition"][0]["ContainerDefinitions"][0]
    assert [plain(one) for one in container["EntryPoint"] + container["Command"]] == texts
    payload = json.loads(plain(held["AWS::Scheduler::Schedule"][0]["Target"]["Input"]))["detail"]
    assert payload == {text: text for text in texts}
    variables = held["AWS::Serverless::Function"][0]["Environment"]["Variables"]
    assert [plain(variables[f"V{number}"]).replace("${!", "${") for number in range(len(texts))] == [
        text.replace("${!", "${") for text in texts
    ]


def test_route_keys_that_differ_in_signs_or_capitals_alone_are_routes_of_their_own(
    made: tuple[Resolver, Make],
) -> None:
    resolver, make = made
    keys = {"say", "Say", "say-it", "say_it", "default", "connect", "é"}
    for key in keys:
        resolver.on_message(key)(take)
    resolver.on_message("*")(take)
    routes = [one for one in make()["Resources"].values() if one["Type"] == "AWS::ApiGatewayV2::Route"]
    assert {one["Properties"]["RouteKey"] for one in routes} == {*keys, "$default", "$connect", "$disconnect"}


# ---- declarations ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, 5, 1.5, b"x", ["a", 1], {"a": object()}, object(), "a\nb", "x" * 3000])
@pytest.mark.parametrize(
    ("kind", "field"),
    [
        *((Queue, one) for one in ("name", "variable", "exists", "fifo", "topics", "raw", "dead_letter", "retention")),
        *((Table, one) for one in ("pk", "ttl", "definition", "stream", "position", "bisect")),
        *((Kafka, one) for one in ("cluster", "servers", "secret", "subnets", "group")),
        *((Schedule, one) for one in ("expression", "timezone", "payload", "enabled")),
        *((Task, one) for one in ("image", "command", "cpu")),
        *((Function, one) for one in ("name", "runtime", "architecture", "variables", "layers", "log_retention")),
        *((Function, one) for one in ("tenant_isolation", "snap_start", "tracing", "durable")),
        *((HttpApi, one) for one in ("authorizer", "identity", "origins", "cached")),
        *((RestApi, one) for one in ("stage", "binary")),
        *((WebSocketApi, one) for one in ("selection", "stage")),
    ],
)
def test_a_value_of_another_type_is_refused_or_taken_but_never_an_error_of_python(
    kind: Any, field: str, value: object
) -> None:
    given = {"name": "aaa", **({"expression": "rate(1 day)"} if kind is Schedule else {})}
    given |= {"cluster": "arn:aws:kafka:a:b"} if kind is Kafka else {}
    fits = {
        *((name, "None") for name in ("fifo", "definition", "payload")),
        *((name, "5") for name in ("dead_letter", "durable", "log_retention", "cached")),
    }
    refused = pytest.raises(ConfigurationError, match=rf"\A{kind.__name__}\(.*\): [^\n]*\Z")
    with nullcontext() if (field, repr(value)) in fits else refused:
        kind(**{**given, field: value})


@pytest.mark.parametrize(
    ("expression", "is_one"),
    [
        ("rate(1 day)", True),
        ("rate(5 minutes)", True),
        ("rate(1 days)", False),
        ("rate(5 minute)", False),
        ("rate(0 days)", False),
        ("rate(1 month)", False),
        ("cron(0 2 * * ? *)", True),
        ("cron(0/15 8-17 ? * MON-FRI *)", True),
        ("cron(0 9 ? * 2#1 *)", True),
        ("cron(0 2 * * *)", False),
        ("cron()", False),
        ("at(2030-01-31T12:00:00)", True),
        ("at(tomorrow)", False),
        ("", False),
        ("rate(1 day) ", False),
    ],
)
def test_expressions_of_schedules(expression: str, is_one: bool) -> None:
    if is_one:
        Schedule("s", expression)
        return
    with pytest.raises(ConfigurationError, match=r"expression= is rate"):
        Schedule("s", expression)


# ---- triggers that do not go together --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("register", "declared", "said"),
    [
        (lambda one: one.on_queue("q"), (), "no event source mapping can call such a function"),
        (lambda one: one.on_stream("s"), (Stream("s"),), "no event source mapping can call such a function"),
        (lambda one: one.on_topic("t"), (), "topic t names no tenant"),
        (lambda one: one.on_object("files"), (), "bucket files names no tenant"),
        (lambda one: one.on_bus("x"), (Bus("b"),), "bus b names no tenant"),
        (lambda one: one.on_schedule("s"), (Schedule("s", "rate(1 day)"),), "schedule s names no tenant"),
        (lambda one: one.get("/x"), (), "HttpApi names no tenant"),
        (lambda one: one.on_message("x"), (), "WebSocketApi names no tenant"),
    ],
)
def test_what_cannot_name_a_tenant_does_not_trigger_a_function_that_isolates_them(
    made: tuple[Resolver, Make], register: Any, declared: tuple[Any, ...], said: str
) -> None:
    resolver, make = made
    register(resolver)(take)
    with pytest.raises(ConfigurationError, match=rf"{PLACE}: main has tenant isolation, and .*{said}"):
        make(Function(tenant_isolation=True), *declared)


def test_a_rest_api_may_call_a_function_that_isolates_tenants(made: tuple[Resolver, Make]) -> None:
    resolver, make = made
    resolver.get("/x")(take)
    make(Function(tenant_isolation=True), RestApi())
    notes = Stack("hostile_app:resolver", Function(tenant_isolation=True), RestApi()).infrastructure().notes
    assert "X-Amz-Tenant-Id" in str(notes[0])


def test_a_queue_that_two_functions_want_names_both_routes(made: tuple[Resolver, Make]) -> None:
    resolver, make = made
    resolver.on_queue("orders", function="a")(take)
    resolver.on_queue("order*", function="b")(lambda event: None)
    with pytest.raises(ConfigurationError, match=rf"queue orders has one function, .* a with .*{PLACE}, b with "):
        make()


@pytest.mark.parametrize(
    ("options", "more", "said"),
    [
        (
            {"partial": True},
            {},
            rf"{PLACE}, kafka pay {PLACE}: kafka pay has one mapping, and partial=True stands on one",
        ),
        ({"queue": True}, {"queue": True}, rf"{PLACE}: queue=True is for servers="),
    ],
)
def test_two_routes_that_want_different_settings_of_one_mapping(
    made: tuple[Resolver, Make], options: Any, more: Any, said: str
) -> None:
    resolver, make = made
    resolver.on_kafka("pay", pattern={"body": {"kind": ["a"]}}, **options)(take)
    resolver.on_kafka("pay", pattern={"body": {"kind": ["b"]}}, **more)(take)
    with pytest.raises(ConfigurationError, match=said):
        make(Kafka("pay", cluster="arn:aws:kafka:eu-west-1:123456789012:cluster/pay/1"))


def test_a_template_with_more_than_cloudformation_takes_says_how_much(made: tuple[Resolver, Make]) -> None:
    resolver, make = made
    for number in range(250):
        resolver.on_topic(f"topic{number}")(take)
    with pytest.raises(ConfigurationError, match=r"it has 75\d resources, and CloudFormation takes 500: make several"):
        make()
