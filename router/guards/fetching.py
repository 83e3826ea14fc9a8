"""Get what an issuer publishes, with bounds: https alone, no redirects, so many bytes, so many seconds."""

from __future__ import annotations

from time import monotonic

import orjson

from router.errors import ConfigurationError, RouterError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# Key sets have some kilobytes.
_LARGEST = 512 * 1024
_THIS_MACHINE = ("127.0.0.1", "::1", "localhost")


class FetchFailed(RouterError):
    """An issuer's document could not be had, or is not as it should be."""


def checked_url(url: object, where: str) -> str:
    """Return a URL that keys may come from.

    Raises:
        ConfigurationError: it is no https URL, or carries a password or a fragment.
    """
    from urllib.parse import urlsplit

    if not isinstance(url, str):
        raise ConfigurationError(f"{where}: give a URL as text, not {type(url).__name__}")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigurationError(f"{where}: {url!r:.200} is not a URL: {error}") from None
    if not host or parts.username is not None or parts.fragment or any(char <= " " for char in url):
        raise ConfigurationError(f"{where}: {url!r:.200} is not a URL that keys can come from")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _THIS_MACHINE):
        raise ConfigurationError(
            f"{where}: {url!r:.200} must be https: a key that is changed on the way lets anybody in"
        )
    return url


def fetch(url: str, timeout: float) -> bytes:
    """Return the body of a GET request.

    timeout: seconds for connecting, and for all of the answer: one that drips must not keep its thread for ever.

    Raises:
        FetchFailed: the status is not 200, or the body is too large.
        OSError: there is no connection, or the answer did not come in time.
    """
    from urllib.error import HTTPError
    from urllib.request import Request

    headers = {"accept": "application/json", "user-agent": "lambda-junction"}
    request = Request(url, headers=headers)  # noqa: S310  # checked_url has seen the scheme
    try:
        with _opener(timeout).open(request, timeout=timeout) as answer:
            body: bytes = answer.read(_LARGEST + 1)
    except HTTPError as error:
        error.close()
        raise FetchFailed(f"{url} answered with {error.code}") from None
    if len(body) > _LARGEST:
        raise FetchFailed(f"{url} answered with more than {_LARGEST:,} bytes")
    return body


def _opener(timeout: float) -> Any:
    """Return what opens a URL: it follows no redirect, and reads until a moment from now."""
    from http.client import HTTPConnection, HTTPSConnection
    from urllib.request import HTTPHandler, HTTPRedirectHandler, HTTPSHandler, build_opener

    until = monotonic() + timeout

    def bounded(connection: Any) -> Callable[..., Any]:
        def connect(host: str, **options: Any) -> Any:
            made = connection(host, **options)
            made.response_class = lambda sock, *args, **named: _answer(until, sock, *args, **named)
            return made

        return connect

    class NoRedirect(HTTPRedirectHandler):
        """Redirects could lead anywhere, also to plain http."""

        def redirect_request(self, *args: object, **kwargs: object) -> None:
            return None

    class Http(HTTPHandler):
        def http_open(self, req: Any) -> Any:
            return self.do_open(bounded(HTTPConnection), req)

    class Https(HTTPSHandler):
        def https_open(self, req: Any) -> Any:
            return self.do_open(bounded(HTTPSConnection), req)

    return build_opener(NoRedirect, Http, Https)


def _answer(until: float, sock: Any, *args: Any, **named: Any) -> Any:
    """Return the answer of a connection, of which nothing is read after a moment."""
    from http.client import HTTPResponse
    from io import BufferedReader, RawIOBase

    class Until(RawIOBase):
        def __init__(self, stream: Any) -> None:
            self.stream = stream

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int | None:
            left = until - monotonic()
            if left <= 0:
                raise TimeoutError("the answer did not come in time")
            sock.settimeout(left)
            count: int | None = self.stream.readinto(buffer)
            return count

        def close(self) -> None:
            self.stream.close()
            super().close()

    answer = HTTPResponse(sock, *args, **named)
    answer.fp = BufferedReader(Until(answer.fp.detach()))
    return answer


def discover(issuer: str, get: Callable[[str, float], bytes], timeout: float) -> str:
    """Return the URL of an issuer's key set, as its discovery document says (OpenID Connect Discovery 1.0 §4).

    Raises:
        FetchFailed: the document is not JSON, is another issuer's, or names no key set.
    """
    at = issuer.removesuffix("/") + "/.well-known/openid-configuration"
    try:
        document = orjson.loads(get(at, timeout))
    except orjson.JSONDecodeError as error:
        raise FetchFailed(f"{at} is not JSON: {error}") from None
    if not isinstance(document, dict) or document.get("issuer") != issuer:
        raise FetchFailed(f"{at} does not name the issuer {issuer!r} (§4.3 asks for exactly this text)")
    try:
        found = checked_url(document.get("jwks_uri"), f"{at}: jwks_uri")
    except ConfigurationError as error:
        raise FetchFailed(str(error)) from None
    if found.startswith("http:") and not issuer.startswith("http:"):
        # What answers on this machine is nobody's issuer: in Lambda it is the runtime, which would hand out an event.
        raise FetchFailed(f"{at}: its jwks_uri leads to this machine")
    return found
