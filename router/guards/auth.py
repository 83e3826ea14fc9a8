"""The option `auth=`: which credentials count on a route, and what they must be good for."""

from __future__ import annotations

from router.errors import ConfigurationError
from router.guards.credentials import Bearer, Credential, can_authenticate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

# The fields that a session must have in each mode.
MODES = {"off": (), "user": ("user",), "tenant": ("tenant",), "full": ("user", "tenant")}


class Auth:
    """Credentials and a mode, each of which may be left to the group or resolver around.

    credentials: any of them lets an event in; see `Authenticate`. None: those of the group or resolver.
    mode: `user`, `tenant`, `full` or `off`; None: that of the group or resolver, or `full`.
    """

    __slots__ = ("credentials", "mode")

    def __init__(self, *credentials: Any, mode: str | None = None) -> None:
        if mode is not None:
            check_mode(mode, "Auth")
        self.credentials = credentials_of(credentials, "Auth")
        self.mode = mode

    def __repr__(self) -> str:
        shown = [type(one).__name__ for one in self.credentials] + ([self.mode] if self.mode else [])
        return f"Auth({', '.join(shown)})"

    def __str__(self) -> str:
        """How the table of routes names it: `jwt or api-key, user`."""
        if self.mode == "off":
            return "off"
        kinds = " or ".join(dict.fromkeys(credential.kind for credential in self.credentials))
        return ", ".join(part for part in (kinds, self.mode) if part)

    def inside(self, outer: Auth | None) -> Auth:
        """Return it with what it leaves open taken from around."""
        if outer is None:
            return self
        return Auth(*(self.credentials or outer.credentials), mode=self.mode or outer.mode)


def auth_of(given: Any, where: str) -> Auth:
    """Return the value of an `auth=` option.

    given: an `Auth`, a mode, a credential, what authenticates tokens, or a list of these.

    Raises:
        ConfigurationError: it is none of them.
    """
    if isinstance(given, Auth):
        return given
    if isinstance(given, str):
        check_mode(given, f"{where}: auth=")
        return Auth(mode=given)
    held = given if isinstance(given, list | tuple) else [given]
    if not held:
        raise ConfigurationError(f"{where}: auth= is an empty list; auth='off' opens a route")
    return Auth(*credentials_of(held, f"{where}: auth="))


def credentials_of(given: Iterable[Any], where: str) -> tuple[Credential, ...]:
    """Return credentials; what authenticates tokens becomes a `Bearer`.

    Raises:
        ConfigurationError: one of them is neither.
    """
    found: list[Credential] = []
    for one in given:
        if isinstance(one, Credential):
            found.append(one)
        elif not isinstance(one, type) and can_authenticate(one):
            found.append(Bearer(one))
        else:
            what = f"the class {one.__name__}, of which an instance is needed," if isinstance(one, type) else repr(one)
            raise ConfigurationError(f"{where}: {what:.100} is no credential and has no authenticate(token)")
    return tuple(found)


def check_mode(mode: object, where: str) -> None:
    """Refuse an unknown mode: a typo must not open a route."""
    if type(mode) is not str or mode not in MODES:
        raise ConfigurationError(f"{where}: unknown mode {mode!r:.80}; use one of {', '.join(MODES)}")
