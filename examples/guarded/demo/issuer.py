"""An OpenID Connect issuer on this machine: it publishes its keys, and signs tokens."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

KEYS = "/keys"


class Issuer:
    """Run on a free port of this machine while the `with` block runs."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.url = ""
        issuer = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps(issuer.published(self.path)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def published(self, path: str) -> dict[str, Any]:
        """Return the key set, or the discovery document that says where it is."""
        if path != KEYS:
            return {"issuer": self.url, "jwks_uri": self.url + KEYS}
        public = json.loads(RSAAlgorithm.to_jwk(self._key.public_key()))
        return {"keys": [{**public, "kid": "k1", "use": "sig", "alg": "RS256"}]}

    def token(self, user: str, tenant: str, **claims: Any) -> str:
        """Sign a token for the audience of the example."""
        owner = {"iss": self.url, "aud": "payments", "exp": time.time() + 600, "sub": user, "org": tenant}
        return jwt.encode({**owner, **claims}, self._key, "RS256", headers={"kid": "k1"})
