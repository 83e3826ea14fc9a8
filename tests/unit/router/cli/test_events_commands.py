"""`junction sample`, `invoke`, `replay` and `completion`."""

from __future__ import annotations

import json
import logging
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from router import Recorder, Resolver
from router.cli import app
from router.testing import TestClient, samples
from router.testing.samples.named import NAMES, options_of, sample
from tests.unit.router.cli import events_app
from tests.unit.router.cli.processes import ROOT, SCRIPT, junction

APP = "tests.unit.router.cli.events_app:resolver"


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run where the application can be imported, and leave the log as it was."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(events_app, "version", [1])
    propagates = logging.getLogger("router").propagate
    yield
    logging.getLogger("router").propagate = propagates


def run(*arguments: str | Path, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(app, [str(one) for one in arguments], input=stdin)


def told(result: Result) -> str:
    """Return the one line of an error."""
    assert result.exit_code == 2, result.output
    [line] = result.stderr.splitlines()
    assert line.startswith("error: ")
    return line


class TestSample:
    @pytest.mark.parametrize("source", samples.SAMPLES)
    def test_each_source_has_one(self, source: str) -> None:
        assert json.loads(run("sample", source).stdout) == json.loads(json.dumps(samples.SAMPLES[source]()))

    @pytest.mark.parametrize("name", NAMES)
    def test_each_has_options_with_which_it_can_be_made(self, name: str) -> None:
        known = options_of(name)
        options = {"timestamp": "2026-01-01T00:00:00Z"} if "timestamp" in known else {}
        json.dumps(sample(name, options))

    def test_options_are_set(self) -> None:
        options = ["queue=mail", 'bodies=["a", {"b": 1}]', "receive_count=3"]
        result = run("sample", "sqs", *(word for option in options for word in ("--set", option)))
        records = json.loads(result.stdout)["Records"]
        assert [record["body"] for record in records] == ["a", '{"b":1}']
        assert records[0]["eventSourceARN"].endswith(":mail")
        assert records[0]["attributes"]["ApproximateReceiveCount"] == "3"

    def test_a_text_that_looks_like_a_number_stays_a_text(self) -> None:
        made = run("sample", "sqs", "--set", "queue=123", "--set", "attributes.kind=5").stdout
        [one] = json.loads(made)["Records"]
        assert one["eventSourceARN"].endswith(":123")
        assert one["messageAttributes"]["kind"]["dataType"] == "Number"
        headers = json.loads(run("sample", "rest", "--set", "headers.x-n=5").stdout)["headers"]
        assert headers["x-n"] == "5"

    def test_a_field_of_an_option_is_set(self) -> None:
        result = run("sample", "http", "--set", "headers.x-tenant=acme", "--set", "path=/a")
        assert json.loads(result.stdout)["headers"]["x-tenant"] == "acme"

    def test_they_are_listed(self) -> None:
        assert run("sample", "--list").stdout.split() == list(NAMES)
        assert "receive_count=1" in run("sample", "sqs", "--list").stdout
        assert json.loads(run("sample", "--list", "--json").stdout) == list(NAMES)

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["sqz"], "there is no sample 'sqz'; did you mean sqs?"),
            (["nothing"], "there is no sample 'nothing'; there are activemq, "),
            (["sqs", "--set", "que=x"], "'que' is not an option of sqs; there are queue, bodies, fifo"),
            (["sqs", "--set", "queue"], "--set 'queue': write it as name=value"),
            (["sqs", "--set", "queue=a", "--set", "queue=b"], "--set queue: it is given twice"),
            (["http", "--set", "headers=1", "--set", "headers.a=b"], "headers.a: headers is given twice"),
            (["sqs", "--set", "bodies=text"], "bodies must be a list"),
            (["sqs", "--set", "timestamp=now"], "timestamp 'now': write it as 2024-05-01T12:00:00Z"),
            (["sqs", "--set", "timestamp=5"], "timestamp '5': write it as"),
            (["dynamodb", "--set", "changes=[1]"], "a change is (event name, old item, new item)"),
            (["sns", "--set", "attributes=5"], "sns cannot be made of these options: AttributeError"),
            ([], "name a SOURCE"),
        ],
    )
    def test_wrong_words(self, arguments: list[str], said: str) -> None:
        assert said in told(run("sample", *arguments))


class TestInvoke:
    def test_a_request_is_answered(self, tmp_path: Path) -> None:
        file = tmp_path / "event.json"
        file.write_text(run("sample", "http").stdout)
        result = run("invoke", APP, file)
        assert result.exit_code == 0
        assert result.stdout.startswith("handling\n200 OK\ncontent-type: application/json\n\n{\n")
        assert json.loads(result.stdout.partition("\n\n")[2]) == {"got": {"id": 1}, "version": 1}

    def test_an_event_comes_from_standard_input_and_the_answer_goes_out_as_json(self) -> None:
        result = run("invoke", APP, "-", "--json", stdin=run("sample", "rest").stdout)
        assert json.loads(result.stdout)["statusCode"] == 200
        assert result.stderr == "handling\n"  # apart from the JSON

    def test_the_environment_of_a_task_runs_the_task(self) -> None:
        environment = {"TASK_DATA": "{}"}
        done = run("invoke", APP, "-", stdin=json.dumps(samples.task("nightly", environment=environment)))
        assert (done.exit_code, done.stdout) == (0, 'working at {}\n{\n  "exitCode": 0\n}\n'), done.stderr
        failed = run("invoke", APP, "-", "--json", stdin=run("sample", "task", "--set", "name=nightly").stdout)
        assert (failed.exit_code, json.loads(failed.stdout)) == (1, {"exitCode": 3})

    def test_a_stack_is_taken(self) -> None:
        stack = "tests.unit.router.cli.events_app:stack"
        assert run("invoke", stack, "-", stdin=run("sample", "rest").stdout).exit_code == 0

    def test_a_failure_shows_the_lines_of_the_application(self) -> None:
        result = run("invoke", APP, "-", stdin=json.dumps(samples.rest("GET", "/broken")))
        assert result.exit_code == 1
        assert result.stdout.startswith("500 Internal Server Error\n")
        assert f'File "{events_app.HERE}", line ' in result.stderr
        assert 'raise KeyError("total")' in result.stderr
        assert f"{ROOT}/router" not in result.stderr

    def test_a_record_that_failed_is_a_failure(self) -> None:
        result = run("invoke", APP, "-", stdin=json.dumps(samples.sqs("orders", ["good", "bad"])))
        assert result.exit_code == 1
        assert len(json.loads(result.stdout)["batchItemFailures"]) == 1
        assert "ValueError: cannot" in result.stderr

    @pytest.mark.parametrize(
        ("payload", "error"),
        [
            (samples.s3("files", ["a"]), "RecordsFailed"),
            (samples.rest("GET", "/leave"), "SystemExit"),
            ({"no": "route"}, "NoRoute"),
        ],
    )
    def test_what_the_function_raises_is_told(self, payload: Any, error: str) -> None:
        result = run("invoke", APP, "-", "--json", stdin=json.dumps(payload))
        assert result.exit_code == 1
        assert json.loads(result.stdout)["errorType"] == error

    def test_the_context_is_given(self) -> None:
        context = {"client_context": {"custom": {"bedrockAgentCoreToolName": "a___find"}}, "tenant_id": "acme"}
        result = run("invoke", APP, "-", "--context", json.dumps(context), stdin="{}")
        assert result.exit_code == 0, result.stderr
        assert "acme" in result.stdout

    @pytest.mark.parametrize(
        ("arguments", "stdin", "said"),
        [
            (["nowhere.json"], None, "FILE 'nowhere.json': No such file or directory"),
            (["."], None, "FILE '.': Is a directory"),
            (["-"], "", "standard input: it is empty"),
            (["-"], "{", "standard input: it is not JSON"),
            (["-"], b"\xff\xff", "standard input: it is not JSON"),
            (["-"], "[" * 100_000, "standard input: it is not JSON"),
            (["-", "--context", "5"], "{}", "--context: give a JSON object"),
            (["-", "--context", '{"tenant": 1}'], "{}", "--context: 'tenant' is not known; there are request_id"),
            (["-", "--context", '{"remaining": true}'], "{}", "--context: remaining is of another kind: True"),
        ],
    )
    def test_wrong_words(self, arguments: list[str], stdin: Any, said: str) -> None:
        assert said in told(run("invoke", APP, *arguments, stdin=stdin))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with recordings of the application."""
    recorded = Resolver().use(Recorder(tmp_path))
    recorded.post("/orders")(events_app.order)
    recorded.on_queue("orders")(events_app.job)
    client = TestClient(recorded)
    client.post("/orders", json={"id": 1, "password": "hunter2-hunter2"})
    client.queue("orders", ["good", "bad"])
    return tmp_path


class TestReplay:
    def test_the_same(self, folder: Path) -> None:
        result = run("replay", folder, APP)
        assert result.exit_code == 0, result.output
        assert result.stdout.endswith("0 changed, 2 the same\n")

    def test_a_change_is_shown_and_can_be_kept(self, folder: Path) -> None:
        events_app.version[0] = 2
        result = run("replay", folder, APP)
        assert result.exit_code == 1
        assert "POST /orders\n    body.version: 1 -> 2\n" in result.stdout
        assert run("replay", folder, APP, "--ignore", "body.version").exit_code == 0
        assert "1 updated" in run("replay", folder, APP, "--update").stdout
        assert run("replay", folder, APP).exit_code == 0
        assert "hunter2" not in "".join(path.read_text() for path in folder.iterdir())

    def test_as_json(self, folder: Path) -> None:
        events_app.version[0] = 2
        held = json.loads(run("replay", folder, APP, "--json").stdout)
        assert (held["recordings"], held["changed"], held["updated"]) == (2, 1, 0)
        assert held["outcomes"][0]["differences"] == [{"path": "body.version", "before": 1, "after": 2}]
        assert held["outcomes"][1]["outcome"] == "same"

    def test_the_application_may_be_named_beside_the_recordings(self, folder: Path) -> None:
        (folder / "replay.json").write_text(json.dumps({"application": APP}))
        assert run("replay", folder).exit_code == 0

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            ([], "name the APP, in replay.json"),
            ([APP, "--ignore", "id"], "ignore: 'id' can never match: it begins with one of status, headers"),
            ([APP, "--fill", "authorization"], "--fill 'authorization': write it as name=value"),
            ([APP, "--fill", "a=$NOT_SET_ANYWHERE"], "fill a: the variable NOT_SET_ANYWHERE is not set"),
            ([APP, "--against", "http://127.0.0.1:1"], "give APP or --against, not both"),
            (["--against", "127.0.0.1"], "--against '127.0.0.1': write it as http://127.0.0.1:3000"),
            (["--against", "http://example.com"], "it is on another machine; --network allows it"),
            (["--against", "http://127.0.0.1:99999"], "the port is not a number from 0 to 65535"),
            (["--against", "http://127.0.0.1:1"], "failed: [Errno 111] Connection refused"),
        ],
    )
    def test_wrong_words(self, folder: Path, arguments: list[str], said: str) -> None:
        assert said in told(run("replay", folder, *arguments))

    def test_files_that_are_no_recordings(self, folder: Path) -> None:
        assert "there is no such folder" in told(run("replay", folder / "nowhere", APP))
        (folder / "other.json").write_text('{"format": 9}')
        assert f"{folder}/other.json: has the format 9" in told(run("replay", folder, APP))

    def test_a_rule_that_meets_nothing_is_a_wrong_argument(self, folder: Path) -> None:
        result = run("replay", folder, APP, "--ignore", "body.nothing")
        assert result.exit_code == 2
        assert "ignore 'body.nothing' has met nothing in any answer" in result.output

    @pytest.mark.parametrize("at_terminal", [True, False])
    def test_a_bar_is_drawn_on_a_terminal_alone(self, folder: Path, at_terminal: bool) -> None:
        reader, writer = pty.openpty()
        command = [str(SCRIPT), "replay", str(folder), APP, "--json"]
        environ = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "80"}
        stderr = writer if at_terminal else subprocess.PIPE
        done = subprocess.run(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=stderr, check=True)
        os.close(writer)
        drawn = os.read(reader, 100_000) if at_terminal else done.stderr
        os.close(reader)
        assert (b"replaying" in drawn) == at_terminal
        assert json.loads(done.stdout)["recordings"] == 2


class TestCompletion:
    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            ("junction rou", {"routes"}),
            ("junction sample sq", {"sqs"}),
            ("junction sample sqs --set rec", {"receive_count="}),
            ("junction invoke shop", {"shop.app:resolver", "shop.app:stack"}),
            ("junction replay x --aga", {"--against"}),
        ],
    )
    def test_a_shell_is_answered(self, tmp_path: Path, words: str, expected: set[str]) -> None:
        (tmp_path / "shop").mkdir()
        text = "raise SystemExit\nresolver = Resolver()\nstack: Stack = contract.Stack('shop.app:resolver')\n"
        (tmp_path / "shop" / "app.py").write_text(text)
        environ = {**os.environ, "PYTHONPATH": str(ROOT), "_JUNCTION_COMPLETE": "complete_bash"}
        environ |= {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
        done = subprocess.run([SCRIPT], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
        assert set(done.stdout.split()) == expected

    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_each_shell_has_a_script(self, shell: str, tmp_path: Path) -> None:
        done = junction("completion", shell, cwd=tmp_path)
        assert done.returncode == 0
        assert "_JUNCTION_COMPLETE=complete_" in done.stdout

    def test_another_shell_is_told(self) -> None:
        assert "SHELL 'tcsh': use one of bash, zsh, fish" in told(run("completion", "tcsh"))
