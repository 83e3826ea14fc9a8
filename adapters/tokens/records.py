"""Tokens as text and as records: what is written of one, and what a record has to be to let somebody in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from adapters.tokens.token_errors import InvalidRequest
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
    """A token as its record describes it."""

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
    if not dot or not _is_id(id):
        return None
    return id, digest_of(secret)


def _is_id(text: str) -> bool:
    return len(text) == ID_LENGTH and text.isascii() and text.isalnum()


def read(id: str, record: Any) -> Stored | None:
    """Parse a record. Return None if it is missing or malformed (the latter is logged)."""
    if record is None:
        return None
    held: Mapping[str, Any] = record if isinstance(record, Mapping) else {}
    wrong = next((name for name, fits in _FORM.items() if name not in held or not fits(held[name])), None)
    if wrong is not None:
        log().warning("token %s is refused: the field %s of its record is missing or of a wrong type", id, wrong)
        return None
    identity = Identity(held["user"], tuple(held["tenants"]), held["claims"], id)
    ended = held.get("revoked_at") is not None or is_disabled(held)
    return Stored(bytes.fromhex(held["hash"]), identity, held["expires_at"], ended)


def is_disabled(record: Mapping[str, Any]) -> bool:
    """Return whether it is suspended: whatever else than False stands there, be it "no", does that."""
    value = record.get("disabled")
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


# The fields that a record must have, and what fits them.
_FORM: dict[str, Callable[[Any], bool]] = {
    "hash": _is_digest,
    "user": lambda value: value is None or _is_name(value),
    "tenants": _are_names,
    "claims": lambda value: isinstance(value, Mapping),
    "expires_at": lambda value: value is None or is_moment(value),
}


# ---- arguments ------------------------------------------------------------------------------------------------------


def whose(user: Any, tenants: Any, claims: Any, name: Any) -> dict[str, Any]:
    """Return the fields that a caller gives. Raises InvalidRequest."""
    try:
        names = [tenants] if isinstance(tenants, str) else list(tenants)
    except TypeError:
        names = [tenants]
    if not (user is None or _is_name(user)) or not _are_names(names) or not isinstance(name, str):
        raise InvalidRequest("issue(): user and tenants are text and not empty, and name is text")
    if user is None and not names:
        raise InvalidRequest("issue(): give a user, tenants, or both: nobody could use the token")
    for text in (user or "", name, *names):
        _check_writable(text, "issue()")
    return {"name": name, "user": user, "tenants": list(dict.fromkeys(names)), "claims": _plain(claims)}


def check_owner(verb: str, user: Any, tenant: Any) -> None:
    """Refuse a user or a tenant that is no name, such as an operator of MongoDB. Raises InvalidRequest."""
    for what, value in (("user", user), ("tenant", tenant)):
        if value is not None and not _is_name(value):
            raise InvalidRequest(f"{verb}({what}=...): give text that is not empty, or None")
        if value is not None:
            _check_writable(value, f"{verb}({what}=...)")


def id_of(verb: str, id: Any) -> str | None:
    """Return the id in an id or in a whole token; None for text that cannot be any. Raises InvalidRequest."""
    if not isinstance(id, str):
        raise InvalidRequest(f"{verb}(): the id of a token is text, not {type(id).__name__}")
    parts = parts_of(id)  # of the whole token, by somebody who has found one
    if parts is not None:
        return parts[0]
    return id if _is_id(id) else None


def end_of(now: datetime, expires_in: Any, what: str = "issue(expires_in=...)") -> datetime | None:
    """Return when a new token expires. Raises InvalidRequest."""
    if expires_in is None:
        return None
    end = in_milliseconds(after(now, expires_in, f"{what}: give a timedelta, seconds, or None for never"))
    if end <= now:
        raise InvalidRequest(f"{what}: the token would have expired already")
    return end


def after(now: datetime, duration: Any, message: str) -> datetime:
    """Return a moment some seconds, or a timedelta, from now. Raises InvalidRequest with the message."""
    try:
        if isinstance(duration, bool):
            raise TypeError
        return now + (duration if isinstance(duration, timedelta) else timedelta(seconds=duration))
    except (TypeError, ValueError, OverflowError):
        raise InvalidRequest(message) from None


def _plain(claims: Any) -> dict[str, Any]:
    """Return claims of their own. They have to be JSON, so that they are the same in each store and in messages."""
    if not (claims is None or isinstance(claims, Mapping)):
        raise InvalidRequest(f"issue(): claims are a mapping, not {type(claims).__name__}")
    from json import dumps, loads

    try:
        text = dumps(dict(claims or {}), allow_nan=False, ensure_ascii=False)
        text.encode()
        _check_keys(claims or {})
    except (TypeError, ValueError, RecursionError):
        raise InvalidRequest(
            "issue(claims=...): give JSON values: text, finite numbers, true, false, None, lists and "
            "dicts whose keys are text"
        ) from None
    plain: dict[str, Any] = loads(text)
    return plain


def _check_keys(value: Any) -> None:
    """Refuse what `json` would turn into text on its own. Raises TypeError."""
    if isinstance(value, Mapping):
        if not all(isinstance(name, str) for name in value):
            raise TypeError
        value = list(value.values())
    if isinstance(value, list | tuple):
        for one in value:
            _check_keys(one)


def _check_writable(text: str, what: str) -> None:
    """Refuse half a character, which no database can keep. Raises InvalidRequest."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidRequest(f"{what}: the text is not valid Unicode") from None


def in_milliseconds(moment: datetime) -> datetime:
    """Return a moment as stores keep it."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def log() -> Any:
    """Return the logger for what goes wrong with tokens."""
    from logging import getLogger

    return getLogger("adapters")
