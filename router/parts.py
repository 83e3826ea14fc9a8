"""Groups that a Resolver takes in by name, or for a function: `include("shop.reports:router", function="reports")`."""

from __future__ import annotations

from router.errors import ConfigurationError
from router.router import Router
from router.routing.functions import check_function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.resolver import Resolver
    from router.routing.route import Route


def include(resolver: Resolver, router: Router | str, function: str | None) -> Resolver:
    """Take a group into a Resolver, and return that; one that is named by text only where it belongs to this process.

    Raises:
        ConfigurationError: the name leads to no Router, or `function=` contradicts a route of such a group.
        Exception: whatever importing the group raised.
    """
    if function is not None:
        check_function(function, f"include({router!r:.80})" if isinstance(router, str) else "include()")
    parts = resolver._engine.parts
    if isinstance(router, str):
        text = checked_name(router)
        if (
            parts is not None
            and function is not None
            and parts.defers(function, text, lambda: _routes(text, load_group(text), function))
        ):
            return resolver
        group = load_group(text)
        routes = _routes(text, group, function)
    else:
        group = router
        routes = _routes(None, group, function)
    for route in routes:
        resolver._register(route)
    group._settle()
    return resolver


def _routes(text: str | None, group: Router, function: str | None) -> list[Route]:
    """Return the routes of a group, with the function of those that name none."""
    if not isinstance(group, Router):
        raise ConfigurationError(f"include() takes a Router, not {type(group).__name__}")
    if function is None:
        return group.routes
    found = []
    for route in group.routes:
        if text is not None and route.function not in (None, function):
            # In the other function the group is not imported, so the route would be in none.
            raise ConfigurationError(
                f"include({text!r}, function={function!r}): {route} of {route.where} has function={route.function!r}; "
                "a group that is named by text is whole in one function"
            )
        found.append(route if route.function is not None else route.replace(function=function))
    return found


def checked_name(text: str) -> str:
    """Return the name of a group as it is. Raises ConfigurationError where it is not `package.module:name`."""
    module, colon, name = text.partition(":")
    if not colon or not name.isidentifier() or not all(part.isidentifier() for part in module.split(".")):
        raise ConfigurationError(
            f'include({text!r:.200}): name the group as "package.module:name", from the top of the package'
        )
    return text


def load_group(text: str) -> Router:
    """Import the group that a text names: `shop.reports:router`.

    Raises:
        ConfigurationError: there is no such module, it has no such name, or the name is not that of a Router.
        Exception: whatever the module raised.
    """
    from importlib import import_module

    path, _, name = text.partition(":")
    try:
        module = import_module(path)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{path}.".startswith(f"{error.name}."):
            raise  # of something that the module itself imports
        raise ConfigurationError(f"include({text!r}): there is no module {error.name}") from error
    group: Any = getattr(module, name, None)
    if isinstance(group, Router):
        return group
    routers = [known for known, held in vars(module).items() if isinstance(held, Router)]
    hint = f"; its groups are {', '.join(routers)}" if routers else "; it has no Router"
    what = f"{path} has no {name}" if group is None else f"{name} of {path} is not a Router but {type(group).__name__}"
    raise ConfigurationError(f"include({text!r}): {what}{hint}")
