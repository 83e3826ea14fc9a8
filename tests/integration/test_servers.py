"""The servers that other tests rely on do what the real services do."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.servers import artefacts, fetch
from tests.servers.artefacts import Artefact
from tests.servers.commands import FetchError
from tests.servers.elasticmq import ElasticMQ
from tests.servers.ferretdb import FerretDB
from tests.servers.locations import REPOSITORY
from tests.servers.loopback import LoopbackServer, Quiet
from tests.servers.miniredis import RedisServer
from tests.servers.ministack import MiniStack
from tests.servers.moto import MotoServer
from tests.servers.process import ChildProcess, Server, ServerError, wait_until
from tests.servers.tools import TOOLS

JAVA_IS_MISSING = "Java 17 or newer is missing: install the Debian package default-jre-headless"


class TestMoto:
    def test_delivers_from_a_topic_to_a_queue(self, moto: MotoServer):
        sns, sqs = moto.client("sns"), moto.client("sqs")
        queue = sqs.create_queue(QueueName="orders")["QueueUrl"]
        queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        topic = sns.create_topic(Name="order-events")["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)

        sns.publish(TopicArn=topic, Message="made", MessageAttributes={"t": {"DataType": "String", "StringValue": "a"}})

        (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
        delivered = json.loads(message["Body"])
        assert delivered["Message"] == "made"
        assert delivered["MessageAttributes"]["t"]["Value"] == "a"

    def test_forgets_everything_on_reset(self, moto: MotoServer):
        sqs = moto.client("sqs")
        sqs.create_queue(QueueName="orders")
        moto.reset()
        assert "QueueUrls" not in sqs.list_queues()

    def test_answers_an_invocation_without_docker(self, moto: MotoServer):
        role = moto.client("iam").create_role(RoleName="runner", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        functions = moto.client("lambda")
        functions.create_function(
            FunctionName="worker", Runtime="python3.11", Role=role, Handler="app.handler", Code={"ZipFile": b"zip"}
        )
        moto.answer_lambda('{"ok": true}')
        assert functions.invoke(FunctionName="worker")["Payload"].read() == b'{"ok": true}'


class TestMiniStack:
    def test_keeps_items_and_streams_their_changes(self, ministack: MiniStack):
        dynamodb, streams = ministack.client("dynamodb"), ministack.client("dynamodbstreams")
        table = dynamodb.create_table(
            TableName="servers-orders",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )["TableDescription"]
        item = {"pk": {"S": "order#1"}, "total": {"N": "12345678901234567890.123456789012345678"}}

        dynamodb.put_item(TableName="servers-orders", Item=item)
        dynamodb.delete_item(TableName="servers-orders", Key={"pk": {"S": "order#1"}})
        dynamodb.put_item(TableName="servers-orders", Item=item)

        assert dynamodb.get_item(TableName="servers-orders", Key={"pk": {"S": "order#1"}})["Item"] == item
        arn = table["LatestStreamArn"]
        (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        iterator = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        records = streams.get_records(ShardIterator=iterator)["Records"]
        assert [record["eventName"] for record in records] == ["INSERT", "REMOVE", "INSERT"]
        assert records[1]["dynamodb"]["OldImage"] == item

    def test_forgets_everything_on_reset(self):
        with MiniStack() as own:
            own.client("sqs").create_queue(QueueName="orders")
            own.reset()
            assert not own.client("sqs").list_queues().get("QueueUrls")


class TestElasticMQ:
    def test_a_received_message_is_hidden_until_its_time_is_over(self, elasticmq: ElasticMQ):
        sqs = elasticmq.client("sqs")
        queue = sqs.create_queue(QueueName="servers-hidden", Attributes={"VisibilityTimeout": "1"})["QueueUrl"]
        sqs.send_message(QueueUrl=queue, MessageBody="once more")

        first = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5, AttributeNames=["All"])
        hidden = sqs.receive_message(QueueUrl=queue)
        again = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5, AttributeNames=["All"])

        assert first["Messages"][0]["Attributes"]["ApproximateReceiveCount"] == "1"
        assert not hidden.get("Messages")
        assert again["Messages"][0]["Body"] == "once more"
        assert again["Messages"][0]["Attributes"]["ApproximateReceiveCount"] == "2"

    def test_a_fifo_group_is_delivered_in_order_and_blocked_while_in_flight(self, elasticmq: ElasticMQ):
        sqs = elasticmq.client("sqs")
        queue = sqs.create_queue(
            QueueName="servers-groups.fifo", Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"}
        )["QueueUrl"]
        for body, group in (("a1", "a"), ("a2", "a"), ("b1", "b"), ("a3", "a"), ("a1", "a")):
            sqs.send_message(QueueUrl=queue, MessageBody=body, MessageGroupId=group)

        def receive() -> list[tuple[str, str]]:
            messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=1).get("Messages", [])
            return [(message["Body"], message["ReceiptHandle"]) for message in messages]

        (first,), (second,) = receive(), receive()
        assert [first[0], second[0]] == ["a1", "b1"]
        assert receive() == []
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=first[1])
        ((body, handle),) = receive()
        assert body == "a2"
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=handle)
        assert [body for body, _ in receive()] == ["a3"]

    def test_a_message_received_too_often_moves_to_the_dead_letter_queue(self, elasticmq: ElasticMQ):
        sqs = elasticmq.client("sqs")
        dead = sqs.create_queue(QueueName="servers-dead")["QueueUrl"]
        dead_arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 1})
        queue = sqs.create_queue(
            QueueName="servers-redrive", Attributes={"VisibilityTimeout": "0", "RedrivePolicy": policy}
        )["QueueUrl"]
        sqs.send_message(QueueUrl=queue, MessageBody="poison")

        assert sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"][0]["Body"] == "poison"
        assert not sqs.receive_message(QueueUrl=queue).get("Messages")
        assert sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=5)["Messages"][0]["Body"] == "poison"


class TestFerretDB:
    def test_keeps_documents_and_indexes(self, ferretdb: FerretDB):
        from pymongo.errors import DuplicateKeyError

        with ferretdb.client() as client:
            orders = client["servers-acme"]["orders"]
            orders.create_index("number", unique=True)
            orders.insert_one({"number": 1, "lines": [{"sku": "a", "count": 2}]})

            assert orders.find_one({"lines.sku": "a"}, {"_id": False, "number": True}) == {"number": 1}
            with pytest.raises(DuplicateKeyError):
                orders.insert_one({"number": 1})

    def test_drops_only_the_databases_with_the_prefix(self, ferretdb: FerretDB):
        with ferretdb.client() as client:
            client["servers-drop-1"]["c"].insert_one({})
            client["servers-keep-1"]["c"].insert_one({})
            ferretdb.drop_databases("servers-drop")
            names = client.list_database_names()
            ferretdb.drop_databases("servers-")
        assert "servers-drop-1" not in names
        assert "servers-keep-1" in names

    def test_a_given_mongodb_is_used_and_must_answer(self, ferretdb: FerretDB, monkeypatch):
        monkeypatch.setenv("MONGODB_URI", ferretdb.uri)
        with FerretDB() as external:
            assert external.is_mongodb
            assert external.uri == ferretdb.uri
        monkeypatch.setenv("MONGODB_URI", "mongodb://127.0.0.1:1/")
        with pytest.raises(ServerError, match="MONGODB_URI"):
            FerretDB().start()


class TestMiniredis:
    def test_its_clock_is_driven_and_goes_on_by_itself(self, own_redis: RedisServer):
        with own_redis.client() as client:
            before = client.time()[0]
            client.set("long", "x", ex=100)
            client.set("short", "x", px=50)
            own_redis.advance(99)
            assert client.exists("long")
            assert client.time()[0] - before >= 99
            own_redis.advance(1)
            assert not client.exists("long")
            client.set("short", "x", px=50)
            assert wait_until(lambda: not client.exists("short"), timeout_s=10)

    def test_a_given_redis_is_used_and_must_answer(self, own_redis: RedisServer, monkeypatch):
        monkeypatch.setenv("REDIS_URL", own_redis.url)
        with RedisServer() as external:
            assert external.is_external
            assert external.url == own_redis.url
        monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/")
        with pytest.raises(ServerError, match="REDIS_URL"):
            RedisServer().start()


@pytest.mark.parametrize("name", ["moto_server", "ministack", "elasticmq", "own_ferretdb", "own_redis"])
def test_listens_on_one_address_of_this_machine_alone(name: str, request: pytest.FixtureRequest):
    port = urlsplit(request.getfixturevalue(name).url).port
    assert port is not None
    with socket.create_connection(("127.0.0.1", port), timeout=5):
        pass
    with pytest.raises(ConnectionRefusedError):
        # A server that listens on every address answers here, too.
        socket.create_connection(("127.0.0.2", port), timeout=5)


class _Python(Server):
    """A server made of a line of Python."""

    name = "broken"
    ready_line = re.compile(r"at (?P<url>\S+)")

    def __init__(self, code: str) -> None:
        super().__init__()
        self._code = code

    def command(self, folder: Path) -> list[str]:
        return [sys.executable, "-c", self._code]

    def answers(self) -> bool:
        return True


PAGE = b"""<!doctype html><html lang="en"><title>Orders</title><h1>Orders</h1>
<main><button></button><p style="color: #ddd; background: #fff">pale</p></main></html>"""


class _Page(Quiet, BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Security-Policy", "script-src 'none'")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)


class TestBrowser:
    def test_opens_a_page_of_this_machine_and_judges_it(self, page, accessibility_faults):
        with LoopbackServer(_Page) as server:
            page.goto(server.url)
            assert page.title() == "Orders"
            faults = accessibility_faults(page, "serious", "critical")
        assert [fault.split()[0] for fault in faults] == ["button-name", "color-contrast"]
        assert faults[0].endswith("Buttons must have discernible text: button")

    @pytest.mark.parametrize("url", ["http://example.com/", "http://192.0.2.1/"])
    def test_reaches_nothing_else(self, page, url):
        with pytest.raises(Exception, match="ERR_NAME_NOT_RESOLVED"):
            page.goto(url)


class TestAwsCli:
    def test_calls_a_server_of_this_machine(self, moto: MotoServer, aws_cli):
        assert aws_cli(moto.url, "sqs", "create-queue", "--queue-name", "orders").returncode == 0
        listed = aws_cli(moto.url, "sqs", "list-queues", "--query", "QueueUrls[0]", "--output", "text")
        assert listed.stdout.strip().endswith("/orders"), listed.stderr


class TestServer:
    def test_one_that_ends_at_once_shows_its_log(self):
        with pytest.raises(ServerError, match=r"broken ended with code 3.*\n.*port is taken"):
            _Python("import sys; print('port is taken', file=sys.stderr); sys.exit(3)").start()

    def test_one_that_never_gets_ready_shows_its_log_and_is_stopped(self, monkeypatch):
        monkeypatch.setattr(_Python, "start_timeout_s", 0.5)
        server = _Python("import os, time; print('pid', os.getpid(), flush=True); time.sleep(60)")
        with pytest.raises(ServerError, match=r"broken was not ready"):
            server.start()
        pid = int(server.log.removeprefix("pid"))
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)

    def test_one_that_will_not_end_is_killed(self, tmp_path, monkeypatch):
        monkeypatch.setattr("tests.servers.process._STOP_TIMEOUT_S", 0.2)
        code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
        child = ChildProcess("deaf", [sys.executable, "-c", code], log=tmp_path / "log")
        child.wait_for_line(re.compile("deaf"), timeout_s=10)
        child.stop()
        assert child.exit_code == -signal.SIGKILL

    def test_a_program_that_is_not_there_is_named(self, tmp_path):
        with pytest.raises(ServerError, match="ghost cannot be started"):
            ChildProcess("ghost", [tmp_path / "ghost"], log=tmp_path / "log")


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A cache of the test's own and no program on the path."""
    monkeypatch.setattr(artefacts, "CACHE", tmp_path / "cache")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CI", raising=False)


@pytest.mark.usefixtures("elsewhere")
class TestFetch:
    def test_names_what_to_install_and_lets_the_tests_go_on(self, capsys):
        assert fetch.main(["elasticmq", "ferretdb"]) == 0
        assert capsys.readouterr().out.splitlines() == [
            f"elasticmq                missing tool: {JAVA_IS_MISSING}",
            "ferretdb                 missing tool: Go 1.22 or newer is missing: install the Debian package golang-go",
        ]

    def test_an_installation_that_failed_is_shown(self, capsys, monkeypatch):
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        assert fetch.main(["ministack"]) == 0
        shown = capsys.readouterr().out
        assert shown.startswith("ministack                failed: ")
        assert "No matching distribution found for ministack==" in shown
        assert not artefacts.MINISTACK.is_present

    def test_fetches_only_what_is_named(self, capsys):
        assert fetch.main(["ferretdb"]) == 0
        assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["ferretdb"]

    def test_a_name_of_no_server_is_refused(self, capsys):
        assert fetch.main(["ferretdb", "mongod"]) == 2
        known = ", ".join(artefact.name for artefact in artefacts.ARTEFACTS)
        assert capsys.readouterr() == ("", f"there is no mongod; there are {known}\n")

    def test_fails_in_ci(self, monkeypatch):
        monkeypatch.setenv("CI", "true")
        assert fetch.main(["ferretdb"]) == 1

    def test_a_tool_that_is_too_old_is_named(self, tmp_path, capsys):
        go = tmp_path / "go"
        go.write_text("#!/bin/sh\necho go version go1.19.8 linux/amd64\n", encoding="ascii")
        go.chmod(0o755)
        fetch.main(["ferretdb"])
        assert "Go 1.22 or newer is needed, found 1.19.8" in capsys.readouterr().out

    def test_a_browser_is_named_where_nobody_may_install_it(self, capsys):
        assert fetch.main(["chromium"]) == 0
        assert capsys.readouterr().out == (
            "chromium                 missing tool: Chromium 120 or newer is missing: install the Debian package "
            "chromium, or name its path in CHROMIUM\n"
        )

    def test_a_browser_is_installed_by_who_may(self, tmp_path, capsys, monkeypatch):
        monkeypatch.setattr("os.geteuid", lambda: 0)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        monkeypatch.setenv("CHROMIUM", "")
        monkeypatch.setitem(TOOLS, "chromium", replace(TOOLS["chromium"], command="browser-of-the-test"))
        apt, browser = tmp_path / "apt-get", tmp_path / "browser-of-the-test"
        apt.write_text(
            f"""#!/bin/sh
echo "$@" >> {tmp_path}/asked
case "$*" in *install*) printf '#!/bin/sh\\necho Chromium 156.0' > {browser}; chmod +x {browser} ;; esac
""",
            encoding="ascii",
        )
        apt.chmod(0o755)

        assert fetch.main(["chromium"]) == 0
        assert capsys.readouterr().out.startswith("chromium                 fetched in")
        update, install = (tmp_path / "asked").read_text(encoding="ascii").splitlines()
        assert update.endswith(" update")
        assert install.endswith(" install --yes --no-install-recommends chromium")
        assert fetch.main(["chromium"]) == 0
        assert capsys.readouterr().out == "chromium                 present\n"

    def test_a_path_that_is_not_a_program_is_named(self, capsys, monkeypatch):
        monkeypatch.setenv("CHROMIUM", "/opt/none")
        fetch.main(["chromium"])
        assert "CHROMIUM names /opt/none, which is not a program" in capsys.readouterr().out

    def test_makes_once_and_again_when_a_source_changes(self, tmp_path):
        source = tmp_path / "source"
        source.write_text("1", encoding="ascii")
        artefact = Artefact("thing", (), (source,), lambda folder: _copy(source, folder))

        assert [artefact.fetch(), artefact.fetch()] == [True, False]
        source.write_text("2", encoding="ascii")
        assert not artefact.is_present
        assert artefact.fetch()
        assert (artefact.folder / "made").read_text(encoding="ascii") == "2"

    def test_an_attempt_that_failed_is_not_taken_for_a_success(self, tmp_path):
        def fail(folder: Path) -> None:
            (folder / "half").touch()
            raise FetchError("the line is down")

        artefact = Artefact("thing", (), (), fail)
        with pytest.raises(FetchError):
            artefact.fetch()
        assert not artefact.is_present


def _copy(source: Path, folder: Path) -> None:
    (folder / "made").write_bytes(source.read_bytes())


class TestLeftOut:
    """Runs pytest itself where no program of another language is on the path."""

    def run(self, tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "test_two.py").write_text(
            "def test_needs_java(elasticmq): ...\ndef test_needs_java_too(elasticmq): ...\ndef test_plain(): ...\n",
            encoding="ascii",
        )
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "tests.servers.fixtures", "-c", os.devnull, "test_two.py"],
            cwd=tmp_path,
            env={"PATH": "", "PYTHONPATH": str(REPOSITORY), **variables},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def test_outside_ci_the_others_run_and_the_end_says_what_is_missing(self, tmp_path):
        done = self.run(tmp_path)
        assert done.returncode == 0, done.stdout
        assert f"2 tests: {JAVA_IS_MISSING}" in done.stdout
        assert "1 passed" in done.stdout

    def test_in_ci_they_fail(self, tmp_path):
        done = self.run(tmp_path, CI="true")
        assert done.returncode == 1
        assert JAVA_IS_MISSING in done.stdout
        assert "2 errors" in done.stdout
