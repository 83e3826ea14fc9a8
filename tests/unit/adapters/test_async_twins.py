"""Each async verb leaves the event loop free while AWS works, and gives what its sync twin gives."""

from __future__ import annotations

import asyncio
import io
import json
import threading

import pytest

from adapters.cognito import AppClient, Challenge, UserPool
from adapters.ecs import Ecs
from adapters.eventbridge import Bus, OutgoingEvent
from adapters.lambda_invoke import Invoker
from adapters.parameters import Parameters
from adapters.s3 import S3
from adapters.stepfunctions import StepFunctions
from router import Session, reset_session, set_session
from tests.unit.adapters.fakes import FakeClient, fake_aws

WITHOUT_ANSWER = (
    *("admin_update_user_attributes", "admin_confirm_sign_up", "admin_disable_user", "admin_enable_user"),
    *("admin_delete_user", "admin_user_global_sign_out", "admin_set_user_password"),
    *("admin_reset_user_password", "admin_add_user_to_group", "admin_remove_user_from_group"),
    *("confirm_sign_up", "resend_confirmation_code", "forgot_password", "confirm_forgot_password"),
)
ANSWERS = {
    "invoke": lambda _: {"Payload": io.BytesIO(b'{"ok":true}')},
    "put_events": lambda held: {"Entries": [{"EventId": f"e{n}"} for n in range(len(held["Entries"]))]},
    "start_execution": {"executionArn": "arn:execution"},
    "run_task": lambda held: {"tasks": [{"taskArn": f"arn:task/{n}"} for n in range(held["count"])]},
    "describe_tasks": {"tasks": [{"lastStatus": "STOPPED", "containers": [{"name": "main", "exitCode": 0}]}]},
    "put_object": {"ETag": '"e"'},
    "get_object": lambda _: {"Body": io.BytesIO(b"body"), "ContentLength": 4},
    "head_object": {"ContentLength": 4, "ETag": '"e"'},
    "delete_object": {},
    "delete_objects": {},
    "get_object_tagging": {"TagSet": [{"Key": "a", "Value": "b"}]},
    "put_object_tagging": {},
    "list_objects_v2": {"Contents": [{"Key": "a", "Size": 1}], "CommonPrefixes": [{"Prefix": "b/"}]},
    "get_parameter": {"Parameter": {"Value": "v"}},
    "get_secret_value": {"SecretString": '{"a":1}'},
    "admin_get_user": {"Username": "ann", "UserAttributes": [{"Name": "sub", "Value": "1"}]},
    "admin_create_user": {"User": {"Username": "ann"}},
    "admin_list_groups_for_user": {"Groups": [{"GroupName": "admins"}]},
    "list_users": {"Users": [{"Username": "ann"}]},
    "sign_up": {"UserSub": "1", "UserConfirmed": False},
    "initiate_auth": {"AuthenticationResult": {"AccessToken": "a", "IdToken": "i", "ExpiresIn": 3600}},
    "respond_to_auth_challenge": {"ChallengeName": "SMS_MFA"},
    **{name: {} for name in WITHOUT_ANSWER},
}
SERVICES = ("lambda", "events", "stepfunctions", "ecs", "s3", "ssm", "secretsmanager", "cognito-idp")

# adapter, verb, arguments
VERBS = [
    (Invoker, "invoke", ("billing", "charge", {"a": 1})),
    (Invoker, "invoke_event", ("billing", "charge")),
    (Bus, "publish", ("OrderPlaced", {"id": "1"})),
    (Bus, "publish_many", ([OutgoingEvent("OrderPlaced", {"id": str(n)}) for n in range(12)],)),
    (StepFunctions, "start", ("fulfil", {"order": "1"})),
    (Ecs, "run_task", ("nightly", {"A": "b"})),
    (Ecs, "run_tasks", ("nightly", 2)),
    (Ecs, "wait", ("arn:task/0",)),
    (Ecs, "status", ("arn:task/0",)),
    (S3, "put", ("a", {"b": 1})),
    (S3, "get", ("a",)),
    (S3, "head", ("a",)),
    (S3, "exists", ("a",)),
    (S3, "delete", ("a",)),
    (S3, "delete_many", (["a", "b"],)),
    (S3, "tags", ("a",)),
    (S3, "set_tags", ("a", {"c": "d"})),
    (S3, "page", ("",)),
    (S3, "upload", ("a", [b"x"])),
    (Parameters, "get", ("/a",)),
    (Parameters, "secret", ("db",)),
    (Parameters, "secret_json", ("db",)),
    (UserPool, "get", ("ann",)),
    (UserPool, "create", ("ann", {"email": "ann@example.com"})),
    (UserPool, "update", ("ann", {"email": "ann@example.com"})),
    *[(UserPool, verb, ("ann",)) for verb in ("confirm", "disable", "enable", "delete", "sign_out", "reset_password")],
    (UserPool, "set_password", ("ann", "secret")),
    (UserPool, "groups", ("ann",)),
    (UserPool, "add_to_group", ("ann", "admins")),
    (UserPool, "remove_from_group", ("ann", "admins")),
    (UserPool, "page", ()),
    (AppClient, "sign_up", ("ann", "secret")),
    (AppClient, "sign_in", ("ann", "secret")),
    (AppClient, "refresh", ("token",)),
    (AppClient, "respond", (Challenge("SMS_MFA", {}, "ann", "session"), {"SMS_MFA_CODE": "1"})),
    (AppClient, "confirm", ("ann", "123456")),
    (AppClient, "resend_code", ("ann",)),
    (AppClient, "forgot_password", ("ann",)),
    (AppClient, "choose_password", ("ann", "123456", "secret")),
]
OPTIONS: dict[type, dict] = {
    Bus: {"name": "shop", "source": "orders"},
    Ecs: {"cluster": "jobs", "task_definition": "app", "subnets": ["s"], "container": "main"},
    S3: {"bucket": "invoices", "tenant_prefix": True},
    UserPool: {"pool": "eu-west-1_AbCdEf"},
    AppClient: {"client_id": "app"},
}


class Slow(FakeClient):
    """Answers when the event loop has said that it is free."""

    def __init__(self, free=None):
        super().__init__(**ANSWERS)
        self.free = free

    def __getattr__(self, operation):
        call = super().__getattr__(operation)

        def slow(**parameters):
            assert self.free is None or self.free.wait(timeout=10), "the event loop was not free"
            return call(**parameters)

        return slow


def adapter(kind, client):
    return kind(fake_aws(dict.fromkeys(SERVICES, client)), **OPTIONS.get(kind, {}))


def of(result):
    return json.dumps(result, default=repr)


@pytest.fixture(autouse=True)
def _tenant():
    token = set_session(Session(tenant="acme"))
    yield
    reset_session(token)


@pytest.mark.parametrize(
    ("kind", "verb", "arguments"), VERBS, ids=[f"{kind.__name__}.{verb}" for kind, verb, _ in VERBS]
)
def test_the_loop_is_free_meanwhile(kind, verb, arguments):
    before = of(arguments)
    plain = Slow()
    expected = getattr(adapter(kind, plain), verb)(*arguments)

    async def main():
        client = Slow(threading.Event())
        asynchronous = adapter(kind, client)
        work = asyncio.create_task(getattr(asynchronous, f"{verb}_async")(*arguments))
        await asyncio.sleep(0)
        client.free.set()  # never reached while a call blocks the loop
        result = await work
        await asyncio.to_thread(asynchronous.aws.close)
        return result, client.calls

    result, calls = asyncio.run(main())
    assert of(result) == of(expected)
    assert calls == plain.calls
    assert of(arguments) == before


async def _collect(items):
    return [one async for one in items]


@pytest.mark.parametrize(("verb", "argument"), [("objects", ""), ("stream", "a")])
def test_iterators_too(verb, argument):
    expected = list(getattr(adapter(S3, Slow()), verb)(argument))

    async def main():
        client = Slow(threading.Event())
        bucket = adapter(S3, client)
        work = asyncio.create_task(_collect(getattr(bucket, f"{verb}_async")(argument)))
        await asyncio.sleep(0)
        client.free.set()
        result = await work
        await asyncio.to_thread(bucket.aws.close)
        return result

    assert asyncio.run(main()) == expected
