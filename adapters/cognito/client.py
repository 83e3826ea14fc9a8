"""`AppClient`: what a user does, through an app client of a pool: sign up, sign in, choose another password."""

from __future__ import annotations

from adapters._core.adapter import Adapter
from adapters.cognito.values import Challenge, SignedUp, UserTokens, failure, listed
from adapters.errors import AdapterError, InvalidMessage
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeVar

    from adapters._core.steps import Steps
    from adapters.aws.aws import Aws

    T = TypeVar("T")


class AppClient(Adapter):
    """An app client of a pool.

    aws: makes the calls; by default one made of the environment.
    client_id: of the app client. secret: its secret, where it has one.
    pool: the id of the pool: sign-ins are then `AdminInitiateAuth`, a right of the role and a flow of the client
        (ALLOW_ADMIN_USER_PASSWORD_AUTH); without it they are those of a public client (ALLOW_USER_PASSWORD_AUTH).

    Raises:
        SignInFailed: the name, password, token or answer is wrong, or the user may not sign in.
        UserExists: another user has that name or address.
        CodeRefused, PasswordRefused: the code is wrong or too old; the pool's policy does not take the password.
        Throttled: there were too many calls, or too many wrong tries of this user.
        AdapterError: Cognito refused it.
    """

    def __init__(
        self, aws: Aws | None = None, *, client_id: str, secret: str | None = None, pool: str | None = None
    ) -> None:
        super().__init__(aws)
        if not isinstance(client_id, str) or not client_id:
            raise ConfigurationError("AppClient(client_id=...): give the id of an app client")
        self.client_id = client_id
        self.pool = pool
        self._secret = secret

    # ---- signing in --------------------------------------------------------------------------------------------

    def sign_in(self, username: str, password: str) -> UserTokens | Challenge:
        """Sign a user in by password. A Challenge is what Cognito wants first: give its answer to `respond`."""
        return self._run(self._sign_in(username, password), "sign_in")

    async def sign_in_async(self, username: str, password: str) -> UserTokens | Challenge:
        """Do as `sign_in` does, without blocking the event loop."""
        return await self.aws.run_async(self._sign_in(username, password))

    def respond(self, challenge: Challenge, answers: Mapping[str, str]) -> UserTokens | Challenge:
        """Answer a challenge: `{"NEW_PASSWORD": ...}`, `{"SMS_MFA_CODE": ...}`. What comes back may be the next one."""
        return self._run(self._respond(challenge, answers), "respond")

    async def respond_async(self, challenge: Challenge, answers: Mapping[str, str]) -> UserTokens | Challenge:
        """Do as `respond` does, without blocking the event loop."""
        return await self.aws.run_async(self._respond(challenge, answers))

    def refresh(self, token: str, *, username: str | None = None) -> UserTokens | Challenge:
        """Get new tokens for a refresh token. username: as the pool knows it; needed by a client with a secret."""
        return self._run(self._refresh(token, username), "refresh")

    async def refresh_async(self, token: str, *, username: str | None = None) -> UserTokens | Challenge:
        """Do as `refresh` does, without blocking the event loop."""
        return await self.aws.run_async(self._refresh(token, username))

    # ---- signing up --------------------------------------------------------------------------------------------

    def sign_up(self, username: str, password: str, attributes: Mapping[str, str] | None = None) -> SignedUp:
        """Sign a new user up. Unless a trigger confirms it, Cognito sends a code for `confirm`."""
        return self._run(self._sign_up(username, password, attributes), "sign_up")

    async def sign_up_async(
        self, username: str, password: str, attributes: Mapping[str, str] | None = None
    ) -> SignedUp:
        """Do as `sign_up` does, without blocking the event loop."""
        return await self.aws.run_async(self._sign_up(username, password, attributes))

    def confirm(self, username: str, code: str) -> None:
        """Confirm a new user by the code that Cognito sent."""
        self._run(self._of_user("confirm_sign_up", username, ConfirmationCode=code), "confirm")

    async def confirm_async(self, username: str, code: str) -> None:
        """Do as `confirm` does, without blocking the event loop."""
        await self.aws.run_async(self._of_user("confirm_sign_up", username, ConfirmationCode=code))

    def resend_code(self, username: str) -> None:
        """Send the code of a new user once more."""
        self._run(self._of_user("resend_confirmation_code", username), "resend_code")

    async def resend_code_async(self, username: str) -> None:
        """Do as `resend_code` does, without blocking the event loop."""
        await self.aws.run_async(self._of_user("resend_confirmation_code", username))

    # ---- forgotten passwords -----------------------------------------------------------------------------------

    def forgot_password(self, username: str) -> None:
        """Send a user a code with which to choose another password."""
        self._run(self._of_user("forgot_password", username), "forgot_password")

    async def forgot_password_async(self, username: str) -> None:
        """Do as `forgot_password` does, without blocking the event loop."""
        await self.aws.run_async(self._of_user("forgot_password", username))

    def choose_password(self, username: str, code: str, password: str) -> None:
        """Put another password in place of a forgotten one, by the code that Cognito sent."""
        self._run(self._choose_password(username, code, password), "choose_password")

    async def choose_password_async(self, username: str, code: str, password: str) -> None:
        """Do as `choose_password` does, without blocking the event loop."""
        await self.aws.run_async(self._choose_password(username, code, password))

    # ---- how ---------------------------------------------------------------------------------------------------

    def _call(
        self, operation: str, read: Callable[[Any], T], parameters: Mapping[str, Any], *, signing_in: bool = False
    ) -> Steps[T]:
        try:
            answer = yield self.aws.step(
                "cognito-idp",
                operation,
                resource=f"client {self.client_id}",
                parameters={"ClientId": self.client_id, **parameters},
            )
        except AdapterError as error:
            raise failure(error, signing_in=signing_in) from None
        return read(answer)

    def _of_user(self, operation: str, username: str, **parameters: str) -> Steps[None]:
        request = {"Username": username, **self._hash("SecretHash", username), **parameters}
        return self._call(operation, lambda _: None, request)

    def _hash(self, name: str, username: str | None) -> dict[str, str]:
        """Return the proof that the caller has the client's secret, as a parameter; none for a client without one."""
        if self._secret is None:
            return {}
        if username is None:
            raise ConfigurationError("AppClient: this client has a secret: give the name of the user as well")
        try:
            proven = f"{username}{self.client_id}".encode()
        except UnicodeError:
            proven = b""
        if not isinstance(username, str) or not proven:
            raise InvalidMessage("cognito: the name of a user is a text, and one that can be encoded")
        import hmac
        from base64 import b64encode

        digest = hmac.digest(self._secret.encode(), proven, "sha256")
        return {name: b64encode(digest).decode()}

    def _admin(self, operation: str) -> tuple[str, dict[str, str]]:
        """Return the operation that signs in, and what it needs of the pool."""
        return (operation, {}) if self.pool is None else (f"admin_{operation}", {"UserPoolId": self.pool})

    def _sign_in(self, username: str, password: str) -> Steps[UserTokens | Challenge]:
        flow = "USER_PASSWORD_AUTH" if self.pool is None else "ADMIN_USER_PASSWORD_AUTH"
        held = {"USERNAME": username, "PASSWORD": password, **self._hash("SECRET_HASH", username)}
        return self._initiate(flow, held, username)

    def _refresh(self, token: str, username: str | None) -> Steps[UserTokens | Challenge]:
        held = {"REFRESH_TOKEN": token, **self._hash("SECRET_HASH", username)}
        return self._initiate("REFRESH_TOKEN_AUTH", held, username or "")

    def _initiate(self, flow: str, held: Mapping[str, str], username: str) -> Steps[UserTokens | Challenge]:
        operation, pool = self._admin("initiate_auth")
        request = {**pool, "AuthFlow": flow, "AuthParameters": dict(held)}
        return self._call(operation, lambda answer: _outcome(answer, username), request, signing_in=True)

    def _respond(self, challenge: Challenge, answers: Mapping[str, str]) -> Steps[UserTokens | Challenge]:
        if not hasattr(answers, "items"):
            raise InvalidMessage(f"cognito: answers are a mapping of names to texts, not {type(answers).__name__}")
        # One who signed in by an address has another name in the pool, and the proof is made of that.
        username = challenge.parameters.get("USER_ID_FOR_SRP") or challenge.username
        operation, pool = self._admin("respond_to_auth_challenge")
        held = {**answers, "USERNAME": username, **self._hash("SECRET_HASH", username)}
        request: dict[str, Any] = {**pool, "ChallengeName": challenge.name, "ChallengeResponses": held}
        if challenge.session is not None:
            request["Session"] = challenge.session
        return self._call(operation, lambda answer: _outcome(answer, username), request, signing_in=True)

    def _sign_up(self, username: str, password: str, attributes: Mapping[str, str] | None) -> Steps[SignedUp]:
        request = {
            "Username": username,
            "Password": password,
            "UserAttributes": listed(attributes),
            **self._hash("SecretHash", username),
        }
        return self._call(
            "sign_up", lambda answer: SignedUp(str(answer["UserSub"]), bool(answer["UserConfirmed"])), request
        )

    def _choose_password(self, username: str, code: str, password: str) -> Steps[None]:
        return self._of_user("confirm_forgot_password", username, ConfirmationCode=code, Password=password)


def _outcome(answer: Mapping[str, Any], username: str) -> UserTokens | Challenge:
    held = answer.get("AuthenticationResult")
    if held:
        return UserTokens(
            held.get("AccessToken", ""), held.get("IdToken", ""), held.get("RefreshToken"), int(held["ExpiresIn"])
        )
    return Challenge(
        str(answer.get("ChallengeName", "")), answer.get("ChallengeParameters", {}), username, answer.get("Session")
    )
