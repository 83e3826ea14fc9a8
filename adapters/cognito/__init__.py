"""Cognito: the users of a pool, and what they do through an app client.

    users = UserPool(pool="eu-west-1_AbCdEf")
    users.create("ann", {"email": "ann@example.com"})
    outcome = AppClient(client_id="...", secret="...").sign_in("ann", "secret")      # UserTokens, or a Challenge

Every verb has an `_async` twin. No password, token or code is in a repr or in an error; an error has no user's name.
The role needs the action of each verb of a `UserPool`, such as `cognito-idp:AdminGetUser`.
"""

from __future__ import annotations

from adapters.cognito.client import AppClient
from adapters.cognito.pool import UserPool
from adapters.cognito.values import (
    Challenge,
    CodeRefused,
    PasswordRefused,
    SignedUp,
    SignInFailed,
    User,
    UserExists,
    UserNotFound,
    UserPage,
    UserTokens,
)

__all__ = [
    "AppClient",
    "Challenge",
    "CodeRefused",
    "PasswordRefused",
    "SignInFailed",
    "SignedUp",
    "User",
    "UserExists",
    "UserNotFound",
    "UserPage",
    "UserPool",
    "UserTokens",
]
