"""Encode what a client writes into a request: query strings, urlencoded forms, and multipart forms with files."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import IO, Any, TypeAlias

    Value: TypeAlias = str | bytes | int | float | None
    Fields: TypeAlias = Mapping[str, Value | Sequence[Value]] | Iterable[tuple[str, Value | Sequence[Value]]]
    Content: TypeAlias = str | bytes | IO[bytes]
    File: TypeAlias = Content | tuple[str, Content] | tuple[str, Content, str]
    Files: TypeAlias = Mapping[str, File | list[File]] | Iterable[tuple[str, File]]

# What must not stand in the parameter of a header (HTML, multipart/form-data encoding algorithm).
_ESCAPES = {'"': "%22", "\r": "%0D", "\n": "%0A"}


def query_string(params: Fields | str) -> str:
    """Return a query string, percent-encoded.

    params: an encoded query string as it is, a mapping (a value, or a list of them), or pairs.

    Raises:
        TypeError: it is none of them.
    """
    if isinstance(params, str):
        return params.removeprefix("?")
    return urlencode(_pairs(params, "params"), quote_via=quote, safe="")


def form(data: Fields) -> str:
    """Return an urlencoded form, as a browser writes it. Raises TypeError as `query_string` does."""
    return urlencode(_pairs(data, "data"))


def multipart(data: Fields, files: Files) -> tuple[bytes, str]:
    """Return a multipart form and its content type.

    data: its fields.
    files: files by field: the content (bytes, text or an open file), or `(filename, content[, content type])`; a list
        for several; or pairs.

    Raises:
        TypeError: it is none of them.
    """
    parts = [
        (f'form-data; name="{_escaped(name)}"', "", value if isinstance(value, bytes) else value.encode())
        for name, value in _pairs(data, "data")
    ]
    for name, given in _entries(files, "files"):
        for one in given if isinstance(given, list) else [given]:
            filename, content, content_type = _file(name, one)
            disposition = f'form-data; name="{_escaped(name)}"; filename="{_escaped(filename)}"'
            parts.append((disposition, f"content-type: {content_type}\r\n", content))
    boundary = _boundary(parts)
    body = b"".join(
        f"--{boundary}\r\ncontent-disposition: {disposition}\r\n{header}\r\n".encode() + content + b"\r\n"
        for disposition, header, content in parts
    )
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def _entries(fields: Any, what: str) -> list[tuple[str, Any]]:
    """Return the entries of a mapping, or pairs as they are."""
    entries = list(fields.items()) if isinstance(fields, Mapping) else fields
    if isinstance(entries, str | bytes) or not hasattr(entries, "__iter__"):
        raise TypeError(f"{what}= takes a mapping or pairs, not {type(fields).__name__}; body= takes text and bytes")
    entries = list(entries)
    for entry in entries:
        if not isinstance(entry, tuple | list) or len(entry) != 2:
            raise TypeError(f"{what}=: {entry!r:.80} is not a pair of a name and a value")
    return entries


def _pairs(fields: Any, what: str) -> list[tuple[str, str | bytes]]:
    """Return a pair for each value: True is `true`, and None an empty value, as httpx writes them."""
    return [
        (name, _text(one))
        for name, value in _entries(fields, what)
        for one in (value if isinstance(value, list | tuple) else (value,))
    ]


def _text(value: Any) -> str | bytes:
    if isinstance(value, str | bytes):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _file(field: str, given: Any) -> tuple[str, bytes, str]:
    """Return the name, the content and the content type of a file."""
    if not isinstance(given, tuple):
        given = (field, given)
    if len(given) not in (2, 3):
        raise TypeError(f"files=: give {field} as (filename, content) or (filename, content, content type)")
    filename, content = given[0], given[1]
    if hasattr(content, "read"):
        content = content.read()
    if not isinstance(content, str | bytes):
        raise TypeError(f"files=: the content of {field} is bytes, text or an open file, not {type(content).__name__}")
    from mimetypes import guess_type

    content_type = given[2] if len(given) == 3 else guess_type(filename)[0] or "application/octet-stream"
    return filename, content.encode() if isinstance(content, str) else content, content_type


def _escaped(name: str) -> str:
    for character, escape in _ESCAPES.items():
        name = name.replace(character, escape)
    return name


def _boundary(parts: list[tuple[str, str, bytes]]) -> str:
    """Return a boundary that depends on the content alone, so that a test sends the same bytes in every run."""
    from hashlib import sha256

    return "junction-" + sha256(repr(parts).encode()).hexdigest()[:32]
