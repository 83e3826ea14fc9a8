"""The signed form of a session, by itself: keys, expiry, and each way to alter it."""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
import pickle
import time
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.errors import ConfigurationError, SessionError
from router.signing import PURPOSES, Signing

SECRET = "0123456789abcdef0123456789abcdef"
OLD_SECRET = "an older secret of 32 bytes or more"
SIGNING = Signing(SECRET, previous=[OLD_SECRET], max_age=60)
OLDER = Signing(OLD_SECRET, max_age=60)
PAYLOAD = '{"tenant":"acme","user":"u-1"}'


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, to be set."""
    now = [1_700_000_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    return now


def signed(signing: Signing = SIGNING, payload: str = PAYLOAD) -> dict[str, Any]:
    wire = json.loads(signing.seal(payload))
    assert isinstance(wire, dict)
    return wire


def test_what_was_signed_is_read_back() -> None:
    assert SIGNING.open(signed()) == {"tenant": "acme", "user": "u-1"}


def test_a_key_id_tells_nothing_of_the_secret_and_is_the_same_for_text_and_bytes() -> None:
    assert signed()["kid"] == signed(Signing(SECRET.encode()))["kid"]
    assert signed()["kid"] not in SECRET
    assert signed()["kid"] != signed(OLDER)["kid"]


def test_every_known_key_is_accepted_and_only_the_first_one_signs() -> None:
    assert SIGNING.open(signed(OLDER))["tenant"] == "acme"
    with pytest.raises(SessionError, match="unknown key"):
        Signing(SECRET).open(signed(OLDER))
    with pytest.raises(SessionError, match="unknown key"):
        OLDER.open(signed())
    old = "o" * 32
    for previous in (old, old.encode(), [old], (one for one in ["older" * 8, old])):
        assert Signing(SECRET, previous=previous).open(signed(Signing(old)))["tenant"] == "acme"


def test_it_is_valid_until_it_expires(clock: list[float]) -> None:
    wire = signed()
    assert wire["exp"] == 1_700_000_060
    clock[0] += 60
    assert SIGNING.open(wire)["tenant"] == "acme"
    clock[0] += 1
    with pytest.raises(SessionError, match="expired"):
        SIGNING.open(wire)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("payload", PAYLOAD.replace("acme", "evil")),
        ("payload", PAYLOAD + " "),
        ("payload", "\ud800"),
        ("exp", 9_999_999_999),
        pytest.param("exp", 10**5000, id="an endless number"),
        ("kid", signed(OLDER)["kid"]),
        ("for", "header"),
        ("for", "anything else"),
        ("sig", "0" * 64),
        ("sig", ""),
        ("sig", "é" * 64),
    ],
)
def test_altering_any_part_is_seen(part: str, value: Any) -> None:
    with pytest.raises(SessionError, match="does not match"):
        SIGNING.open({**signed(), part: value})


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("for", None),
        ("kid", None),
        ("kid", []),
        ("exp", "9999999999"),
        ("exp", True),
        ("exp", 1e10),
        ("sig", 5),
        ("payload", {}),
    ],
)
def test_a_part_of_another_type_is_refused(part: str, value: Any) -> None:
    with pytest.raises(SessionError, match="malformed"):
        SIGNING.open({**signed(), part: value})


@pytest.mark.parametrize("missing", ["for", "kid", "exp", "sig", "payload"])
def test_a_part_that_is_missing_makes_it_unsigned(missing: str) -> None:
    wire = signed()
    del wire[missing]
    with pytest.raises(SessionError, match="not signed"):
        SIGNING.open(wire)


@pytest.mark.parametrize("wire", [None, 5, "text", [], {}, {"tenant": "acme"}])
def test_what_is_no_signed_form_is_refused(wire: Any) -> None:
    with pytest.raises(SessionError, match="not signed"):
        SIGNING.open(wire)


def test_what_else_is_signed_with_the_secret_does_not_pass() -> None:
    wire = signed()
    message = b"\n".join((b"message", wire["kid"].encode(), str(wire["exp"]).encode(), PAYLOAD.encode()))
    forged = hmac.new(SECRET.encode(), message, hashlib.sha256).hexdigest()
    with pytest.raises(SessionError, match="does not match"):
        SIGNING.open({**wire, "sig": forged})


@pytest.mark.parametrize("meant", PURPOSES)
@pytest.mark.parametrize("place", PURPOSES)
def test_a_session_is_taken_only_where_it_was_signed_for(meant: str, place: str) -> None:
    wire = json.loads(SIGNING.seal(PAYLOAD, meant))
    # A state machine hands its input on to functions, tasks and queues; nothing else changes its place.
    if meant == place or (meant == "execution" and place in ("message", "invoke", "task")):
        assert SIGNING.open(wire, place)["tenant"] == "acme"
        return
    with pytest.raises(SessionError, match=f"signed for another purpose \\({meant}, and this is {place}\\)"):
        SIGNING.open(wire, place)


def test_a_misspelled_purpose_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="unknown purpose 'mesage'; use one of message"):
        SIGNING.seal(PAYLOAD, "mesage")
    with pytest.raises(ConfigurationError, match="unknown purpose"):
        SIGNING.open(signed(), "mesage")


def test_a_header_lives_for_minutes(clock: list[float]) -> None:
    wire = json.loads(Signing(SECRET).seal(PAYLOAD, "header"))
    clock[0] += 300
    assert Signing(SECRET).open(wire, "header")["tenant"] == "acme"
    clock[0] += 1
    with pytest.raises(SessionError, match="expired"):
        Signing(SECRET).open(wire, "header")


def test_the_age_of_a_header_is_settable_and_never_over_max_age(clock: list[float]) -> None:
    for signing in (Signing(SECRET, header_max_age=90), Signing(SECRET, max_age=90, header_max_age=600)):
        assert signing.header_max_age == 90
        assert json.loads(signing.seal(PAYLOAD, "header"))["exp"] == 1_700_000_090
    with pytest.raises(ConfigurationError, match=r"Signing\(header_max_age=...\)"):
        Signing(SECRET, header_max_age=0)


def test_a_key_id_is_no_digest_of_the_signing_key() -> None:
    # Whoever guesses at secrets by the id learns nothing that another use of the same secret would not tell.
    kid = signed()["kid"]
    for text in ("kid", "junction.key-id", "junction.session.v1"):
        assert hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()[:12] != kid


def test_the_signature_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, str]] = []

    def compare(ours: str, theirs: str) -> bool:
        seen.append((ours, theirs))
        return False

    wire = signed()
    monkeypatch.setattr(hmac, "compare_digest", compare)
    with pytest.raises(SessionError, match="does not match"):  # the comparison alone decides
        SIGNING.open(wire)
    assert seen == [(wire["sig"], wire["sig"])]


def test_an_error_shows_only_the_start_of_an_unknown_key_escaped() -> None:
    with pytest.raises(SessionError) as caught:
        SIGNING.open({**signed(), "kid": "\n<b>" + "x" * 500})
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 100


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        (None, r"=None\): it is not set"),  # an unset variable turns nothing off
        ("", "it is empty"),
        ("  ", "it is empty"),
        (b"", "it is empty"),
        (5, "give str or bytes, not int"),
        ("\ud800", "not valid text"),
        ("a", "it is too short; give at least 32 random bytes"),
        ("k" * 31, "it is too short"),
        (b"k" * 31 + b"\n", "it is too short"),  # the end of a line is no secret
    ],
)
def test_a_secret_that_is_none_is_refused(secret: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"Signing\(secret.*{said}"):
        Signing(secret)
    with pytest.raises(ConfigurationError, match=rf"Signing\(previous.*{said}"):
        Signing(SECRET, previous=[secret])


@pytest.mark.parametrize("previous", [None, 5])
def test_previous_secrets_that_are_none_are_refused(previous: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"Signing\(previous=...\): give a list of secrets"):
        Signing(SECRET, previous=previous)


@pytest.mark.parametrize("max_age", [0, -1, 0.5, float("nan"), float("inf"), "60", None, True, timedelta(0)])
def test_an_age_that_is_none_is_refused(max_age: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"Signing\(max_age=...\)"):
        Signing(SECRET, max_age=max_age)


def test_an_age_is_seconds_or_a_timedelta(clock: list[float]) -> None:
    for signing in (Signing(SECRET, max_age=90), Signing(SECRET, max_age=timedelta(minutes=1.5))):
        assert signing.max_age == 90
        assert signed(signing)["exp"] == 1_700_000_090


def test_it_shows_no_secret_and_hands_none_on() -> None:
    for shown in (repr(SIGNING), str(SIGNING), f"{vars(SIGNING) if hasattr(SIGNING, '__dict__') else ''}"):
        assert SECRET not in shown
        assert OLD_SECRET not in shown
    assert "max_age=60" in repr(SIGNING)
    with pytest.raises(TypeError, match="holds secrets"):
        pickle.dumps(SIGNING)
    for copied in (copy.copy(SIGNING), copy.deepcopy([SIGNING])[0]):
        assert copied.open(signed())["tenant"] == "acme"


def test_what_is_signed_for_a_connection_lasts_as_long_as_that(clock: list[float]) -> None:
    kept, sent = (json.loads(SIGNING.seal(PAYLOAD, purpose)) for purpose in ("connection", "message"))
    clock[0] += 3600
    assert SIGNING.open(kept, "connection")["tenant"] == "acme"
    with pytest.raises(SessionError, match="expired"):
        SIGNING.open(sent, "message")


def test_a_message_may_wait_as_long_as_a_queue_keeps_it() -> None:
    assert Signing(SECRET).max_age == timedelta(days=14, hours=1).total_seconds()  # SQS keeps one for 14 days
    assert Signing(SECRET, header_max_age=1).header_max_age == 1


def test_it_shows_how_many_older_secrets_there_are() -> None:
    assert "previous=<1 hidden>" in repr(SIGNING)
    assert "previous" not in repr(OLDER)


def test_it_cannot_be_changed() -> None:
    for name in ("max_age", "secret", "previous", "misspelled"):
        with pytest.raises(AttributeError):
            setattr(SIGNING, name, "other")


@given(st.text(), st.floats(1, 1e9))
def test_any_text_survives(text: str, max_age: float) -> None:
    signing = Signing(SECRET, max_age=max_age)
    assert signing.open(signed(signing, json.dumps({"user": text}))) == {"user": text}


@given(st.integers(0, 10_000), st.characters(codec="ascii"))
def test_no_single_character_can_be_changed(position: int, character: str) -> None:
    text = SIGNING.seal(PAYLOAD)
    position %= len(text)
    altered = text[:position] + character + text[position + 1 :]
    try:
        wire = json.loads(altered)
    except ValueError:
        return
    if wire != json.loads(text):
        with pytest.raises(SessionError):
            SIGNING.open(wire)
