"""`Signing`: signed sessions. HMAC-SHA256 over purpose, key id, expiry and the session's own JSON text."""

from __future__ import annotations

import time

import orjson

from router.errors import ConfigurationError, SessionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, NoReturn

    from router.durations import Duration

# Binds the keys to this use, so that nothing else signed with the same secret passes as a session.
_USE = b"junction.session.v1"
_SHORTEST_SECRET = 32  # bytes: as many as the digest has (RFC 2104, section 3)
# The longest retention of SQS is 14 days; an hour more for what is in flight then.
_LONGEST_WAIT = 14 * 86_400 + 3_600
# A header is on its way for as long as a call takes, and more hands see it than see a message.
_HEADER_AGE = 300
# What each place takes: a session that was signed for another is refused. A state machine hands its input on.
PURPOSES: dict[str, tuple[str, ...]] = {
    "message": ("message", "execution"),
    "invoke": ("invoke", "execution"),
    "task": ("task", "execution"),
    "execution": ("execution",),
    "header": ("header",),
    "connection": ("connection",),
    "durable": ("durable",),
}


class Signing:
    """Sign sessions on the way out, and check them on the way in.

    An unsigned, altered or expired session, one that is signed with an unknown key or for another purpose, is refused.
    The object cannot be changed, shows no secret and is not pickled.

    secret: what the keys of HMAC-SHA256 are derived from: at least 32 random bytes.
    previous: secrets that are still accepted, while they are rotated.
    max_age: how long a signed session stays valid, in seconds or as a timedelta. The default outlives the longest
        retention of SQS (14 days).
    header_max_age: the same for one that goes out as an HTTP header; never longer than `max_age`.

    Raises:
        ConfigurationError: a secret is None, not text or shorter than 32 bytes, or an age is less than a second or not
            a duration.
    """

    __slots__ = ("_header_max_age", "_keys", "_max_age", "_secrets")

    def __init__(
        self,
        secret: str | bytes,
        *,
        previous: str | bytes | Iterable[str | bytes] = (),
        max_age: Duration = _LONGEST_WAIT,
        header_max_age: Duration = _HEADER_AGE,
    ) -> None:
        if header_max_age != _HEADER_AGE:
            from router.durations import seconds

            header_max_age = seconds(header_max_age, "Signing(header_max_age=...)", least=1)
        if max_age != _LONGEST_WAIT:  # the default needs no check, nor the module that checks
            from router.durations import seconds

            max_age = seconds(max_age, "Signing(max_age=...)", least=1)
        self._max_age: float = max_age  # type: ignore[assignment]
        self._header_max_age: float = min(header_max_age, max_age)  # type: ignore[assignment]
        self._secrets = (_key(secret, "secret"), *(_key(one, "previous") for one in _listed(previous)))
        self._keys: dict[str, bytes] | None = None

    @property
    def max_age(self) -> float:
        """How long a signed session stays valid, in seconds."""
        return self._max_age

    @property
    def header_max_age(self) -> float:
        """How long a session stays valid that was signed for an HTTP header, in seconds."""
        return self._header_max_age

    def seal(self, payload: str, purpose: str = "message") -> str:
        """Return the signed form of a session's JSON text.

        It is JSON: `{"for" (the purpose), "kid", "exp" (seconds since the epoch), "sig", "payload" (the session's JSON
        text)}`.

        payload: the JSON text.
        purpose: where it goes: message, header, connection, invoke, task, execution (of a state machine) or durable
            (the execution of a durable function).

        Raises:
            ConfigurationError: the purpose is unknown.
            SessionError: the payload cannot be encoded.
        """
        _taken(purpose)
        try:
            payload.encode()
        except UnicodeEncodeError as error:
            raise SessionError(f"session: it holds a lone surrogate at character {error.start}") from None
        key_id, key = next(iter(self._by_id().items()))
        expires = int(time.time() + (self._header_max_age if purpose == "header" else self._max_age))
        signature = _signature(purpose, key_id, expires, payload, key)
        signed = {"for": purpose, "kid": key_id, "exp": expires, "sig": signature, "payload": payload}
        return orjson.dumps(signed).decode()

    def open(self, wire: Any, purpose: str = "message", *, stored: bool = False) -> Any:
        """Return the fields of a session in its signed form, when a known key signed them and they have not expired.

        wire: the parsed JSON.
        purpose: where it was found.
        stored: it is kept in an item rather than on its way; then its age does not count. One of a connection always
            is: the table forgets the connection, at the latest some minutes after API Gateway ends it.

        Raises:
            SessionError: it is unsigned, malformed, altered or expired, signed with an unknown key, or signed for
                another purpose.
            ConfigurationError: the purpose is unknown.
        """
        taken = _taken(purpose)
        if not is_signed(wire):
            raise SessionError("session: it is not signed, and this application takes signed sessions only")
        meant, key_id, expires, signature, payload = (wire[part] for part in _PARTS)
        texts = type(meant) is type(key_id) is type(signature) is type(payload) is str
        if not (texts and type(expires) is int):
            raise SessionError("session: the signed form is malformed")
        key = self._by_id().get(key_id)
        if key is None:
            raise SessionError(f"session: signed with an unknown key ({key_id[:12]!r})")
        from hmac import compare_digest

        try:
            genuine = compare_digest(_signature(meant, key_id, expires, payload, key), signature)
        except (TypeError, ValueError):  # a signature, payload or time that cannot even be compared
            genuine = False
        if not genuine:
            raise SessionError("session: the signature does not match; it was altered or signed with another secret")
        if meant not in taken:
            raise SessionError(f"session: it was signed for another purpose ({meant}, and this is {purpose})")
        if not stored and meant != "connection" and expires < time.time():
            raise SessionError("session: it has expired")
        return orjson.loads(payload)

    def _by_id(self) -> dict[str, bytes]:
        """Return the keys by the id that names each on the wire, the one that signs first."""
        keys = self._keys
        if keys is None:
            self._keys = keys = dict(_keys_of(secret) for secret in self._secrets)
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


_PARTS = ("for", "kid", "exp", "sig", "payload")


def is_signed(wire: Any) -> bool:
    """Return whether the parsed JSON of a session has the signed form, right or wrong."""
    return type(wire) is dict and wire.keys() >= set(_PARTS)


def _taken(purpose: str) -> tuple[str, ...]:
    """Return the purposes that a session may have been signed for to be taken for one."""
    taken = PURPOSES.get(purpose)
    if taken is None:
        raise ConfigurationError(f"session: unknown purpose {purpose!r:.80}; use one of {', '.join(PURPOSES)}")
    return taken


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
    if len(secret.strip()) < _SHORTEST_SECRET:
        what = "is too short" if secret.strip() else "is empty"
        raise ConfigurationError(f"Signing({name}=...): it {what}; give at least {_SHORTEST_SECRET} random bytes")
    return secret


def _keys_of(secret: bytes) -> tuple[str, bytes]:
    """Return the id that names a secret on the wire, and the key that signs: each from a key of its own."""
    from hmac import digest  # here, as it is slow to import and many cold starts sign and check nothing

    names = digest(secret, _USE + b".id", "sha256")
    return digest(names, b"kid", "sha256").hex()[:12], digest(secret, _USE + b".sign", "sha256")


def _signature(purpose: str, key_id: str, expires: int, payload: str, key: bytes) -> str:
    from hmac import digest

    message = b"\n".join((purpose.encode(), key_id.encode(), str(expires).encode(), payload.encode()))
    return digest(key, message, "sha256").hex()
