"""Plans with dependencies: what `Depends` asks for is provided once a dispatch, and torn down after the handler."""

from __future__ import annotations

import inspect

from router.dispatch.plan import Argument, Offer, Plan, drive, generator_kind, is_async
from router.dispatch.signature import read_signature
from router.errors import ConfigurationError, UnprocessableContent
from router.response import refuse_unawaited

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Provider:
    """A function that provides an argument, with its own arguments bound."""

    __slots__ = ("arguments", "function", "kind")

    def __init__(self, function: Callable[..., Any], arguments: list[Bound]) -> None:
        self.function = function
        self.arguments = arguments
        self.kind = generator_kind(function) or ("async" if is_async(function) else "sync")

    @property
    def needs_await(self) -> bool:
        return self.kind.startswith("async") or any(
            bound.provider is not None and bound.provider.needs_await for bound in self.arguments
        )


class Bound:
    """An argument with what gives it: a getter, or a provider."""

    __slots__ = ("by_keyword", "cached", "get", "name", "provider")

    def __init__(self, argument: Argument, provider: Provider | None, cached: bool) -> None:
        self.name = argument.name
        self.by_keyword = argument.by_keyword
        self.get: Any = argument.get
        self.provider = provider
        self.cached = cached


def plan_with_dependencies(
    handler: Callable[..., Any],
    arguments: list[Argument],
    where: str,
    offer: Offer,
    overrides: dict[Any, Any],
) -> Plan:
    """Return the plan of a handler that has dependencies."""
    asynchronous = is_async(handler)
    binder = _Binder(where, offer, overrides)
    bound = binder.bind(arguments, ())
    if offer.of_tool:
        from router.dispatch.tool_arguments import settle

        settle(binder.getters, offer)
    needs_await = asynchronous or any(one.provider is not None and one.provider.needs_await for one in bound)

    async def call(event: Any) -> Any:
        cache: dict[Any, Any] = {}
        open_generators: list[Any] = []
        try:
            positional, named = await _provide(bound, event, cache, open_generators)
            result = handler(*positional, **named)
            if asynchronous:
                result = await result
        except BaseException as error:
            await _tear_down(open_generators, error)
            raise
        await _tear_down(open_generators, None)
        return result

    return Plan(call if needs_await else lambda event: drive(call(event)), needs_await)


class _Binder:
    """Binds dependencies of dependencies; refuses a circle."""

    def __init__(self, where: str, offer: Offer, overrides: dict[Any, Any]) -> None:
        self.where = where
        self.offer = Offer(offer.route, offer.parameters, shared=True, typeless=offer.typeless)
        self.overrides = overrides
        self.getters: list[Any] = []  # of all arguments that come from the event

    def bind(self, arguments: list[Argument], above: tuple[Any, ...]) -> list[Bound]:
        return [self._bind_one(argument, above) for argument in arguments]

    def _bind_one(self, argument: Argument, above: tuple[Any, ...]) -> Bound:
        dependency = argument.dependency
        if dependency is None:
            self.getters.append(argument.get)
            return Bound(argument, None, True)
        function = self.overrides.get(dependency.provide, dependency.provide)
        name = getattr(function, "__qualname__", repr(function))
        if not callable(function):
            raise ConfigurationError(f"{self.where}: Depends({function!r}) of {argument.name!r} is not callable")
        if function in above:
            raise ConfigurationError(f"{self.where}: the dependency {name} depends on itself")
        inner = read_signature(function, f"{self.where}, dependency {name}", self.offer)
        return Bound(argument, Provider(function, self.bind(inner, (*above, function))), dependency.cached)


async def _provide(
    bound: list[Bound], event: Any, cache: dict[Any, Any], open_generators: list[Any]
) -> tuple[list[Any], dict[str, Any]]:
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for one in bound:
        if one.provider is None:
            value = _given(one, bound, event)
        else:
            value = await _value_of(one, one.provider, event, cache, open_generators)
        if one.by_keyword:
            named[one.name] = value
        else:
            positional.append(value)
    return positional, named


def _given(one: Bound, bound: list[Bound], event: Any) -> Any:
    """Return what a getter gives; its error names all that is wrong with the arguments beside it, too."""
    try:
        return one.get(event)
    except UnprocessableContent as error:
        from router.dispatch.places import all_refusals

        raise all_refusals(error, [other.get for other in bound if other.get is not None], event) from None


async def _value_of(
    one: Bound, provider: Provider, event: Any, cache: dict[Any, Any], open_generators: list[Any]
) -> Any:
    if one.cached and provider.function in cache:
        return cache[provider.function]
    positional, named = await _provide(provider.arguments, event, cache, open_generators)
    made = provider.function(*positional, **named)
    if hasattr(made, "__await__") and provider.kind == "async":
        made = await made
    # What a function is wrapped in may say less than what it returns.
    if inspect.isgenerator(made) or inspect.isasyncgen(made):
        open_generators.append(made)
        made = await _first_of(made)
    refuse_unawaited(made, f"the dependency {getattr(provider.function, '__qualname__', provider.function)}")
    if one.cached:
        cache[provider.function] = made
    return made


async def _first_of(generator: Any) -> Any:
    try:
        return await anext(generator) if inspect.isasyncgen(generator) else next(generator)
    except (StopIteration, StopAsyncIteration):
        raise ConfigurationError(f"the dependency {generator.__qualname__} yields nothing") from None


async def _tear_down(open_generators: list[Any], error: BaseException | None) -> None:
    """Resume the generators, the last first. An error of the handler is raised inside them, and goes on after them."""
    failure: BaseException | None = None
    while open_generators:
        generator = open_generators.pop()
        current = failure or error
        try:
            if inspect.isasyncgen(generator):
                await (anext(generator) if current is None else generator.athrow(current))
            else:
                next(generator) if current is None else generator.throw(current)
        except (StopIteration, StopAsyncIteration):
            pass
        except BaseException as raised:
            if raised is not error:
                failure = raised
        else:
            failure = ConfigurationError(f"the dependency {generator.__qualname__} yields more than once")
    if failure is not None:
        raise failure
