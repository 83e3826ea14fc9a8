"""Tokens and API keys of your own: issued, rotated, revoked and checked, over MongoDB or DynamoDB.

    tokens = Tokens(MongoTokenStore(mongo))                      # or Tokens(DynamoDBTokenStore(table="tokens"))
    issued = tokens.issue("ann", ["acme"], expires_in=timedelta(days=30))   # issued.token is shown once, now
    resolver = Resolver(auth=[tokens, ApiKey(tokens)])           # as a bearer token, or in the header x-api-key

What is kept is the hash of a secret. Another database needs the few verbs of `adapters.tokens.store.TokenStore`.
Names here are imported when they are first used, and a driver at the first call.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from adapters.tokens.dynamodb import DynamoDBTokenStore as DynamoDBTokenStore
    from adapters.tokens.existing import ExistingTokens as ExistingTokens
    from adapters.tokens.mongodb import MongoTokenStore as MongoTokenStore
    from adapters.tokens.token_errors import InvalidRequest as InvalidRequest
    from adapters.tokens.token_errors import TokenNotValid as TokenNotValid
    from adapters.tokens.tokens import IssuedToken as IssuedToken
    from adapters.tokens.tokens import Token as Token
    from adapters.tokens.tokens import Tokens as Tokens
else:
    from router.lazy import lazy_names

    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        {
            "dynamodb": "DynamoDBTokenStore",
            "existing": "ExistingTokens",
            "mongodb": "MongoTokenStore",
            "token_errors": "InvalidRequest TokenNotValid",
            "tokens": "IssuedToken Token Tokens",
        },
    )
