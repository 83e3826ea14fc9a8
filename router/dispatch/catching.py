"""Functions that an application registers for errors: `catch` and `on_error`, with the arguments they ask for."""

from __future__ import annotations

import inspect

from router.dispatch.plan import is_async
from router.errors import ConfigurationError, HTTPError, SessionError
from router.event import Event
from router.session import Session
from router.signals import Signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Getter = Callable[[BaseException, Event], Any]

_BY_NAME: dict[str, Getter] = {
    "event": lambda error, event: event,
    "session": lambda error, event: _session_of(event),
    "context": lambda error, event: event.context,
}


def _session_of(event: Event) -> Session:
    """Return the session of an event; an anonymous one where it was refused, which may be the error itself."""
    try:
        return event.session
    except (SessionError, HTTPError):  # the latter where a request has to prove it: 401, 403
        return Session()


# Classes that name no error in particular: what has an answer or a fate of its own is not meant by them.
_EVERYTHING = (Exception, BaseException)


class Catcher:
    """A function for errors. `await catcher(error, event)` calls it; `is_async` says whether that has to wait.

    function: takes the error first, then what it asks for: an Event, the Session, Lambda's context, by annotation or by
        name. Another argument keeps its default.
    where: the decorator, for messages.

    Raises:
        ConfigurationError: it has an argument that nothing gives.
    """

    __slots__ = ("_function", "_getters", "is_async")

    def __init__(self, function: Callable[..., Any], where: str) -> None:
        self._function = function
        self.is_async = is_async(function)
        if not callable(function):
            raise ConfigurationError(f"{where}: give a function, not {type(function).__name__}")
        parameters = _parameters(function, where)
        positional = [one for one in parameters if one.kind is not one.KEYWORD_ONLY]
        if not positional:
            raise ConfigurationError(f"{where}: the function takes no error; write `def f(error)`")
        self._getters = {
            parameter.name: getter
            for parameter in parameters
            if parameter is not positional[0] and (getter := _getter(parameter, where)) is not None
        }

    @property
    def result(self) -> Any:
        """Return the annotation of what the function returns; `inspect.Signature.empty` where there is none."""
        try:
            return inspect.signature(self._function, eval_str=True).return_annotation
        except Exception:  # an annotation is an expression, and may fail as any other
            return inspect.Signature.empty

    async def __call__(self, error: BaseException, event: Event) -> Any:
        result = self.begin(error, event)
        return await result if hasattr(result, "__await__") else result

    def begin(self, error: BaseException, event: Event) -> Any:
        """Call the function, and return what it returns: of an async one an awaitable."""
        return self._function(error, **{name: get(error, event) for name, get in self._getters.items()})


def _parameters(function: Callable[..., Any], where: str) -> list[inspect.Parameter]:
    try:
        try:
            signature = inspect.signature(function, eval_str=True)
        except NameError:  # an annotation for type checkers alone: the names of the arguments say enough
            signature = inspect.signature(function)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"{where}: the signature cannot be read: {error}") from None
    return list(signature.parameters.values())


def _getter(parameter: inspect.Parameter, where: str) -> Getter | None:
    """Return what gives an argument after the error; None leaves it at its default."""
    annotation = parameter.annotation
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        return None
    if parameter.kind is parameter.POSITIONAL_ONLY:
        raise ConfigurationError(f"{where}: only the error may be positional-only, not {parameter.name!r}")
    if isinstance(annotation, type) and issubclass(annotation, Event):
        return _BY_NAME["event"]
    if annotation is Session:
        return _BY_NAME["session"]
    if parameter.name in _BY_NAME:
        return _BY_NAME[parameter.name]
    if parameter.default is parameter.empty:
        raise ConfigurationError(
            f"{where}: nothing provides the argument {parameter.name!r}; after the error it may take an event, "
            "the session and the context"
        )
    return None


def find_catcher(error: BaseException, *tables: Mapping[type[BaseException], Catcher]) -> Catcher | None:
    """Return the function for an error: that of the innermost group, there of the nearest class; None for none.

    An HTTP error has an answer and a signal a fate: `catch(Exception)` does not mean them.
    """
    own = isinstance(error, HTTPError | Signal)
    for table in tables:
        for kind in type(error).__mro__ if table else ():
            catcher = table.get(kind)
            if catcher is not None and not (own and kind in _EVERYTHING):
                return catcher
    return None


def register(
    table: dict[type[BaseException], Catcher], errors: tuple[type[Exception], ...], function: Callable[..., Any]
) -> Catcher:
    """Put a function into a table of catchers.

    Raises:
        ConfigurationError: there is a function for one of the classes already, or it asks for what nothing gives.
    """
    catcher = Catcher(function, f"catch({', '.join(error.__name__ for error in errors)})")
    for error in errors:
        if error in table:
            raise ConfigurationError(f"catch({error.__name__}): there is a function for it already")
    table.update(dict.fromkeys(errors, catcher))
    return catcher


def check_classes(errors: tuple[Any, ...]) -> None:
    """Refuse what is no exception class. Raises ConfigurationError."""
    if not errors:
        raise ConfigurationError("catch(): give exception classes")
    for error in errors:
        if not (isinstance(error, type) and issubclass(error, Exception)):
            raise ConfigurationError(f"catch({error!r}): give exception classes, as in @resolver.catch(ValueError)")
