"""Errors of tokens, beside those of the store."""

from __future__ import annotations

from adapters.errors import AdapterError


class InvalidRequest(AdapterError, ValueError):
    """An argument that makes no sense, or that the store cannot keep. Nothing was written."""


class TokenNotValid(AdapterError, LookupError):
    """A token that is to be rotated is unknown, expired, revoked or disabled, or was rotated before."""
