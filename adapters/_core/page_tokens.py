"""Page tokens: where a list goes on, as text that a client may hold. Used by the adapters of databases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

_SIGNATURE = 16  # bytes of the HMAC-SHA256 that are kept


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items of a list. next: the token of the page after this one; None where this is the last."""

    items: list[T]
    next: str | None


def seal(payload: bytes, secret: bytes, scope: bytes) -> str:
    """Return a token that holds the payload, and a check over it and all that the list is about.

    Without a secret the check finds what was altered or mixed up; with one nobody else can make a token.
    """
    from base64 import urlsafe_b64encode

    return urlsafe_b64encode(_signature(payload, secret, scope) + payload).decode().rstrip("=")


def unseal(token: str, secret: bytes, scope: bytes) -> bytes | None:
    """Return the payload of a token; None for one that was altered, or is of another list."""
    import hmac
    from base64 import urlsafe_b64decode

    try:
        held = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        signature, payload = held[:_SIGNATURE], held[_SIGNATURE:]
        genuine = hmac.compare_digest(signature, _signature(payload, secret, scope))
        return payload if genuine and seal(payload, secret, scope) == token else None
    except (ValueError, TypeError, AttributeError):
        return None


def _signature(payload: bytes, secret: bytes, scope: bytes) -> bytes:
    import hmac

    return hmac.digest(secret, b"\n".join((scope, payload)), "sha256")[:_SIGNATURE]
