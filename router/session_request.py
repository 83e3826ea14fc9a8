"""`FromRequest`: which headers and claims the session of a request is made of."""

from __future__ import annotations

from operator import attrgetter

from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from router.event import Event

_HEADERS = ("tenant_header", "user_header", "correlation_header", "session_header")
_CLAIMS = ("tenant_claim", "user_claim")
_FIELDS = (*_HEADERS, *_CLAIMS, "claims")


class FromRequest:
    """Name the headers and claims that the session of a request is made of; nothing else of a request is believed.

    It is for every source whose events a client writes: HTTP, WebSocket, AppSync, Lambda@Edge, authorizers. The object
    cannot be changed; two are equal when they name the same.

    tenant_header, user_header, correlation_header: names of HTTP headers. A client can send any header: name one only
        where something in front of the function sets it.
    session_header: the header in which sister services send a session (`adapters.http`: `x-junction-session`). It is
        believed only when it is signed; a forged one is answered with 401.
    tenant_claim, user_claim: names of claims of an API Gateway or AppSync authorizer. A claim beats a header.
    claims: names of the authorizer's claims that the session keeps and carries on. True keeps all; mind the size.

    Raises:
        ConfigurationError: a name is empty, not text, or not one that a header can have.
    """

    __slots__ = tuple("_" + field for field in _FIELDS)

    def __init__(
        self,
        *,
        tenant_header: str | None = None,
        user_header: str | None = None,
        correlation_header: str | None = None,
        session_header: str | None = None,
        tenant_claim: str | None = None,
        user_claim: str | None = None,
        claims: str | Iterable[str] | bool = (),
    ) -> None:
        self._tenant_header = tenant_header
        self._user_header = user_header
        self._correlation_header = correlation_header
        self._session_header = session_header
        self._tenant_claim = tenant_claim
        self._user_claim = user_claim
        self._claims = _kept(claims)
        for field in _HEADERS:
            _check_header(getattr(self, field), field)
        for field in _CLAIMS:
            _check_claim(getattr(self, field), field)

    # Properties without a setter keep it from being changed.
    if TYPE_CHECKING:

        @property
        def tenant_header(self) -> str | None: ...
        @property
        def user_header(self) -> str | None: ...
        @property
        def correlation_header(self) -> str | None: ...
        @property
        def session_header(self) -> str | None: ...
        @property
        def tenant_claim(self) -> str | None: ...
        @property
        def user_claim(self) -> str | None: ...
        @property
        def claims(self) -> frozenset[str] | bool: ...
    else:
        tenant_header = property(attrgetter("_tenant_header"))
        user_header = property(attrgetter("_user_header"))
        correlation_header = property(attrgetter("_correlation_header"))
        session_header = property(attrgetter("_session_header"))
        tenant_claim = property(attrgetter("_tenant_claim"))
        user_claim = property(attrgetter("_user_claim"))
        claims = property(attrgetter("_claims"))

    def wire(self, event: Event) -> str | None:
        """Return the session that a sister service sent along, still unchecked; None where there is none."""
        header = self._session_header
        return None if header is None else event.headers.get(header)

    def tenant(self, event: Event) -> str | None:
        """Return the tenant of a request, from a claim, else from a header."""
        tenant = _claim(event, self._tenant_claim)
        if tenant is None and self._tenant_header is not None:
            tenant = event.headers.get(self._tenant_header)
        return tenant

    def user(self, event: Event) -> str | None:
        """Return the user of a request, from a claim, else from a header."""
        user = _claim(event, self._user_claim)
        if user is None and self._user_header is not None:
            user = event.headers.get(self._user_header)
        return user

    def correlation_id(self, event: Event) -> str | None:
        """Return the correlation id that a request names."""
        header = self._correlation_header
        return None if header is None else event.headers.get(header)

    def kept_claims(self, event: Event) -> Mapping[str, Any] | None:
        """Return the authorizer's claims that the session keeps."""
        if self._claims is True:
            return event.claims
        if not self._claims:
            return None
        return {name: value for name, value in event.claims.items() if name in self._claims}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FromRequest):
            return NotImplemented
        return all(getattr(self, field) == getattr(other, field) for field in _FIELDS)

    def __hash__(self) -> int:
        return hash(tuple(getattr(self, field) for field in _FIELDS))

    def __repr__(self) -> str:
        named = {field: getattr(self, field) for field in _FIELDS}
        if type(self._claims) is frozenset:
            named["claims"] = sorted(self._claims)
        return f"FromRequest({', '.join(f'{field}={value!r}' for field, value in named.items() if value)})"


def _claim(event: Event, name: str | None) -> str | None:
    """Return a claim that the authorizer vouched for, when it is text."""
    value = None if name is None else event.claims.get(name)
    return value if isinstance(value, str) else None


def _check_header(name: Any, field: str) -> None:
    if name is None:
        return
    from router.http.headers import check_header

    try:
        check_header(name, "")
    except ConfigurationError as error:
        raise ConfigurationError(f"FromRequest({field}=...): {error}") from None


def _check_claim(name: Any, field: str) -> None:
    if name is not None and (type(name) is not str or not name):
        raise ConfigurationError(f"FromRequest({field}={name!r:.80}): give the name of a claim")


def _kept(claims: Any) -> frozenset[str] | bool:
    """Return the names of the claims to keep, or whether all are kept."""
    if isinstance(claims, bool):
        return claims
    try:
        names = frozenset((claims,) if isinstance(claims, str) else claims)
    except TypeError:
        raise ConfigurationError(f"FromRequest(claims={claims!r:.80}): give names of claims, or True for all") from None
    for name in names:
        _check_claim(name, "claims")
    return names
