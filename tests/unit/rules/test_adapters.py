"""Whatever text a verb of an adapter is given: it is done, or refused with an error of the library.

The verbs are found in the classes that `adapters` offers, so that a new one is in the rule by itself. The clients are
botocore's own, which check and write each request; every answer is a refusal of the service.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from adapters.aws import Aws, Role, Settings
from adapters.bedrock import Bedrock
from adapters.cognito import AppClient, Challenge, UserPool
from adapters.dynamodb import Table
from adapters.ecs import Ecs
from adapters.errors import AdapterError
from adapters.eventbridge import Bus
from adapters.http import Services
from adapters.lambda_invoke import Invoker
from adapters.mongo import Tenants
from adapters.offload import Offload
from adapters.parameters import Parameters
from adapters.s3 import S3
from adapters.sns import Sns
from adapters.sqs import Sqs
from adapters.stepfunctions import StepFunctions
from adapters.websocket import Connections
from router import ConfigurationError, RouterError, Session, set_session

SETTINGS = Settings(
    region="eu-west-1", account="123456789012", access_key_id="a", secret_access_key="b", attempts=1, backoff=0
)
_JSON = b'{"__type": "ValidationError", "message": "no"}'
_XML = b"<ErrorResponse><Error><Code>ValidationError</Code><Message>no</Message></Error></ErrorResponse>"


class Refusal:
    """The raw body of an answer."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.content

    def read(self, *_: Any) -> bytes:
        held, self.content = self.content, b""
        return held


class Refusing(Aws):
    """Clients of botocore that send nothing: each request is refused."""

    def client(self, *args: Any, **options: Any) -> Any:
        client = super().client(*args, **options)
        client.meta.events.register("before-send", self._refuse, unique_id="refuse")
        return client

    @staticmethod
    def _refuse(request: Any, **_: Any) -> AWSResponse:
        is_xml = "sns." in request.url or "s3." in request.url
        return AWSResponse(request.url, 400, HTTPHeaders(), Refusal(_XML if is_xml else _JSON))


AWS = Refusing(SETTINGS)
MAKE: dict[type, Callable[[], Any]] = {
    Sqs: lambda: Sqs(AWS),
    Sns: lambda: Sns(AWS),
    Bus: lambda: Bus(AWS, name="shop", source="orders"),
    Ecs: lambda: Ecs(AWS, cluster="jobs", task_definition="app", subnets=["s"], container="main"),
    Invoker: lambda: Invoker(AWS),
    StepFunctions: lambda: StepFunctions(AWS),
    UserPool: lambda: UserPool(AWS, pool="eu-west-1_AbCdEf"),
    AppClient: lambda: AppClient(AWS, client_id="app", secret="s"),
    Bedrock: lambda: Bedrock(AWS, model="m"),
    S3: lambda: S3(AWS, bucket="invoices", tenant_prefix=True),
    Parameters: lambda: Parameters(AWS),
    Offload: lambda: Offload("bodies", aws=AWS),
    Connections: lambda: Connections(AWS),
    Settings: lambda: SETTINGS,
    Tenants: lambda: Tenants("shop_{tenant}"),
}
# Fit for each argument that a verb cannot do without.
FIT: dict[str, Any] = {
    "queue": "orders",
    "topic": "orders",
    "content": "x",
    "messages": ["x"],
    "records": ["handle"],
    "visibility": 1,
    "detail_type": "Placed",
    "detail": {},
    "events": [],
    "function": "billing",
    "machine": "fulfil",
    "body": "b",
    "name": "nightly",
    "count": 1,
    "arn": "arn:aws:ecs:eu-west-1:1:task/jobs/1",
    "key": "k",
    "chunks": [b"x"],
    "tags": {"a": "b"},
    "keys": ["a"],
    "path": "/a",
    "username": "ann",
    "password": "secret",
    "attributes": {},
    "group": "admins",
    "code": "123456",
    "challenge": Challenge("SMS_MFA", {}, "ann", "session"),
    "answers": {},
    "token": "t",
    "text": "hi",
    "guardrail": "g1",
    "agent": "a1",
    "alias": "a2",
    "conversation": "c1",
    "pointer": {},
    "connection_id": "c1",
    "service": "sns",
    "data": {"a": 1},
    "size": 1,
    "limit": 1,
    "names": ["acme"],
    "tenant": "acme",
    "database": "shop_acme",
}
ODD: dict[str, Any] = {
    "a number": 5,
    "nothing": None,
    "bytes": b"x",
    "a list": ["a"],
    "a mapping": {"a": 1},
    "an object": object(),
    "empty": "",
    "100 kB": "x" * 100_000,
    "line breaks": "a\r\nb",
    "a nought": "a\x00b",
    "a lone surrogate": "\ud800",
    "dots": "../..",
    "a query": "a/b?c#d%",
    "braces": "{x}",
    "a space": " ",
}
# They are not for text, or what they raise is not for the caller.
_LEFT_OUT = {
    "close",
    "run",
    "step",
    "in_thread",
    "delay",
    "client",
    "credentials",
    "replace",
    "register",
    "endpoint_of",
}


def options_of(verb: Any) -> dict[str, str]:
    """The keyword arguments that a verb takes as `**options: Unpack[Options]`, with their annotations."""
    held = inspect.signature(verb).parameters.get("options")
    if held is None or "Unpack[" not in str(held.annotation):
        return {}
    name = str(held.annotation).removeprefix("Unpack[").removesuffix("]")
    source = inspect.getsource(inspect.getmodule(verb))  # type: ignore[arg-type]
    _, _, after = source.partition(f"    class {name}(TypedDict")
    found = {}
    for line in after.splitlines()[1:]:
        if line.strip() and not line.startswith("        "):
            break
        field, colon, annotation = line.strip().partition(": ")
        if colon and field.isidentifier():
            found[field] = annotation
    return found


def verbs() -> Iterator[tuple[type, str, str]]:
    """Each argument of each verb that is a text, or may be one."""
    for kind in MAKE:
        for name, verb in inspect.getmembers(kind, inspect.isfunction):
            if name.startswith("_") or name.endswith("_async") or name in _LEFT_OUT:
                continue
            parameters = list(inspect.signature(verb).parameters.values())[1:]
            annotations = {
                parameter.name: str(parameter.annotation)
                for parameter in parameters
                if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
            } | options_of(verb)
            for argument, annotation in annotations.items():
                if "str" in annotation:
                    yield kind, name, argument


VERBS = list(verbs())


def refusal(verb: Callable[..., Any], *args: Any, **options: Any) -> RouterError | None:
    """The library's error with which a verb refuses its arguments, or the service; None where it does not."""
    try:
        result = verb(*args, **options)
        if inspect.isgenerator(result):
            list(result)
    except RouterError as error:
        return error
    except OSError:  # of the machine, for the path of a file
        return None
    return None


def can_be_sent(error: BaseException) -> bool:
    """Whether the runtime client can send the message of an error; else its process ends."""
    return not any("\ud800" <= character <= "\udfff" for character in str(error))


@pytest.fixture(autouse=True)
def _tenant() -> Iterator[None]:
    with set_session(Session("acme", "ann")):
        yield


@pytest.mark.parametrize(
    ("kind", "name", "argument"), VERBS, ids=[f"{kind.__name__}.{name}-{argument}" for kind, name, argument in VERBS]
)
def test_odd_text_is_taken_or_refused(kind: type, name: str, argument: str) -> None:
    verb = getattr(MAKE[kind](), name)
    needed = {}
    for parameter in inspect.signature(verb).parameters.values():
        if parameter.default is parameter.empty and parameter.kind in (
            parameter.POSITIONAL_OR_KEYWORD,
            parameter.KEYWORD_ONLY,
        ):
            assert parameter.name in FIT, f"{kind.__name__}.{name}: say in FIT what is fit for {parameter.name}="
            needed[parameter.name] = FIT[parameter.name]
    for what, value in ODD.items():
        error = refusal(verb, **{**needed, argument: value})
        assert error is None or can_be_sent(error), what
        assert not isinstance(error, AdapterError) or len(str(error)) < 10_000, f"{what}: the message is too long"


def test_the_rule_finds_the_verbs() -> None:
    found = {(kind.__name__, name) for kind, name, _ in VERBS}
    assert {("Sqs", "send"), ("S3", "presign_get"), ("Ecs", "run_task"), ("Connections", "get")} <= found
    assert ("Sqs", "send", "group") in {(kind.__name__, name, argument) for kind, name, argument in VERBS}
    assert len(VERBS) > 60


@pytest.mark.parametrize(
    "arn", [value for value in ODD.values() if value is not None], ids=list(ODD)[:1] + list(ODD)[2:]
)
def test_a_role_is_named_by_an_arn(arn: Any) -> None:
    with pytest.raises(ConfigurationError):
        Role(arn)


@pytest.mark.parametrize("path", ODD.values(), ids=ODD)
def test_a_path_of_a_service_is_taken_or_refused(path: Any) -> None:
    services = Services({"billing": "http://127.0.0.1:9"}, attempts=1)
    for call in (lambda: services.get("billing", path), lambda: services.get(path, "/a")):
        with pytest.raises(RouterError) as refused:
            call()
        assert can_be_sent(refused.value)
    services.close()


@pytest.mark.parametrize("name", ODD.values(), ids=ODD)
def test_a_table_is_named_by_text(name: Any) -> None:
    error = refusal(Table, name, models=[], aws=AWS)
    assert error is not None
    assert can_be_sent(error)
