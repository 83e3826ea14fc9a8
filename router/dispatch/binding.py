"""Handler arguments: a signature is read once, when the route is registered, and becomes a flat plan of getters."""

from __future__ import annotations

import inspect

from router.convert.markers import Alias, Depends, Marked
from router.dispatch.plan import Plan, generator_kind, is_async
from router.errors import ConfigurationError, UnprocessableContent
from router.event import Event
from router.session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

    Getter = Callable[[Any], Any]


class Argument:
    """One argument of a function: its name, whether it goes by keyword, and where it comes from."""

    __slots__ = ("by_keyword", "dependency", "get", "name")

    def __init__(self, name: str, by_keyword: bool, get: Getter | None, dependency: Depends | None) -> None:
        self.name = name
        self.by_keyword = by_keyword
        self.get = get
        self.dependency = dependency


_REQUIRED: Any = inspect.Parameter.empty
# Among the path parameters of a route in a group: the prefixes of outer groups may add others.
OF_OUTER_GROUPS = "*"


def bind(
    handler: Callable[..., Any],
    where: str,
    parameters: Collection[str] = (),
    *,
    batch: bool = False,
    model: Any = None,
    overrides: dict[Any, Any] | None = None,
) -> Plan:
    """The plan of a handler. Raises ConfigurationError for a signature that no event could satisfy.

    where names the route in messages; parameters are the path parameters it may ask for. model is that of a typed topic
    or queue: an argument without annotation is the body as this model, and each body is checked against it.
    """
    if generator_kind(handler) is not None:
        raise ConfigurationError(f"{where}: the handler is a generator; return the result instead of yielding it")
    arguments = read_signature(handler, where, parameters, batch=batch, model=model)
    if any(argument.dependency for argument in arguments):
        from router.dispatch.depends import plan_with_dependencies

        plan = plan_with_dependencies(handler, arguments, where, parameters, batch, overrides)
    else:
        plan = Plan(_flat_call(handler, arguments), is_async(handler))
    if model is not None and not any(isinstance(argument.get, _Body) for argument in arguments):
        return _checked(plan, _Body("body", model, _REQUIRED, where), batch)
    return plan


def _checked(plan: Plan, body: _Body, batch: bool) -> Plan:
    """A plan whose handler takes the events themselves: their bodies are checked against the model all the same."""
    call = plan.call

    def check_and_call(subject: Any) -> Any:
        for event in subject if batch else (subject,):
            body(event)
        return call(subject)

    return Plan(check_and_call, plan.is_async)


def _flat_call(handler: Callable[..., Any], arguments: list[Argument]) -> Callable[[Any], Any]:
    """The common shapes without any loop; the rest with one."""
    getters = [argument.get for argument in arguments if argument.get is not None]
    if not any(argument.by_keyword for argument in arguments):
        if not getters:
            return lambda event: handler()
        if len(getters) == 1:
            first = getters[0]
            if first is _itself:
                return handler
            if isinstance(first, _OfPath):  # the commonest shape, without a call in between
                name = first.name
                return lambda event: handler(event.params[name])
            return lambda event: handler(first(event))
        if len(getters) == 2:
            first, second = getters
            if first is _itself and second is _session:
                return lambda event: handler(event, event.session)
            return lambda event: handler(first(event), second(event))
        return lambda event: handler(*[get(event) for get in getters])
    positional = [argument.get for argument in arguments if argument.get and not argument.by_keyword]
    named = {argument.name: argument.get for argument in arguments if argument.get and argument.by_keyword}
    return lambda event: handler(
        *[get(event) for get in positional], **{name: get(event) for name, get in named.items()}
    )


def read_signature(
    function: Callable[..., Any], where: str, parameters: Collection[str], *, batch: bool = False, model: Any = None
) -> list[Argument]:
    """Each argument of a function with its origin. Raises ConfigurationError."""
    try:
        signature = inspect.signature(function, eval_str=True)
    except NameError as error:
        raise ConfigurationError(f"{where}: an annotation cannot be resolved: {error}") from None
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"{where}: the signature cannot be read: {error}") from None
    arguments: list[Argument] = []
    keeps_default = False
    for name, parameter in signature.parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        get = _getter(name, parameter, where, parameters, batch, None if batch else model)
        if get is None:
            keeps_default = True
            continue
        # What follows an argument that keeps its default goes by name, or it would land in that one's place.
        by_keyword = parameter.kind is parameter.KEYWORD_ONLY or keeps_default
        if by_keyword and parameter.kind is parameter.POSITIONAL_ONLY:
            raise ConfigurationError(f"{where}: {name!r} is positional-only and follows an argument that nothing gives")
        if isinstance(get, Depends):
            arguments.append(Argument(name, by_keyword, None, get))
        else:
            arguments.append(Argument(name, by_keyword, get, None))
    return arguments


def _getter(
    name: str, parameter: inspect.Parameter, where: str, parameters: Collection[str], batch: bool, model: Any
) -> Getter | Depends | None:
    """Where one argument comes from; None leaves it at its default."""
    annotation, default = parameter.annotation, parameter.default
    for extra in (default, *getattr(annotation, "__metadata__", ())):
        if isinstance(extra, Depends):
            return extra
    if isinstance(annotation, Marked):
        return _from_place(annotation.place, name, annotation.annotation, default, where, parameters, batch)
    if name in parameters:
        return _path_parameter(name, annotation, where)
    says_nothing = annotation is _REQUIRED or annotation is object or repr(annotation) == "typing.Any"
    if _is_event(annotation, batch) or (says_nothing and name in ("event", "events")):
        return _itself
    if annotation is Session or (says_nothing and name == "session"):
        return _session_of_first if batch else _session
    if says_nothing and name == "context":
        return _context_of_first if batch else _context
    from router.convert.scalars import is_model

    if model is not None and says_nothing and default is _REQUIRED:
        annotation = model
    if (model is not None and annotation is model) or is_model(annotation):
        return _from_place("body", name, annotation, default, where, parameters, batch)
    if default is not _REQUIRED:
        return None
    if name == "context":  # whatever its class is called
        return _context_of_first if batch else _context
    raise ConfigurationError(
        f"{where}: nothing provides the argument {name!r}{_known(parameters)}. "
        "Annotate it as Event, Session, a dataclass or pydantic model (the body), Body[...], Query[...], Header[...], "
        "Cookie[...], Path[...] or Annotated[..., Depends(...)], or give it a default"
    )


def _is_event(annotation: Any, batch: bool) -> bool:
    """Whether an annotation asks for the event; of a batch, for the list of them."""
    if batch and getattr(annotation, "__origin__", None) is list:
        annotation = annotation.__args__[0]
    return isinstance(annotation, type) and issubclass(annotation, Event)


def _itself(event: Any) -> Any:
    return event


def _session(event: Event) -> Session:
    return event.session


def _context(event: Event) -> Any:
    return event.context


def _session_of_first(events: list[Event]) -> Session:
    return events[0].session


def _context_of_first(events: list[Event]) -> Any:
    return events[0].context


class _OfPath:
    """A path parameter as it is."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, event: Event) -> Any:
        return event.params[self.name]


def _converter(annotation: Any, text: bool, name: str, where: str) -> Any:
    """What makes an argument of text or JSON. Raises ConfigurationError, which names it, when nothing can."""
    from router.convert.scalars import compile_converter

    try:
        return compile_converter(annotation, text=text)
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: the argument {name!r}: {error}") from None


def _path_parameter(name: str, annotation: Any, where: str) -> Getter:
    if annotation is _REQUIRED or annotation is str:
        return _OfPath(name)
    convert, at = _converter(annotation, True, name, where), f"path.{name}"
    always = hasattr(annotation, "__metadata__")  # there may be limits beside the type

    def converted(event: Event) -> Any:
        value = event.params[name]  # already converted where the template has a type
        return convert(str(value), at) if always or isinstance(value, str) else value

    return converted


def _known(parameters: Collection[str]) -> str:
    """The path parameters there are, as the end of a message."""
    own = [name for name in parameters if name != OF_OUTER_GROUPS]
    return f"; the path has {', '.join(own)}" if own else ""


def _from_place(
    place: str, name: str, annotation: Any, default: Any, where: str, parameters: Collection[str], batch: bool
) -> Getter:
    """A getter for Body[T], Query[T], Header[T], Cookie[T] or Path[T]."""
    if batch:
        raise ConfigurationError(f"{where}: a batch route takes the list of Events; {name!r} belongs to one of them")
    for extra in getattr(annotation, "__metadata__", ()):
        if isinstance(extra, Alias):
            name = extra.name
    if place == "path":
        if name not in parameters and OF_OUTER_GROUPS not in parameters:
            raise ConfigurationError(f"{where}: there is no path parameter {name!r}{_known(parameters)}")
        return _path_parameter(name, annotation, where)
    if place == "body":
        return _Body(name, annotation, default, where)
    from router.convert.scalars import wants_many

    many = wants_many(annotation)
    wire = name.replace("_", "-") if place == "header" else name
    convert, at = _converter(annotation, True, name, where), f"{place}.{wire}"
    find = {"query": _of_query, "header": _of_headers, "cookie": _of_cookies}[place]
    optional = _takes_none(annotation)

    def get(event: Event) -> Any:
        found = find(event, wire, many)
        if found is None or (many and not found):
            if default is not _REQUIRED:
                return default
            if optional:
                return None
            if not many:
                raise UnprocessableContent(f"{at} is missing", errors=[{"at": at, "message": "is missing"}])
        return convert(found, at)

    return get


class _Body:
    """The body as some type: bytes and text as they are, anything else parsed and converted."""

    __slots__ = ("annotation", "convert", "default")

    def __init__(self, name: str, annotation: Any, default: Any, where: str) -> None:
        self.annotation = annotation
        self.default = default
        self.convert = None if annotation in (bytes, str) else _converter(annotation, False, name, where)

    def __call__(self, event: Event) -> Any:
        if self.convert is None:
            return event.body if self.annotation is bytes else event.text
        if self.default is not _REQUIRED and not event.body:
            return self.default
        return self.convert(event.json(), "body")


def _of_query(event: Event, name: str, many: bool) -> Any:
    return event.query.getall(name) if many else event.query.get(name)


def _of_headers(event: Event, name: str, many: bool) -> Any:
    return event.headers.getall(name) if many else event.headers.get(name)


def _of_cookies(event: Event, name: str, many: bool) -> Any:
    value = event.cookies.get(name)
    return value if not many else [] if value is None else [value]


def _takes_none(annotation: Any) -> bool:
    return type(None) in getattr(annotation, "__args__", ())
