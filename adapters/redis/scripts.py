"""Scripts of Redis: what runs on the server, in one piece, on one key."""

from __future__ import annotations

from hashlib import sha1


class Script:
    """Lua text with the name that the server keeps it by. Its one key is KEYS[1]."""

    __slots__ = ("name", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.name = sha1(text.encode(), usedforsecurity=False).hexdigest()


def as_bytes(text: str) -> bytes:
    """Return a text as Redis keeps it: any text, with halves of surrogate pairs, zeros and line ends."""
    return text.encode("utf-8", "surrogatepass")


def as_text(value: bytes) -> str:
    """Return the text that `as_bytes` was given."""
    return value.decode("utf-8", "surrogatepass")
