"""Transfer Family's identity provider: an answer without a role denies, and so does one that cannot be judged."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from hypothesis import given

from router import (
    Allow,
    ConfigurationError,
    Deny,
    Forbidden,
    Resolver,
    Source,
    TransferLoginEvent,
    TransferUser,
    Unauthorized,
)
from router.sources.transfer import answer
from router.testing import TestClient, samples
from tests.unit.router.sources.payload_cases import FUZZ, mutations, read_one, survives

ROLE = "arn:aws:iam::123456789012:role/files"
BY_PASSWORD = {
    "username": "ann",
    "password": "secret",
    "protocol": "SFTP",
    "serverId": "s-abcd123456",
    "sourceIp": "192.168.0.100",
}
BY_KEY = {name: value for name, value in BY_PASSWORD.items() if name != "password"}


def test_the_fields_of_a_login() -> None:
    event = read_one(BY_PASSWORD)
    assert isinstance(event, TransferLoginEvent)
    assert (event.source, event.name, event.source_ip) == (Source.TRANSFER, "s-abcd123456", "192.168.0.100")
    assert (event.username, event.password, event.protocol) == ("ann", "secret", "SFTP")
    assert event.json() == BY_PASSWORD
    assert event.typed.server_id == "s-abcd123456"
    assert "secret" not in repr(event)


@pytest.mark.parametrize("password", [None, "", 5, ["a"]])
def test_no_password_is_none(password: Any) -> None:
    assert read_one({**BY_KEY, "password": password}).password is None
    assert read_one(BY_KEY).password is None


def test_what_a_user_may_reach() -> None:
    user = TransferUser(ROLE, home="/uploads/acme/ann", policy={"Version": "2012-10-17"})
    assert answer(read_one(BY_PASSWORD), user) == {
        "Role": ROLE,
        "HomeDirectoryType": "PATH",
        "HomeDirectory": "/uploads/acme/ann",
        "Policy": '{"Version":"2012-10-17"}',
    }
    mapped = TransferUser(ROLE, home={"/": "/bucket/ann"}, uid=1000, gid=0, secondary_gids=[5], policy="{}")
    said = answer(read_one(BY_PASSWORD), mapped)
    assert said["HomeDirectoryType"] == "LOGICAL"
    assert json.loads(said["HomeDirectoryDetails"]) == [{"Entry": "/", "Target": "/bucket/ann"}]
    assert said["PosixProfile"] == {"Uid": 1000, "Gid": 0, "SecondaryGids": [5]}
    by_key = answer(read_one(BY_KEY), TransferUser(ROLE, public_keys="ssh-rsa A"))
    assert by_key == {"Role": ROLE, "PublicKeys": ["ssh-rsa A"]}


def test_a_finished_answer_goes_as_it_is() -> None:
    own = {"Role": ROLE, "HomeDirectory": "/bucket"}
    assert answer(read_one(BY_PASSWORD), own) == own


@pytest.mark.parametrize("result", [False, Deny(), {}])
def test_an_empty_answer_denies(result: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert answer(read_one(BY_PASSWORD), result) == {}
    assert caplog.text == ""


@pytest.mark.parametrize(
    "result",
    [None, True, 1, "yes", ROLE, [ROLE], {"Role": ""}, {"Role": None}, {"role": ROLE}, {"Policy": "{}"}],
)
def test_what_names_no_role_denies(result: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "router"):
        assert answer(read_one(BY_PASSWORD), result) == {}
    assert "names no role" in caplog.text


@pytest.mark.parametrize(
    ("raw", "result", "said"),
    [
        (BY_KEY, TransferUser(ROLE), "no public keys"),
        (BY_KEY, {"Role": ROLE, "PublicKeys": []}, "no public keys"),
        ({**BY_KEY, "password": ""}, TransferUser(ROLE), "no public keys"),
        # Whoever trusts that a key is asked for must not let in everybody who sends any password.
        (BY_PASSWORD, TransferUser(ROLE, public_keys="ssh-rsa A"), "nobody would ask for"),
        (BY_PASSWORD, {"Role": ROLE, "PublicKeys": ["ssh-rsa A"]}, "nobody would ask for"),
    ],
)
def test_a_login_that_nobody_would_check_is_denied(
    raw: Any, result: Any, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert answer(read_one(raw), result) == {}
    assert said in caplog.text


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"Role": 5}, "the role must be text"),
        ({"Role": "files"}, "the ARN of a role"),
        ({"Role": "arn:aws:iam::1:user/ann"}, "the ARN of a role"),
        ({"Role": ROLE + "\n"}, "without CR"),
        ({"Role": ROLE, "Polic": "{}"}, "unknown key Polic"),
        ({"Role": ROLE, "Policy": ""}, "the policy must be JSON text"),
        ({"Role": ROLE, "Policy": {"a": 1}}, "the policy must be JSON text"),
        ({"Role": ROLE, "Policy": "x" * 2049}, "2,048 characters"),
        ({"Role": ROLE, "PublicKeys": "ssh-rsa A"}, "a list of text"),
        ({"Role": ROLE, "PublicKeys": [""]}, "a list of text"),
        ({"Role": ROLE, "HomeDirectory": "bucket"}, "starts with a slash"),
        ({"Role": ROLE, "HomeDirectory": "/bucket/ann/../bob"}, "no '..'"),
        ({"Role": ROLE, "HomeDirectory": "/" + "x" * 1024}, "starts with a slash"),
        ({"Role": ROLE, "HomeDirectoryType": "LOGICAL"}, "come together"),
        ({"Role": ROLE, "HomeDirectoryDetails": "[1]"}, "come together"),
        ({"Role": ROLE, "HomeDirectoryType": "LOGICAL", "HomeDirectoryDetails": []}, "at least one folder"),
        ({"Role": ROLE, "HomeDirectoryType": "LOGICAL", "HomeDirectoryDetails": "[]"}, "at least one folder"),
        ({"Role": ROLE, "PosixProfile": {"Uid": 1}}, "both of them"),
        ({"Role": ROLE, "PosixProfile": {"Uid": -1, "Gid": 1}}, "whole numbers"),
        ({"Role": ROLE, "PosixProfile": {"Uid": True, "Gid": 1}}, "whole numbers"),
        ({"Role": ROLE, "PosixProfile": 5}, "both of them"),
        ({"Role": ROLE, "PosixProfile": {"Uid": 1, "Gid": 1, "SecondaryGids": [1] * 17}}, "at most 16"),
    ],
)
def test_an_answer_that_cannot_be_judged_lets_nobody_in(own: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        answer(read_one(BY_PASSWORD), own)


@pytest.mark.parametrize(
    "options",
    [
        {"home": {}},
        {"home": {"/": "bucket"}},
        {"home": {"ann": "/bucket"}},
        {"home": {"/": "/bucket/../other"}},
        {"home": "/a/.."},
        {"policy": "x" * 2049},
        {"policy": ""},
        {"uid": 5},
        {"gid": 5},
        {"uid": 2**32, "gid": 1},
        {"public_keys": [""]},
    ],
)
def test_a_user_that_makes_no_sense_is_refused(options: Any) -> None:
    with pytest.raises(ConfigurationError):
        TransferUser(ROLE, **options)


def test_allow_says_too_little() -> None:
    with pytest.raises(ConfigurationError, match="TransferUser"):
        answer(read_one(BY_PASSWORD), Allow("ann"))


def test_a_server_has_its_own_route_and_errors_let_nobody_in() -> None:
    resolver = Resolver()

    @resolver.on(Source.TRANSFER, "s-1")
    def login(event: TransferLoginEvent) -> TransferUser:
        if event.username == "bob":
            raise Forbidden
        if event.password != "secret":
            raise Unauthorized
        if event.protocol != "SFTP":
            raise RuntimeError("database is down")
        return TransferUser(ROLE)

    client = TestClient(resolver)
    assert client.event(samples.transfer(server="s-1")) == {"Role": ROLE}
    assert client.event(samples.transfer("bob", server="s-1")) == {}
    assert client.event(samples.transfer(password="x", server="s-1")) == {}
    with pytest.raises(RuntimeError):
        client.event(samples.transfer(protocol="FTP", server="s-1"))


def test_the_role_is_all_that_is_shown() -> None:
    assert repr(TransferUser(ROLE, public_keys="ssh-rsa A")) == f"TransferUser({ROLE!r})"


@FUZZ
@given(mutations([BY_PASSWORD, BY_KEY]))
def test_whatever_it_holds(payload: Any) -> None:
    survives(payload, {Source.TRANSFER}, [True, False, None, {}, {"Role": ROLE}, TransferUser(ROLE), Deny(), Allow()])
