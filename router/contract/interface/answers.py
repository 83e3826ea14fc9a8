"""Read what a route answers: the annotation of its result, `responses=`, and what stands around it."""

from __future__ import annotations

import inspect
import typing
from http import HTTPStatus
from types import NoneType, SimpleNamespace
from typing import TYPE_CHECKING, Any

from router.contract.interface.model import NOTHING, Answer
from router.contract.model import named
from router.convert.introspect import unwrapped
from router.convert.kinds import is_union
from router.errors import ConfigurationError
from router.event import Source
from router.http.statuses import reason
from router.response import Response

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from router.routing.route import Route

PROBLEM = "application/problem+json"
ANY_MEDIA = "*/*"  # a Response says by itself what it is
_ANSWERED = frozenset((Source.TOOL, Source.INVOKE, Source.WEBSOCKET, Source.APPSYNC_EVENTS))  # no document says others
_SAID = "or say the answer by responses={200: ...}"
_MEDIA: dict[Any, str] = {str: "text/plain", bytes: "application/octet-stream"}


def answers_of(route: Route, *, takes: bool, auth: Any) -> tuple[Answer, ...]:
    """Return the answers of a route, those that `responses=` names in place of what the annotation says.

    takes: whether it takes anything that may be wrong.
    auth: what counts on it; None for none.
    """
    declared = {str(status): _declared(str(status), said) for status, said in (route.responses or {}).items()}
    if not route.methods:
        return tuple(declared.values()) or tuple(_of_call(route))
    found = {} if says_success(route.responses) else {one.status: one for one in _of_result(result_of(route))}
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


def _of_call(route: Route) -> Iterator[Answer]:
    """Return the answer of a handler whose source knows no status."""
    if _ANSWERED.isdisjoint(route.sources):
        return
    result = result_of(route)
    if result is not NOTHING:
        yield Answer("", "", None if result is NoneType else result)


def _of_result(result: Any) -> Iterator[Answer]:
    """Return the answers that an annotation stands for."""
    held = unwrapped(result) if result is not NOTHING else result
    if held is None or held is NoneType:
        yield Answer("204", phrase("204"), None)
    elif is_union(held):
        kinds = [kind for kind in typing.get_args(held) if kind is not NoneType]
        if len(kinds) < len(typing.get_args(held)):
            yield Answer("204", phrase("204"), None)
        bodies = [kind for kind in kinds if not _is_response(kind) and not _status_of(kind)]
        for kind in kinds:
            if kind not in bodies:
                yield from _of_result(kind)
        if bodies:
            yield _success(typing.Union[tuple(bodies)])  # noqa: UP007 - of values, which `|` does not take
    elif status := _status_of(held):
        yield Answer(status, phrase(status), typing.get_args(held)[0], _media(typing.get_args(held)[0]))
    else:
        yield _success(NOTHING, ANY_MEDIA) if _is_response(held) and held is not NOTHING else _success(result)


def _success(annotation: Any, media: str = "") -> Answer:
    return Answer("200", phrase("200"), annotation, media or _media(annotation))


def _media(annotation: Any) -> str:
    kind = unwrapped(annotation) if annotation is not NOTHING else annotation
    return _MEDIA.get(kind, "application/json") if isinstance(kind, type) else "application/json"


def _is_response(kind: Any) -> bool:
    return kind is NOTHING or (isinstance(kind, type) and issubclass(kind, Response))


def _status_of(kind: Any) -> str:
    """Return the status of `tuple[Order, Literal[201]]`; "2XX" for `tuple[Order, int]`, and "" for no such pair."""
    if typing.get_origin(kind) is not tuple or len(typing.get_args(kind)) < 2:
        return ""
    second = typing.get_args(kind)[1]
    if typing.get_origin(second) is typing.Literal:
        return str(typing.get_args(second)[0])
    return "2XX" if second is int else ""


def _declared(status: str, said: Any) -> Answer:
    """Return the answer of an item of `responses=`."""
    if isinstance(said, str):
        return Answer(status, said, *_of_status(status))
    if hasattr(said, "items"):
        return _of_mapping(status, said)
    return Answer(status, phrase(status), None if said is NoneType else said, _media_of(status, said))


def _of_mapping(status: str, said: Mapping[str, Any]) -> Answer:
    annotation, media = _of_status(status)
    annotation = said.get("model", annotation)
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
