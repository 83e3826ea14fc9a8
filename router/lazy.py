"""Names of a package that are loaded when they are first used, so that importing the package costs almost nothing."""

from __future__ import annotations

from sys import modules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


def lazy_names(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return `__getattr__`, `__dir__` and `__all__` of a package.

    package: its `__name__`.
    homes: the names of each module, with spaces between; modules are named relative to the package.
    """
    home = {
        name: module if module.startswith(".") else f".{module}"
        for module, names in homes.items()
        for name in names.split()
    }

    def load(name: str) -> Any:
        module = home.get(name)
        if module is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(module, package), name)
        setattr(modules[package], name, value)  # the next use does not come here
        return value

    return load, lambda: sorted({*vars(modules[package]), *home}), sorted(home)
