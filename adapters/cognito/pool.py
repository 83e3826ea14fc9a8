"""`UserPool`: the users of a pool, by the rights of the role that runs this."""

from __future__ import annotations

from adapters._core.adapter import Adapter
from adapters._core.blocking import refuse_blocking
from adapters.cognito.values import UserPage, failure, listed, user_of
from adapters.errors import AdapterError
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping
    from typing import Any, TypeVar

    from adapters._core.steps import Steps
    from adapters.aws.aws import Aws
    from adapters.cognito.values import User

    T = TypeVar("T")

_MOST = 60  # users of a page; ListUsers and ListUsersInGroup


class UserPool(Adapter):
    """The users of a pool.

    aws: makes the calls; by default one made of the environment.
    pool: its id, such as `eu-west-1_AbCdEf`.

    Raises:
        UserNotFound: there is no such user.
        UserExists: `create` met another one, or `update` an address that another user has.
        PasswordRefused: the pool's policy does not take it.
        AdapterError: Cognito refused it.
    """

    def __init__(self, aws: Aws | None = None, *, pool: str) -> None:
        super().__init__(aws)
        if not isinstance(pool, str) or "_" not in pool:
            raise ConfigurationError(f"UserPool(pool={pool!r}): give the id of a pool, such as eu-west-1_AbCdEf")
        self.pool = pool

    # ---- users -------------------------------------------------------------------------------------------------

    def get(self, username: str) -> User:
        """Return a user. username: or the `sub`, or an address that the pool takes in its place."""
        return self._run(self._get(username), "get")

    async def get_async(self, username: str) -> User:
        """Do as `get` does, without blocking the event loop."""
        return await self.aws.run_async(self._get(username))

    def create(
        self,
        username: str,
        attributes: Mapping[str, str] | None = None,
        *,
        temporary_password: str | None = None,
        notify: bool = True,
    ) -> User:
        """Create a user, who has to choose a password at the first sign-in.

        temporary_password: made by Cognito by default. notify: whether Cognito sends an invitation.
        """
        return self._run(self._create(username, attributes, temporary_password, notify), "create")

    async def create_async(
        self,
        username: str,
        attributes: Mapping[str, str] | None = None,
        *,
        temporary_password: str | None = None,
        notify: bool = True,
    ) -> User:
        """Do as `create` does, without blocking the event loop."""
        return await self.aws.run_async(self._create(username, attributes, temporary_password, notify))

    def update(self, username: str, attributes: Mapping[str, str]) -> None:
        """Put attributes in place of those of the same names; an empty text takes one away."""
        self._run(self._update(username, attributes), "update")

    async def update_async(self, username: str, attributes: Mapping[str, str]) -> None:
        """Do as `update` does, without blocking the event loop."""
        await self.aws.run_async(self._update(username, attributes))

    def confirm(self, username: str) -> None:
        """Confirm a user who signed up, without the code."""
        self._run(self._of_user("admin_confirm_sign_up", username), "confirm")

    async def confirm_async(self, username: str) -> None:
        """Do as `confirm` does, without blocking the event loop."""
        await self.aws.run_async(self._of_user("admin_confirm_sign_up", username))

    def disable(self, username: str) -> None:
        """Let a user not sign in any more; tokens that were issued stay valid to their end."""
        self._run(self._of_user("admin_disable_user", username), "disable")

    async def disable_async(self, username: str) -> None:
        """Do as `disable` does, without blocking the event loop."""
        await self.aws.run_async(self._of_user("admin_disable_user", username))

    def enable(self, username: str) -> None:
        """Let a user sign in again."""
        self._run(self._of_user("admin_enable_user", username), "enable")

    async def enable_async(self, username: str) -> None:
        """Do as `enable` does, without blocking the event loop."""
        await self.aws.run_async(self._of_user("admin_enable_user", username))

    def delete(self, username: str) -> None:
        """Delete a user."""
        self._run(self._of_user("admin_delete_user", username), "delete")

    async def delete_async(self, username: str) -> None:
        """Do as `delete` does, without blocking the event loop."""
        await self.aws.run_async(self._of_user("admin_delete_user", username))

    def sign_out(self, username: str) -> None:
        """Revoke all refresh tokens of a user."""
        self._run(self._of_user("admin_user_global_sign_out", username), "sign_out")

    async def sign_out_async(self, username: str) -> None:
        """Do as `sign_out` does, without blocking the event loop."""
        await self.aws.run_async(self._of_user("admin_user_global_sign_out", username))

    # ---- passwords ---------------------------------------------------------------------------------------------

    def set_password(self, username: str, password: str, *, permanent: bool = True) -> None:
        """Give a user a password. permanent: False for one that is replaced at the next sign-in."""
        self._run(self._set_password(username, password, permanent), "set_password")

    async def set_password_async(self, username: str, password: str, *, permanent: bool = True) -> None:
        """Do as `set_password` does, without blocking the event loop."""
        await self.aws.run_async(self._set_password(username, password, permanent))

    def reset_password(self, username: str) -> None:
        """Make the password of a user invalid; Cognito sends a code with which to choose another."""
        self._run(self._of_user("admin_reset_user_password", username), "reset_password")

    async def reset_password_async(self, username: str) -> None:
        """Do as `reset_password` does, without blocking the event loop."""
        await self.aws.run_async(self._of_user("admin_reset_user_password", username))

    # ---- groups ------------------------------------------------------------------------------------------------

    def groups(self, username: str) -> list[str]:
        """Return the names of the groups of a user."""
        return self._run(self._groups(username), "groups")

    async def groups_async(self, username: str) -> list[str]:
        """Do as `groups` does, without blocking the event loop."""
        return await self.aws.run_async(self._groups(username))

    def add_to_group(self, username: str, group: str) -> None:
        """Put a user into a group; that it is there already is no error."""
        self._run(self._of_user("admin_add_user_to_group", username, GroupName=group), "add_to_group")

    async def add_to_group_async(self, username: str, group: str) -> None:
        """Do as `add_to_group` does, without blocking the event loop."""
        await self.aws.run_async(self._of_user("admin_add_user_to_group", username, GroupName=group))

    def remove_from_group(self, username: str, group: str) -> None:
        """Take a user out of a group."""
        self._run(self._of_user("admin_remove_user_from_group", username, GroupName=group), "remove_from_group")

    async def remove_from_group_async(self, username: str, group: str) -> None:
        """Do as `remove_from_group` does, without blocking the event loop."""
        await self.aws.run_async(self._of_user("admin_remove_user_from_group", username, GroupName=group))

    # ---- lists -------------------------------------------------------------------------------------------------

    def page(
        self, *, filter: str | None = None, group: str | None = None, limit: int = _MOST, token: str | None = None
    ) -> UserPage:
        """Return a page of the users.

        filter: Cognito's own, such as `email ^= "ann"`. group: of this group alone, which takes no filter.
        limit: 1 to 60. token: of the page before.
        """
        return self._run(self._page(self._listing(filter, group, limit), token), "page")

    async def page_async(
        self, *, filter: str | None = None, group: str | None = None, limit: int = _MOST, token: str | None = None
    ) -> UserPage:
        """Do as `page` does, without blocking the event loop."""
        return await self.aws.run_async(self._page(self._listing(filter, group, limit), token))

    def users(self, *, filter: str | None = None, group: str | None = None) -> Iterator[User]:
        """Yield all users; pages are asked for as they are needed. Arguments are those of `page`."""
        refuse_blocking(self, "users", "`async for` over UserPool.users_async(...)")
        return self._users(self._listing(filter, group, _MOST))

    def users_async(self, *, filter: str | None = None, group: str | None = None) -> AsyncIterator[User]:
        """Do as `users` does, for `async for`, without blocking the event loop."""
        return self._users_async(self._listing(filter, group, _MOST))

    # ---- how ---------------------------------------------------------------------------------------------------

    def _call(self, operation: str, read: Callable[[Any], T], **parameters: Any) -> Steps[T]:
        """Call Cognito for this pool, and return what `read` makes of the answer."""
        try:
            answer = yield self.aws.step(
                "cognito-idp", operation, resource=self.pool, parameters={"UserPoolId": self.pool, **parameters}
            )
        except AdapterError as error:
            raise failure(error) from None
        return read(answer)

    def _of_user(self, operation: str, username: str, **parameters: Any) -> Steps[None]:
        return self._call(operation, lambda _: None, Username=username, **parameters)

    def _get(self, username: str) -> Steps[User]:
        return self._call("admin_get_user", user_of, Username=username)

    def _create(
        self, username: str, attributes: Mapping[str, str] | None, temporary_password: str | None, notify: bool
    ) -> Steps[User]:
        request: dict[str, Any] = {"Username": username, "UserAttributes": listed(attributes)}
        if temporary_password is not None:
            request["TemporaryPassword"] = temporary_password
        if not notify:
            request["MessageAction"] = "SUPPRESS"
        return self._call("admin_create_user", lambda answer: user_of(answer["User"]), **request)

    def _update(self, username: str, attributes: Mapping[str, str]) -> Steps[None]:
        return self._of_user("admin_update_user_attributes", username, UserAttributes=listed(attributes))

    def _set_password(self, username: str, password: str, permanent: bool) -> Steps[None]:
        return self._of_user("admin_set_user_password", username, Password=password, Permanent=permanent)

    def _groups(self, username: str) -> Steps[list[str]]:
        names: list[str] = []
        following: dict[str, str] = {}
        while True:
            answer = yield from self._call(
                "admin_list_groups_for_user", dict, Username=username, Limit=_MOST, **following
            )
            names += [str(group["GroupName"]) for group in answer.get("Groups", ())]
            if not answer.get("NextToken"):
                return names
            following = {"NextToken": answer["NextToken"]}

    def _listing(self, filter: str | None, group: str | None, limit: int) -> dict[str, Any]:
        if type(limit) is not int or not 1 <= limit <= _MOST:
            raise ConfigurationError(f"page(limit={limit!r}): give 1 to {_MOST}")
        if group is None:
            return {"Limit": limit} if filter is None else {"Limit": limit, "Filter": filter}
        if filter is not None:
            raise ConfigurationError("UserPool: Cognito lists the users of a group, or those that a filter takes")
        return {"Limit": limit, "GroupName": group}

    def _page(self, request: dict[str, Any], token: str | None) -> Steps[UserPage]:
        operation, key = (
            ("list_users_in_group", "NextToken")
            if "GroupName" in request
            else (
                "list_users",
                "PaginationToken",
            )
        )
        following = {} if token is None else {key: token}
        return self._call(
            operation,
            lambda answer: UserPage([user_of(held) for held in answer.get("Users", ())], answer.get(key) or None),
            **request,
            **following,
        )

    def _users(self, request: dict[str, Any]) -> Iterator[User]:
        token = None
        while True:
            page = self.aws.run(self._page(request, token))
            yield from page.users
            token = page.token
            if token is None:
                return

    async def _users_async(self, request: dict[str, Any]) -> AsyncIterator[User]:
        token = None
        while True:
            page = await self.aws.run_async(self._page(request, token))
            for user in page.users:
                yield user
            token = page.token
            if token is None:
                return
