"""Reads environment variables into the fields of `Settings`."""

from __future__ import annotations

import orjson

from adapters.aws.roles import Role
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

_TEXTS = {
    "region": ("AWS_REGION", "AWS_DEFAULT_REGION"),
    "profile": ("AWS_PROFILE",),
    "account": ("JUNCTION_ACCOUNT", "AWS_ACCOUNT_ID"),
    "retry_mode": ("AWS_RETRY_MODE",),
    "blocking": ("JUNCTION_BLOCKING",),
    "ca_bundle": ("AWS_CA_BUNDLE",),
    "service": ("JUNCTION_SERVICE",),
    "stage": ("JUNCTION_STAGE",),
    "topic_name": ("JUNCTION_TOPIC_NAME",),
    "queue_name": ("JUNCTION_QUEUE_NAME",),
}
_NUMBERS: dict[str, tuple[Callable[[str], Any], tuple[str, ...]]] = {
    "attempts": (int, ("JUNCTION_ATTEMPTS", "AWS_MAX_ATTEMPTS")),
    "backoff": (float, ("JUNCTION_BACKOFF",)),
    "connect_timeout": (float, ("JUNCTION_CONNECT_TIMEOUT",)),
    "read_timeout": (float, ("JUNCTION_READ_TIMEOUT",)),
    "connections": (int, ("JUNCTION_CONNECTIONS",)),
    "threads": (int, ("JUNCTION_THREADS",)),
    "topic_max_bytes": (int, ("JUNCTION_TOPIC_MAX_BYTES",)),
    "queue_max_bytes": (int, ("JUNCTION_QUEUE_MAX_BYTES",)),
}
_ENDPOINT = "AWS_ENDPOINT_URL"


def read(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields that the environment sets. Raises ConfigurationError, naming the variable."""
    found: dict[str, Any] = {}
    for field, names in _TEXTS.items():
        name = _first(environ, names)
        if name is not None:
            found[field] = environ[name]
    for field, (convert, names) in _NUMBERS.items():
        name = _first(environ, names)
        if name is not None:
            found[field] = _number(name, environ[name], convert)
    for field, name in (("topics", "JUNCTION_TOPICS"), ("queues", "JUNCTION_QUEUES")):
        if environ.get(name):
            found[field] = _map(name, environ[name])
    if environ.get("JUNCTION_ROLES"):
        found["roles"] = _roles("JUNCTION_ROLES", environ["JUNCTION_ROLES"])
        if not environ.get("JUNCTION_ACCOUNT"):
            found.pop("account", None)  # AWS_ACCOUNT_ID is the account that the roles are assumed from
    if environ.get("JUNCTION_PLAIN_HTTP"):
        found["plain_http"] = _flag("JUNCTION_PLAIN_HTTP", environ["JUNCTION_PLAIN_HTTP"])
    endpoint = _endpoint(environ)
    return {**found, **_keys(environ), **({"endpoint": endpoint} if endpoint else {})}


def _first(environ: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((name for name in names if environ.get(name)), None)


def _number(name: str, text: str, convert: Callable[[str], Any]) -> Any:
    try:
        return convert(text)
    except ValueError:
        raise ConfigurationError(f"the environment variable {name} must be a number, not {text!r}") from None


def _flag(name: str, text: str) -> bool:
    held = {"true": True, "false": False}.get(text.lower())
    if held is None:
        raise ConfigurationError(f"the environment variable {name} must be true or false, not {text!r:.80}")
    return held


def _map(name: str, text: str) -> dict[str, str]:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ConfigurationError(f"the environment variable {name} is not valid JSON: {error.msg}") from None
    if type(value) is not dict or not all(type(held) is str for held in value.values()):
        raise ConfigurationError(f"the environment variable {name} must be a JSON object of texts")
    return value


def _roles(name: str, text: str) -> list[Role]:
    if not text.lstrip().startswith("["):
        return [Role(arn.strip()) for arn in text.split(",")]
    try:
        return [Role(role) if type(role) is str else Role(**role) for role in orjson.loads(text)]
    except orjson.JSONDecodeError as error:
        raise ConfigurationError(f"the environment variable {name} is not valid JSON: {error.msg}") from None
    except TypeError:
        raise ConfigurationError(
            f"the environment variable {name} must be a list of ARNs, or of objects with the fields of Role"
        ) from None


def _keys(environ: Mapping[str, str]) -> dict[str, str]:
    """Static keys; those with an end are left to botocore, which reads them again in time."""
    key, secret = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
    if not key or not secret or environ.get("AWS_CREDENTIAL_EXPIRATION"):
        return {}
    keys = {"access_key_id": key, "secret_access_key": secret}
    token = environ.get("AWS_SESSION_TOKEN")
    return {**keys, "session_token": token} if token else keys


def _endpoint(environ: Mapping[str, str]) -> str | dict[str, str] | None:
    if environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
        return None
    every = environ.get(_ENDPOINT) or None
    each = {
        name.removeprefix(f"{_ENDPOINT}_").lower(): url
        for name, url in environ.items()
        if url and name.startswith(f"{_ENDPOINT}_")
    }
    if not each:
        return every
    return {**each, "*": every} if every else each
