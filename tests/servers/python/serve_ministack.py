"""Run MiniStack on a free port of the loopback address, which is printed; for the interpreter of its own environment.

Its own command needs a port that is known beforehand. Here the socket is bound first and handed over, so that servers
which start at the same time never want the same one. Two arguments, the id of an access key and its secret, have it ask
the policies of all other keys whether a call is allowed.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys


def main() -> None:
    """Serve until a signal ends it."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=256)
    address = listening.getsockname()
    # Its modules read these when they are imported.
    os.environ.update(
        {
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(address[1]),
            "LOG_LEVEL": "WARNING",
            # Ports that are fixed: nothing here speaks these protocols, and two servers would want the same.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
        }
    )
    if sys.argv[1:]:
        os.environ["AUTH"] = "true"
        os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"] = sys.argv[1:]
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack.app import app

    config = Config()
    config.bind = [f"fd://{listening.fileno()}"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    print(f"http://127.0.0.1:{address[1]}", flush=True)
    asyncio.run(serve(app, config))


if __name__ == "__main__":
    main()
