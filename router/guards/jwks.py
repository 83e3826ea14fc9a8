"""Read a key set, and choose the key that a token was signed with."""

from __future__ import annotations

import orjson

from router.guards.fetching import FetchFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# The kind of key and curve that an algorithm takes (RFC 7518 §3.1, RFC 8037 §3.1). None of them knows a shared secret:
# with one, whoever has a public key could sign.
ALGORITHMS = {
    "RS256": ("RSA", None),
    "RS384": ("RSA", None),
    "RS512": ("RSA", None),
    "PS256": ("RSA", None),
    "PS384": ("RSA", None),
    "PS512": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
}
_MOST_KEYS = 200
_SHORTEST_RSA = 2048  # bits (RFC 7518 §3.3)


class PublicKeys:
    """The keys of one answer, as they were sent. A key is made of them when it is first needed."""

    __slots__ = ("_ids", "_made", "_sent")

    def __init__(self, sent: list[dict[str, Any]]) -> None:
        self._sent = sent
        self._ids = frozenset(one["kid"] for one in sent if isinstance(one.get("kid"), str))
        self._made: dict[tuple[str | None, str], Any] = {}

    def has(self, id: str) -> bool:
        """Whether a key of this id is in the set, whatever it is good for."""
        return id in self._ids

    def fitting(self, id: str | None, algorithm: str) -> Any:
        """Return the one key for an id and an algorithm; None where none fits, or more than one."""
        asked = (id, algorithm)
        if asked in self._made:
            return self._made[asked]
        fitting = [one for one in self._sent if (id is None or one.get("kid") == id) and _fits(one, algorithm)]
        key = _made(fitting[0], algorithm) if len(fitting) == 1 else None
        if key is not None:  # ids that are not there are as many as somebody likes to make up
            self._made[asked] = key
        return key


def _fits(sent: dict[str, Any], algorithm: str) -> bool:
    kind, curve = ALGORITHMS[algorithm]
    operations = sent.get("key_ops")
    return (
        sent.get("kty") == kind
        and (curve is None or sent.get("crv") == curve)
        and sent.get("alg", algorithm) == algorithm
        and sent.get("use", "sig") == "sig"
        and (operations is None or (isinstance(operations, list) and "verify" in operations))
    )


def _made(sent: dict[str, Any], algorithm: str) -> Any:
    """Return a key as PyJWT takes it; None for one that is malformed or too short to trust."""
    from jwt import PyJWK
    from jwt.exceptions import PyJWTError

    try:
        key = PyJWK({name: value for name, value in sent.items() if name != "d"}, algorithm).key
    except (PyJWTError, ValueError, TypeError, KeyError):
        return None
    return None if getattr(key, "key_size", _SHORTEST_RSA) < _SHORTEST_RSA and sent["kty"] == "RSA" else key


def read_keys(body: bytes) -> PublicKeys:
    """Return the keys of a key set. What is no key is passed over, as RFC 7517 §5 asks for.

    Raises:
        FetchFailed: it is no key set, or has no key at all.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise FetchFailed(f"the key set is not JSON: {error}") from None
    sent = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(sent, list):
        raise FetchFailed('the key set has no list "keys"')
    keys = [one for one in sent if isinstance(one, dict) and isinstance(one.get("kty"), str)]
    if not keys or len(keys) > _MOST_KEYS:
        raise FetchFailed(f"the key set has {len(keys)} keys; 1 to {_MOST_KEYS} are expected")
    return PublicKeys(keys)
