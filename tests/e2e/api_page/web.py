"""Serve an application to a browser, as API Gateway or a load balancer in front of the function would.

`python -m tests.e2e.api_page.web` serves the page of examples/orders until its input ends, and prints its address.
"""

from __future__ import annotations

import sys
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from router import Resolver
from router.testing import TestClient


@contextmanager
def serving(resolver: Resolver, source: Any = "http", stage: str = "") -> Iterator[str]:
    """Serve an application, and yield its address.

    source: of its events. stage: in front of each path, `/prod`; the function does not see it.
    """
    client = TestClient(resolver, source=source)

    class Gateway(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not self.path.startswith(f"{stage}/"):
                self.send_error(404)
                return
            answer = client.get(self.path.removeprefix(stage), headers=dict(self.headers.items()))
            body = answer.raw.get("body") or ""
            content = b64decode(body) if answer.raw.get("isBase64Encoded") else body.encode()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}{stage}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def main() -> None:
    """Serve the page of the shop; it is imported here, as it reads the environment."""
    from examples.orders.app import resolver
    from examples.orders.stack import stack
    from router.contract import serve_openapi

    assert stack.info is not None
    serve_openapi(resolver, stack.info)
    with serving(resolver) as url:
        sys.stdout.write(f"{url}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
