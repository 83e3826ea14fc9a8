"""Parameter Store and Secrets Manager: values read once, kept for a while, and read again.

    parameters = Parameters(max_age=300)
    parameters.get("/shop/prod/billing/API_URL")
    parameters.get_many("/shop/prod/billing")                 # {"API_URL": ..., "limits/daily": ...}
    parameters.secret_json("shop/prod/database")["password"]

The cache is that of aws-lambda-powertools (its utility `parameters`), the calls are those of an `Aws`; needs the extras
`aws` and `powertools`. Every verb has an `_async` twin. The role needs `ssm:GetParameter`, `ssm:GetParameters`,
`ssm:GetParametersByPath`, `secretsmanager:GetSecretValue` and `kms:Decrypt`, as far as they are used.
"""

from __future__ import annotations

import os
import threading
from functools import partial

import orjson

from adapters._core.adapter import Adapter
from adapters._core.blocking import refuse_blocking
from adapters.aws.botocore_errors import translate
from adapters.errors import AdapterError, InvalidMessage
from router.durations import seconds
from router.errors import ConfigurationError
from router.snapshots import renewed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from adapters.aws.aws import Aws
    from router.durations import Duration

_EXTRAS = 'the parameters adapter needs aws-lambda-powertools: pip install "lambda-junction[aws,powertools]"'


class Parameters(Adapter):
    """Parameters and secrets, each kept for a time.

    aws: makes the calls; by default one made of the environment.
    max_age: how long a value is kept; seconds, or a timedelta. 0: it is not kept.

    Values of one `Parameters` are seen by no other, so that two identities do not read each other's. `fresh=True` asks
    again now, and keeps the answer. Parameters of type SecureString are decrypted.
    """

    def __init__(self, aws: Aws | None = None, *, max_age: Duration = 300) -> None:
        super().__init__(aws)
        self.max_age = seconds(max_age, "Parameters(max_age=...)")
        self._providers: tuple[int, dict[str, Any]] = (0, {})
        self._lock = threading.Lock()
        renewed(self)

    def _renew(self, *, forked: bool) -> None:
        self._lock = threading.Lock()
        self.forget()

    # ---- Parameter Store ---------------------------------------------------------------------------------------

    def get(self, name: str, *, fresh: bool = False) -> str:
        """Return a parameter; `name:3` or `name:label` asks for a version. Raises ResourceNotFound, AdapterError."""
        refuse_blocking(self, "get")
        return self._get(name, fresh)

    async def get_async(self, name: str, *, fresh: bool = False) -> str:
        """`get` from async code, without blocking its loop."""
        return await self.aws.in_thread(self._get, name, fresh)

    def get_many(self, path: str, *, recursive: bool = True, fresh: bool = False) -> dict[str, str]:
        """Return all parameters under a path, by what their names have after it."""
        refuse_blocking(self, "get_many")
        return self._get_many(path, recursive, fresh)

    async def get_many_async(self, path: str, *, recursive: bool = True, fresh: bool = False) -> dict[str, str]:
        """`get_many` from async code, without blocking its loop."""
        return await self.aws.in_thread(self._get_many, path, recursive, fresh)

    # ---- Secrets Manager ---------------------------------------------------------------------------------------

    def secret(self, name: str, *, fresh: bool = False) -> str:
        """Return a secret by its name or ARN, as text. Raises ResourceNotFound, AccessDenied, AdapterError."""
        refuse_blocking(self, "secret")
        return self._secret(name, fresh)

    async def secret_async(self, name: str, *, fresh: bool = False) -> str:
        """`secret` from async code, without blocking its loop."""
        return await self.aws.in_thread(self._secret, name, fresh)

    def secret_json(self, name: str, *, fresh: bool = False) -> Any:
        """Return a secret that holds JSON, such as those of databases.

        The result is yours: changing it changes no other.
        """
        refuse_blocking(self, "secret_json")
        return self._secret_json(name, fresh)

    async def secret_json_async(self, name: str, *, fresh: bool = False) -> Any:
        """`secret_json` from async code, without blocking its loop."""
        return await self.aws.in_thread(self._secret_json, name, fresh)

    def forget(self) -> None:
        """Drop all values, such as after a secret was rotated."""
        with self._lock:
            self._providers = (0, {})

    # ---- how ---------------------------------------------------------------------------------------------------

    def _get(self, name: str, fresh: bool) -> str:
        provider = self._provider("ssm")
        return str(
            _asked(
                partial(provider.get, _checked_name(name), max_age=self.max_age, decrypt=True, force_fetch=fresh),
                ("ssm", "get_parameter", name),
            )
        )

    def _get_many(self, path: str, recursive: bool, fresh: bool) -> dict[str, str]:
        # A provider of its own for each: the cache of powertools does not tell them apart.
        provider = self._provider("ssm tree" if recursive else "ssm level")
        ask = partial(
            provider.get_multiple,
            _checked_name(path),
            max_age=self.max_age,
            decrypt=True,
            recursive=recursive,
            force_fetch=fresh,
        )
        return dict(_asked(ask, ("ssm", "get_parameters_by_path", path)))

    def _secret(self, name: str, fresh: bool) -> str:
        provider = self._provider("secretsmanager")
        ask = partial(provider.get, _checked_name(name), max_age=self.max_age, force_fetch=fresh)
        held = _asked(ask, ("secretsmanager", "get_secret_value", name))
        if isinstance(held, bytes):
            raise InvalidMessage(
                f"secretsmanager.get_secret_value {name}: it is binary, not text",
                service="secretsmanager",
                operation="get_secret_value",
                resource=name,
            )
        return str(held)

    def _secret_json(self, name: str, fresh: bool) -> Any:
        try:
            return orjson.loads(self._secret(name, fresh))
        except orjson.JSONDecodeError as error:
            place = f"line {error.lineno}, column {error.colno}"
        # Out of the except block: the error holds the secret.
        raise InvalidMessage(
            f"secretsmanager.get_secret_value {name}: it is not valid JSON ({place})",
            service="secretsmanager",
            operation="get_secret_value",
            resource=name,
        )

    def _provider(self, kind: str) -> Any:
        """Return the cache of a kind of values, with the client of this identity; another after a fork."""
        with self._lock:
            pid, providers = self._providers
            if pid != os.getpid():
                self._providers = (os.getpid(), providers := {})
            if kind not in providers:
                providers[kind] = self._new_provider(kind)
            return providers[kind]

    def _new_provider(self, kind: str) -> Any:
        try:
            from aws_lambda_powertools.utilities.parameters import SecretsProvider, SSMProvider
        except ImportError:
            raise ConfigurationError(_EXTRAS) from None
        service = kind.partition(" ")[0]
        provider = SSMProvider if service == "ssm" else SecretsProvider
        return provider(boto3_client=self.aws.client(service))


def _checked_name(name: str) -> str:
    if not isinstance(name, str) or not name:
        raise ConfigurationError(f"parameters: give a name, not {name!r}")
    return name


def _asked(ask: Callable[[], Any], where: tuple[str, str, str]) -> Any:
    """Ask powertools. Its error wraps that of botocore, which says more; the text of neither goes further."""
    from aws_lambda_powertools.utilities.parameters import GetParameterError

    service, operation, name = where
    try:
        return ask()
    except GetParameterError as error:
        cause = error.__cause__ or error.__context__
        typed = translate(cause, *where) if isinstance(cause, Exception) else error
    if not isinstance(typed, AdapterError | ConfigurationError):
        typed = AdapterError(
            f"{service}.{operation} {name}: {type(typed).__name__}", service=service, operation=operation, resource=name
        )
    raise typed
