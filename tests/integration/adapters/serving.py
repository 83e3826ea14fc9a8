"""An application behind a real port, as API Gateway has it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from router import Resolver
from router.testing import samples
from tests.servers.loopback import LoopbackServer, Quiet


@contextmanager
def running(resolver: Resolver) -> Iterator[str]:
    """Serve GET requests on a free port, and return its URL."""

    class Gateway(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = resolver.resolve(samples.http("GET", path, query=query or None, headers=headers))
            body = answer.get("body", "").encode()
            self.send_response(answer["statusCode"])
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with LoopbackServer(Gateway) as server:
        yield server.url
