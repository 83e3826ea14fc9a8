"""Clients of boto3 that know the emulator and nothing else: no profile, no region and no endpoint of the user's."""

from __future__ import annotations

import os
import threading
import urllib.request
from typing import TYPE_CHECKING, Any

from router.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCESS_KEY = "test"  # LocalStack and MiniStack take it for the account 000000000000; no account of AWS has it
LOOPBACK = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Opens addresses of this machine, whatever proxy the environment names."""
_LOOPBACKS = ("127.0.0.1", "localhost", "::1")


class Clients:
    """Makes clients, one of each service. endpoint: the URL of the emulator. region: of AWS."""

    def __init__(self, endpoint: str, region: str) -> None:
        config, made = import_boto()
        # Neither a profile that the environment names nor a file is looked at: a broken one is of no concern here.
        nowhere = (None, None, os.devnull, None)
        own: Any = {"profile": (None, None, None, None), "config_file": nowhere, "credentials_file": nowhere}
        session: Any = made(session_vars=own)
        session.set_credentials(ACCESS_KEY, ACCESS_KEY)
        session.set_config_variable("region", region)
        self._session = session
        self.endpoint = endpoint
        self._settings = {
            "endpoint_url": endpoint,
            # Polls of all queues share the client, and each holds a connection while it waits.
            "config": config(
                connect_timeout=5,
                read_timeout=70,
                retries={"mode": "standard", "total_max_attempts": 2},
                max_pool_connections=200,
                proxies={},  # none has a way to this machine
                s3={"addressing_style": "path"},
                parameter_validation=False,
            ),
        }
        self._held: dict[str, Any] = {}
        self._lock = threading.Lock()

    def __call__(self, service: str) -> Any:
        """Return the client of a service, as boto3 names it. Any thread may use it."""
        with self._lock:  # a session makes one at a time
            if service not in self._held:
                self._held[service] = self._session.create_client(service, **self._settings)
            return self._held[service]


def import_boto() -> tuple[Any, Any]:
    """Import the classes of botocore, which takes a while, and return those for settings and for sessions.

    Raises:
        ConfigurationError: it is not installed.
    """
    try:
        from botocore.config import Config
        from botocore.session import Session
    except ImportError as error:
        raise ConfigurationError(
            'AWS beside the application needs boto3: pip install "lambda-junction[local]"'
        ) from error
    return Config, Session


def environment(inherited: Mapping[str, str], endpoint: str, region: str, account: str) -> dict[str, str]:
    """Return the environment of a process whose calls of AWS all go to the emulator.

    Whatever names a profile, a role, a file or an endpoint of AWS is left out. So is every source of credentials.

    inherited: the environment that it would have had.
    endpoint: the URL of the emulator.
    """
    kept = {name: held for name, held in inherited.items() if not name.startswith("AWS_")}
    skipped = [one for one in (kept.get("NO_PROXY") or kept.get("no_proxy") or "").split(",") if one]
    without = ",".join(dict.fromkeys([*skipped, *_LOOPBACKS]))
    return {
        **kept,
        "NO_PROXY": without,
        "no_proxy": without,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCOUNT_ID": account,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
