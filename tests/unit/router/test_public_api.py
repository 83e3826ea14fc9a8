"""What `router` offers: every name is there, loaded when it is first used, and the types say the same."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import router
from router import errors

ROOT = Path(router.__file__).parent
NEEDED = {
    *(
        "Event",
        "Session",
        "SessionPolicy",
        "FromRequest",
        "Signing",
        "Resolver",
        "Router",
        "Response",
        "Source",
        "Middleware",
        "Route",
    ),
    *("detect", "read", "get_session", "set_session", "reset_session"),
    *("Body", "Query", "Header", "Cookie", "Path", "Depends", "Allow", "Deny", "Transformed"),
    *("Discard", "Retry", "HTTPError", "BadRequest", "Unauthorized", "Forbidden", "NotFound", "MethodNotAllowed"),
    *("Conflict", "UnprocessableContent", "TooManyRequests", "InvalidEvent", "RouteConflict", "ConfigurationError"),
    *("SessionError", "RouterError"),
}


def test_all_that_a_user_needs_is_there() -> None:
    assert set(router.__all__) >= NEEDED


@pytest.mark.parametrize("name", router.__all__)
def test_each_name_can_be_imported(name: str) -> None:
    value = getattr(router, name)
    assert value is getattr(router, name)
    assert name in dir(router)


def test_names_are_what_their_homes_define() -> None:
    for module, names in router._HOMES.items():
        for name in names:
            assert getattr(router, name) is getattr(importlib.import_module(f"router.{module}"), name)


def test_type_checkers_are_told_of_the_same_names() -> None:
    """The imports under TYPE_CHECKING are the table of homes, written once more."""
    told: dict[str, set[str]] = {}
    for node in ast.walk(ast.parse((ROOT / "__init__.py").read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("router."):
            told.setdefault(node.module, set()).update(alias.name for alias in node.names)
            assert all(alias.asname == alias.name for alias in node.names), node.module  # mypy: exported on purpose
    assert told == {f"router.{module}": set(names) for module, names in router._HOMES.items()}


LAZY = [file.parent for package in (ROOT, ROOT.parent / "adapters") for file in package.rglob("__init__.py")]
LAZY = [folder for folder in LAZY if "lazy_names(" in (folder / "__init__.py").read_text()]


@pytest.mark.parametrize("folder", LAZY, ids=lambda folder: ".".join(folder.relative_to(ROOT.parent).parts))
def test_lazy_names_of_a_package_are_those_that_type_checkers_know(folder: Path) -> None:
    package = importlib.import_module(".".join(folder.relative_to(ROOT.parent).parts))
    told = {
        alias.name: node.module
        for node in ast.walk(ast.parse((folder / "__init__.py").read_text()))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname == alias.name
    }
    assert sorted(told) == package.__all__
    assert set(told) <= set(dir(package))
    for name, home in told.items():
        assert getattr(package, name) is getattr(importlib.import_module(str(home)), name)
    with pytest.raises(AttributeError, match="has no attribute 'Misspelt'"):
        _ = getattr(package, "Misspelt")  # noqa: B009 - type checkers know that it is not there


def test_every_error_is_a_router_error_and_those_a_user_meets_are_exported() -> None:
    for name, error in vars(errors).items():
        if isinstance(error, type) and issubclass(error, Exception):
            assert issubclass(error, errors.RouterError), name
            if not name.startswith("_") and name != "Signal":  # the base of Discard and Retry
                assert getattr(router, name) is error


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'router' has no attribute 'Resolvr'"):
        _ = getattr(router, "Resolvr")  # noqa: B009 - type checkers know that it is not there
    with pytest.raises(ImportError):
        exec("from router import Resolvr")


def test_the_import_alone_loads_nothing_of_the_library() -> None:
    script = "import sys, router; print(*sorted(name for name in sys.modules if name.startswith('router')))"
    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT.parent, capture_output=True, text=True, check=True, timeout=60
    ).stdout.split()
    assert loaded == ["router"]


def test_a_star_import_gives_what_all_says() -> None:
    names: dict[str, object] = {}
    exec("from router import *", names)
    assert set(router.__all__) <= names.keys()


def test_the_package_is_typed() -> None:
    assert (ROOT / "py.typed").exists()
