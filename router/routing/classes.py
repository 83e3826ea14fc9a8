"""A class as a handler: made anew for each event, it validates, and then processes."""

from __future__ import annotations

import inspect

from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def handler_of(kind: type) -> Callable[..., Any] | None:
    """Return the function that handles an event with a new instance of a class; None for a class without `process`.

    The arguments are those of the class, of a dataclass its fields, and come from where those of a handler come from.
    `validate()` runs first, where there is one; the result is that of `process()`. Either may be async.

    Raises:
        ConfigurationError: an annotation of the class means nothing, or `process` is no method without arguments.
    """
    process, validate = getattr(kind, "process", None), getattr(kind, "validate", None)
    if not callable(process):
        return None
    if inspect.isabstract(kind):
        missing = ", ".join(sorted(getattr(kind, "__abstractmethods__", ())))
        raise ConfigurationError(f"{kind.__qualname__} is abstract, and cannot be made: it lacks {missing}")
    for name in ("process", "validate"):
        _refuse_arguments(kind, name)
    waits = any(inspect.iscoroutinefunction(method) for method in (process, validate))
    handle: Any = _async_handler(kind, validate is not None) if waits else _handler(kind, validate is not None)
    try:
        handle.__signature__ = inspect.signature(kind, eval_str=True)
    except NameError as error:
        raise ConfigurationError(f"{kind.__qualname__}: an annotation cannot be resolved: {error}") from None
    for name in ("__name__", "__qualname__", "__module__", "__doc__"):
        setattr(handle, name, getattr(kind, name))
    handle.__wrapped__ = process  # which says what is refused of handlers, such as that it is a generator
    handle.of_class = process  # where messages say that the handler stands
    handle.made_of = kind
    return handle  # type: ignore[no-any-return]


def _refuse_arguments(kind: type, name: str) -> None:
    method: Any = inspect.getattr_static(kind, name, None)
    if method is None:
        return
    if not inspect.isfunction(method) or len(inspect.signature(method).parameters) != 1:
        raise ConfigurationError(
            f"{kind.__qualname__}.{name} must be a method without arguments beside self; give them to the class, as a "
            "dataclass has them"
        )


def _handler(kind: type, validates: bool) -> Callable[..., Any]:
    def handle(*positional: Any, **named: Any) -> Any:
        work: Any = kind(*positional, **named)
        if validates:
            work.validate()
        return work.process()

    return handle


def _async_handler(kind: type, validates: bool) -> Callable[..., Any]:
    async def handle(*positional: Any, **named: Any) -> Any:
        work: Any = kind(*positional, **named)
        if validates:
            checked = work.validate()
            if inspect.isawaitable(checked):
                await checked
        result = work.process()
        return await result if inspect.isawaitable(result) else result

    return handle
