"""`Signing`: signed sessions. HMAC-SHA256 over key id, expiry and the session's own JSON text."""

from __future__ import annotations

import time

import orjson

from router.errors import ConfigurationError, SessionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, NoReturn

    from router.durations import Duration

# Binds the signature to this use, so that nothing else signed with the same secret passes as a session.
_PURPOSE = b"junction.session.v1"
# The longest retention of SQS is 14 days; an hour more for what is in flight then.
_LONGEST_WAIT = 14 * 86_400 + 3_600


class Signing:
    """Sign sessions on the way out, and check them on the way in.

    An unsigned, altered or expired session, or one that is signed with an unknown key, is refused. The object cannot be
    changed, shows no secret and is not pickled.

    secret: the key of HMAC-SHA256 that signs. Use at least 32 random bytes.
    previous: keys that are still accepted, while keys are rotated.
    max_age: how long a signed session stays valid, in seconds or as a timedelta. The default outlives the longest
        retention of SQS (14 days).

    Raises:
        ConfigurationError: a secret is None, empty or not text, or `max_age` is less than a second or not a duration.
    """

    __slots__ = ("_keys", "_max_age", "_secrets")

    def __init__(
        self,
        secret: str | bytes,
        *,
        previous: str | bytes | Iterable[str | bytes] = (),
        max_age: Duration = _LONGEST_WAIT,
    ) -> None:
        if max_age != _LONGEST_WAIT:  # the default needs no check, nor the module that checks
            from router.durations import seconds

            max_age = seconds(max_age, "Signing(max_age=...)", least=1)
        self._max_age: float = max_age  # type: ignore[assignment]
        self._secrets = (_key(secret, "secret"), *(_key(one, "previous") for one in _listed(previous)))
        self._keys: dict[str, bytes] | None = None

    @property
    def max_age(self) -> float:
        """How long a signed session stays valid, in seconds."""
        return self._max_age

    def seal(self, payload: str) -> str:
        """Return the signed form of a session's JSON text.

        It is JSON: `{"kid", "exp" (seconds since the epoch), "sig", "payload" (the session's JSON text)}`.
        """
        key_id, key = next(iter(self._by_id().items()))
        expires = int(time.time() + self._max_age)
        signature = _signature(key_id, expires, payload, key)
        return orjson.dumps({"kid": key_id, "exp": expires, "sig": signature, "payload": payload}).decode()

    def open(self, wire: Any) -> Any:
        """Return the fields of a session in its signed form, when a known key signed them and they have not expired.

        wire: the parsed JSON.

        Raises:
            SessionError: it is unsigned, malformed, altered or expired, or signed with an unknown key.
        """
        if type(wire) is not dict or not {"kid", "exp", "sig", "payload"} <= wire.keys():
            raise SessionError("session: it is not signed, and this application takes signed sessions only")
        key_id, expires, signature, payload = wire["kid"], wire["exp"], wire["sig"], wire["payload"]
        if not (type(key_id) is type(signature) is type(payload) is str and type(expires) is int):
            raise SessionError("session: the signed form is malformed")
        key = self._by_id().get(key_id)
        if key is None:
            raise SessionError(f"session: signed with an unknown key ({key_id[:12]!r})")
        from hmac import compare_digest

        try:
            genuine = compare_digest(_signature(key_id, expires, payload, key), signature)
        except (TypeError, ValueError):  # a signature, payload or time that cannot even be compared
            genuine = False
        if not genuine:
            raise SessionError("session: the signature does not match; it was altered or signed with another secret")
        if expires < time.time():
            raise SessionError("session: it has expired")
        return orjson.loads(payload)

    def _by_id(self) -> dict[str, bytes]:
        """Return the keys by the id that names each on the wire, the one that signs first."""
        keys = self._keys
        if keys is None:
            self._keys = keys = {_key_id(key): key for key in self._secrets}
        return keys

    def __repr__(self) -> str:
        previous = f", previous=<{len(self._secrets) - 1} hidden>" if len(self._secrets) > 1 else ""
        return f"Signing(<hidden>{previous}, max_age={self._max_age:g})"

    # It cannot change, so a copy of what holds it may share it. A pickle would carry the secret to wherever that goes.

    def __copy__(self) -> Signing:
        return self

    def __deepcopy__(self, _: Any) -> Signing:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Signing is not pickled: it holds secrets; make one where it is needed")


def _listed(previous: Any) -> list[Any]:
    """Return the previous secrets as a list: one alone, or any number of them."""
    if isinstance(previous, str | bytes):
        return [previous]
    try:
        return list(previous)
    except TypeError:
        raise ConfigurationError(
            f"Signing(previous=...): give a list of secrets, not {type(previous).__name__}"
        ) from None


def _key(secret: Any, name: str) -> bytes:
    """Return a secret as bytes. An unset or empty variable is refused: it must not turn signing off."""
    if secret is None:
        raise ConfigurationError(f"Signing({name}=None): it is not set; without a Signing, sessions are not signed")
    if isinstance(secret, str):
        try:
            secret = secret.encode()
        except UnicodeEncodeError:
            raise ConfigurationError(f"Signing({name}=...): it is not valid text; give bytes") from None
    if not isinstance(secret, bytes):
        raise ConfigurationError(f"Signing({name}=...): give str or bytes, not {type(secret).__name__}")
    if not secret.strip():
        raise ConfigurationError(f"Signing({name}=...): it is empty; give at least 32 random bytes")
    return secret


def _key_id(key: bytes) -> str:
    """Return the id that names a key on the wire. It says nothing about the key."""
    from hmac import digest  # here, as it is slow to import and many cold starts sign and check nothing

    return digest(key, b"junction.key-id", "sha256").hex()[:12]


def _signature(key_id: str, expires: int, payload: str, key: bytes) -> str:
    from hmac import digest

    message = b"\n".join((_PURPOSE, key_id.encode(), str(expires).encode(), payload.encode()))
    return digest(key, message, "sha256").hex()
