"""Guards: who may call, and with what. Imported only by applications that use them."""

from router.guards.identity import Identity
from router.guards.jwt import Jwt
from router.guards.keys import FixedKeys, KeySet

__all__ = ["FixedKeys", "Identity", "Jwt", "KeySet"]
