"""`junction export`: what it writes into files, what it leaves alone, and how it ends."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import typer
from typer.testing import CliRunner

from router.cli.commands import app
from router.cli.files import finish, text_of

APP = """
from router import Resolver
from router.contract import Queue, Stack
from router.environment import SQS

resolver = Resolver()
resolver.get("/send", requires={"JOBS": [SQS.SEND_MESSAGE]})(lambda: 1)
resolver.on_queue("orders")(lambda event: None)
stack = Stack("export_app:resolver", Queue("jobs", variable="JOBS"), name="shop")
"""

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Return what runs `junction export` in a folder with an application, and returns status and output."""
    (tmp_path / "export_app.py").write_text(APP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    def export(what: str, *options: str, stack: str = "export_app:stack") -> tuple[int, str]:
        sys.modules.pop("export_app", None)
        result = CliRunner().invoke(app, ["export", what, stack, *options])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.output

    yield export
    sys.modules.pop("export_app", None)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "template.yaml"


def edited(file: Path, before: str, after: str) -> str:
    text = file.read_text().replace(before, after)
    assert after in text
    file.write_text(text)
    return text


def test_it_writes_a_file_and_then_finds_it_current(run: Run, file: Path) -> None:
    code, output = run("sam", "-o", "template.yaml", "--check")
    assert (code, output.startswith("template.yaml is not there: run ")) == (1, True)
    assert output.endswith(" export sam export_app:stack -o template.yaml\n")
    assert not file.exists()
    assert run("sam", "-o", "template.yaml") == (0, "wrote template.yaml\n")
    written = file.stat().st_mtime_ns
    assert run("sam", "-o", "template.yaml") == (0, "template.yaml is current\n")
    assert run("sam", "-o", "template.yaml", "--check")[0] == 0
    assert file.stat().st_mtime_ns == written
    assert [one.name for one in file.parent.iterdir() if one.name.startswith(".")] == []


def test_check_finds_what_is_not_current(run: Run, file: Path, tmp_path: Path) -> None:
    run("sam", "-o", "template.yaml")
    (tmp_path / "export_app.py").write_text(APP.replace('"orders"', '"sales"'))
    before = file.read_text()
    assert run("sam", "-o", "template.yaml", "--check")[0] == 1
    code, shown = run("sam", "-o", "template.yaml", "--diff")
    assert code == 0
    assert "-  OrdersQueue:\n" in shown
    assert "+  SalesQueue:\n" in shown
    assert run("sam", "-o", "template.yaml", "--diff", "--check")[0] == 1
    assert file.read_text() == before
    assert run("sam", "-o", "template.yaml")[0] == 0
    assert "OrdersQueue" not in file.read_text()


def test_an_edit_by_hand_is_kept_until_force(run: Run, file: Path) -> None:
    run("sam", "-o", "template.yaml")
    text = edited(file, "maxReceiveCount: 5", "maxReceiveCount: 9")
    for options in ((), ("--check",), ("--diff",)):
        code, said = run("sam", "-o", "template.yaml", *options)
        assert code == 2
        assert said.startswith("error: template.yaml: edited by hand since the last export: ")
        assert "OrdersQueue (line " in said
        assert file.read_text() == text
    assert run("sam", "-o", "template.yaml", "--force")[0] == 0
    assert "maxReceiveCount: 9" not in file.read_text()


def test_the_rights_of_a_file_stay_and_a_link_stays_one(run: Run, file: Path, tmp_path: Path) -> None:
    real = tmp_path / "real.yaml"
    real.write_text("# mine\n")
    real.chmod(0o640)
    file.symlink_to(real)
    assert run("sam", "-o", "template.yaml")[0] == 0
    assert file.is_symlink()
    assert real.read_text().startswith("# mine\nAWSTemplateFormatVersion")
    assert real.stat().st_mode & 0o777 == 0o640


def test_json_by_option_by_name_and_by_what_is_there(run: Run, tmp_path: Path) -> None:
    assert "OrdersQueue" in json.loads(run("sam", "--json")[1])["Resources"]
    run("sam", "-o", "a.json")
    run("sam", "--json", "-o", "b.txt")
    assert json.loads((tmp_path / "a.json").read_text()) == json.loads((tmp_path / "b.txt").read_text())
    (tmp_path / "c.txt").write_text('{"Resources": {"Mine": {"Type": "A"}}}')
    run("sam", "-o", "c.txt")
    assert {"Mine", "OrdersQueue"} <= json.loads((tmp_path / "c.txt").read_text())["Resources"].keys()
    assert run("sam", "-o", "a.json", "--json", "--check")[0] == 0
    (tmp_path / "d.yaml").write_text("Resources:\n  Mine: {Type: A}\n")
    code, said = run("sam", "-o", "d.yaml", "--json")
    assert (code, said) == (2, "error: d.yaml: it is not JSON: leave --json away, or name another file\n")


@pytest.mark.parametrize("what", ["sam", "iam"])
@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("broken.yaml", b"a: b: c\n", "broken.yaml: "),
        ("list.yaml", b"- a\n", "list.yaml: "),
        ("list.json", b"[1]", "list.json: "),
        ("binary.yaml", b"\xff\xfe\x00", "binary.yaml cannot be read: it is not UTF-8 (byte 0)"),
        ("folder", None, "folder is not a file"),
        ("nowhere/template.yaml", None, "nowhere/template.yaml cannot be written: there is no folder nowhere"),
        ("export_app.py/template.yaml", None, "cannot be written: there is no folder export_app.py"),
    ],
)
def test_a_file_that_takes_no_export_stays_as_it_is(
    run: Run, tmp_path: Path, what: str, name: str, content: bytes | None, said: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    elif name == "folder":
        path.mkdir()
    before = sorted(tmp_path.iterdir())
    code, output = run(what, "-o", name)
    assert code == 2
    assert output.startswith("error: ")
    assert said in output
    assert len(output.splitlines()) == 1
    assert content is None or path.read_bytes() == content
    assert sorted(one for one in tmp_path.iterdir() if one.name != "__pycache__") == [
        one for one in before if one.name != "__pycache__"
    ]


@contextmanager
def without_rights() -> Iterator[None]:
    """Become somebody else where these tests run as root, who may write everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_file_or_folder_without_rights_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with TemporaryDirectory() as made:
        folder, file = Path(made), Path(made, "template.yaml")
        file.write_text("before")
        for path, mode, said in (
            (file, 0o444, "cannot be written: Permission denied"),
            (file, 0o000, "cannot be read: Permission denied"),
            (folder, 0o555, "cannot be written: Permission denied"),
        ):
            folder.chmod(0o777)
            file.chmod(0o666)
            path.chmod(mode)
            with without_rights(), pytest.raises(typer.Exit) as ended:
                finish("after", text_of(file), file, diff=False, check=False)
            assert ended.value.exit_code == 2
            assert capsys.readouterr().err == f"error: {file} {said}\n"
            file.chmod(0o666)
            assert file.read_bytes() == b"before"
            assert [*folder.iterdir()] == [file]
        folder.chmod(0o700)


def test_a_policy_of_ones_own_keeps_its_statements(run: Run, tmp_path: Path) -> None:
    file, mine = tmp_path / "policy.json", {"Sid": "Mine", "Effect": "Deny", "Action": "s3:*", "Resource": "*"}
    file.write_text(json.dumps({"Version": "2012-10-17", "Statement": [mine]}))
    assert run("iam", "-o", "policy.json") == (0, "wrote policy.json\n")
    first, *ours = json.loads(file.read_text())["Statement"]
    assert first == mine
    assert {"sqs:SendMessage", "sqs:ReceiveMessage"} <= {action for one in ours for action in one["Action"]}
    assert run("iam", "-o", "policy.json", "--check")[0] == 0
    text = edited(file, "sqs:SendMessage", "sqs:*")
    code, said = run("iam", "-o", "policy.json")
    assert code == 2
    assert said.startswith("error: policy.json: edited by hand since the last export: JunctionSqs")
    assert file.read_text() == text
    assert run("iam", "-o", "policy.json", "--explain")[0] == 2
    assert file.read_text() == text
    assert run("iam", "-o", "policy.json", "--force")[0] == 0
    assert "sqs:*" not in file.read_text()


def test_a_policy_too_large_for_a_managed_one_is_told(run: Run, tmp_path: Path) -> None:
    large = {"Effect": "Allow", "Action": [f"a:{'x' * 90}{n}" for n in range(100)], "Resource": "*"}
    file = tmp_path / "policy.json"
    for count, code, begin in (
        (60, 0, "note: 6,"),
        (100, 2, "error: policy.json: the policy of the function main: it "),
    ):
        text = json.dumps({"Statement": [{**large, "Action": large["Action"][:count]}]})
        file.write_text(text)
        ended, said = run("iam", "-o", "policy.json")
        assert (ended, said[: len(begin)]) == (code, begin)
        assert (file.read_text() == text) is (code == 2)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("", "STACK 'export_app:other': export_app has no 'other'; it has the resolver resolver"),
        ("other = 1", "STACK 'export_app:other' is neither a Stack nor a Resolver (got int)"),
        (
            "other = Stack('nowhere.app:resolver')",
            "'nowhere.app:resolver': there is no module 'nowhere'",
        ),
        ("other = Stack('export_app:nothing')", "its application 'export_app:nothing': export_app has no 'nothing'"),
        ("other = Stack('export_app:APP')\nAPP = 1", "it is not a Resolver, but int"),
        ("other = Stack('a-b:c')", "its application 'a-b:c': write it as package.module:resolver"),
        (
            "other = Queue('a b')",
            "export_app cannot be imported: ConfigurationError: Queue(a b): AWS takes no",
        ),
        ("other = Stack('broken_app:a')", "broken_app cannot be imported: KeyError: 'SECRET' (broken_app.py:1)"),
    ],
)
def test_a_stack_that_cannot_be_loaded(run: Run, tmp_path: Path, lines: str, said: str) -> None:
    (tmp_path / "export_app.py").write_text(f"{APP}{lines}\n")
    (tmp_path / "broken_app.py").write_text("raise KeyError('SECRET')\n")
    code, output = run("sam", "-o", "template.yaml", stack="export_app:other")
    assert code == 2
    assert said in output
    assert len(output.splitlines()) == 1
    assert not (tmp_path / "template.yaml").exists()


def test_check_needs_a_file(run: Run) -> None:
    assert run("sam", "--check") == (2, "error: --check compares with a file: name it with --output\n")


@pytest.mark.parametrize(
    ("what", "options", "told"),
    [
        ("sam", ["-o", "template.png"], ".json, .yaml, .yml or .template, not with .png"),
        ("iam", ["-o", "policy.yaml"], "a policy is a file that ends with .json, not with .yaml"),
        ("asyncapi", ["-o", "asyncapi.html"], ".json, .yaml or .yml, not with .html"),
        ("openapi", ["-o", "openapi.jso"], ".json, .yaml or .yml, not with .jso"),
        ("tools", ["-o", "tools.md"], ".json, .yaml or .yml, not with .md"),
        ("client", ["-o", "client.json"], "the client is a file that ends with .py, not with .json"),
    ],
)
def test_a_name_of_another_kind_of_file_is_refused(
    run: Run, tmp_path: Path, what: str, options: list[str], told: str
) -> None:
    code, output = run(what, *options)
    assert (code, told in output) == (2, True)
    assert not (tmp_path / options[1]).exists()


@pytest.mark.parametrize("what", ["sam", "iam", "asyncapi", "tools", "client", "diagram"])
def test_a_difference_from_the_terminal_is_refused(run: Run, what: str) -> None:
    assert run(what, "--diff") == (2, "error: --diff compares with a file: name it with --output\n")


def test_the_case_of_an_ending_does_not_matter(run: Run, tmp_path: Path) -> None:
    for name in ("asyncapi.YAML", "asyncapi.yaml"):
        assert run("asyncapi", "-o", name)[0] == 0
    assert (tmp_path / "asyncapi.YAML").read_text() == (tmp_path / "asyncapi.yaml").read_text()
