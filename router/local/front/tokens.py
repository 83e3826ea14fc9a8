"""Read tokens where API Gateway checks them by itself: of an issuer (JWT), or of user pools of Cognito.

The signature is not checked: the keys are with an issuer that may be out of reach of this machine.
"""

from __future__ import annotations

import time
from base64 import urlsafe_b64decode
from typing import TYPE_CHECKING, Any, NoReturn

import orjson

from router.local.front.refusals import Refused

if TYPE_CHECKING:
    from router.local.front.surroundings import Api


def of_issuer(identity: str, api: Api) -> dict[str, Any]:
    """Return the claims of a token for an HTTP API, as `requestContext.authorizer` has them.

    Raises:
        Refused: the token is none, has ended, or is of another issuer or for somebody else.
    """
    claims = _claims(identity)
    if claims.get("iss") != api.issuer:
        _refuse(f"the token is of the issuer {claims.get('iss')!r:.120}, not of {api.issuer}")
    held = claims.get("aud", claims.get("client_id"))
    audiences = held if type(held) is list else [held]
    if not set(map(str, audiences)) & set(api.audience):
        _refuse(f"the token is for {held!r:.120}, not for {', '.join(api.audience)}")
    scope = claims.get("scope")
    scopes = scope.split() if type(scope) is str else None
    return {"jwt": {"claims": {name: _text(value) for name, value in claims.items()}, "scopes": scopes}}


def of_pool(identity: str, api: Api) -> dict[str, Any]:
    """Return the claims of a token of Cognito for a REST API, as `requestContext.authorizer` has them.

    Raises:
        Refused: the token is none, has ended, or is of another pool.
    """
    claims = _claims(identity)
    pools = {arn.rpartition("/")[2] for arn in api.user_pools}
    if str(claims.get("iss", "")).rpartition("/")[2] not in pools:
        _refuse(f"the token is of {claims.get('iss')!r:.120}, not of a pool of {', '.join(sorted(pools))}")
    return {"claims": {name: _text(value) for name, value in claims.items()}}


def _claims(identity: str) -> dict[str, Any]:
    scheme, _, token = identity.rpartition(" ")
    parts = token.split(".")
    if len(parts) != 3 or scheme.lower() not in ("", "bearer"):
        _refuse("the token is not a JWT")
    try:
        claims: Any = orjson.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        _refuse("the token is not a JWT: its claims cannot be read")
    if type(claims) is not dict:
        _refuse("the token is not a JWT: its claims are no object")
    now = time.time()
    ends, begins = claims.get("exp"), claims.get("nbf")
    if not isinstance(ends, int | float) or ends <= now:
        _refuse("the token has ended, or says no end (exp)")
    if isinstance(begins, int | float) and begins > now:
        _refuse("the token does not count yet (nbf)")
    return claims


def _text(value: Any) -> str:
    """Return a claim as API Gateway writes it: a list as `[a b]`."""
    if type(value) is list:
        return f"[{' '.join(map(_text, value))}]"
    return value if type(value) is str else orjson.dumps(value).decode()


def _refuse(text: str) -> NoReturn:
    raise Refused("unauthorized", text)
