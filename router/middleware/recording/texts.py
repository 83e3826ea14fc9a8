"""Look into texts of a payload: JSON, base64, compressed data, forms and their parts, and credentials by their look."""

from __future__ import annotations

import json
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.middleware.recording.masks import Around, Look, Place

_BASE64 = re.compile(r"[A-Za-z0-9+/]{8,}={0,2}")
_BASE64_URL = re.compile(r"[A-Za-z0-9_-]{8,}={0,2}")
_FORM = re.compile(r"[^\s=&?/:{}<>\"]+=[^\s&]*(?:&[^\s=&]+(?:=[^\s&]*)?)*")
_QUERY = re.compile(r"(?<=\?)[^\s#?\"<>]+")
_PART = re.compile(
    r"(content-disposition:[^\r\n]*?\bname=\"?([^\";\r\n]*).*?\r?\n\r?\n)(.*?)(?=\r?\n--)", re.IGNORECASE | re.DOTALL
)
_GZIP = b"\x1f\x8b"
_MOST_INFLATED = 20_000_000  # bytes
_DEEPEST = 4  # texts in texts: a message of SNS in one of SQS has two

CREDENTIALS = re.compile(
    r"eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*|(?:AKIA|ASIA)[A-Z0-9]{16}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----|(?<=Bearer )[A-Za-z0-9._~+/=-]{8,}",
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
        if len(text) < 3 or self._depth >= _DEEPEST:
            return text if len(text) < 3 else self._plain(text, place)
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
        for form, decode, encode in ((_BASE64, _from_base64, _to_base64), (_BASE64_URL, _from_url, _to_url)):
            if form.fullmatch(text) and (held := _unpacked(decode(text))) is not None:
                inside, packed = held
                masked = self.of(inside, around, place)
                return text if masked == inside else encode(_packed(masked, packed))
        if "form-data" in text and text.startswith("--"):
            return self._parts(text, around, place)
        if _FORM.fullmatch(text):
            return self._form(text, around, place)
        return self._plain(_QUERY.sub(lambda found: self._form(found[0], around, place), text), place)

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
    from binascii import Error, a2b_base64

    try:
        return a2b_base64(text, strict_mode=True)
    except (Error, ValueError):
        return None


def _to_base64(data: bytes) -> str:
    from base64 import b64encode

    return b64encode(data).decode()


def _from_url(text: str) -> bytes | None:
    return _from_base64((text + "=" * (-len(text) % 4)).replace("-", "+").replace("_", "/"))


def _to_url(data: bytes) -> str:
    return _to_base64(data).replace("+", "-").replace("/", "_").rstrip("=")


def _unpacked(data: bytes | None) -> tuple[str, bool] | None:
    """Return the text in data, and whether it was compressed; None where it is no text that holds fields."""
    if data is None:
        return None
    packed = data.startswith(_GZIP)
    if packed:
        from zlib import MAX_WBITS, decompressobj, error

        try:
            data = decompressobj(MAX_WBITS | 16).decompress(data, _MOST_INFLATED)
        except error:
            return None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    # Letters that happen to be base64 are no text; what holds fields has one of these.
    return (text, packed) if any(mark in text for mark in "{[=:") and _is_printable(text) else None


def _is_printable(text: str) -> bool:
    return all(char.isprintable() or char in "\r\n\t" for char in text[:200])


def _packed(text: str, packed: bool) -> bytes:
    if not packed:
        return text.encode()
    from gzip import compress

    return compress(text.encode(), mtime=0)
