"""Guards: who may call, and with what. Names are loaded when they are first used."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from router.guards.attempts import KeyReused as KeyReused
    from router.guards.auth import Auth as Auth
    from router.guards.authenticate import Authenticate as Authenticate
    from router.guards.circuit_breaker import CircuitBreaker as CircuitBreaker
    from router.guards.circuit_breaker import CircuitOpen as CircuitOpen
    from router.guards.credentials import ApiKey as ApiKey
    from router.guards.credentials import Bearer as Bearer
    from router.guards.credentials import Bypass as Bypass
    from router.guards.credentials import Claims as Claims
    from router.guards.credentials import Credential as Credential
    from router.guards.credentials import Iam as Iam
    from router.guards.idempotent import Idempotent as Idempotent
    from router.guards.json_schema import JsonSchema as JsonSchema
    from router.guards.jwt import Jwt as Jwt
    from router.guards.keys import FixedKeys as FixedKeys
    from router.guards.keys import KeySet as KeySet
    from router.guards.memory import MemoryStore as MemoryStore
    from router.guards.permissions import Permission as Permission
    from router.guards.permissions import anyone as anyone
    from router.guards.permissions import permission as permission
    from router.guards.rate_limit import MemoryBuckets as MemoryBuckets
    from router.guards.rate_limit import RateLimit as RateLimit
    from router.guards.timeout import Timeout as Timeout
else:
    from router.lazy import lazy_names

    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        {
            "attempts": "KeyReused",
            "auth": "Auth",
            "authenticate": "Authenticate",
            "circuit_breaker": "CircuitBreaker CircuitOpen",
            "credentials": "ApiKey Bearer Bypass Claims Credential Iam",
            "idempotent": "Idempotent",
            "json_schema": "JsonSchema",
            "jwt": "Jwt",
            "keys": "FixedKeys KeySet",
            "memory": "MemoryStore",
            "permissions": "Permission anyone permission",
            "rate_limit": "MemoryBuckets RateLimit",
            "timeout": "Timeout",
        },
    )
