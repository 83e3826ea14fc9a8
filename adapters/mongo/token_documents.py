"""Tokens as text and as documents: what is written of one, and what a document has to be to let somebody in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from adapters.mongo.document_errors import InvalidRequest
from router.identity import Identity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

PREFIX = "jn_"  # so that scanners for leaked secrets know it
ID_LENGTH = 16
_SECRET_LENGTH = 43  # 32 bytes in base64url
_LENGTH = len(PREFIX) + ID_LENGTH + 1 + _SECRET_LENGTH


@dataclass(frozen=True, slots=True)
class Stored:
    """A token as its document describes it."""

    digest: bytes
    identity: Identity
    expires_at: datetime | None
    ended: bool

    def is_valid(self, now: datetime) -> bool:
        """Return whether it lets somebody in at this time."""
        return not self.ended and (self.expires_at is None or now < self.expires_at)


def digest_of(secret: str) -> bytes:
    """Return what is stored of a secret."""
    return sha256(secret.encode()).digest()


def parts_of(token: Any) -> tuple[str, bytes] | None:
    """Return the id in a token and the digest of its secret; None for what is no token of this kind."""
    if not isinstance(token, str) or len(token) != _LENGTH or not token.startswith(PREFIX) or not token.isascii():
        return None
    id, dot, secret = token.removeprefix(PREFIX).partition(".")
    if len(id) != ID_LENGTH or not dot or not id.isalnum():
        return None
    return id, digest_of(secret)


def read(id: str, document: Any) -> Stored | None:
    """Parse a token document. Return None if it is missing or malformed (the latter is logged)."""
    if document is None:
        return None
    held: Mapping[str, Any] = document if isinstance(document, Mapping) else {}
    wrong = next((name for name, fits in _FORM.items() if name not in held or not fits(held[name])), None)
    if wrong is not None:
        log().warning("token %s is refused: the field %s of its document is missing or of a wrong type", id, wrong)
        return None
    identity = Identity(held["user"], tuple(held["tenants"]), held["claims"], id)
    ended = held.get("revoked_at") is not None or is_disabled(held)
    return Stored(bytes.fromhex(held["hash"]), identity, held["expires_at"], ended)


def is_disabled(document: Mapping[str, Any]) -> bool:
    """Whatever else than False stands there, be it "no", disables."""
    value = document.get("disabled")
    return value is not None and value is not False


def is_moment(value: Any) -> bool:
    """Return whether it is an aware datetime."""
    return isinstance(value, datetime) and value.tzinfo is not None


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 64 and set("0123456789abcdef").issuperset(value)


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_name, value))


# The fields that a document must have, and what fits them.
_FORM: dict[str, Callable[[Any], bool]] = {
    "hash": _is_digest,
    "user": lambda value: value is None or _is_name(value),
    "tenants": _are_names,
    "claims": lambda value: isinstance(value, Mapping),
    "expires_at": lambda value: value is None or is_moment(value),
}


# ---- new tokens -----------------------------------------------------------------------------------------------------


def whose(user: Any, tenants: Any, claims: Any, name: Any) -> dict[str, Any]:
    """Return the fields that a caller gives. Raises InvalidRequest."""
    names = [tenants] if isinstance(tenants, str) else list(tenants)
    if not (user is None or _is_name(user)) or not _are_names(names) or not isinstance(name, str):
        raise InvalidRequest("issue(): user and tenants are text and not empty, and name is text")
    if user is None and not names:
        raise InvalidRequest("issue(): give a user, tenants, or both: nobody could use the token")
    if not (claims is None or isinstance(claims, Mapping)):
        raise InvalidRequest(f"issue(): claims are a mapping, not {type(claims).__name__}")
    return {"name": name, "user": user, "tenants": list(dict.fromkeys(names)), "claims": dict(claims or {})}


def end_of(now: datetime, expires_in: Any) -> datetime | None:
    """Return when a new token expires. Raises InvalidRequest."""
    if expires_in is None:
        return None
    try:
        if isinstance(expires_in, bool):
            raise TypeError
        lifetime = expires_in if isinstance(expires_in, timedelta) else timedelta(seconds=expires_in)
        end = in_milliseconds(now + lifetime)
    except (TypeError, ValueError, OverflowError):
        raise InvalidRequest("issue(expires_in=...): give a timedelta, seconds, or None for never") from None
    if end <= now:
        raise InvalidRequest("issue(expires_in=...): the token would have expired already")
    return end


def in_milliseconds(moment: datetime) -> datetime:
    """Return a moment as BSON keeps it."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def log() -> Any:
    """Return the logger for what goes wrong with tokens."""
    from logging import getLogger

    return getLogger("adapters")
