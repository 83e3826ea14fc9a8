"""For rules that hold for every source: its samples, the texts in them, and an application that takes them all.

Everything comes from the registry and from `router.testing.samples`, so that a new source is in each rule by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from router import Event, Resolver, RouterError, Source
from router.sources._registry import CARRIERS, HTTP_SOURCES, ROWS
from router.testing import Context, samples
from tests.unit.router.testing.samples.test_every_source import OTHER_FORMS

REPLIES = [source for source in Source if ROWS[source].kind == "reply" or ROWS[source].kind_of_list is not None]
RECORDS = [source for source in Source if ROWS[source].kind != "reply" and ROWS[source].records is not None]


class Arguments(dict[str, Any]):
    """The arguments of a tool, so that the application below knows in which context they come."""


def context_of(raw: Any) -> Context:
    """The context in which a payload comes."""
    return Context(client_context=samples.tool_client_context("find_order") if isinstance(raw, Arguments) else None)


def payloads(source: Source) -> dict[str, Callable[[], Any]]:
    """The builders of a source's payloads, by name: its sample, and its other forms."""
    others = {name: build for name, (of, build) in OTHER_FORMS.items() if of is source}
    build = samples.SAMPLES[source.value]
    return {source.value: (lambda: Arguments(build())) if source is Source.TOOL else build, **others}


def texts(value: Any, *path: Any) -> Iterator[tuple[Any, Any, tuple[Any, ...]]]:
    """Each text of a payload: what holds it, its key there, and the whole way to it."""
    for key, held in list(value.items() if type(value) is dict else enumerate(value) if type(value) is list else ()):
        if type(held) is str:
            yield value, key, (*path, key)
        else:
            yield from texts(held, *path, key)


def with_texts(raw: Any, values: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The payload with each of the values in the place of each of its texts; and what is where."""
    for holder, key, path in list(texts(raw)):
        kept = holder[key]
        for name, value in values.items():
            holder[key] = value
            yield f"{name} in {path}", raw
        holder[key] = kept


class Application:
    """One handler for the events of every source, or of those alone that are named."""

    def __init__(
        self,
        handle: Callable[[Event], Any],
        *,
        asynchronous: bool = False,
        batch: bool = False,
        unpack: bool = False,
        sources: tuple[Source, ...] = tuple(Source),
        **options: Any,
    ) -> None:
        async def handle_async(event: Event) -> Any:
            return handle(event)

        def handle_batch(events: list[Event]) -> None:
            for event in events:
                handle(event)

        self.resolver = Resolver(**options)
        one: Any = handle_async if asynchronous else handle
        for source in sources:
            if source in HTTP_SOURCES:
                continue
            if unpack and source in CARRIERS:
                self.resolver.unpack("*", source=source.value)
            elif batch and ROWS[source].records is not None:
                self.resolver.on(source, "*", batch=True)(handle_batch)
            else:
                self.resolver.on(source, "*")(one)
        self.resolver.on_connect()(one)
        self.resolver.on_disconnect()(one)
        for path in ("/", "/{rest+}"):
            self.resolver.route(path)(one)

    def call(self, raw: Any) -> Any:
        """The answer; every error goes on."""
        return self.resolver.resolve(raw, context_of(raw))

    def resolve(self, raw: Any) -> Any:
        """The answer, or the error of the library's own that it comes to. Any other error goes on."""
        try:
            if type(raw) is dict and "TASK_NAME" in raw:
                return self.resolver.run_task(raw)
            return self.call(raw)
        except RouterError as error:
            return error
