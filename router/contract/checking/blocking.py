"""Find calls that block the event loop: in `async def` handlers, and in the functions of the application they call.

It reads their source. A call is found by what its name stands for in the module, so an alias hides nothing, and a
function of the same name elsewhere is none.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from router.contract.checking.findings import WARNING, Finding
from router.contract.model import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import FunctionType
    from typing import Any

    from router.routing.route import Route

# What waits, by module and name, and what to write in its place.
_WAITS = {
    ("time", "sleep"): "await asyncio.sleep(...)",
    ("posix", "system"): "asyncio.create_subprocess_shell(...)",
    ("subprocess", "run"): "asyncio.create_subprocess_exec(...)",
    ("subprocess", "call"): "asyncio.create_subprocess_exec(...)",
    ("subprocess", "check_call"): "asyncio.create_subprocess_exec(...)",
    ("subprocess", "check_output"): "asyncio.create_subprocess_exec(...)",
    ("urllib.request", "urlopen"): "an async client, such as httpx.AsyncClient",
    ("socket", "create_connection"): "asyncio.open_connection(...)",
    ("socket", "getaddrinfo"): "loop.getaddrinfo(...)",
}
# Modules of which every function waits.
_WAITING_MODULES = {"requests.api": "httpx.AsyncClient", "httpx": "httpx.AsyncClient"}
_WAITING_CLASSES = {
    ("botocore.client", "BaseClient"): "asyncio.to_thread(...), or an adapter",
    ("requests.sessions", "Session"): "httpx.AsyncClient",
    ("httpx", "Client"): "httpx.AsyncClient",
}
_DEEPEST = 5  # calls from a handler down


def blocking(routes: Iterable[Route]) -> Iterator[Finding]:
    """Find the calls that block, once each, with the first route that makes them."""
    seen: set[Place] = set()
    for route in routes:
        handler = inspect.unwrap(getattr(route.handler, "of_class", route.handler))
        code = getattr(handler, "__func__", handler)
        if not inspect.iscoroutinefunction(code) or not hasattr(code, "__code__"):
            continue
        for place, text in _calls(code, _DEEPEST, set()):
            if place not in seen:
                seen.add(place)
                yield Finding("blocking", f"{route}: {text}", place, WARNING)


def _calls(function: FunctionType, depth: int, visited: set[object]) -> Iterator[tuple[Place, str]]:
    """Return the place and the text of each call that waits, in a function and in those that it calls."""
    if depth == 0 or function.__code__ in visited or not _is_own(function):
        return
    visited.add(function.__code__)
    read = _source(function)
    if read is None:
        return
    tree, first = read
    for call in _own_calls(tree):
        found = _resolved(call.func, function)
        if found is None:
            continue
        owner, called = found
        instead = _instead(owner, called, call.func)
        if instead:
            name = ast.unparse(call.func)
            place = Place(_relative(function.__code__.co_filename), first + call.lineno - 1)
            yield place, f"it calls {name}(...), which stops the event loop: write {instead}"
        elif inspect.isfunction(called) and not inspect.isgeneratorfunction(called):
            yield from _calls(called, depth - 1, visited)


def _own_calls(tree: ast.AST) -> Iterator[ast.Call]:
    """Return the calls of a function itself: what a function inside of it does, others decide."""
    waiting = list(ast.iter_child_nodes(tree))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            continue
        if isinstance(node, ast.Call):
            yield node
        waiting.extend(ast.iter_child_nodes(node))


def _resolved(node: ast.expr, function: FunctionType) -> tuple[Any, Any] | None:
    """Return what a name stands for, and the object that it is an attribute of; None where a reader cannot tell."""
    if isinstance(node, ast.Name):
        names = function.__code__.co_varnames
        if node.id in names or node.id not in function.__globals__:
            return None
        return None, function.__globals__[node.id]
    if isinstance(node, ast.Attribute):
        found = _resolved(node.value, function)
        if found is None or found[1] is None:
            return None
        owner = found[1]
        try:
            if inspect.ismodule(owner):
                return owner, getattr(owner, node.attr)
            return owner, inspect.getattr_static(owner, node.attr)  # else a property would run
        except AttributeError:
            return None
    return None


def _instead(owner: Any, called: Any, node: ast.expr) -> str:
    """Return what to write in the place of a call that waits; empty for one that does not."""
    module, name = getattr(called, "__module__", "") or "", getattr(called, "__name__", "")
    if (module, name) in _WAITS:
        return _WAITS[(module, name)]
    if module in _WAITING_MODULES and inspect.isfunction(called):
        return _WAITING_MODULES[module]
    if owner is None or not isinstance(node, ast.Attribute):
        return ""
    for one in type(owner).__mro__:
        if instead := _WAITING_CLASSES.get((one.__module__, one.__name__)):
            return instead
    # The adapters have both: `send` waits, `send_async` is awaited.
    other = f"{node.attr}_async"
    if not inspect.ismodule(owner) and inspect.getattr_static(type(owner), other, None) is not None:
        return f"await {ast.unparse(node.value)}.{other}(...)"
    return ""


def _is_own(function: FunctionType) -> bool:
    """Whether a function is of the application: neither installed, nor of Python."""
    file = function.__code__.co_filename
    parts = Path(file).parts
    return "site-packages" not in parts and not file.startswith((sys.base_prefix, "<")) and not _is_library(file)


@cache
def _is_library(file: str) -> bool:
    from router.cli import library

    path = Path(file).resolve()
    return any(path.is_relative_to(library.FOLDER / package) for package in library.PACKAGES)


def _source(function: FunctionType) -> tuple[ast.AST, int] | None:
    """Return the parsed body of a function and its first line; None where there is no source."""
    try:
        lines, first = inspect.getsourcelines(function)
        return ast.parse(textwrap.dedent("".join(lines))).body[0], first
    except (OSError, TypeError, SyntaxError, IndexError):
        return None


def _relative(file: str) -> str:
    path, here = Path(file), Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else path.name
