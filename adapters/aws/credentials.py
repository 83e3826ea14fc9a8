"""The botocore session of some settings; botocore assumes the roles and renews their credentials."""

from __future__ import annotations

from router.durations import seconds
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import RLock
    from typing import Any

    from adapters.aws.settings import Settings
    from router.durations import Duration


def botocore_session(settings: Settings, lock: RLock, parent: Any = None) -> Any:
    """Return a session for the settings.

    parent: the session whose credentials assume the role, in place of the settings' own.

    It belongs to nobody else: another identity gets another session. lock: held while a client of it is made.
    """
    try:
        import botocore.session
        from botocore.credentials import Credentials
    except ImportError:
        raise ConfigurationError('the AWS adapters need boto3: pip install "lambda-junction[aws]"') from None
    core: Any = botocore.session.Session(profile=settings.profile)
    if settings.region is not None:
        core.set_config_variable("region", settings.region)
    source = None
    if parent is not None:
        source = parent.get_credentials()
        # What AWS's services look like, read once: from files of many megabytes.
        core.register_component("data_loader", parent.get_component("data_loader"))
    elif settings.access_key_id is not None and settings.secret_access_key is not None:
        source = Credentials(settings.access_key_id, settings.secret_access_key, settings.session_token)
    if source is not None or settings.roles:
        core.register_component("credential_provider", _Chain(core, settings, lock, source))
    return core


class _Chain:
    """The credential provider of a chain of roles, each assumed with the credentials of the one before.

    Nothing is called before the credentials are used, and botocore calls again before they end.
    """

    def __init__(self, core: Any, settings: Settings, lock: RLock, source: Any) -> None:
        self._core = core
        self._settings = settings
        self._lock = lock
        self._source = source
        self._otherwise = core.get_component("credential_provider")

    def load_credentials(self) -> Any:
        from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

        credentials = self._source or self._otherwise.load_credentials()
        if credentials is None:
            return None
        for role in self._settings.chain:
            fetcher = AssumeRoleCredentialFetcher(self._sts, credentials, role.arn, extra_args=role.request())
            credentials = DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")
        return credentials

    def _sts(self, service: str, **keys: Any) -> Any:
        with self._lock:
            return self._core.create_client(service, **client_options(self._settings, service), **keys)


def client_options(
    settings: Settings,
    service: str,
    region: str | None = None,
    *,
    read_timeout: Duration | None = None,
    attempts: int | None = None,
) -> dict[str, Any]:
    """Return what botocore's `create_client` takes, besides the name of the service."""
    from botocore.config import Config

    endpoint = settings.endpoint_of(service)
    config: dict[str, Any] = {
        "connect_timeout": settings.connect_timeout,
        "read_timeout": settings.read_timeout if read_timeout is None else seconds(read_timeout, "read_timeout"),
        "max_pool_connections": settings.connections,
        "retries": {"mode": settings.retry_mode, "total_max_attempts": attempts or settings.attempts},
        "tcp_keepalive": True,
    }
    if endpoint is not None and _on_this_machine(endpoint):
        config["proxies"] = {}  # a proxy of the environment has no way to this machine's loopback address
    options: dict[str, Any] = {"config": Config(**config), "endpoint_url": endpoint}
    if region or settings.region:
        options["region_name"] = region or settings.region
    if settings.ca_bundle is not None:
        options["verify"] = settings.ca_bundle
    return options


def _on_this_machine(url: str) -> bool:
    from urllib.parse import urlsplit

    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")
