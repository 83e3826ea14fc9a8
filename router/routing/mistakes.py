"""Refuse names that no event can have, and say which one was meant: a route with one would never be called."""

from __future__ import annotations

import inspect

from router.env import name_in
from router.errors import ConfigurationError
from router.event import Source
from router.routing.slots import matches
from router.sources._registry import CARRIERS, HTTP_SOURCES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any, NoReturn

    from router.routing.route import Route

# Sources whose events have names that people make up, or a path: anything may be one.
_FREE = frozenset(
    (*HTTP_SOURCES, *map(Source, ("eventbridge", "invoke", "task", "authorizer", "websocket", "codepipeline")))
)
_EXPRESSIONS = ("rate(", "cron(", "at(")
# S3 user guide, "Supported event types". Those with an action are written with it, or with a star.
_ACTIONS = {
    "ObjectCreated": ("Put", "Post", "Copy", "CompleteMultipartUpload"),
    "ObjectRemoved": ("Delete", "DeleteMarkerCreated"),
    "ObjectRestore": ("Post", "Completed", "Delete"),
    "ObjectTagging": ("Put", "Delete"),
    "ObjectAcl": ("Put",),
    "ObjectAnnotation": ("Put", "Delete"),
    "ObjectRetention": ("Put",),
    "Replication": (
        *("OperationFailedReplication", "OperationMissedThreshold"),
        *("OperationReplicatedAfterThreshold", "OperationNotTracked"),
    ),
    "LifecycleExpiration": ("Delete", "DeleteMarkerCreated"),
    "ReducedRedundancyLostObject": (),
    "LifecycleTransition": (),
    "IntelligentTiering": (),
    "TestEvent": (),
}

# Options of other frameworks, and what is in their place.
_ELSEWHERE = {
    "dependencies": "Depends in the signature, or middleware=",
    "description": "the docstring of the handler says it",
    "include_in_docs": "write include_in_schema=",
    "media_type": "return a Response, or write responses={200: {'media_type': ...}}",
    "operation_id": "write name=",
    "operationId": "write name=",
    "read_only_hint": "write read_only=",
    "response_class": "return a Response",
    "response_description": "write responses={200: {'description': ...}}",
    "response_model": "the annotation of the result says it: -> Order",
    "status_code": "the annotation of the result says it: -> tuple[Order, Literal[201]]",
    "title": "write summary=",
}


def refuse_bare() -> NoReturn:
    """Refuse a decorator that was used without its parentheses, and say how this one is written.

    Raises:
        ConfigurationError: always.
    """
    # The verb that registers called `_on`, which called this. Frames are read only on the way to this error.
    frame = inspect.currentframe()
    while frame is not None and frame.f_code.co_name in ("refuse_bare", "_on"):
        frame = frame.f_back
    verb = "get" if frame is None else frame.f_code.co_name
    wanted = "path" if frame is None else frame.f_code.co_varnames[1]
    example = {"handler": "", "path": "'/path'", "source": "Source.COGNITO, 'name'"}.get(wanted, f"'{wanted}'")
    raise ConfigurationError(f"a decorator was used without its parentheses; write @resolver.{verb}({example})")


def meant(unknown: Iterable[str], known: Sequence[str]) -> str:
    """Return what options of other libraries are here, or which options were meant, as the end of a message.

    unknown: the names that a route does not have. known: those that it has.
    """
    from difflib import get_close_matches

    told = [f"{name}: {_ELSEWHERE[name]}" for name in sorted(unknown) if name in _ELSEWHERE]
    if told:
        return f"; here {'; '.join(told)}"
    near = [match for name in unknown for match in get_close_matches(name, known, 1)]
    return f"; did you mean {', '.join(near)}?" if near else f"; known are {', '.join(known)}"


def refuse_match(route: Route) -> NoReturn:
    """Refuse what is no name and no path.

    Raises:
        ConfigurationError: always.
    """
    match: Any = route.match
    where = "|".join(route.methods) or route.sources[0].value
    if not isinstance(match, str) and getattr(match, "kind", "") in ("queue", "topic"):
        raise ConfigurationError(
            f"{where}: {shown(match)} declares what a stack makes; give its name, {match.name!r}, or a typed "
            f"{match.kind} of adapters.messaging"
        )
    raise ConfigurationError(f"{where}: expected a name or path, got {shown(match)}")


def check_name(route: Route) -> None:
    """Check a route's name that has a colon or a bracket in it.

    Raises:
        ConfigurationError: it is an ARN, a URL, or the expression of a schedule.
    """
    match = route.match
    if not _FREE.intersection(route.sources):
        _check_plain(str(route), match)
    if route.sources == (Source.SCHEDULE,) and match.startswith(_EXPRESSIONS):
        raise ConfigurationError(
            f"{route}: write the name of the rule or schedule; its template says when it is due, and no event does"
        )


def _check_plain(where: str, name: str) -> None:
    """Refuse an ARN or a URL in place of a name. Raises ConfigurationError."""
    if not name.startswith(("arn:", "https://", "http://")):
        return
    meant = name_in(name)
    write = f"write the name {meant!r}" if meant else "write the name"
    raise ConfigurationError(f"{where}: {write}; what a template makes may come from the environment: Env('VARIABLE')")


def check_topics(route: Route) -> None:
    """Refuse an ARN among the topics of a route: envelopes are compared by name. Raises ConfigurationError."""
    for topic in route.topics:
        if type(topic) is str:  # Env takes an ARN
            _check_plain(f"{route}: topics=", topic)


def check_object_events(bucket: str, events: tuple[str, ...]) -> None:
    """Check the names of S3 events. What has a `*` in its family may be a name that S3 adds one day.

    Raises:
        ConfigurationError: there is no such event; uploads would be acknowledged, and no handler called.
    """
    for event in events:
        family, _, action = event.removeprefix("s3:").partition(":")
        if "*" not in family and not _is_event(family, action):
            raise ConfigurationError(f"on_object {bucket!r}: there is no event {event!r}; {_meant(family, action)}")


def _is_event(family: str, action: str) -> bool:
    actions = _ACTIONS.get(family)
    if not actions:
        return actions is not None and not action
    return any(matches(action, one) for one in actions)


def _meant(family: str, action: str) -> str:
    """Return how a name of an event is written that was spelled otherwise."""
    known = {name.lower(): name for name in _ACTIONS}
    spelled = family.replace("_", "").replace(" ", "").lower()
    name = known.get(spelled)
    if name is None:
        from difflib import get_close_matches

        name = next((known[near] for near in get_close_matches(spelled, known, 1)), None)
    if name is None:
        return f"use {', '.join(f'{one}:*' if actions else one for one, actions in _ACTIONS.items())}"
    if not _ACTIONS[name]:
        return f"write {name!r}"
    whole = next((one for one in _ACTIONS[name] if one.lower() == action.lower()), "*")
    return f"write {f'{name}:{whole}'!r}"


def check_kafka(route: Route) -> None:
    """Check the options that routes of Kafka alone have.

    Raises:
        ConfigurationError: one is of another kind, or the route is of another source.
    """
    for option in ("partial", "queue"):
        held = getattr(route, option)
        if type(held) is not bool or (held and route.sources != (Source.KAFKA,)):
            raise ConfigurationError(f"{route}: {option}= takes True or False, for Kafka; others need no such choice")
    if route.decoder is not None and (not callable(route.decoder) or route.sources != (Source.KAFKA,)):
        raise ConfigurationError(f"{route}: decoder= takes a function of the bytes and the schema, for Kafka alone")
    if isinstance(route.decoder, type):
        raise ConfigurationError(f"{route}: decoder= takes an instance: {route.decoder.__name__}(...)")


def check_same_topic(route: Route, other: Route) -> None:
    """Refuse routes of one Kafka topic that read its records in two ways.

    Raises:
        ConfigurationError: their `decoder=` or `queue=` differ.
    """
    if route.decoder is not other.decoder or route.queue is not other.queue:
        raise ConfigurationError(f"{route}: all routes of a topic have the same decoder= and queue=; see {other.where}")


def unpacked_sources(name: Any, source: Source | str | None, options: Mapping[str, Any]) -> tuple[Source, ...]:
    """Return the sources of an `unpack(name, source=...)`.

    Raises:
        ConfigurationError: it decorates, the source carries no events of others, or an option makes no sense.
    """
    if callable(name):
        raise ConfigurationError("unpack() decorates nothing: write resolver.unpack('name') on a line of its own")
    sources: tuple[Source, ...]
    try:
        sources = CARRIERS if source is None else (Source(source),)
    except ValueError:
        sources = ()
    if not sources or not set(CARRIERS).issuperset(sources):
        raise ConfigurationError(f"unpack(source={source!r}): use one of {', '.join(CARRIERS)}")
    if "batch" in options or "by" in options:
        raise ConfigurationError(f"unpack({name!r}): each record is opened by itself; leave batch= and by= out")
    return sources


# ---- documents ----------------------------------------------------------------------------------------------------

_STATUSES = (*(f"{digit}XX" for digit in range(1, 6)), "default")
_OF_RESPONSE = ("description", "examples", "headers", "media_type", "model")
_NO_ANSWERS = (bool, int, float, bytes, set, frozenset)
_TYPED = "typed topics and queues of adapters.messaging"


def check_documented(route: Route) -> None:
    """Check the options that documents are made of.

    Raises:
        ConfigurationError: a status is none, an answer says what nobody reads, what it publishes is not typed, or an
            option has another type. It names the file and line of the handler.
    """
    where = _with_place(route)
    for name in ("name", "summary"):
        if not isinstance(getattr(route, name), str):
            raise ConfigurationError(f"{where}: {name}= takes a text, not {getattr(route, name)!r:.80}")
    check_tags(route.tags, where)
    for name in ("deprecated", "include_in_schema"):
        if type(getattr(route, name)) is not bool:
            raise ConfigurationError(f"{where}: {name}= takes True or False, not {getattr(route, name)!r:.80}")
    _check_tool(route, where)
    if route.accepts is not None:
        _check_accepts(route, route.accepts, where)
    for one in route.publishes:
        if getattr(one, "kind", "") not in ("queue", "topic") or not hasattr(one, "model"):
            raise ConfigurationError(f"{where}: publishes= takes {_TYPED}, not {shown(one)}")
    if route.responses is not None:
        _check_responses(route.responses, where)


def check_tags(tags: tuple[Any, ...], where: str) -> None:
    """Refuse tags that are no texts.

    tags: of a route or a group. where: how messages name it.

    Raises:
        ConfigurationError: one is none, or an empty one.
    """
    for tag in tags:
        if not isinstance(tag, str) or not tag:
            raise ConfigurationError(f"{where}: tags= takes texts, not {tag!r:.80}")


def shown(value: object) -> str:
    """Return a value for a message: the class of an object with fields, whose repr would fill the screen."""
    kind = type(value)
    return repr(value)[:80] if kind.__module__ == "builtins" else f"{_home(kind)}.{kind.__name__}"


def _home(kind: type) -> str:
    """Return the package that people import a class from: `router.contract` of `router.contract.declarations`."""
    parts = kind.__module__.split(".")
    return ".".join(parts[:2]) if parts[0] in ("router", "adapters") else kind.__module__


def _with_place(route: Route) -> str:
    """Return how messages name a route: with the file and line of its handler, where it has code of its own."""
    code = getattr(getattr(route.handler, "of_class", route.handler), "__code__", None)
    if code is None:
        return str(route)
    return f"{route} ({_short(code.co_filename)}:{code.co_firstlineno})"


def _short(file: str) -> str:
    """Return a file as below the current folder, and by its name alone elsewhere."""
    from os import getcwd, sep

    here = getcwd() + sep
    return file.removeprefix(here).replace(sep, "/") if file.startswith(here) else file.rpartition(sep)[2]


def _check_responses(responses: Any, where: str) -> None:
    if not hasattr(responses, "items"):
        raise ConfigurationError(f"{where}: responses= takes a mapping by status, not {responses!r:.80}")
    for status, answer in responses.items():
        is_status = type(status) is int and 100 <= status <= 599
        if not is_status and str(status) not in _STATUSES:
            raise ConfigurationError(
                f"{where}: responses= has {status!r:.80}; a status is a number from 100 to 599, '4XX' or 'default'"
            )
        is_list = isinstance(answer, list | tuple)
        if isinstance(answer, _NO_ANSWERS) or (is_list and not _are_types(answer)):
            raise ConfigurationError(
                f"{where}: responses={{{status}: ...}} takes a type, a list of types, a text or a mapping, "
                f"not {answer!r:.80}"
            )
        if hasattr(answer, "items"):
            _check_answer(answer, f"{where}: responses={{{status}: ...}}")


def _are_types(listed: Any) -> bool:
    return bool(listed) and all(isinstance(one, type) for one in listed)


def _check_answer(answer: Mapping[str, Any], where: str) -> None:
    if unknown := ", ".join(sorted(set(map(str, answer)) - set(_OF_RESPONSE))):
        raise ConfigurationError(f"{where} has {unknown}; use {', '.join(_OF_RESPONSE)}")
    for name in ("description", "media_type"):
        if not isinstance(answer.get(name, ""), str):
            raise ConfigurationError(f"{where}: {name} takes a text, not {answer[name]!r:.80}")
    headers = answer.get("headers", {})
    if not hasattr(headers, "items") or not all(
        isinstance(name, str) and isinstance(told, str) for name, told in headers.items()
    ):
        raise ConfigurationError(f"{where}: headers takes names with what they mean, not {headers!r:.80}")


def _check_accepts(route: Route, accepts: Any, where: str) -> None:
    if not route.methods:
        raise ConfigurationError(f"{where}: accepts= is for HTTP routes; a message has no media type")
    if not hasattr(accepts, "items"):
        raise ConfigurationError(f"{where}: accepts= takes a mapping by media type, not {accepts!r:.80}")
    for media in accepts:
        kind, slash, rest = media.partition("/") if isinstance(media, str) else ("", "", "")
        if not (kind and slash and rest) or set(media) & set(" ;,"):
            raise ConfigurationError(
                f"{where}: accepts= has {media!r:.80}, which is no media type; write 'multipart/form-data'"
            )


def _check_tool(route: Route, where: str) -> None:
    if type(route.tool) is not bool and (type(route.tool) is not str or not route.tool):
        raise ConfigurationError(f"{where}: tool= takes True, or the name of the tool, not {route.tool!r:.80}")
    if route.tool and not route.methods:
        raise ConfigurationError(f"{where}: tool= is for HTTP routes; any other handler is one by @resolver.tool(name)")
    is_tool = route.tool or route.sources[0] is Source.TOOL
    if route.read_only is not None and (type(route.read_only) is not bool or not is_tool):
        raise ConfigurationError(f"{where}: read_only= takes True or False, for tools; agents read it")
