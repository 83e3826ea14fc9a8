"""An OpenID Connect issuer on this machine. Its keys change, and another library signs its tokens."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from tests.servers.loopback import LoopbackServer, Quiet

DISCOVERY = "/.well-known/openid-configuration"
KEYS = "/keys"


class Issuer(LoopbackServer):
    """Runs on a free port; its URL is what tokens have as their issuer. `asked` counts the requests by path.

    behaviour: in place of the real answer, for each path: a status, a body in bytes, or a URL to redirect to.
    holding: while it is clear, requests wait.
    """

    def __init__(self, **first: Any) -> None:
        self.asked: Counter[str] = Counter()
        self.behaviour: dict[str, int | bytes | str] = {}
        self.keys: list[Any] = [new_key("k1", **first)]
        self.extra: list[Any] = []  # further entries of the key set, as they are
        issuer = self

        class Answer(Quiet, BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked[self.path] += 1
                issuer.holding.wait(30)
                told = issuer.behaviour.get(self.path)
                status = told if isinstance(told, int) else 302 if isinstance(told, str) else 200
                body = told if isinstance(told, bytes) else json.dumps(issuer.published(self.path)).encode()
                try:
                    self.send_response(status)
                    if isinstance(told, str):
                        self.send_header("Location", told)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass  # who asked has gone

        super().__init__(Answer)

    def published(self, path: str) -> Any:
        if path == DISCOVERY:
            return {"issuer": self.url, "jwks_uri": self.url + KEYS}
        return {"keys": [key.as_dict(private=False) for key in self.keys] + self.extra}

    def rotate(self, id: str, **kind: Any) -> None:
        """Sign with a new key; the old ones are taken back."""
        self.keys = [new_key(id, **kind)]

    @contextmanager
    def down(self) -> Iterator[None]:
        """Answer with 503 meanwhile."""
        self.behaviour = {DISCOVERY: 503, KEYS: 503}
        yield
        self.behaviour = {}

    def claims(self, **changed: Any) -> dict[str, Any]:
        """The claims of a good token, with some changed; None leaves one out."""
        now = int(time.time())
        whole = {"iss": self.url, "aud": "orders", "sub": "ann", "iat": now, "exp": now + 300, **changed}
        return {name: value for name, value in whole.items() if value is not None}

    def token(self, header: Mapping[str, Any] | None = None, key: Any = None, **changed: Any) -> str:
        """A token signed with the first key, or with another."""
        key = key or self.keys[0]
        whole = {"alg": algorithm_of(key), "kid": key.kid, **(header or {})}
        whole = {name: value for name, value in whole.items() if value is not None}
        return jwt.encode(whole, self.claims(**changed), key, algorithms=[whole["alg"]])


def new_key(id: str, kind: str = "RSA", size: int = 2048, **parameters: Any) -> Any:
    """A new private key: RSA, EC (P-256) or OKP (Ed25519). parameters: members of its JWK, such as `use`."""
    members: Any = {"kid": id, **parameters}
    if kind == "RSA":
        return RSAKey.generate_key(size, members)
    return ECKey.generate_key("P-256", members) if kind == "EC" else OKPKey.generate_key("Ed25519", members)


def algorithm_of(key: Any) -> str:
    return {"RSA": "RS256", "EC": "ES256", "OKP": "EdDSA"}[key.key_type]
