"""Parts of an HTTP request: headers, query, cookies, body. Imported when the first of them is read."""

from __future__ import annotations

from binascii import a2b_base64

from router.http.headers import Headers, QueryParams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, NoReturn

    from router.event import Event
    from router.sources.http import HttpEvent


def headers_in(event: HttpEvent, key: str) -> Headers:
    """Return the headers under a key of the payload."""
    held: dict[str, Any] = event._part(key, dict, {})
    values: dict[str, list[str]] = {}
    # One loop, almost without calls: whoever asks for one header pays for all of them.
    for name, value in held.items():
        if type(value) is str:
            found = [value]
        elif type(value) is list:
            for one in value:
                if type(one) is not str:
                    _refuse_value(event, key, name, value)
            found = value[:]
        elif value is None:
            continue
        else:
            _refuse_value(event, key, name, value)
        if found:
            lower = name.lower()
            if lower in values:
                values[lower] += found
            else:
                values[lower] = found
    return Headers.of(values)


def query_in(event: HttpEvent, key: str) -> QueryParams:
    """Return the query under a key of the payload, whose names and values are decoded already."""
    return QueryParams(dict(pairs(event, key)))


def body_of(event: HttpEvent, body: str, encoded: bool) -> bytes:
    """Return a body as bytes; one that is no text, or no base64 where it says so, is a 400."""
    if not encoded:
        try:
            return body.encode()
        except UnicodeEncodeError as error:
            event._refuse(f"the body is not valid text (character {error.start})")
    try:
        return a2b_base64(body, strict_mode=True)
    except ValueError as error:
        event._refuse(f"the body is not valid base64: {error}")


def parse_cookies(lines: Any) -> dict[str, str]:
    """Return cookies by name; the first of a name counts (RFC 6265 §5.4 sends the more specific path first).

    Space and tab are no part of a name, as in browsers. What else Unicode calls a space is: a page of a subdomain may
    set a cookie whose name is a no-break space and `__Host-id`, which is not to be taken for `__Host-id`.
    """
    cookies: dict[str, str] = {}
    for line in lines:
        for part in line.split(";") if isinstance(line, str) else ():
            name, equals, value = part.partition("=")
            name = name.strip(" \t")
            if equals and name:
                value = value.strip(" \t")
                quoted = len(value) >= 2 and value[0] == value[-1] == '"'
                cookies.setdefault(name, value[1:-1] if quoted else value)
    return cookies


def parse_query(event: Event, text: str) -> dict[str, list[str]]:
    """Return a query string as values by name; encodings that are not UTF-8 are a 400."""
    values: dict[str, list[str]] = {}
    for pair in text.split("&"):
        if pair:
            name, _, value = pair.partition("=")
            values.setdefault(unquote(event, name), []).append(unquote(event, value))
    return values


def unquote(event: Event, text: str) -> str:
    """Undo the encoding of a query's name or value; malformed UTF-8 is a 400, a lone `%` stays as browsers send it."""
    if "%" not in text and "+" not in text:
        return text
    from urllib.parse import unquote_plus

    try:
        return unquote_plus(text, errors="strict")
    except UnicodeDecodeError:
        event._refuse("the query has a percent-encoding that is not UTF-8")


def pairs(event: HttpEvent, key: str) -> Iterator[tuple[str, list[str]]]:
    """Return names with their values, from a map of single values or of lists."""
    held: Mapping[str, Any] = event._part(key, dict, {})
    for name, value in held.items():
        if type(value) is str:
            yield name, [value]
        elif type(value) is list and all(type(one) is str for one in value):
            if value:
                yield name, value
        elif value is not None:
            _refuse_value(event, key, name, value)


def _refuse_value(event: HttpEvent, key: str, name: str, value: Any) -> NoReturn:
    event._refuse(f"{key}.{name} in the event must be text, not {type(value).__name__}")


def without_port(address: str) -> str:
    """Return an address of X-Forwarded-For alone: a load balancer may add the port of the client."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address
