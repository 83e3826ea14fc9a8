"""`FaultRules`: the rules of faults on purpose, as the console sets them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from router.errors import ConfigurationError
from router.testing.faults import Faults

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Taker(Protocol):
    """Something that obeys rules: the supervisor, which hands them on to the application's process."""

    faults: Faults

    def put_faults(self) -> None:
        """Take note that the rules have changed."""


class FaultRules:
    """Show and replace the rules. taker: obeys them."""

    def __init__(self, taker: Taker) -> None:
        self._taker = taker

    def rules(self) -> Sequence[Mapping[str, Any]]:
        """Return all, with how often each has hit."""
        return self._taker.faults.to_json()

    def replace(self, rules: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        """Take rules in place of all others, and return them. Raises ValueError for one that is not in order."""
        try:
            self._taker.faults.set([{name: value for name, value in one.items() if name != "hits"} for one in rules])
        except ConfigurationError as error:
            raise ValueError(str(error)) from error
        self._taker.put_faults()
        return self.rules()
