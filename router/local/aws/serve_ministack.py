"""Run MiniStack on a port of the loopback address, and print its URL. For the interpreter of MiniStack's environment.

Its own command cannot take a port that is free. Here the socket is bound first and handed over, so that servers which
start at the same time never want the same one. A port that is taken ends it with the status 98.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import sys
import threading
from contextlib import suppress
from importlib import import_module
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

TAKEN = 98
_REFUSED = b'{"message": "a page of another origin may not call the AWS of this machine"}'


def main() -> int:
    """Serve until a signal ends it, and return the exit status."""
    given = _arguments()
    try:
        listening = socket.create_server(("127.0.0.1", given.port), backlog=256)
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        return TAKEN
    port = listening.getsockname()[1]
    # Its modules read these when they are imported.
    os.environ.update(
        {
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "LOG_LEVEL": "WARNING",
            # Ports that are fixed: nothing here speaks these protocols, and two servers would want the same.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
        }
    )
    if given.root:
        os.environ["AUTH"] = "true"
        os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"] = given.root
    if given.with_parent:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack.app import app

    config = Config()
    config.bind = [f"fd://{listening.fileno()}"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    sys.stdout.write(f"http://127.0.0.1:{port}\n")
    sys.stdout.flush()

    async def run() -> None:
        importing = asyncio.create_task(_import_services()) if given.with_parent else None
        await serve(_Guard(app), config)
        if importing is not None:
            importing.cancel()

    asyncio.run(run())
    return 0


class _Guard:
    """Refuse what pages of other origins ask for. MiniStack lets any page read its answers, as it is made for all.

    A page on this machine may ask: the site of who develops one, which uploads to a bucket. Names are those of this
    machine and of AWS, which nobody else can make to point here (DNS rebinding).
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] not in ("http", "websocket") or self._is_allowed(scope["headers"]):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            headers = [(b"content-type", b"application/json"), (b"content-length", str(len(_REFUSED)).encode())]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": _REFUSED})

    def _is_allowed(self, headers: list[tuple[bytes, bytes]]) -> bool:
        hosts = [value.decode("latin-1") for name, value in headers if name in (b"host", b":authority")]
        origins = [value.decode("latin-1") for name, value in headers if name == b"origin"]
        names = [urlsplit(f"//{host}").hostname or "" for host in hosts]
        return all(_is_of_aws(name) or _is_here(name) for name in names) and all(
            _is_here(urlsplit(origin).hostname or "") for origin in origins
        )


def _is_here(name: str) -> bool:
    # APIs of MiniStack have names in front of its own: `x.execute-api.127.0.0.1`, which no page can have.
    if name == "localhost" or name.endswith((".localhost", ".localhost.localstack.cloud", ".127.0.0.1")):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _is_of_aws(name: str) -> bool:
    return name.endswith((".amazonaws.com", ".amazonaws.com.cn", ".on.aws", ".api.aws"))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0, help="0 for any that is free")
    parser.add_argument("--root", nargs=2, help="id and secret of the key that may do all; of others policies decide")
    parser.add_argument("--with-parent", action="store_true", help="end when standard input is closed")
    return parser.parse_args()


async def _import_services() -> None:
    """Import the services that a stack has most often, which is done with the first call of each otherwise.

    The application is imported meanwhile, so that what it needs is made at once when it is known. It is done on the
    loop that answers calls: of two threads that import modules which need each other one may see half of a module.
    """
    for name in ("dynamodb", "sqs", "sns", "lambda_svc", "s3", "eventbridge", "dynamodb_streams"):
        await asyncio.sleep(0.01)  # calls come first
        with suppress(ImportError):
            import_module(f"ministack.services.{name}")


def _end_with_parent() -> None:
    """End when whoever started this has gone, however that was: nobody could stop this process then."""
    while sys.stdin.buffer.read(1024):
        pass
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
