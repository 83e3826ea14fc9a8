"""Reads a signature once, when a route is registered: where each argument of a function comes from.

Nothing of `router.convert` is imported before a signature asks for what it does.
"""

from __future__ import annotations

import builtins
import inspect
from types import FunctionType

from router.dispatch.plan import (
    REQUIRED,
    Argument,
    OfPath,
    context_getter,
    event_getter,
    is_event,
    is_marker,
    itself,
    session_getter,
)
from router.errors import ConfigurationError
from router.session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeGuard

    from router.dispatch.plan import Getter, Offer

_KEYWORD_ONLY = inspect.Parameter.KEYWORD_ONLY
_POSITIONAL_ONLY = inspect.Parameter.POSITIONAL_ONLY
_VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def read_signature(function: Callable[..., Any], where: str, offer: Offer, model: Any = None) -> list[Argument]:
    """Return each argument of a function with its origin.

    where: the route, and the dependency, for messages.
    model: that of a typed topic or queue; an argument without annotation is then the body as this model.
    Raises ConfigurationError for an argument that nothing could fill.
    """
    arguments: list[Argument] = []
    keeps_default = False
    for name, kind, annotation, default in _parameters(function, where):
        origin = _origin(name, annotation, default, where, offer, model)
        if origin is None:
            keeps_default = True
            continue
        # What follows an argument that keeps its default goes by name, or it would land in that one's place.
        by_keyword = kind is _KEYWORD_ONLY or keeps_default
        if by_keyword and kind is _POSITIONAL_ONLY:
            raise ConfigurationError(f"{where}: {name!r} is positional-only and follows an argument that nothing gives")
        arguments.append(Argument(name, by_keyword, origin))
    if offer.of_tool and not offer.shared and not any(one.dependency for one in arguments):
        from router.dispatch.tool_arguments import settle

        settle([argument.get for argument in arguments], offer)
    _refuse_two_bodies(arguments, where)
    return arguments


def _refuse_two_bodies(arguments: list[Argument], where: str) -> None:
    """Refuse two models in one signature: both would be read from the one body that there is."""
    models = {argument.name: model for argument in arguments if (model := getattr(argument.get, "model", None))}
    if len(models) > 1 and len(set(map(repr, models.values()))) > 1:
        raise ConfigurationError(
            f"{where}: {' and '.join(models)} are both the body, which is one model; write one that holds them, or "
            "Query[...], Header[...], Cookie[...] for what is a model of parameters"
        )


# ---- the parameters ---------------------------------------------------------------------------------------------


def _parameters(function: Callable[..., Any], where: str) -> list[tuple[str, Any, Any, Any]]:
    """Return name, kind, annotation and default of each parameter that takes one value."""
    try:
        if _is_simple(function):
            return _of_function(function)
        signature = inspect.signature(function, eval_str=True)
    except NameError as error:
        raise ConfigurationError(f"{where}: an annotation cannot be resolved: {error}") from None
    except Exception as error:  # an annotation is an expression, and may fail as any other
        raise ConfigurationError(f"{where}: the signature cannot be read: {error}") from None
    return [
        (name, parameter.kind, parameter.annotation, parameter.default)
        for name, parameter in signature.parameters.items()
        if parameter.kind not in _VARIABLE
    ]


def _is_simple(function: Any) -> TypeGuard[FunctionType]:
    """Whether it is a plain function that nothing wraps, with neither `/` in its signature nor type parameters."""
    if type(function) is not FunctionType or function.__dict__ or function.__code__.co_posonlyargcount:
        return False
    return not getattr(function, "__type_params__", ())


def _of_function(function: FunctionType) -> list[tuple[str, Any, Any, Any]]:
    """Read a plain function: most handlers are one, and `inspect.signature` takes longer than all the rest."""
    code, annotations = function.__code__, function.__annotations__
    positional = code.co_varnames[: code.co_argcount]
    keywords = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    given = function.__defaults__ or ()
    defaults = dict(zip(positional[len(positional) - len(given) :], given, strict=True))
    defaults.update(function.__kwdefaults__ or {})
    found = []
    for name in positional + keywords:
        annotation = annotations.get(name, REQUIRED)
        if type(annotation) is str:
            annotation = _evaluated(annotation, function)
        kind = _KEYWORD_ONLY if name in keywords else inspect.Parameter.POSITIONAL_OR_KEYWORD
        found.append((name, kind, annotation, defaults.get(name, REQUIRED)))
    return found


def _evaluated(text: str, function: FunctionType) -> Any:
    """Return what a postponed annotation means; most are a name."""
    names = function.__globals__
    if text in names:
        return names[text]
    if hasattr(builtins, text):
        return getattr(builtins, text)
    return eval(text, names)  # noqa: S307 - the application's own code, as inspect and typing evaluate it


# ---- where an argument comes from -------------------------------------------------------------------------------


def _origin(name: str, annotation: Any, default: Any, where: str, offer: Offer, model: Any) -> Getter | Any | None:
    """Return what gives an argument; None leaves it at its default."""
    while hasattr(annotation, "__value__") and not hasattr(annotation, "__origin__"):  # of `type X = ...`
        annotation = annotation.__value__
    if is_marker(default) or hasattr(annotation, "__metadata__") or hasattr(annotation, "__args__"):
        from router.dispatch.places import of_marker

        found = of_marker(name, annotation, default, where, offer)
        if found is not None:
            return found
    if name in offer.parameters:
        return _of_path(name, annotation, where, offer)
    if annotation is REQUIRED or _is_anything(annotation):
        return _by_name(name, default, where, offer, model)
    if is_event(annotation, offer.batch):
        return event_getter(annotation, name, where, offer)
    if annotation is Session:
        return session_getter(offer)
    from router.dispatch.places import by_type

    return by_type(name, annotation, default, where, offer, model)


def _is_anything(annotation: Any) -> bool:
    return annotation is object or repr(annotation) == "typing.Any"  # told without importing typing


def _by_name(name: str, default: Any, where: str, offer: Offer, model: Any) -> Getter | None:
    """Return what gives an argument whose annotation says nothing."""
    if name in ("event", "events"):
        return itself
    if name == "session":
        return session_getter(offer)
    if name == "context":
        return context_getter(offer)
    if offer.of_tool and not offer.of_request:
        from router.dispatch.tool_arguments import of_argument

        return of_argument(name, object, default, where, offer)
    if default is not REQUIRED:
        return None
    if model is not None and not offer.batch:
        from router.dispatch.places import of_place

        return of_place("body", name, model, default, where, offer)
    raise ConfigurationError(
        f"{where}: nothing provides the argument {name!r}{offer.known()}. {offer.mend()}, or give it a default"
    )


def _of_path(name: str, annotation: Any, where: str, offer: Offer) -> Getter:
    if offer.of_request:
        from router.dispatch.tool_arguments import of_request

        return of_request("path", name, annotation, REQUIRED, where, offer)
    if annotation is REQUIRED or (annotation is str and ":" not in offer.route.match) or _is_anything(annotation):
        if offer.seen is not None:
            offer.seen.append(("path", name, annotation, REQUIRED))
        return OfPath(name)
    from router.dispatch.places import of_place

    return of_place("path", name, annotation, REQUIRED, where, offer)
