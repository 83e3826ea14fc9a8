"""Check the calls that serve something of an application as routes of its own: `serve_openapi`, `serve_mcp`."""

from __future__ import annotations

import sys
from dataclasses import fields
from difflib import get_close_matches
from typing import TYPE_CHECKING

from router.contract.interface.model import Info
from router.errors import ConfigurationError
from router.resolver import Resolver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any


def check_call(function: Callable[..., Any], resolver: object, info: object, unknown: Iterable[str]) -> None:
    """Refuse arguments of a call that serves something.

    function: which was called. resolver, info: its first two arguments.
    unknown: the names of keyword arguments that it does not have.

    Raises:
        ConfigurationError: it names the argument, and the one that was meant.
    """
    call = f"{function.__name__}()"
    if not isinstance(resolver, Resolver):
        raise ConfigurationError(f"{call} takes a Resolver, not {type(resolver).__name__}")
    check_info(info, f"{call}: its second argument")
    own = list(function.__kwdefaults__ or ())
    for name in unknown:
        if name in (one.name for one in fields(Info)):
            raise ConfigurationError(f"{call} has no option {name}; write Info(..., {name}=...)")
        near = get_close_matches(name, own, 1)
        told = f"did you mean {near[0]}?" if near else f"known are {', '.join(own)}"
        raise ConfigurationError(f"{call} has no option {name}; {told}")


def check_info(info: object, where: str) -> None:
    """Refuse what is no `Info`.

    Raises:
        ConfigurationError: it says how one is written.
    """
    if not isinstance(info, Info):
        shown = repr(info) if isinstance(info, str) else "'The shop'"
        raise ConfigurationError(f"{where} is an Info, such as Info({shown:.60}), not {type(info).__name__}")


def called(handler: Any, call: str, depth: int = 2) -> None:
    """Let messages name the line that called the library in place of the library's own handler.

    handler: of a route. call: what was called, with the argument that says the path: `serve_openapi(docs=...)`.
    depth: how many calls are between the application and this function.
    """
    frame = sys._getframe(depth)
    handler.called_at = call, frame.f_code.co_filename, frame.f_lineno
