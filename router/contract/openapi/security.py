"""Tell who may call: security schemes from the credentials that guards take, and what each route needs of them.

A credential, or the authenticator of a `Bearer`, may say its scheme itself, in an attribute:

    class Badge(Credential):
        kind = "badge"
        openapi = {"type": "apiKey", "in": "header", "name": "x-badge"}

A text names the kind of another credential of the application, which is sent in the same way.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from router.contract.interface.reading import identifier
from router.errors import ConfigurationError
from router.guards.credentials import ApiKey, Bearer, Bypass, Claims, Iam

if TYPE_CHECKING:
    from router.contract.interface import Operation
    from router.resolver import Resolver

_TYPES = ("apiKey", "http", "mutualTLS", "oauth2", "openIdConnect")
# The usual mode, "full", is not repeated on each operation.
_MODES = {
    "user": "The credential has to name a user; it need not be valid for a tenant.",
    "tenant": "The credential has to be valid for the tenant of the request; it need not name a user.",
}


class Described(Protocol):
    """A credential, or an authenticator, that says its security scheme itself.

    openapi: a Security Scheme Object of OpenAPI, or the kind of another credential that is sent in the same way.
    """

    @property
    def openapi(self) -> Mapping[str, Any] | str: ...


class Security:
    """Collect the security schemes of one document. schemes: those that its operations use, by name.

    guarded: whether routes without a check say so; by default where some HTTP route has one.
    """

    def __init__(self, resolver: Resolver, guarded: bool = False) -> None:
        self.schemes: dict[str, dict[str, Any]] = {}
        self._resolver = resolver
        self._guarded = guarded or any(self._checks(route) for route in resolver.every_route() if route.methods)

    def component(self) -> dict[str, Any]:
        """Return the part of the components that has the schemes; empty where there are none."""
        return {"securitySchemes": {name: self.schemes[name] for name in sorted(self.schemes)}} if self.schemes else {}

    def of(self, one: Operation) -> list[dict[str, list[str]]] | None:
        """Return the requirements of an operation, any of which will do: an empty list where nobody is asked.

        None in an application whose routes ask for nothing at all.

        Raises:
            ConfigurationError: a credential has no scheme that is known; it names the route with file and line.
        """
        if not self._guarded:
            return None
        checks = [self._names(one, check) for check in self._checks(one.route)]
        if not checks:
            return []
        made = [dict.fromkeys(chosen) for chosen in itertools.product(*checks)]  # each check has to let it in
        return [{name: [] for name in names} for names in dict.fromkeys(map(tuple, made))]

    def note(self, one: Operation) -> str:
        """Return what the credentials of an operation have to be good for, where that is less than usual."""
        modes = {check.mode for check in self._checks(one.route)}
        return " ".join(text for mode, text in _MODES.items() if mode in modes)

    def session_headers(self, one: Operation) -> dict[str, tuple[str, bool]]:
        """Return the headers that say whose a request is: by field the name, and whether there is no other way."""
        policy = self._resolver.session_policy
        needed = policy.require if one.route.require is None else one.route.require
        found = {}
        for field in ("tenant", "user"):
            header = policy.header_of(field)
            if header is not None:
                elsewhere = getattr(policy.request, f"{field}_claim", None) or self._checks(one.route)
                found[field] = header, field in needed and not elsewhere
        return found

    # ---- schemes -------------------------------------------------------------------------------------------------

    def _checks(self, route: Any) -> list[Any]:
        return [check for check in self._resolver.checks_of(route) if check.mode != "off"]

    def _names(self, one: Operation, check: Any) -> list[str]:
        """Return the names of the schemes that a check takes. Of internal calls nobody is told."""
        told = [held for held in check.credentials if not isinstance(held, Bypass)]
        return list(dict.fromkeys(self._name(one, held) for held in told or check.credentials))

    def _name(self, one: Operation, credential: Any) -> str:
        """Return the name of a credential's scheme: its kind, numbered where schemes differ."""
        scheme, kind = self._scheme(one, credential), identifier(credential.kind or type(credential).__name__)
        if isinstance(scheme, str):
            return self._named(one, credential, scheme)
        for number in itertools.count(1):
            name = kind if number == 1 else f"{kind}_{number}"
            if self.schemes.setdefault(name, scheme) == scheme:
                return name
        raise AssertionError

    def _named(self, one: Operation, credential: Any, kind: str) -> str:
        """Return the scheme of another credential, by its kind."""
        for route in self._resolver.every_route():
            for check in self._checks(route) if route.methods else ():
                for other in check.credentials:
                    if other.kind == kind and not isinstance(self._scheme(one, other), str):
                        return self._name(one, other)
        raise ConfigurationError(
            f"{one.where}: {type(credential).__name__} names the security scheme {kind!r:.80}, which no guard has"
        )

    def _scheme(self, one: Operation, credential: Any) -> dict[str, Any] | str:
        """Return the scheme of a credential, or the kind of the one whose scheme it shares."""
        authenticator = getattr(credential, "authenticator", None)
        for held in (credential, authenticator):
            said = getattr(held, "openapi", None)
            if isinstance(said, str):
                return said
            if said is not None:
                return _checked(said, f"{one.where}: {type(held).__name__}.openapi")
        if isinstance(credential, Bearer):
            return _of_bearer(credential, authenticator)
        if isinstance(credential, Claims):
            return {
                "type": "http",
                "scheme": "bearer",
                "description": "A token that the authorizer of the API takes; it hands over the claims.",
            }
        if isinstance(credential, Iam):
            return {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "description": "A request that is signed with credentials of AWS (Signature Version 4).",
                "x-amazon-apigateway-authtype": "awsSigv4",
            }
        raise ConfigurationError(
            f"{one.where}: {type(credential).__name__} has no security scheme for documents; give the class an "
            'attribute openapi, such as {"type": "apiKey", "in": "header", "name": "x-badge"}'
        )


def _of_bearer(credential: Bearer, authenticator: Any) -> dict[str, Any]:
    """Return the scheme of a token in a header."""
    if isinstance(credential, Bypass):
        told = "For internal calls alone."
    elif isinstance(credential, ApiKey):
        told = "A key that the application has issued."
    else:
        told = _of_issuer(authenticator)
    described = {"description": told} if told else {}
    if credential.header != "authorization":
        return {"type": "apiKey", "in": "header", "name": credential.header, **described}
    discovered = getattr(getattr(authenticator, "keys", None), "issuer", None)
    if isinstance(discovered, str):
        url = f"{discovered.rstrip('/')}/.well-known/openid-configuration"
        return {"type": "openIdConnect", "openIdConnectUrl": url, **described}
    is_jwt = getattr(authenticator, "kind", "") == "jwt"
    return {"type": "http", "scheme": "bearer", **({"bearerFormat": "JWT"} if is_jwt else {}), **described}


def _of_issuer(authenticator: Any) -> str:
    issuer, audience = getattr(authenticator, "issuer", None), getattr(authenticator, "audience", ())
    if not isinstance(issuer, str):
        return ""
    aimed = f" for {' or '.join(sorted(audience))}" if audience else ""
    return f"A token of {issuer}{aimed}, as `Authorization: Bearer <token>`."


def _checked(said: Any, where: str) -> dict[str, Any]:
    """Return a scheme that a class says itself. Raises ConfigurationError."""
    if not isinstance(said, Mapping) or said.get("type") not in _TYPES:
        raise ConfigurationError(
            f"{where} is no security scheme: give a mapping whose type is one of {', '.join(_TYPES)}"
        )
    return dict(said)
