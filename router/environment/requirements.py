"""`Requires`: what a route, a group or an application declared with `requires=`, checked."""

from __future__ import annotations

import re

from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_OPERATION = re.compile(r"[a-z][a-z0-9-]*:[A-Za-z][A-Za-z0-9]*", re.ASCII)


class Requires(dict[str, tuple[str, ...]]):
    """The operations by variable; none for a variable that is configuration only."""

    __slots__ = ()


def checked(given: Any, where: str) -> Requires:
    """Return a declaration with every name and operation checked. One that was checked already comes back as it is.

    given: operations by variable, `{"ORDERS_TABLE": [DynamoDB.GET_ITEM], "STAGE": []}`; or names of variables alone.
    where: who declares it, for messages.

    Raises:
        ConfigurationError: a name or an operation is not written as one.
    """
    if type(given) is Requires:
        return given
    if isinstance(given, str) or not hasattr(given, "__iter__"):
        raise ConfigurationError(
            f"{where}: requires= takes a mapping of variables to operations, or a list of variables, not {given!r:.80}"
        )
    pairs = given.items() if hasattr(given, "items") else ((name, ()) for name in given)
    return Requires({_name(name, where): _operations(name, named, where) for name, named in pairs})


def merged(parts: Iterable[Mapping[str, tuple[str, ...]]]) -> Requires:
    """Return what several declarations ask for together."""
    every: dict[str, dict[str, None]] = {}
    for part in parts:
        for name, operations in part.items():
            every.setdefault(name, {}).update(dict.fromkeys(operations))
    return Requires({name: tuple(operations) for name, operations in every.items()})


def _name(name: Any, where: str) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"{where}: requires= names the variable {name!r:.80}; use letters, digits and _, no digit first"
        )
    return str(name)


def _operations(name: str, named: Any, where: str) -> tuple[str, ...]:
    given = (named,) if isinstance(named, str) else named
    if given is None or not hasattr(given, "__iter__") or isinstance(given, type):
        raise ConfigurationError(
            f"{where}: requires= takes a list of operations for {name}, not {given!r:.80}; [] is configuration only"
        )
    return tuple(dict.fromkeys(_operation(name, one, where) for one in given))


def _operation(name: str, given: Any, where: str) -> str:
    if isinstance(given, str) and _OPERATION.fullmatch(given):
        return str(given)
    raise ConfigurationError(
        f"{where}: requires= names the operation {given!r:.80} for {name}; "
        f"write service:Action as in IAM{_meant(given)}, one action each"
    )


def _meant(given: Any) -> str:
    """Return how an operation was perhaps meant: `dynamodb.get_item` is `dynamodb:GetItem`."""
    from router.environment.actions import OTHER_ACTIONS

    service, _, name = str(given).lower().replace(".", ":").partition(":")
    operation = "".join(part.capitalize() for part in name.split("_"))
    for action in OTHER_ACTIONS.get(service, {}).get(operation, (operation,)):
        if _OPERATION.fullmatch(meant := f"{service}:{action}"):
            return f", such as {meant}"
    return ", such as dynamodb:GetItem"
