"""Signed sessions: HMAC-SHA256 over key id, expiry and the session's own JSON text, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
import time

import orjson

from router.errors import ConfigurationError, SessionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

# Binds the signature to this use, so that nothing else signed with the same secret passes as a session.
_PURPOSE = b"junction.session.v1"


def key_ids(secrets: Iterable[str | bytes]) -> dict[str, bytes]:
    """Each secret under the id that names it on the wire; the id tells nothing of the secret."""
    keys: dict[str, bytes] = {}
    for secret in secrets:
        key = secret.encode() if isinstance(secret, str) else secret
        if not isinstance(key, bytes) or not key.strip():
            raise ConfigurationError("SessionPolicy: a secret is empty or no text; give at least 32 random bytes")
        keys[hmac.new(key, b"junction.key-id", hashlib.sha256).hexdigest()[:12]] = key
    return keys


def _signature(key_id: str, expires: int, payload: str, key: bytes) -> str:
    message = b"\n".join((_PURPOSE, key_id.encode(), str(expires).encode(), payload.encode()))
    return hmac.new(key, message, hashlib.sha256).hexdigest()


def sign(payload: str, key_id: str, key: bytes, max_age: float) -> str:
    """The wire form: `{"kid", "exp" (seconds since the epoch), "sig", "payload" (the session's JSON as text)}`."""
    expires = int(time.time() + max_age)
    signature = _signature(key_id, expires, payload, key)
    return orjson.dumps({"kid": key_id, "exp": expires, "sig": signature, "payload": payload}).decode()


def verify(wire: Any, keys: dict[str, bytes]) -> Any:
    """The session's fields, when a known key signed them and they have not expired. Raises SessionError."""
    if type(wire) is not dict or not {"kid", "exp", "sig", "payload"} <= wire.keys():
        raise SessionError("session: it is not signed, and this application takes signed sessions only")
    key_id, expires, signature, payload = wire["kid"], wire["exp"], wire["sig"], wire["payload"]
    if type(key_id) is not str or type(expires) is not int or type(signature) is not str or type(payload) is not str:
        raise SessionError("session: the signed form is malformed")
    key = keys.get(key_id)
    if key is None:
        raise SessionError(f"session: signed with an unknown key ({key_id[:12]!r})")
    try:
        genuine = hmac.compare_digest(_signature(key_id, expires, payload, key), signature)
    except (TypeError, ValueError):  # a signature, payload or time that cannot even be compared
        genuine = False
    if not genuine:
        raise SessionError("session: the signature does not fit; it was altered or signed with another secret")
    if expires < time.time():
        raise SessionError("session: it has expired")
    return orjson.loads(payload)
