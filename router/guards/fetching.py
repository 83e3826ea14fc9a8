"""Get what an issuer publishes, with bounds: https alone, no redirects, so many bytes, so many seconds."""

from __future__ import annotations

import orjson

from router.errors import ConfigurationError, RouterError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

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

    timeout: seconds, for connecting and for each read.

    Raises:
        FetchFailed: the status is not 200, or the body is too large.
        OSError: there is no connection.
    """
    from urllib.error import HTTPError
    from urllib.request import HTTPRedirectHandler, Request, build_opener

    class NoRedirect(HTTPRedirectHandler):
        """Redirects could lead anywhere, also to plain http."""

        def redirect_request(self, *args: object, **kwargs: object) -> None:
            return None

    headers = {"accept": "application/json", "user-agent": "lambda-junction"}
    request = Request(url, headers=headers)  # noqa: S310  # checked_url has seen the scheme
    try:
        with build_opener(NoRedirect).open(request, timeout=timeout) as answer:
            body: bytes = answer.read(_LARGEST + 1)
    except HTTPError as error:
        error.close()
        raise FetchFailed(f"{url} answered with {error.code}") from None
    if len(body) > _LARGEST:
        raise FetchFailed(f"{url} answered with more than {_LARGEST:,} bytes")
    return body


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
        return checked_url(document.get("jwks_uri"), f"{at}: jwks_uri")
    except ConfigurationError as error:
        raise FetchFailed(str(error)) from None
