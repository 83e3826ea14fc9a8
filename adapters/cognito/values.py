"""Hold the answers of Cognito as values, and its errors as classes. Tokens and codes show in no repr."""

from __future__ import annotations

from dataclasses import dataclass, field

from adapters.errors import AdapterError, InvalidMessage, ResourceNotFound, Throttled
from router.errors import Conflict, Unauthorized

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any


@dataclass(frozen=True, slots=True)
class User:
    """A user of a pool.

    username: as Cognito knows it. attributes: `sub`, `email`, `custom:plan` and the like; no repr shows them.
    enabled: whether the user may sign in. status: CONFIRMED, UNCONFIRMED, FORCE_CHANGE_PASSWORD and the like.
    """

    username: str = field(repr=False)
    attributes: Mapping[str, str] = field(repr=False)
    enabled: bool = True
    status: str = ""
    created: datetime | None = None
    modified: datetime | None = None

    @property
    def id(self) -> str:
        """The attribute `sub`, which never changes and is never given to another."""
        return self.attributes.get("sub", "")


@dataclass(frozen=True, slots=True)
class UserPage:
    """Some users of a pool. token: leads to the next page; None on the last."""

    users: list[User]
    token: str | None = None


@dataclass(frozen=True, slots=True)
class SignedUp:
    """A user who signed up. id: the attribute `sub`. confirmed: whether no code is waited for."""

    id: str
    confirmed: bool


@dataclass(frozen=True, slots=True)
class UserTokens:
    """The tokens of a user who is signed in. expires_in: seconds. refresh: None where the one in use stays valid."""

    access: str = field(repr=False)
    id: str = field(repr=False)
    refresh: str | None = field(repr=False)
    expires_in: int


@dataclass(frozen=True, slots=True)
class Challenge:
    """Ask for something before a user is signed in: NEW_PASSWORD_REQUIRED, SMS_MFA, SOFTWARE_TOKEN_MFA and the like.

    name: of the challenge. parameters: what it tells of it. username, session: go back with the answer.
    """

    name: str
    parameters: Mapping[str, str] = field(repr=False)
    username: str = field(repr=False)
    session: str | None = field(repr=False)


class UserNotFound(ResourceNotFound):
    """The pool has no such user."""


class UserExists(AdapterError, Conflict):
    """There is a user of that name, or with that e-mail address or number. Over HTTP it is a 409."""

    answer = "there is such a user already"


class SignInFailed(AdapterError, Unauthorized):
    """The name, the password, the token or the answer is wrong, or the user may not sign in. Over HTTP it is a 401.

    `code` says which, for the log: NotAuthorizedException, UserNotConfirmedException, PasswordResetRequiredException.
    """

    answer = "the user is not signed in"


class CodeRefused(InvalidMessage):
    """The code of a confirmation is wrong or too old."""


class PasswordRefused(InvalidMessage):
    """The password does not follow the policy of the pool."""


_CODES: dict[str, type[AdapterError]] = {
    "UserNotFoundException": UserNotFound,
    "UsernameExistsException": UserExists,
    "AliasExistsException": UserExists,
    "CodeMismatchException": CodeRefused,
    "ExpiredCodeException": CodeRefused,
    "InvalidPasswordException": PasswordRefused,
    "PasswordHistoryPolicyViolationException": PasswordRefused,
    "LimitExceededException": Throttled,
    "TooManyFailedAttemptsException": Throttled,
}
_SIGN_IN: dict[str, type[AdapterError]] = dict.fromkeys(
    (
        "NotAuthorizedException",
        "UserNotFoundException",
        "UserNotConfirmedException",
        "PasswordResetRequiredException",
        "CodeMismatchException",
        "ExpiredCodeException",
    ),
    SignInFailed,
)


def failure(error: AdapterError, *, signing_in: bool = False) -> AdapterError:
    """Return what an error of Cognito means; the error itself where it is one of any service.

    signing_in: whether the user's own credentials were refused, and not the rights of the role.
    """
    kind = (_SIGN_IN.get(error.code) if signing_in else None) or _CODES.get(error.code)
    if kind is None:
        return error
    # The first part of the message alone: what follows it is advice for roles and resources.
    typed = kind(
        str(error).partition("; ")[0],
        service=error.service,
        operation=error.operation,
        resource=error.resource,
        code=error.code,
        retryable=kind is Throttled,
        request_id=error.request_id,
    )
    typed.repeated = error.repeated
    return typed


def plain(attributes: Any) -> dict[str, str]:
    """Return attributes of Cognito as a dict."""
    return {held["Name"]: held.get("Value", "") for held in attributes or ()}


def listed(attributes: Mapping[str, str] | None) -> list[dict[str, str]]:
    """Return attributes in the form of Cognito."""
    if attributes is None:
        return []
    if not hasattr(attributes, "items"):
        raise InvalidMessage(f"cognito: attributes are a mapping of names to texts, not {type(attributes).__name__}")
    return [{"Name": name, "Value": value} for name, value in attributes.items()]


def user_of(answer: Mapping[str, Any]) -> User:
    """Return the user of an answer; some operations write `UserAttributes`, others `Attributes`."""
    return User(
        str(answer["Username"]),
        plain(answer.get("UserAttributes") or answer.get("Attributes")),
        bool(answer.get("Enabled", True)),
        str(answer.get("UserStatus", "")),
        answer.get("UserCreateDate"),
        answer.get("UserLastModifiedDate"),
    )
