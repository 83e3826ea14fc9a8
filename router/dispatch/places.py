"""Getters of what comes from a place (path, query, headers, cookies, body) and is converted to its annotation.

Loaded when the first signature asks for such an argument.
"""

from __future__ import annotations

from router.convert.compile import compile_converter
from router.convert.kinds import (
    alias_of,
    holds_model,
    is_model,
    is_pydantic,
    is_union,
    plain,
    takes_none,
    takes_text,
    wants_many,
    wire_name,
)
from router.convert.scalars import collect, mistake, refusal
from router.dispatch.absent import absent_of
from router.dispatch.plan import (
    OF_OUTER_GROUPS,
    REQUIRED,
    OfPath,
    context_getter,
    event_class,
    event_getter,
    is_event,
    is_marker,
    itself,
    session_getter,
)
from router.encode import JSON
from router.errors import ConfigurationError, UnprocessableContent, UnsupportedMediaType
from router.event import Event, Source
from router.http.headers import elements, is_json_type
from router.session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from router.convert.scalars import Converter
    from router.dispatch.plan import Getter, Offer

    Find = Callable[[Event, str], Any]

_SCALARS = (str, int, float, bool)
_FIELDS = {"query": "query", "header": "headers", "cookie": "cookies"}  # of Event
_WORDS = {"query": "query parameters", "header": "headers", "cookie": "cookies"}
_FIND: dict[tuple[str, bool], Find] = {  # by place, and whether many are wanted; each gives None for nothing
    ("query", False): lambda event, name: event.query.get(name),
    ("query", True): lambda event, name: event.query.getall(name) or None,
    ("header", False): lambda event, name: event.headers.get(name),
    ("header", True): lambda event, name: elements(event.headers.getall(name)) or None,
    ("cookie", False): lambda event, name: event.cookies.get(name),
    ("cookie", True): lambda event, name: [event.cookies[name]] if name in event.cookies else None,
}


# ---- by marker --------------------------------------------------------------------------------------------------


def of_marker(name: str, annotation: Any, default: Any, where: str, offer: Offer) -> Getter | Any | None:
    """Return what a marker says that an argument comes from; None where there is no marker."""
    found = _markers(annotation)
    if is_marker(default):
        found.append(default)
    if not found:
        return None
    if annotation is REQUIRED:
        annotation = object  # the value as it comes: text, or parsed JSON
    marker = _only(found, f"{where}: the argument {name!r}")
    place: str = marker.__router_place__
    if place == "depends":
        return marker
    given = ... if isinstance(marker, type) else marker.default
    if is_marker(default):  # limit: int = Query(20, ge=1)
        from router.convert.markers import Marked

        annotation, default = Marked(annotation, default), REQUIRED if given is ... else given
    elif given is not ...:
        alias = f"; for the name on the wire write alias={given!r}" if isinstance(given, str) and given else ""
        raise ConfigurationError(
            f"{where}: the argument {name!r} has its default inside {marker!r}; write it after the annotation{alias}"
        )
    return of_place(place, name, annotation, default, where, offer)


def _markers(annotation: Any) -> list[Any]:
    """Return the markers that stand in an annotation, or in a member of a union."""
    if hasattr(annotation, "__metadata__"):
        return [extra for extra in annotation.__metadata__ if is_marker(extra)] + _markers(annotation.__origin__)
    return [marker for member in annotation.__args__ for marker in _markers(member)] if is_union(annotation) else []


def _only(found: list[Any], which: str) -> Any:
    """Return the marker that counts; `Query[int]` has the bare class, which may stand beside `Query(ge=1)`."""
    written = [one for one in found if not isinstance(one, type)]
    if len(written) > 1 or len({one.__router_place__ for one in found}) > 1:
        named = " and ".join([one.__name__ if isinstance(one, type) else repr(one) for one in found])
        raise ConfigurationError(f"{which} has {named}; leave one of them")
    marker: Any = (written or found)[0]
    if not written and marker.__router_place__ == "depends":
        raise ConfigurationError(f"{which}: Depends takes the function that provides it: Depends(connect)")
    return marker


# ---- by type ----------------------------------------------------------------------------------------------------


def by_type(name: str, annotation: Any, default: Any, where: str, offer: Offer, model: Any) -> Getter:
    """Return what gives an argument that has an annotation without a marker.

    A model is the body; on HTTP anything else that text can stand for is a query parameter.
    Raises ConfigurationError for what nothing fills.
    """
    bare = plain(annotation)
    if is_event(bare, offer.batch):
        return event_getter(bare, name, where, offer)
    if is_union(bare) and all(is_event(kind, offer.batch) for kind in bare.__args__):
        return itself
    if bare is Session:
        return _optional_session(default, offer) if takes_none(annotation) else session_getter(offer)
    if (model is not None and annotation is model) or (holds_model(annotation) and not offer.of_tool):
        return of_place("body", name, annotation, default, where, offer)
    if getattr(bare, "__name__", "") == "DurableContext" and "durable" in bare.__module__:
        from router.dispatch.durable_calls import durable_context_of

        return durable_context_of
    if name == "context" and bare not in _SCALARS and not (offer.of_tool and _is_data(bare)):  # however it is called
        return context_getter(offer)
    if is_marker(bare):
        raise ConfigurationError(f"{where}: the argument {name!r}: write {bare.__name__}[...] with a type in it")
    if offer.of_tool:
        from router.dispatch.tool_arguments import of_argument, of_request

        if offer.of_request:
            return of_request("body" if holds_model(annotation) else "query", name, annotation, default, where, offer)
        return of_argument(name, annotation, default, where, offer)
    if offer.route.methods:
        return _of_query(name, annotation, default, where, offer)
    raise ConfigurationError(
        f"{where}: nothing provides the argument {name!r}; only HTTP requests have query parameters. {offer.mend()}, "
        "or leave the annotation out to keep a default"
    )


def _is_data(annotation: Any) -> bool:
    """Whether it is what JSON can be converted to, so that it is not the class of Lambda's context object."""
    return not isinstance(annotation, type) or annotation.__module__ == "builtins" or is_model(annotation)


def _of_query(name: str, annotation: Any, default: Any, where: str, offer: Offer) -> Getter:
    try:
        return _made("query", name, annotation, default, offer)
    except ConfigurationError as error:
        raise ConfigurationError(
            f"{where}: nothing provides the argument {name!r}{offer.known()}: {error}. {offer.mend()}"
        ) from None


def _optional_session(default: Any, offer: Offer) -> Getter:
    """Return what gives the session where it is somebody's: None, or the default, where it belongs to nobody."""
    get = session_getter(offer)
    absent = None if default is REQUIRED else default

    def given(subject: Any) -> Any:
        session = get(subject)
        somebody = session.tenant is not None or session.user is not None or session.claims or session.attributes
        return session if somebody else absent

    return given


# ---- by place ---------------------------------------------------------------------------------------------------


def of_place(place: str, name: str, annotation: Any, default: Any, where: str, offer: Offer) -> Getter:
    """Return a getter of a value of "path", "query", "header", "cookie" or "body". Raises ConfigurationError."""
    if offer.batch:
        raise ConfigurationError(f"{where}: a batch route takes the list of Events; {name!r} belongs to one of them")
    if offer.of_request and place in ("path", "query", "body"):
        from router.dispatch.tool_arguments import of_request

        return of_request(place, name, annotation, default, where, offer)
    try:
        return _made(place, name, annotation, default, offer)
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: the argument {name!r}: {error}") from None


def _made(place: str, name: str, annotation: Any, default: Any, offer: Offer) -> Getter:
    if offer.of_request:
        from router.dispatch.tool_arguments import check_place

        check_place(place, name, annotation, default)
    if hasattr(type(default), "validation_alias"):  # pydantic's Field(...)
        raise ConfigurationError("write Annotated[..., Field(...)] and the default after it")
    if offer.seen is not None:
        offer.seen.append((place, name, annotation, default))
    if place == "body":
        return Body(annotation, default, offer)
    wire = wire_name(place, name, alias_of(annotation))
    if place == "path":
        return _of_path(wire, annotation, offer)
    if not _is_offered(place, offer):
        absent = absent_of(annotation, default)
        if absent is None or not offer.shared:
            raise ConfigurationError(f"{offer.route.sources[0]} events have no {_WORDS[place]}. {offer.mend()}")
        return lambda event: absent()
    if is_model(plain(annotation)):
        return _of_model(place, annotation, default)
    return _of_text(place, wire, annotation, default)


def _is_offered(place: str, offer: Offer) -> bool:
    """Whether the events of a route have a place at all."""
    route = offer.route
    return bool(route.methods) or any(_has(source, route.match, _FIELDS[place]) for source in route.sources)


def _has(source: Source, match: str, field: str) -> bool:
    if source is Source.WEBSOCKET and match != "$connect" and "*" not in match:
        return False  # only the request that opens a connection has them
    compute = f"_{field}"
    return getattr(event_class(source), compute) is not getattr(Event, compute)


def _of_path(name: str, annotation: Any, offer: Offer) -> Getter:
    if name not in offer.parameters and OF_OUTER_GROUPS not in offer.parameters:
        raise ConfigurationError(f"there is no path parameter {name!r}{offer.known()}")
    if ":" in offer.route.match:
        from router.dispatch.templates import check_template

        check_template(name, annotation, offer.route.match)
    if annotation is str:
        return OfPath(name)
    convert, at = compile_converter(annotation, text=True), f"path.{name}"

    def converted(event: Event) -> Any:
        value = event.params[name]  # already converted where the template has a type
        return value if type(value) is annotation else convert(str(value), at)

    return converted


def _of_text(place: str, wire: str, annotation: Any, default: Any) -> Getter:
    """Return a getter of one text, or of the list of texts that a name has."""
    many = wants_many(annotation)
    convert, at = compile_converter(annotation, text=True), f"{place}.{wire}"
    find = _FIND[place, many]
    absent = absent_of(annotation, default)
    if absent is None:
        absent = (lambda: convert([], at)) if many else (lambda: _missing(at))
    elif not takes_text(annotation):
        find = _unless_empty(find)

    def get(event: Event) -> Any:
        found = find(event, wire)
        return absent() if found is None else convert(found, at)

    return get


def _unless_empty(find: Find) -> Find:
    """Return a search to which `?page=`, as a form sends what nobody filled in, is as good as nothing."""

    def found(event: Event, name: str) -> Any:
        value = find(event, name)
        return None if value in ("", [""]) else value

    return found


def _of_model(place: str, annotation: Any, default: Any) -> Getter:
    """Return a getter of a model that is filled from all the parameters of a place."""
    from router.convert.limits import checked
    from router.convert.parameters import compile_model

    filled = compile_model(annotation, place)
    # Refuses the limits that a marker may have: they would be of one value.
    checked(lambda value, where: value, getattr(annotation, "__metadata__", ()), plain(annotation))
    absent = absent_of(annotation, default)
    field = _FIELDS[place]

    def get(event: Event) -> Any:
        held = getattr(event, field)
        many = hasattr(held, "getall")
        values = {name: held.getall(name) if many else [held[name]] for name in held}
        if absent is not None and filled.names.isdisjoint(values):
            return absent()
        return filled.fill(values)

    return get


def _missing(at: str) -> Any:
    raise mistake(at, "is missing")


class Body:
    """The body as some type: bytes and text as they are, anything else parsed and converted."""

    __slots__ = ("absent", "check", "convert", "model", "read", "validate")

    def __init__(self, annotation: Any, default: Any = REQUIRED, offer: Offer | None = None) -> None:
        kind = plain(annotation)
        self.absent = absent_of(annotation, default)
        self.read = _READ.get(kind, _json_of) if isinstance(kind, type) else _json_of
        self.model = kind if self.read is _json_of and holds_model(kind) else None
        self.validate: Callable[[Event], Any] | None = None
        self.check: Callable[[Event], None] | None = None
        if self.read is _json_of:
            self.convert = compile_converter(annotation, text=False)
            if _is_pydantic_alone(annotation, kind):
                from router.convert.containers import pydantic_body

                self.validate = pydantic_body(kind)
            if offer is not None and (offer.route.methods or Source.CLOUDFRONT in offer.route.sources):
                self.check = _json_type(offer.typeless)
        else:
            self.convert = _as_it_is(annotation, kind)

    def __call__(self, event: Event) -> Any:
        if self.absent is not None and not event.body:
            return self.absent()
        if self.check is not None:
            self.check(event)
        if self.validate is not None and self.absent is None:
            return self.validate(event)
        value = self.read(event)
        if value is None and self.absent is not None:  # null is how a call without data reads
            return self.absent()
        return self.convert(value, "body") if self.validate is None else self.validate(event)


def _is_pydantic_alone(annotation: Any, kind: Any) -> bool:
    """Whether a body is one pydantic model, with no limits beside it."""
    markers = getattr(annotation, "__metadata__", ())
    return isinstance(kind, type) and is_pydantic(kind) and all(isinstance(extra, type) for extra in markers)


def _json_of(event: Event) -> Any:
    return event.json()


def _json_type(typeless: bool) -> Callable[[Event], None]:
    """Return what refuses a body that does not say it is JSON.

    A page of another site can make a browser send a form or plain text, with cookies and without asking first (CORS).
    """

    def check(event: Any) -> None:
        declared = event._content_type()
        if declared != JSON and not is_json_type(declared) and (declared or not typeless) and event.body:
            came = f"is {declared[:100]!r}" if declared else "is missing"
            raise UnsupportedMediaType(f"the content type {came}; {JSON} is expected")

    return check


_READ: dict[type, Getter] = {bytes: lambda event: event.body, str: lambda event: event.text}


def _as_it_is(annotation: Any, kind: type) -> Converter:
    """Return the converter of bytes or text, which checks no more than the limits of a marker."""

    def same(value: Any, where: Any) -> Any:
        return value

    markers = [extra for extra in getattr(annotation, "__metadata__", ()) if not isinstance(extra, type)]
    if not markers:
        return same
    from router.convert.limits import checked

    return checked(same, markers, kind)


# ---- errors -----------------------------------------------------------------------------------------------------


def all_refusals(error: UnprocessableContent, getters: Iterable[Getter], subject: Any) -> UnprocessableContent:
    """Return one error with all that the arguments of a call refuse; `error` is that of the first."""
    errors: list[dict[str, str]] = []
    collect(errors, error)
    errors.clear()
    for get in getters:
        try:
            get(subject)
        except UnprocessableContent as refused:
            collect(errors, refused)
    return refusal(errors) if errors else error
