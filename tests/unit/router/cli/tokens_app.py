"""An application with tokens in memory, for the tests of `junction tokens`."""

from __future__ import annotations

from adapters.tokens import Tokens
from router import Resolver
from tests.unit.adapters.tokens.memory import Memory

store = Memory()
tokens = Tokens(store)
resolver = Resolver(auth=tokens)
