"""The signed form of a session, by itself: keys, expiry, and each way to alter it."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.errors import ConfigurationError, SessionError
from router.signing import key_ids, sign, verify

SECRET = "0123456789abcdef0123456789abcdef"
KEYS = key_ids([SECRET, "an older secret"])
KEY_ID, OLDER = KEYS
PAYLOAD = '{"tenant":"acme","user":"u-1"}'


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, to be set."""
    now = [1_700_000_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    return now


def signed(payload: str = PAYLOAD, key_id: str = KEY_ID, max_age: float = 60) -> dict[str, Any]:
    wire = json.loads(sign(payload, key_id, KEYS[key_id], max_age))
    assert isinstance(wire, dict)
    return wire


def test_what_was_signed_is_read_back() -> None:
    assert verify(signed(), KEYS) == {"tenant": "acme", "user": "u-1"}


def test_a_key_id_tells_nothing_of_the_secret_and_is_the_same_for_text_and_bytes() -> None:
    assert SECRET not in KEY_ID
    assert list(key_ids([SECRET.encode()])) == [KEY_ID]
    assert len(KEYS) == 2


def test_every_known_key_is_accepted() -> None:
    assert verify(signed(key_id=OLDER), KEYS)["tenant"] == "acme"
    with pytest.raises(SessionError, match="unknown key"):
        verify(signed(key_id=OLDER), key_ids([SECRET]))


def test_it_is_valid_until_it_expires(clock: list[float]) -> None:
    wire = signed(max_age=60)
    assert wire["exp"] == 1_700_000_060
    clock[0] += 60
    assert verify(wire, KEYS)["tenant"] == "acme"
    clock[0] += 1
    with pytest.raises(SessionError, match="expired"):
        verify(wire, KEYS)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("payload", PAYLOAD.replace("acme", "evil")),
        ("payload", PAYLOAD + " "),
        ("payload", "\ud800"),
        ("exp", 9_999_999_999),
        pytest.param("exp", 10**5000, id="an endless number"),
        ("kid", OLDER),
        ("sig", "0" * 64),
        ("sig", ""),
        ("sig", "é" * 64),
    ],
)
def test_altering_any_part_is_seen(part: str, value: Any) -> None:
    with pytest.raises(SessionError, match="does not fit"):
        verify({**signed(), part: value}, KEYS)


@pytest.mark.parametrize(
    ("part", "value"),
    [("kid", None), ("kid", []), ("exp", "9999999999"), ("exp", True), ("exp", 1e10), ("sig", 5), ("payload", {})],
)
def test_a_part_of_another_type_is_refused(part: str, value: Any) -> None:
    with pytest.raises(SessionError, match="malformed"):
        verify({**signed(), part: value}, KEYS)


@pytest.mark.parametrize("missing", ["kid", "exp", "sig", "payload"])
def test_a_part_that_is_missing_makes_it_unsigned(missing: str) -> None:
    wire = signed()
    del wire[missing]
    with pytest.raises(SessionError, match="not signed"):
        verify(wire, KEYS)


@pytest.mark.parametrize("wire", [None, 5, "text", [], {}, {"tenant": "acme"}])
def test_what_is_no_signed_form_is_refused(wire: Any) -> None:
    with pytest.raises(SessionError, match="not signed"):
        verify(wire, KEYS)


def test_a_signature_for_another_purpose_does_not_pass() -> None:
    wire = signed()
    message = b"\n".join((b"", KEY_ID.encode(), str(wire["exp"]).encode(), PAYLOAD.encode()))
    forged = hmac.new(SECRET.encode(), message, hashlib.sha256).hexdigest()
    with pytest.raises(SessionError, match="does not fit"):
        verify({**wire, "sig": forged}, KEYS)


def test_the_signature_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, str]] = []

    def compare(ours: str, theirs: str) -> bool:
        seen.append((ours, theirs))
        return False

    wire = signed()
    monkeypatch.setattr(hmac, "compare_digest", compare)
    with pytest.raises(SessionError, match="does not fit"):  # the comparison alone decides
        verify(wire, KEYS)
    assert seen == [(wire["sig"], wire["sig"])]


def test_an_error_shows_only_the_start_of_an_unknown_key_escaped() -> None:
    with pytest.raises(SessionError) as caught:
        verify({**signed(), "kid": "\n<b>" + "x" * 500}, KEYS)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 100


@pytest.mark.parametrize("secret", ["", "  ", b"", 5, None])
def test_a_secret_that_is_none_is_refused(secret: Any) -> None:
    with pytest.raises(ConfigurationError, match="secret"):
        key_ids([secret])


@given(st.text(), st.floats(1, 1e9))
def test_any_text_survives(text: str, max_age: float) -> None:
    payload = json.dumps({"user": text})
    assert verify(json.loads(sign(payload, KEY_ID, KEYS[KEY_ID], max_age)), KEYS) == {"user": text}


@given(st.integers(0, 10_000), st.characters(codec="ascii"))
def test_no_single_character_can_be_changed(position: int, character: str) -> None:
    text = sign(PAYLOAD, KEY_ID, KEYS[KEY_ID], 60)
    position %= len(text)
    altered = text[:position] + character + text[position + 1 :]
    try:
        wire = json.loads(altered)
    except ValueError:
        return
    if wire != json.loads(text):
        with pytest.raises(SessionError):
            verify(wire, KEYS)
