"""`Resolver(sources=...)`: the sources that an application takes payloads of; whatever imitates another is refused."""

from __future__ import annotations

from collections.abc import Mapping

from router.errors import ConfigurationError, InvalidEvent
from router.event import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    Named = str | Iterable[str]
    Runner = Callable[[Any, Any], Any]

_ANY = "*"


class Accepted:
    """The accepted sources, for every invocation or by the alias (or ARN) that was invoked.

    sources: names of sources, or a mapping of them by alias or by the whole ARN; `*` stands for every other.

    Raises:
        ConfigurationError: a source is unknown, or there is none.
    """

    __slots__ = ("_by_alias",)

    def __init__(self, sources: Named | Mapping[str, Named]) -> None:
        named = sources if isinstance(sources, Mapping) else {_ANY: sources}
        if not named:
            raise ConfigurationError("Resolver(sources=...): it is empty; None accepts every source")
        self._by_alias = {alias: _checked(each) for alias, each in named.items()}

    def guard(self, source: Source, run: Runner) -> Runner:
        """Return what dispatches the events of a source, where they are accepted."""
        everywhere = self._by_alias.get(_ANY, frozenset())
        if len(self._by_alias) == 1 and source in everywhere:
            return run

        def run_accepted(raw: Any, context: Any) -> Any:
            if source not in self._of(context):
                raise InvalidEvent(f"a payload of {source}: Resolver(sources=...) does not accept it")
            return run(raw, context)

        return run_accepted

    def takes(self, source: Source, context: Any) -> bool:
        """Return whether the alias that was invoked takes payloads of a source."""
        return source in self._of(context)

    def _of(self, context: Any) -> frozenset[Source]:
        arn = getattr(context, "invoked_function_arn", None)
        arn = arn if isinstance(arn, str) else ""
        parts = arn.split(":", 7)  # arn:aws:lambda:REGION:ACCOUNT:function:NAME:ALIAS
        alias = parts[7] if len(parts) > 7 else ""
        for key in (arn, alias, _ANY):
            if key in self._by_alias:
                return self._by_alias[key]
        return frozenset()


def _checked(sources: Any) -> frozenset[Source]:
    try:
        held = frozenset(Source(one) for one in ((sources,) if isinstance(sources, str) else sources))
    except (TypeError, ValueError):
        raise ConfigurationError(
            f"Resolver(sources=...): {sources!r:.80} names an unknown source; use {', '.join(Source)}"
        ) from None
    if not held:
        raise ConfigurationError("Resolver(sources=...): an empty list accepts nothing; None accepts every source")
    return held
