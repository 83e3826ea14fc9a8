"""`junction tokens`: what it writes where, and its exit statuses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from adapters.mongo.document_errors import ClusterUnavailable
from router.cli import app
from tests.unit.router.cli.tokens_app import store, tokens

HERE = "tests.unit.router.cli.tokens_app"
APP = f"{HERE}:tokens"


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(Path(__file__).resolve().parents[4])
    store.records.clear()
    yield
    store.records.clear()
    store.failing.clear()


def run(*arguments: str, name: str = APP) -> Result:
    return CliRunner().invoke(app, ["tokens", name, *arguments])


def issued(*arguments: str) -> str:
    done = run("issue", "--user", "ann", "--expires-in", "30d", *arguments)
    assert done.exit_code == 0, done.stderr
    return done.stdout.strip()


def line_of(done: Result) -> str:
    [line] = done.stderr.splitlines()
    return line


def rows() -> list[list[str]]:
    done = run("list")
    assert (done.exit_code, done.stderr) == (0, "")
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in done.stdout.splitlines() if "│" in line]


def test_the_secret_is_all_that_goes_to_standard_output(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    done = run(
        *("issue", "--user", "ann", "--tenant", "acme", "--tenant", "globex", "--expires-in", "12h"),
        *("--claims", '{"role": "admin"}', "--name", "laptop"),
    )
    assert done.exit_code == 0
    token = done.stdout.removesuffix("\n")
    identity = tokens.authenticate(token)
    assert identity is not None
    assert (identity.user, identity.tenants, identity.claims) == ("ann", ("acme", "globex"), {"role": "admin"})
    assert line_of(done).startswith(f"id {identity.credential_id}, expires ")
    secret = token.partition(".")[2]
    assert secret not in done.stderr + caplog.text + run("list").output
    [listed] = tokens.list()
    assert listed.name == "laptop"
    assert listed.expires_at is not None
    assert listed.created_at is not None
    assert listed.expires_at - listed.created_at == timedelta(hours=12)


def test_a_token_that_never_ends() -> None:
    done = run("issue", "--tenant", "acme", "--expires-in", "never")
    assert "expires never" in done.stderr
    assert tokens.list()[0].expires_at is None


def test_a_rotation_writes_the_new_one_and_keeps_the_old_one_for_the_grace_time() -> None:
    old = issued()
    done = run("rotate", tokens.list()[0].id, "--grace", "1h")
    assert done.exit_code == 0
    new = done.stdout.removesuffix("\n")
    assert tokens.authenticate(old) is not None
    assert tokens.authenticate(new) is not None
    assert tokens.list()[0].expires_at < datetime.now(UTC) + timedelta(hours=1, seconds=1)  # type: ignore[operator]
    again = run("rotate", tokens.list()[0].id)
    assert (again.exit_code, again.stdout) == (1, "")
    assert "was rotated before" in line_of(again)
    assert run("rotate", tokens.list()[1].id, "--expires-in", "never").exit_code == 0
    assert tokens.authenticate(new) is None
    assert tokens.list()[2].expires_at is None


def test_revocation_of_one_and_of_many() -> None:
    one, two, three = issued(), issued("--tenant", "acme"), issued("--tenant", "acme")
    first = tokens.list()[0].id
    assert (run("revoke", first).stdout, run("revoke", first).exit_code) == ("1 revoked\n", 1)
    assert run("revoke", "0" * 16).exit_code == 1
    assert run("revoke", "--user", "ann", "--tenant", "acme").stdout == "2 revoked\n"
    assert run("revoke", "--tenant", "acme").stdout == "0 revoked\n"
    assert [tokens.authenticate(token) for token in (one, two, three)] == [None] * 3


def test_the_list_says_how_each_token_is() -> None:
    for _ in range(5):
        issued("--name", "[bold]x", "--tenant", "acme", "--tenant", "globex")
    ids = [token.id for token in tokens.list()]
    run("revoke", ids[1])
    store.records[ids[2]]["disabled"] = True
    store.records[ids[3]]["expires_at"] = datetime(2026, 1, 1, tzinfo=UTC) - timedelta(days=900)
    run("rotate", ids[4], "--grace", "1h")
    found = {row[0]: row for row in rows() if row[0] != "id"}
    assert [found[id][1] for id in ids[:4]] == ["valid", "revoked", "disabled", "expired"]
    assert found[ids[4]][1] == f"in grace, now {tokens.list()[5].id}"
    assert found[ids[0]][2:5] == ["[bold]x", "ann", "acme, globex"]
    assert re.fullmatch(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\dZ", found[ids[0]][5])
    assert ids[0] not in run("list", "--user", "bob").stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["issue", "--user", "ann", "--expires-in", "30"], "--expires-in '30': write it as 30d, 12h, 15m or 60s, or"),
        (["issue", "--user", "ann", "--expires-in", "-1d"], "write it as 30d"),
        (["issue", "--user", "ann", "--expires-in", "1d "], "write it as 30d"),
        (["issue", "--user", "ann", "--expires-in", "\u0663d"], "write it as 30d"),
        (["issue", "--user", "ann", "--expires-in", "0d"], "expired already"),
        (["issue", "--user", "ann", "--expires-in", "999999999d"], "expires_in"),
        (["issue", "--expires-in", "1d"], "give a user, tenants, or both"),
        (["issue", "--user", "", "--expires-in", "1d"], "not empty"),
        (["issue", "--user", "ann", "--tenant", "", "--expires-in", "1d"], "not empty"),
        (["issue", "--user", "ann", "--expires-in", "1d", "--claims", "{"], "--claims: this is not JSON"),
        (["issue", "--user", "ann", "--expires-in", "1d", "--claims", "[1]"], "--claims: give a JSON object"),
        (["issue", "--user", "ann", "--expires-in", "1d", "--claims", '{"a": NaN}'], "give JSON values"),
        (["rotate", "0" * 16, "--grace", "never"], "--grace 'never': write it as 30d, 12h, 15m or 60s"),
        (["revoke"], "give the ID of a token, or --user, --tenant or both"),
        (["revoke", "0" * 16, "--user", "ann"], "give the ID of a token, or --user, --tenant or both"),
        (["revoke", "--user", ""], "revoke_all(user=...): give text that is not empty"),
        (["list", "--tenant", ""], "list(tenant=...): give text that is not empty"),
    ],
)
def test_wrong_arguments_are_told_in_one_line_and_change_nothing(arguments: list[str], told: str) -> None:
    token = issued()
    done = run(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert told in line_of(done)
    assert len(store.records) == 1
    assert tokens.authenticate(token) is not None


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (f"{HERE}:resolver", "is not a Tokens object (got Resolver)"),
        (f"{HERE}:store", "is not a Tokens object (got Memory)"),
        ("nowhere:tokens", "there is no module 'nowhere' here"),
        ("noform", "write it as package.module:tokens"),
    ],
)
@pytest.mark.parametrize("arguments", [["list"], ["issue", "--user", "ann", "--expires-in", "1d"], ["revoke", "x"]])
def test_an_object_that_has_no_tokens_is_told_in_one_line(arguments: list[str], name: str, told: str) -> None:
    done = run(*arguments, name=name)
    assert (done.exit_code, done.stdout) == (2, "")
    assert told in line_of(done)


def test_a_store_that_is_down_is_status_1_and_no_token() -> None:
    store.failing = dict.fromkeys(("insert", "get", "update"), ClusterUnavailable("mongodb main: nobody answers"))
    for arguments in (["issue", "--user", "ann", "--expires-in", "1d"], ["rotate", "0" * 16], ["revoke", "0" * 16]):
        done = run(*arguments)
        assert (done.exit_code, done.stdout) == (1, "")
        assert line_of(done) == "error: mongodb main: nobody answers"


@pytest.mark.parametrize("command", ["issue", "rotate", "revoke", "list"])
def test_help_of_each_action_fits_80_columns(command: str) -> None:
    done = CliRunner().invoke(app, ["tokens", APP, command, "--help"], env={"COLUMNS": "80"})
    assert done.exit_code == 0
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "…" not in done.stdout


def test_claims_come_back_as_they_were_given() -> None:
    claims = {"a": [1, 2.5, None, True, {"b": "é"}]}
    issued("--claims", json.dumps(claims))
    assert tokens.list()[0].claims == claims


def test_everything_is_data_for_programs() -> None:
    made = json.loads(run("issue", "--user", "ann", "--expires-in", "30d", "--claims", '{"a": 1}', "--json").stdout)
    identity = tokens.authenticate(made["token"])
    assert identity is not None
    assert identity.credential_id == made["id"]
    assert datetime.fromisoformat(made["expires_at"]) > datetime.now(UTC)

    rotated = json.loads(run("rotate", made["id"], "--json").stdout)
    assert tokens.authenticate(rotated["token"]) is not None

    listed = json.loads(run("list", "--json").stdout)
    assert [one["state"] for one in listed] == [f"rotated, now {rotated['id']}", "valid"]
    assert listed[0]["claims"] == {"a": 1}
    assert rotated["token"].partition(".")[2] not in json.dumps(listed)

    assert json.loads(run("revoke", "--user", "ann", "--json").stdout) == {"revoked": 2}
