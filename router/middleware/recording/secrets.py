"""Find what in a masked value is secret by itself, and masked wherever else it is: the rest of the value are words."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from urllib.parse import quote, quote_plus

_SHORTEST = 8  # characters of a secret that is looked for elsewhere: a shorter one is often a word of its own
_LONG = 16
_WORDS = re.compile(r"[^\W\d_]+(?:[-_./ ][^\W\d_]+)*")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_SCHEME = re.compile(r"[A-Za-z][\w-]*")
_PARAMETER = re.compile(r"(?<![\w-])([\w-]+)\s*=(?!=)\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^,\s\"]+))")
# Of `Authorization: Digest ...`, of AWS and of OAuth: what is in a request anyway, or is no secret.
_PUBLIC = {
    *("algorithm", "charset", "created", "credential", "domain", "error", "expires", "headers", "keyid", "nc", "nonce"),
    *("oauth_callback", "oauth_nonce", "oauth_signature_method", "oauth_timestamp", "oauth_version", "opaque", "qop"),
    *("realm", "resource", "scope", "signedheaders", "stale", "uri", "userhash", "username"),
}
# Beside the value of a cookie that is set.
_OF_COOKIES = {"comment", "domain", "expires", "max-age", "path", "priority", "samesite", "version"}


def secrets_in(text: str) -> set[str]:
    """Return what is looked for elsewhere, once a value is masked: in each way in which paths and JSON write it.

    Short values and ordinary words are left out: they would be found in every second sentence.
    """
    found = {part for part in (text, *_credentials(text)) if _is_telling(part, part.isalpha())}
    found |= {part for part in _values(text) if _is_telling(part, _is_ordinary(part))}
    for part in tuple(found):
        if not part.isalnum():
            found |= {quote(part, safe=""), quote(part), quote_plus(part), json.dumps(part)[1:-1]}
    return found


def _is_telling(part: str, is_word: bool) -> bool:
    return len(part) >= (_LONG if is_word else _SHORTEST)


def _is_ordinary(part: str) -> bool:
    return bool(_WORDS.fullmatch(part) or _DATE.match(part))


def _credentials(text: str) -> list[str]:
    """Return what follows the scheme in `Bearer abc`, and what is in it where the scheme is Basic."""
    scheme, _, rest = text.partition(" ")
    rest = rest.strip()
    if not _SCHEME.fullmatch(scheme) or not rest or re.search(r"\s", rest) or _PARAMETER.fullmatch(rest):
        return []
    return [rest, *(_of_basic(rest) if scheme.lower() == "basic" else ())]


def _of_basic(held: str) -> list[str]:
    """Return the name and the password: the first may be a key, with no password."""
    try:
        return b64decode(held).decode().split(":", 1)
    except ValueError:
        return []


def _values(text: str) -> list[str]:
    """Return the values of an `Authorization` with names, or of cookies, as far as they are secret."""
    scheme, _, rest = text.partition(" ")
    if _SCHEME.fullmatch(scheme):
        named = _PARAMETER.findall(rest)
        return [quoted or plain for name, quoted, plain in named if name.lower() not in _PUBLIC]
    pairs = [pair.partition("=") for pair in text.split(";")]
    return [value.strip().strip('"') for name, _, value in pairs if name.strip().lower() not in _OF_COOKIES]
