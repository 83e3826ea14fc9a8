"""Find calls that block the event loop: in `async def` handlers, and in the functions of the application they call.

It reads their source. A call is found by what its name stands for in the module, so an alias hides nothing, and a
function of the same name elsewhere is none.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from router.contract.checking.findings import WARNING, Finding
from router.contract.model import place_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import FunctionType
    from typing import Any

    from router.contract.model import Place
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
    ("boto3.resources.base", "ServiceResource"): "asyncio.to_thread(...), or an adapter",
    ("requests.sessions", "Session"): "httpx.AsyncClient",
    ("httpx", "Client"): "httpx.AsyncClient",
}
# Methods of clients that ask nobody.
_AT_ONCE = {
    *("can_paginate", "close", "generate_presigned_post", "generate_presigned_url", "get_available_subresources"),
    *("build_request", "mount"),
}
_DEEPEST = 5  # calls from a handler down


def blocking(routes: Iterable[Route], around: Iterable[Any] = ()) -> Iterator[Finding]:
    """Find the calls that block, once each, with the first route that makes them.

    around: middleware of all routes.
    """
    seen: set[Place] = set()
    held: list[tuple[str, Any]] = [("around every route", one) for one in around]
    for route in routes:
        held += [(str(route), one) for one in (route.handler, *route.middleware)]
    for where, handler in held:
        for function, owner in _on_the_loop(handler):
            for place, text in _calls(function, owner, _DEEPEST, set()):
                if place not in seen:
                    seen.add(place)
                    yield Finding("blocking", f"{where}: {text}", place, WARNING)


def _on_the_loop(handler: Any) -> Iterator[tuple[FunctionType, Any]]:
    """Return the functions of a handler that the event loop runs, each with what its `self` is, where it has one."""
    while isinstance(handler, partial):
        handler = handler.func
    if hasattr(handler, "of_class"):
        kind = handler.made_of  # either method may be async, and both run where it is called
        methods = [getattr(kind, name, None) for name in ("validate", "process")]
        yield from ((one, kind) for one in methods if inspect.isfunction(one) and inspect.iscoroutinefunction(handler))
        return
    if not inspect.isroutine(handler) and callable(handler):
        handler = handler.__call__
    inner = inspect.unwrap(handler)
    function = getattr(inner, "__func__", inner)
    is_async = inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
    if inspect.isfunction(function) and is_async:
        yield function, getattr(inner, "__self__", None)


def _calls(function: FunctionType, owner: Any, depth: int, visited: set[object]) -> Iterator[tuple[Place, str]]:
    """Return the place and the text of each call that waits, in a function and in those that it calls.

    owner: what the first argument of a method is.
    """
    if depth == 0 or function.__code__ in visited or not _is_own(function):
        return
    visited.add(function.__code__)
    read = _source(function)
    if read is None:
        return
    body, first = read
    names = _Names(function, body, owner)
    for call, is_awaited in _own_calls(body):
        found = names.resolved(call.func)
        if found is None:
            continue
        holder, called = found
        instead = "" if is_awaited else _instead(holder, called, call.func)
        if instead:
            name = ast.unparse(call.func)
            place = place_in(function.__code__.co_filename, first + call.lineno - 1)
            yield place, f"it calls {name}(...), which stops the event loop: write {instead}"
        elif (inner := _followed(called)) is not None:
            of = None if inspect.ismodule(holder) else holder
            yield from _calls(inner, of, depth - 1, visited)


def _followed(called: Any) -> FunctionType | None:
    """Return the function that runs when something is called; None where that is not known, or runs elsewhere."""
    while isinstance(called, partial):
        called = called.func
    called = getattr(called, "__func__", called)
    inner = inspect.unwrap(called) if callable(called) else None
    if not inspect.isfunction(inner) or inspect.isgeneratorfunction(inner):
        return None
    if inspect.iscoroutinefunction(called) and not inspect.iscoroutinefunction(inner):
        return None  # a decorator that takes it to a thread
    return inner


def _own_calls(body: list[ast.stmt]) -> Iterator[tuple[ast.Call, bool]]:
    """Return the calls of a function itself, each with whether it is awaited.

    What a function inside of it does, others decide.
    """
    waiting: list[tuple[ast.AST, bool]] = [(one, False) for one in reversed(body)]
    while waiting:
        node, is_awaited = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            continue
        if isinstance(node, ast.Call):
            yield node, is_awaited
        waiting.extend((one, isinstance(node, ast.Await)) for one in ast.iter_child_nodes(node))


class _Names:
    """Tell what the names of a function stand for, as far as a reader can.

    owner: what its first argument is.
    """

    def __init__(self, function: FunctionType, body: list[ast.stmt], owner: Any) -> None:
        code = function.__code__
        self._globals = function.__globals__
        # Variables hide what the module has: those of the function, of comprehensions, and of functions around it.
        self._known: dict[str, Any] = dict.fromkeys((*code.co_varnames, *code.co_cellvars, *code.co_freevars))
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            with suppress(ValueError):  # it is not set yet
                self._known[name] = cell.cell_contents
        for node in (held for one in body for held in ast.walk(one)):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                self._known.setdefault(node.id, None)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                self._known |= _imported(node, set(self._known))
        if owner is not None and code.co_argcount:
            self._known[code.co_varnames[0]] = owner

    def resolved(self, node: ast.expr) -> tuple[Any, Any] | None:
        """Return what a name stands for, and the object that it is an attribute of; None where nobody can tell."""
        if isinstance(node, ast.Name):
            value = self._known[node.id] if node.id in self._known else self._globals.get(node.id)
            return None if value is None else (None, value)
        if not isinstance(node, ast.Attribute) or (found := self.resolved(node.value)) is None or found[1] is None:
            return None
        owner = found[1]
        try:
            if inspect.ismodule(owner):
                return owner, getattr(owner, node.attr)
            return owner, inspect.getattr_static(owner, node.attr)  # else a property would run
        except AttributeError:
            return None


def _imported(node: ast.Import | ast.ImportFrom, local: set[str]) -> dict[str, Any]:
    """Return what an import inside of a function brings, of modules that are there already."""
    found: dict[str, Any] = {}
    for one in node.names:
        name = one.asname or one.name.partition(".")[0]
        if isinstance(node, ast.Import):
            found[name] = sys.modules.get(one.name if one.asname else name)
        elif not node.level:
            found[name] = getattr(sys.modules.get(node.module or ""), one.name, None)
    return {name: value for name, value in found.items() if name in local}


def _instead(owner: Any, called: Any, node: ast.expr) -> str:
    """Return what to write in the place of a call that waits; empty for one that does not."""
    module, name = getattr(called, "__module__", "") or "", getattr(called, "__name__", "")
    if (module, name) in _WAITS:
        return _WAITS[(module, name)]
    if module in _WAITING_MODULES and inspect.isfunction(called):
        return _WAITING_MODULES[module]
    if owner is None or not isinstance(node, ast.Attribute):
        return ""
    at_once = node.attr in _AT_ONCE or node.attr[0].isupper()  # `resource.Table("orders")`
    for one in () if at_once else type(owner).__mro__:
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


def _source(function: FunctionType) -> tuple[list[ast.stmt], int] | None:
    """Return the parsed body of a function and its first line; None where there is no source."""
    try:
        lines, first = inspect.getsourcelines(function.__code__)  # of the function itself: it may say what it wraps
        read = ast.parse(textwrap.dedent("".join(lines))).body[0]
    except (OSError, TypeError, SyntaxError, IndexError):
        return None
    return (read.body, first) if isinstance(read, ast.FunctionDef | ast.AsyncFunctionDef) else None
