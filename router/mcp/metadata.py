"""Say where tokens for the server come from: RFC 9728, and the challenge that names that document."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from router.encode import JSON, dumps
from router.errors import ConfigurationError, Unauthorized
from router.response import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from router.event import Event

WELL_KNOWN = "/.well-known/oauth-protected-resource"
_HOST = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_LOOPBACK = ("127.0.0.1", "[::1]", "localhost")


class Metadata:
    """Describe the server as a protected resource.

    path: of the server in this application.
    resource: the URL of the server as clients have it; None for that of each request.
    servers: the issuers of tokens. scopes: what tokens may be asked for. name: of the server, for people.

    Raises:
        ConfigurationError: a URL is none, or the resource does not end with the path.
    """

    def __init__(
        self, path: str, resource: str | None, servers: Iterable[str], scopes: Iterable[str], name: str
    ) -> None:
        self._path = path
        self._resource = resource
        self._document: dict[str, Any] = {
            "authorization_servers": [_checked(one, "authorization_servers") for one in servers],
            "bearer_methods_supported": ["header"],
            "resource_name": name,
        }
        if scopes := list(scopes):
            self._document["scopes_supported"] = scopes
        if resource is not None and not _checked(resource, "resource").endswith(path):
            raise ConfigurationError(f"serve_mcp(resource={resource!r:.200}): it must end with the path {path!r}")

    def answer(self, event: Event) -> Response:
        """Return the document. A page may read it: it says nothing that is not public."""
        document = {"resource": self._base_of(event) + self._path, **self._document}
        # What a request says of the host is for that client alone: no shared cache may tell it to others.
        whose = "private" if self._resource is None else "public"
        headers = {"access-control-allow-origin": "*", "cache-control": f"{whose}, max-age=3600"}
        return Response(dumps(document).decode(), 200, headers, content_type=JSON)

    def challenge(self, error: Unauthorized, event: Event) -> Unauthorized:
        """Return the error of a request without a valid token, which says where the document is."""
        url = f"{self._base_of(event)}{WELL_KNOWN}{self._path}"
        others, said = {}, "Bearer"
        for name, value in error.headers.items():
            if name.lower() == "www-authenticate":  # in any case: the handler may have raised it
                said = value or said
            else:
                others[name] = value
        scheme, named = said.partition(" ")[0], f'Bearer resource_metadata="{url}"'
        if scheme.rstrip(",").lower() == "bearer":
            rest = said[len("Bearer") :]
            joined = named + (f", {rest.strip()}" if rest.startswith(" ") else rest)
        else:
            joined = f"{named}, {said}"
        return Unauthorized(error.detail, headers={**others, "www-authenticate": joined}, **error.members)

    def _base_of(self, event: Event) -> str:
        """Return the URL of the application as the client has it, without a path of its routes."""
        if self._resource is not None:
            return self._resource.removesuffix(self._path)
        host = event.headers.get("host", "")
        found = _HOST.fullmatch(host) if len(host) < 260 else None
        if found is None:
            host, name = "localhost", "localhost"
        else:
            name = found[1].lower()
        scheme = "http" if name in _LOOPBACK else "https"
        return f"{scheme}://{host}{_stage(event)}"


def _stage(event: Event) -> str:
    """Return what stands in front of the application's paths in the URL: a stage, or the base path of a domain."""
    context = event.raw.get("requestContext")
    if type(context) is not dict:
        return ""
    http = context.get("http")
    asked = http.get("path") if type(http) is dict else context.get("path")
    if type(asked) is not str or not asked.endswith(event.path):
        return ""
    return asked[: len(asked) - len(event.path)]


def _checked(url: Any, option: str) -> str:
    """Return a URL. Raises ConfigurationError where it is none that tokens may be sent to."""
    parts = urlsplit(url) if isinstance(url, str) else None
    sound = parts is not None and parts.netloc and not (parts.query or parts.fragment)
    local = parts is not None and (parts.hostname or "") in ("127.0.0.1", "::1", "localhost")
    if not sound or parts is None or parts.scheme not in (("https", "http") if local else ("https",)):
        raise ConfigurationError(f"serve_mcp({option}=...): give an https URL without a query, not {url!r:.200}")
    return str(url)
