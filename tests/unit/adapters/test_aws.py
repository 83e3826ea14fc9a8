"""`Aws`: clients made once, threads of its own, forks, event loops, and what it costs to import."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from contextvars import ContextVar

import pytest

from adapters.aws import Aws, Role, Settings, default_aws
from adapters.errors import ConnectionFailed, CredentialsMissing, InvalidMessage
from router.errors import ConfigurationError
from tests.unit.adapters.fakes import SETTINGS, FakeClient, fake_aws

ROLE = "arn:aws:iam::123456789012:role/tenant"


def run_python(code, **environ):
    """The output of a Python process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60, env=environ or None
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


class TestClients:
    def test_are_made_once_however_many_threads_ask(self):
        aws = Aws(SETTINGS)
        seen = []
        threads = [threading.Thread(target=lambda: seen.append(aws.client("sqs"))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(seen) == 8
        assert len(set(map(id, seen))) == 1
        assert aws.client("sns") is not seen[0]

    def test_follow_the_settings(self):
        settings = SETTINGS.replace(
            attempts=2, read_timeout=7, connect_timeout=3, endpoint={"sqs": "http://localhost:9"}
        )
        aws = Aws(settings)
        config = aws.client("sqs").meta.config
        assert config.retries == {"mode": "standard", "total_max_attempts": 2}
        assert (config.read_timeout, config.connect_timeout, config.proxies) == (7, 3, {})
        assert aws.client("sqs").meta.endpoint_url == "http://localhost:9"
        assert aws.client("sns").meta.endpoint_url == "https://sns.eu-west-1.amazonaws.com"
        slow = aws.client("sqs", read_timeout=900, attempts=1).meta.config
        assert (slow.read_timeout, slow.retries["total_max_attempts"]) == (900, 1)
        assert aws.client("sqs") is aws.client("sqs")

    def test_trust_the_certificates_they_are_given(self, tmp_path):
        bundle = tmp_path / "own.pem"
        settings = SETTINGS.replace(ca_bundle=str(bundle))
        assert Aws(settings).client("sqs")._endpoint.http_session._verify == str(bundle)
        assert Aws(SETTINGS).client("sqs")._endpoint.http_session._verify is not False

    def test_of_two_identities_are_never_the_same(self):
        one, other = Aws(SETTINGS), Aws(SETTINGS.replace(access_key_id="other", secret_access_key="other"))
        assert one.client("sqs") is not other.client("sqs")
        assert one.credentials().access_key == "testing"
        assert other.credentials().access_key == "other"

    def test_close_and_open_again(self):
        aws = Aws(SETTINGS)
        before = aws.client("sqs")
        assert asyncio.run(aws.in_thread(lambda: "done")) == "done"
        aws.assume(ROLE)
        aws.close()
        assert aws.client("sqs") is not before
        assert asyncio.run(aws.in_thread(lambda: "again")) == "again"
        aws.close()

    def test_a_boto3_session_with_the_same_identity(self):
        session = Aws(SETTINGS).session
        assert session.region_name == "eu-west-1"
        assert session.get_credentials().access_key == "testing"

    def test_nothing_is_shown_of_the_keys(self):
        assert "testing" not in repr(Aws(SETTINGS))


class TestRoles:
    def test_the_same_role_is_the_same_object(self):
        aws = Aws(SETTINGS)
        acme, other = Role(ROLE, tags={"tenant": "acme"}), Role(ROLE, tags={"tenant": "other"})
        assert aws.assume(acme) is aws.assume(Role(ROLE, tags={"tenant": "acme"}))
        assert aws.assume(acme) is not aws.assume(other)
        assert aws.assume(ROLE) is aws.assume(Role(ROLE))

    def test_only_so_many_are_kept_and_the_ones_in_use_stay(self):
        aws = Aws(SETTINGS)
        first = aws.assume(ROLE)
        second = aws.assume(f"{ROLE}-x")
        for number in range(300):
            aws.assume(f"{ROLE}-{number}")
            assert aws.assume(ROLE) is first
        assert aws.assume(f"{ROLE}-x") is not second


class TestCalls:
    def test_name_the_resource_of_an_error_themselves_or_as_told(self):
        aws = Aws(SETTINGS)
        with pytest.raises(InvalidMessage, match=r"sqs\.delete_message https://x"):
            aws.call("sqs", "delete_message", QueueUrl="https://x")
        with pytest.raises(InvalidMessage, match=r"ssm.get_parameters /a, /b: .*: Wrong"):
            aws.call("ssm", "get_parameters", Names=["/a", "/b"], Wrong=1)
        with pytest.raises(InvalidMessage, match=r"sqs\.delete_message my queue"):
            aws.call("sqs", "delete_message", resource="my queue", QueueUrl="https://x")

    def test_to_where_nothing_listens(self):
        aws = Aws(SETTINGS.replace(endpoint="http://127.0.0.1:9", attempts=1))
        with pytest.raises(ConnectionFailed, match=r"sqs.list_queues.*check region, endpoint"):
            aws.call("sqs", "list_queues")
        with pytest.raises(ConnectionFailed):
            asyncio.run(aws.call_async("sqs", "list_queues"))

    def test_without_a_region(self, monkeypatch):
        for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_CONFIG_FILE", "no-such-file")
        aws = Aws(Settings(access_key_id="a", secret_access_key="b"))
        with pytest.raises(ConfigurationError, match="AWS_REGION"):
            aws.call("sqs", "list_queues")
        with pytest.raises(ConfigurationError, match="AWS_REGION"):
            _ = aws.region

    def test_without_credentials(self, monkeypatch):
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_CONFIG_FILE", "no-such-file")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "no-such-file")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        for settings in (Settings(region="eu-west-1"), Settings(region="eu-west-1", roles=[ROLE])):
            with pytest.raises(CredentialsMissing, match=r"sqs.list_queues.*a role, or Settings a profile or keys"):
                Aws(settings).call("sqs", "list_queues")
            with pytest.raises(CredentialsMissing):
                Aws(settings).credentials()

    def test_with_a_profile_that_is_not_there(self, monkeypatch):
        monkeypatch.setenv("AWS_CONFIG_FILE", "no-such-file")
        with pytest.raises(CredentialsMissing, match="prod"):
            Aws(Settings(region="eu-west-1", profile="prod")).call("sqs", "list_queues")

    def test_the_region_of_a_profile(self, monkeypatch, tmp_path):
        config = tmp_path / "config"
        config.write_text("[profile prod]\nregion = eu-north-1\naws_access_key_id = a\naws_secret_access_key = b\n")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
            monkeypatch.delenv(name, raising=False)
        aws = Aws(Settings(profile="prod"))
        assert aws.region == "eu-north-1"
        assert aws.credentials().access_key == "a"

    def test_without_boto3(self, monkeypatch):
        for name in [name for name in sys.modules if name.partition(".")[0] in ("boto3", "botocore")]:
            monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.setitem(sys.modules, "botocore", None)
        with pytest.raises(ConfigurationError, match=r'pip install "lambda-junction\[aws\]"'):
            Aws(SETTINGS).call("sqs", "list_queues")


class TestThreads:
    def test_are_so_many_and_no_more_over_all_event_loops(self):
        aws = Aws(SETTINGS.replace(threads=3))
        running, most, lock = 0, 0, threading.Lock()

        def work():
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.01)
            with lock:
                running -= 1

        async def many():
            await asyncio.gather(*[aws.in_thread(work) for _ in range(20)])

        loops = [threading.Thread(target=asyncio.run, args=(many(),)) for _ in range(2)]
        for loop in loops:
            loop.start()
        for loop in loops:
            loop.join()
        asyncio.run(many())
        assert most == 3
        aws.close()

    def test_leave_the_default_executor_of_the_loop_alone(self):
        aws = Aws(SETTINGS)

        async def names():
            own = await aws.in_thread(lambda: threading.current_thread().name)
            return own, asyncio.get_running_loop()._default_executor  # type: ignore[attr-defined]

        own, default = asyncio.run(names())
        assert own.startswith("aws-calls")
        assert default is None
        aws.close()

    def test_carry_the_context(self):
        variable: ContextVar[str] = ContextVar("variable", default="nobody")
        aws = Aws(SETTINGS)

        async def asked(name):
            variable.set(name)
            return await aws.in_thread(variable.get)

        async def both():
            return await asyncio.gather(asked("a"), asked("b"))

        assert asyncio.run(both()) == ["a", "b"]
        aws.close()

    def test_a_cancelled_call_leaves_room_for_others(self):
        def slow(parameters):
            time.sleep(0.05)
            return "done"

        client = FakeClient(list_queues=slow)
        aws = fake_aws({"sqs": client}, settings=SETTINGS.replace(threads=1))

        async def cancel_some():
            calls = [asyncio.create_task(aws.call_async("sqs", "list_queues")) for _ in range(4)]
            await asyncio.sleep(0.01)
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
            return await asyncio.wait_for(aws.call_async("sqs", "list_queues"), 5)

        assert asyncio.run(cancel_some()) == "done"
        aws.close()


class TestProcess:
    def test_a_child_of_a_fork_has_clients_and_threads_of_its_own(self):
        code = """
import asyncio, os
from adapters.aws import Aws, Settings
aws = Aws(Settings(region="eu-west-1", access_key_id="a", secret_access_key="b"))
before = aws.client("sqs")
asyncio.run(aws.in_thread(int))
child = os.fork()
if child == 0:
    same = aws.client("sqs") is before
    print("child", same, asyncio.run(aws.in_thread(lambda: "works")), flush=True)
    os._exit(0)
os.waitpid(child, 0)
print("parent", aws.client("sqs") is before)
"""
        assert run_python(code) == ["child", "False", "works", "parent", "True"]

    def test_importing_the_adapters_loads_neither_botocore_nor_an_event_loop(self):
        code = """
import sys, adapters.sns, adapters.sqs, adapters.messaging, adapters.offload
print(*sorted({"boto3", "botocore", "asyncio", "concurrent.futures", "pydantic"} & sys.modules.keys()))
"""
        assert run_python(code) == []

    def test_the_default_follows_the_environment(self, monkeypatch):
        monkeypatch.setenv("AWS_REGION", "eu-west-1")
        here = default_aws()
        assert default_aws() is here
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        assert default_aws() is not here
        assert default_aws().region == "us-east-1"
        assert Aws().settings == default_aws().settings
