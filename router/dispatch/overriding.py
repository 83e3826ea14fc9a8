"""`Override`: another function in the place of a dependency, for tests."""

from __future__ import annotations

from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from router.dispatch.engine import Engine


class Override:
    """A dependency that is replaced while the `with` block runs."""

    def __init__(self, engine: Engine, provide: Callable[..., Any], replacement: Callable[..., Any]) -> None:
        if not callable(replacement):
            raise ConfigurationError(
                f"override(): give a function as the replacement, not {type(replacement).__name__}"
            )
        self._engine = engine
        self._provide = provide
        self._replacement = replacement

    def __enter__(self) -> Override:
        self._engine.replace(self, self._provide, self._replacement)
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.restore(self)
