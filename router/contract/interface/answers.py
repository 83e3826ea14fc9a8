"""Read what a route answers: the annotation of its result, `responses=`, and what stands around it."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Mapping
from http import HTTPStatus
from types import NoneType, SimpleNamespace
from typing import TYPE_CHECKING, Any, Never, NoReturn

from router.contract.interface.model import NOTHING, Answer
from router.contract.model import named
from router.convert.annotations import name_of
from router.convert.introspect import bindings, substituted, unwrapped
from router.convert.kinds import is_union
from router.encode import JSON
from router.errors import ConfigurationError
from router.event import Source
from router.http.statuses import reason
from router.response import Response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from router.routing.route import Route

PROBLEM = "application/problem+json"
TEXT = "text/plain"
ANY_MEDIA = "*/*"  # a Response says by itself what it is
_ANSWERED = frozenset((Source.TOOL, Source.INVOKE, Source.WEBSOCKET, Source.APPSYNC_EVENTS))  # no document says others
_SAID = "or say the answer by responses={200: ...}"


def answers_of(route: Route, *, takes: bool, auth: Any) -> tuple[Answer, ...]:
    """Return the answers of a route, those that `responses=` names in place of what the annotation says.

    takes: whether it takes anything that may be wrong.
    auth: what counts on it; None for none.

    Raises:
        ConfigurationError: what it answers cannot be told; the error names file and line.
    """
    responses = route.responses or {}
    for status, said in responses.items():
        _check_examples(route, status, said)
    declared = {str(status): _declared(str(status), said) for status, said in responses.items()}
    if not route.methods:
        return tuple(declared.values()) or tuple(_of_call(route))
    found = {} if says_success(route.responses) else _by_status(route)
    found |= declared
    for one in _around(route, takes=takes, auth=auth):
        found.setdefault(one.status, one)
    return tuple(found[status] for status in sorted(found))


def says_success(responses: Mapping[int | str, Any] | None) -> bool:
    """Whether `responses=` names an answer that is no error, which is then in place of what the annotation says."""
    return any(str(status).startswith(("2", "3")) for status in responses or ())


def result_of(route: Route) -> Any:
    """Return the annotation of what a handler returns; NOTHING where there is none.

    Raises:
        ConfigurationError: it cannot be resolved; the error names file and line.
    """
    handler: Any = getattr(route.handler, "of_class", route.handler)
    if not inspect.isroutine(handler):
        handler = type(handler).__call__
    function = inspect.unwrap(handler)
    try:
        written = getattr(function, "__annotations__", {})
        if "return" not in written:
            return NOTHING
        # Alone: an argument that another framework fills may have a hint which nobody resolves.
        alone = SimpleNamespace(
            __annotations__={"return": written["return"]}, __type_params__=getattr(function, "__type_params__", ())
        )
        names = getattr(function, "__globals__", {})
        return typing.get_type_hints(alone, names, include_extras=True)["return"]
    except Exception as error:  # an annotation is an expression, and may fail as any other
        raise ConfigurationError(
            f"{named(route)}: the hint of what it returns cannot be resolved: {type(error).__name__}: {error}. Import "
            f"what it names at run time, not under TYPE_CHECKING, {_SAID}"
        ) from None


def _by_status(route: Route) -> dict[str, Answer]:
    """Return the answers that the annotation of a result stands for. Raises ConfigurationError."""
    found: dict[str, Answer] = {}
    for one in _of_result(result_of(route), route):
        other = found.setdefault(one.status, one)
        if other.annotation is NOTHING:
            found[one.status] = one  # a body says more than a Response beside it
        elif one.annotation is not NOTHING and one.annotation != other.annotation:
            both = _either([other.annotation, one.annotation])  # `tuple[Order, int] | tuple[Refused, int]`
            found[one.status] = Answer(one.status, one.description, both, _media(both))
    return found


def _of_call(route: Route) -> Iterator[Answer]:
    """Return the answer of a handler whose source knows no status."""
    if _ANSWERED.isdisjoint(route.sources):
        return
    result = result_of(route)
    if result not in (NOTHING, NoReturn, Never):
        yield Answer("", "", None if result is NoneType else result)


def _of_result(result: Any, route: Route) -> Iterator[Answer]:
    """Return the answers that an annotation stands for. Raises ConfigurationError."""
    held = _held(result)
    if held in (NoReturn, Never):
        return  # it raises always
    if held is None or held is NoneType:
        yield Answer("204", phrase("204"), None)
    elif is_union(held):
        kinds = [kind for kind in typing.get_args(held) if kind is not NoneType]
        if len(kinds) < len(typing.get_args(held)):
            yield Answer("204", phrase("204"), None)
        bodies = [kind for kind in kinds if not _is_response(kind) and not _is_tuple(kind)]
        for kind in kinds:
            if kind not in bodies:
                yield from _of_result(kind, route)
        if bodies:
            yield _success(_either(bodies))
    elif _is_tuple(held):
        body = typing.get_args(held)[0] if Ellipsis not in (typing.get_args(held) or (...,)) else NOTHING
        statuses = _statuses_of(held)
        if not statuses:
            raise ConfigurationError(
                f"{named(route)}: the result {name_of(held)} is no answer: a tuple is (body, status) or (body, status, "
                "headers), and the status an int; return a list, or say in responses= what is sent"
            )
        for status in statuses:
            yield Answer(status, phrase(status), body, _media(body))
    else:
        yield _success(NOTHING, ANY_MEDIA) if _is_response(held) and held is not NOTHING else _success(result)


def _success(annotation: Any, media: str = "") -> Answer:
    return Answer("200", phrase("200"), annotation, media or _media(annotation))


def media_of(annotation: Any) -> dict[str, Any]:
    """Return what an answer of a type comes as: media types, each with the part of the type that comes as it.

    A text is sent as it is, also one of an Enum or Literal; `Order | str` is JSON or text.
    """
    held = _held(annotation)
    if not is_union(held):
        return {_media_of_one(held): annotation}
    parts: dict[str, list[Any]] = {}
    for member in typing.get_args(held):
        for media, part in media_of(member).items():
            parts.setdefault(media, []).append(part)
    return (
        {media: _either(parts[media]) for media in sorted(parts)} if len(parts) > 1 else {next(iter(parts)): annotation}
    )


def _held(annotation: Any) -> Any:
    """Return what an annotation stands for, also one that is a `type X = ...`."""
    held = unwrapped(annotation)
    try:
        while type(typing.get_origin(held) or held).__name__ == "TypeAliasType":
            held = unwrapped(substituted(held.__value__, bindings(held)))
    except Exception:  # it is an expression that is evaluated now; schemas tell of it
        return annotation
    return held


def _media_of_one(held: Any) -> str:
    if typing.get_origin(held) is typing.Literal:
        return TEXT if all(isinstance(value, str) for value in typing.get_args(held)) else JSON
    if isinstance(held, type) and issubclass(held, str):
        return TEXT
    return "application/octet-stream" if held is bytes else JSON


def _media(annotation: Any) -> str:
    """Return the media type of an answer: JSON where a part of it is."""
    return next(iter(media_of(annotation)))


def _either(kinds: list[Any]) -> Any:
    return typing.Union[tuple(kinds)]  # noqa: UP007 - of values, which `|` does not take


def _is_response(kind: Any) -> bool:
    return kind is NOTHING or (isinstance(kind, type) and issubclass(kind, Response))


def _is_tuple(kind: Any) -> bool:
    """Return whether a result is `(body, status)` or the like; a NamedTuple is a body."""
    return typing.get_origin(kind) is tuple or kind is tuple


def _statuses_of(kind: Any) -> list[str]:
    """Return the statuses of a tuple with Literals; "2XX" for `tuple[Order, int]`; none for no such pair."""
    arguments = typing.get_args(kind)
    if not arguments or Ellipsis in arguments:
        return ["2XX"]
    if len(arguments) not in (2, 3):
        return []
    second = unwrapped(arguments[1])
    if typing.get_origin(second) is typing.Literal:
        values = typing.get_args(second)
        return [str(value) for value in values] if all(type(value) is int for value in values) else []
    members = typing.get_args(second) if is_union(second) else (second,)
    return ["2XX"] if any(unwrapped(member) in (int, Any) for member in members) else []


def _check_examples(route: Route, status: int | str, said: Any) -> None:
    """Refuse the named form that OpenAPI itself has for examples: it would be taken for one value.

    Raises:
        ConfigurationError: it is that form.
    """
    examples = said.get("examples") if isinstance(said, Mapping) else None
    if isinstance(examples, Mapping) and examples and all(_is_named_example(one) for one in examples.values()):
        raise ConfigurationError(
            f"{named(route)}: responses={{{status!r}: ...}}: examples= takes the values themselves, as a list: "
            '[...], not {"name": {"value": ...}}; put a value of that form into a list'
        )


def _is_named_example(one: Any) -> bool:
    return isinstance(one, Mapping) and "value" in one and one.keys() <= {"value", "summary", "description"}


def _declared(status: str, said: Any) -> Answer:
    """Return the answer of an item of `responses=`."""
    if isinstance(said, str):
        return Answer(status, said, *_of_status(status))
    if hasattr(said, "items"):
        return _of_mapping(status, said)
    said = _one_of(said)
    return Answer(status, phrase(status), None if said is NoneType else said, _media_of(status, said))


def _one_of(said: Any) -> Any:
    """Return several types of one status, `[SoldOut, Retired]`, as their union."""
    if not isinstance(said, list | tuple) or not said:
        return said
    return typing.Union[tuple(said)]  # noqa: UP007 - of values, which `|` does not take


def _of_mapping(status: str, said: Mapping[str, Any]) -> Answer:
    annotation, media = _of_status(status)
    annotation = _one_of(said.get("model", annotation))
    examples = said.get("examples", ())
    return Answer(
        status,
        said.get("description") or phrase(status),
        annotation,
        said.get("media_type") or (_media_of(status, annotation) if "model" in said else media),
        dict(said.get("headers", {})),
        tuple(examples) if isinstance(examples, list | tuple) else (examples,),
    )


def _of_status(status: str) -> tuple[Any, str]:
    """Return annotation and media type where a text alone describes an answer."""
    if status.startswith(("4", "5")) or status == "default":
        return NOTHING, PROBLEM
    return (None, "") if status in ("204", "304") or status.startswith("1") else (NOTHING, "application/json")


def _media_of(status: str, annotation: Any) -> str:
    return "" if annotation is None else _media(annotation)


def _around(route: Route, *, takes: bool, auth: Any) -> Iterator[Answer]:
    """Return the errors that do not come from the handler."""
    if auth is not None and auth.mode != "off":
        yield Answer("401", "Credentials are missing or not valid", NOTHING, PROBLEM)
    if route.permission is not None or (auth is not None and auth.mode != "off"):
        yield Answer("403", "The caller may not do this", NOTHING, PROBLEM)
    if takes:
        yield Answer("422", "A value is missing or not valid", NOTHING, PROBLEM)
    yield Answer("default", "Any other error", NOTHING, PROBLEM)


def phrase(status: str) -> str:
    """Return what a status is called: `Created`."""
    try:
        return reason(HTTPStatus(int(status)))  # the same with each version of Python
    except ValueError:
        return "Any other answer" if status == "default" else f"Any answer of {status}"
