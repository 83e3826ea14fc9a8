"""What a handler asks for as optional is given to it wherever it is there, on every source."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Optional, Union

import pytest
from pydantic import BaseModel, ConfigDict

import router
from router import Event, Resolver, Response, Session, Source
from router.sources import cloudformation
from router.sources._registry import ROWS
from tests.unit.rules.payloads import context_of, payloads


class Anything(BaseModel):
    """A body of any fields."""

    model_config = ConfigDict(extra="allow")


NOTHING = object()
ANN = Session("acme", "ann")
EVENT_FORMS: dict[str, Callable[[Any], Any]] = {
    "T": lambda kind: kind,
    "T | None": lambda kind: kind | None,
    "Optional[T]": lambda kind: Optional[kind],  # noqa: UP045 - people write it
    "Union[None, T]": lambda kind: Union[None, kind],  # noqa: UP007 - and this
}


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent to CloudFormation."""
    monkeypatch.setattr(cloudformation, "_put", lambda url, body: (None, False))


def taken(source: Source, annotation: Any, default: Any, raw: Any) -> Any:
    """What a handler of a source gets for an argument of this annotation."""
    seen: list[Any] = []

    def handle(thing: Any = None) -> Any:
        seen.append(thing)
        return Response() if ROWS[source].by_path or source in ("websocket", "cloudfront") else None

    parameter = inspect.Parameter("thing", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=annotation)
    parameter = parameter if default is NOTHING else parameter.replace(default=default)
    handle.__signature__ = inspect.Signature([parameter])  # type: ignore[attr-defined]
    handle.__annotations__ = {"thing": annotation}
    handle.__defaults__ = None if default is NOTHING else (default,)

    def signed_in(event: Event) -> Any:
        event.session = ANN
        yield

    resolver = Resolver().use(signed_in)
    if ROWS[source].by_path:
        resolver.route("/")(handle)
        resolver.route("/{rest+}")(handle)
    else:
        resolver.on(source, "*")(handle)
    if source is Source.WEBSOCKET:
        resolver.on_connect()(handle)
        resolver.on_disconnect()(handle)
    if source is Source.TASK:
        assert resolver.run_task(raw) == 0
    else:
        resolver.resolve(raw, context_of(raw))
    assert len(seen) >= 1 or "s3:TestEvent" in str(raw)
    return seen[0] if seen else default


@pytest.mark.parametrize("default", [NOTHING, None], ids=["no default", "None"])
@pytest.mark.parametrize("form", EVENT_FORMS)
@pytest.mark.parametrize("source", Source)
def test_the_event_and_the_session_are_given_in_each_form(source: Source, form: str, default: Any) -> None:
    raw = payloads(source)[source.value]()
    own = getattr(router, ROWS[source].event, Event)
    for kind in (Event, own):
        assert isinstance(taken(source, EVENT_FORMS[form](kind), default, raw), kind), f"{source.value}: {kind}"
    asked = type(raw)() if source is Source.TOOL else raw  # a tool without arguments refuses any
    assert taken(source, EVENT_FORMS[form](Session), default, asked) == ANN, source.value


@pytest.mark.parametrize("source", Source)
def test_an_optional_body_is_filled_where_there_is_one(source: Source) -> None:
    """A model that takes any object: where `event.json()` is one, the handler gets it."""
    for build in payloads(source).values():
        bodies: list[Any] = []

        def look(event: Event, bodies: list[Any] = bodies) -> None:
            try:
                bodies.append(event.json())
            except router.RouterError:
                bodies.append(None)

        events = router.read(build())
        for event in events[:1]:
            look(event)
        if not bodies or type(bodies[0]) is not dict or not _has_json(source, events[0]):
            continue
        for form, made in EVENT_FORMS.items():
            for default in (NOTHING, None):
                body = taken(source, made(Anything), default, build())
                assert isinstance(body, Anything), f"{source.value}: {form}"
                assert set(body.model_dump()) == set(bodies[0]), f"{source.value}: {form}"


def _has_json(source: Source, event: Any) -> bool:
    """Whether the body says that it is JSON, where a client says what it is."""
    return not (ROWS[source].by_path or source == "cloudfront") or "json" in event.headers.get("content-type", "")
