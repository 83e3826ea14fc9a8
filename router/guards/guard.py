"""`Guard`: puts authentication into the chains of routes that `auth=` is for."""

from __future__ import annotations

from router.guards.auth import Auth
from router.guards.authenticate import Authenticate, Unset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.routing.route import Route


class Guard:
    """Put `Authenticate` into the chains of routes that `auth=` is for.

    default: of the resolver, for routes that say nothing else.
    """

    def __init__(self, default: Auth | None = None) -> None:
        self.default = default
        self._made: dict[tuple[Any, ...], Authenticate] = {}  # kept, so that each is looked at once

    def auth_of(self, route: Route) -> Auth | None:
        """Return what counts on a route: its own, and what that leaves open from around."""
        own: Auth | None = route.auth
        return self.default if own is None else own.inside(self.default)

    def around(self, middleware: tuple[Any, ...], route: Route) -> tuple[Any, ...]:
        """Return the middleware of a route, outermost first, with what authenticates.

        Where `use()` put none, it stands outermost, inside of what is for everybody (`outside_auth`), as Cors is.
        """
        auth = self.auth_of(route)
        if auth is None:
            return middleware
        if any(isinstance(one, Authenticate) for one in middleware):
            own: Auth | None = route.auth
            if own is None:  # what use() says is nearer than what the resolver says
                return middleware
            return tuple(self._adapted(one, own) if isinstance(one, Authenticate) else one for one in middleware)
        if auth.mode == "off" and not auth.credentials:
            return middleware  # nothing around is closed
        at = next((at for at, one in enumerate(middleware) if not getattr(one, "outside_auth", False)), len(middleware))
        return (*middleware[:at], self._made_for(auth, route), *middleware[at:])

    def _adapted(self, outer: Authenticate, auth: Auth) -> Authenticate:
        key = (outer, auth.credentials, auth.mode)
        if key not in self._made:
            self._made[key] = outer.adapted(auth)
        return self._made[key]

    def _made_for(self, auth: Auth, route: Route) -> Any:
        if not auth.credentials:
            return Unset(f"{route}: auth={auth.mode!r}, and nothing around says which credentials count")
        key = (None, auth.credentials, auth.mode)
        if key not in self._made:
            closed = Authenticate(*auth.credentials)
            self._made[key] = closed.adapted(Auth(mode=auth.mode)) if auth.mode else closed
        return self._made[key]
