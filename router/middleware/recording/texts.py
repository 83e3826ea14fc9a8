"""Look into texts of a payload: JSON, base64, compressed data, forms and their parts, and credentials by their look."""

from __future__ import annotations

import json
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.middleware.recording.masks import Around, Look, Place

_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{8,}|[A-Za-z0-9_-]{8,})={0,2}")
_FORM = re.compile(r"[^\s=&?/:{}<>\"]+=[^\s&]*(?:&[^\s=&]+(?:=[^\s&]*)?)*")
_QUERY = re.compile(r"(?<=\?)[^\s#?\"<>]+")
_PART = re.compile(
    r"(content-disposition:[^\r\n]*?\bname=\"?([^\";\r\n]*).*?\r?\n\r?\n)(.*?)(?=\r?\n--)", re.IGNORECASE | re.DOTALL
)
# What holds fields has one of these marks, or is one word of base64.
_MAY_HOLD = re.compile(r"[{\[=:?]|\A[A-Za-z0-9+/_-]{8,}\Z")
SHORTEST = 6  # characters of a text that may hold something: JSON with one field has seven
_GZIP = b"\x1f\x8b"
_MOST_INFLATED = 20_000_000  # bytes
_DEEPEST = 4  # texts in texts: a message of SNS in one of SQS has two

CREDENTIALS = re.compile(
    r"eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*|(?:AKIA|ASIA)[A-Z0-9]{16}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----"
    # After `Bearer` there may also be a word of a sentence, or the name of what is wrong with the token.
    r"|(?<=Bearer )(?![a-z_]+=[^=])(?=[A-Za-z._~+/-]*[0-9]|[A-Za-z._~+/-]{16})[A-Za-z0-9._~+/=-]{8,}",
    re.DOTALL,
)
"""Credentials that no name tells of: tokens, keys of AWS, private keys."""


class Texts:
    """Mask what stands in texts. look: the one that they are a part of."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._depth = 0

    def of(self, text: str, around: Around, place: Place) -> str:
        """Return a text without what rules name in it: itself, where they name nothing."""
        if len(text) < SHORTEST:
            return text
        if self._depth >= _DEEPEST or not _MAY_HOLD.search(text):
            return self._plain(text, place)
        self._depth += 1
        try:
            return self._inside(text, around, place)
        finally:
            self._depth -= 1

    def _inside(self, text: str, around: Around, place: Place) -> str:
        if text.lstrip()[:1] in ("{", "["):
            try:
                held = json.loads(text, object_pairs_hook=_all_of)
            except (ValueError, RecursionError):
                return self._plain(text, place)
            masked = self._look.of(held, around, place)
            return text if masked is held else json.dumps(masked, ensure_ascii=False, separators=(",", ":"))
        if _BASE64.fullmatch(text) and (held := _unpacked(_from_base64(text))) is not None:
            masked = self._binary(held, around, place) if held.is_binary else self.of(held.text, around, place)
            return text if masked == held.text else _to_base64(held.pack(masked), text)
        if "form-data" in text and text.startswith("--"):
            return self._parts(text, around, place)
        if _FORM.fullmatch(text):
            return self._form(text, around, place)
        return self._plain(_QUERY.sub(lambda found: self._form(found[0], around, place), text), place)

    def _binary(self, held: Unpacked, around: Around, place: Place) -> str:
        """Return data that is no text, byte for byte a character, without what names in it tell of."""
        if "form-data" in held.text:  # with a file in it
            return self._parts(held.text, around, place)
        return self._look.loose(held.text, place)

    def _plain(self, text: str, place: Place) -> str:
        return self._look.loose(text, place)

    def _form(self, text: str, around: Around, place: Place) -> str:
        from urllib.parse import quote_plus, unquote_plus

        made = []
        for field in text.split("&"):
            name, equals, held = field.partition("=")
            plain = unquote_plus(name)
            *outer, last = [part for part in re.split(r"[\[\].]+", plain) if part] or [plain]
            rule = self._look.named(last, (*around, *(one.lower() for one in outer)))
            if rule is not None and held:
                made.append(f"{name}={self._look.mask(unquote_plus(held), rule, (*place, plain))}")
                continue
            value = unquote_plus(held)
            masked = self.of(value, around, (*place, plain))
            made.append(field if masked == value else f"{name}{equals}{quote_plus(masked, safe='*')}")
        return "&".join(made)

    def _parts(self, text: str, around: Around, place: Place) -> str:
        def part(found: re.Match[str]) -> str:
            head, name, held = found.groups()
            rule = self._look.named(name, around)
            if rule is not None:
                return head + str(self._look.mask(held, rule, (*place, name)))
            return head + self.of(held, around, (*place, name))

        return _PART.sub(part, text)


def _all_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the members of an object in JSON. Raises ValueError where a name is there twice: one would be lost."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError
    return members


# ---- base64 --------------------------------------------------------------------------------------------------------


def _from_base64(text: str) -> bytes | None:
    """Return what is in a text in either alphabet, with or without its end; None where it is not base64."""
    from binascii import Error, a2b_base64

    rest = len(text) % 4
    if rest == 1:
        return None
    if "-" in text or "_" in text:
        text = text.replace("-", "+").replace("_", "/")
    try:
        return a2b_base64(text + "=" * (4 - rest) if rest else text, strict_mode=True)
    except (Error, ValueError):
        return None


def _to_base64(data: bytes, like: str) -> str:
    """Return data in base64, written as another text was."""
    from base64 import b64encode, urlsafe_b64encode

    is_url = "-" in like or "_" in like
    text = (urlsafe_b64encode if is_url else b64encode)(data).decode()
    return text.rstrip("=") if len(like) % 4 else text


class Unpacked:
    """Text that was in base64. is_binary: each character stands for a byte."""

    __slots__ = ("_is_packed", "is_binary", "text")

    def __init__(self, data: bytes, is_packed: bool) -> None:
        self._is_packed = is_packed
        try:
            self.text = data.decode()
            self.is_binary = "\0" in self.text
        except UnicodeDecodeError:
            self.text, self.is_binary = data.decode("latin-1"), True
        if self.is_binary:
            self.text = data.decode("latin-1")

    def pack(self, text: str) -> bytes:
        """Return other text in the same form."""
        # A mask is ASCII; what is put in its place may be no byte.
        data = text.encode("latin-1", "replace") if self.is_binary else text.encode()
        if not self._is_packed:
            return data
        from gzip import compress

        return compress(data, mtime=0)


def _unpacked(data: bytes | None) -> Unpacked | None:
    """Return what is in data, which may be compressed; None where it holds no fields."""
    if data is None:
        return None
    is_packed = data.startswith(_GZIP)
    if is_packed:
        from zlib import MAX_WBITS, decompressobj, error

        try:
            data = decompressobj(MAX_WBITS | 16).decompress(data, _MOST_INFLATED)
        except error:
            return None
    # Most letters that happen to be base64 hold none of these.
    return Unpacked(data, is_packed) if any(mark in data for mark in b"{[=:") else None
