"""`get_env`: read a variable, whatever the case of its name."""

from __future__ import annotations

from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def get_env(name: str, default: str | None = None, *, environ: Mapping[str, str] | None = None) -> str:
    """Return a variable: the one of this name, else the first by alphabet whose name differs in case alone.

    An empty variable counts as one that is not set.

    name: the variable.
    default: the value where it is not set.
    environ: where to look; `os.environ` by default.

    Raises:
        ConfigurationError: it is not set, and there is no default.
    """
    if environ is None:
        from os import environ as of_process

        environ = of_process
    lowered = name.lower()
    alike = sorted(held for held in environ if held.lower() == lowered)
    for candidate in (name, *alike):
        if value := environ.get(candidate):
            return value
    if default is None:
        raise ConfigurationError(f"the environment variable {name} is not set")
    return default
