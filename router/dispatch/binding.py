"""Makes the plan of a handler: its signature is read once, when the route is registered."""

from __future__ import annotations

from router.dispatch.plan import Argument, Offer, OfPath, Plan, awaiting, generator_kind, is_async, itself, session_of
from router.dispatch.signature import read_signature
from router.errors import ConfigurationError, UnprocessableContent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

    from router.dispatch.plan import Getter
    from router.event import Event
    from router.routing.route import Route

_NEVER_REFUSES = (itself, session_of)


def bind(
    route: Route, parameters: Collection[str], overrides: dict[Any, Any] | None = None, *, typeless: bool = False
) -> Plan:
    """Return the plan of a route's handler.

    parameters: the names of the path parameters; OF_OUTER_GROUPS among them where there may be others.
    overrides: what takes the place of dependencies, by the function that provides them.
    typeless: whether a JSON body may come without a content type.
    Raises ConfigurationError for a signature that no event could satisfy.
    """
    handler, where, model = route.handler, str(route), route.model
    if generator_kind(handler) is not None:
        raise ConfigurationError(f"{where}: the handler is a generator; return the result instead of yielding it")
    offer = Offer(route, parameters, typeless=typeless)
    arguments = read_signature(handler, where, offer, model)
    if any(argument.dependency for argument in arguments):
        from router.dispatch.depends import plan_with_dependencies

        plan = plan_with_dependencies(awaiting(handler), arguments, where, offer, overrides or {})
    else:
        plan = Plan(_flat_call(awaiting(handler), arguments), is_async(handler))
    if offer.names is not None:
        from router.dispatch.tool_arguments import refusing_others

        plan = Plan(refusing_others(plan.call, offer.names), plan.is_async)
    if model is not None:
        plan = _with_model(plan, arguments, model, where, route.batch)
    if route.durable or any(hasattr(argument.get, "durable") for argument in arguments):
        from router.dispatch.durable_calls import check_durable

        check_durable(route)
        plan.durable = True
    if route.permission is not None:
        from router.dispatch.permission import questions

        values = {} if route.batch else {argument.name: argument.get for argument in arguments if argument.get}
        plan.asked = questions(route, values, [get for get in values.values() if _may_refuse(get)])
    return plan


def check_bound(route: Route, parameters: Collection[str]) -> None:
    """Refuse a route whose handler cannot be bound, also as the tool that it is, too.

    Raises:
        ConfigurationError: no event could satisfy the signature.
    """
    bind(route, parameters)
    if route.tool:
        from router.dispatch.http_tools import register_tool

        register_tool(route, lambda tool: bind(tool, ()))


def _with_model(plan: Plan, arguments: list[Argument], model: Any, where: str, batch: bool) -> Plan:
    """Return a plan that checks each body against the model of a typed topic or queue, whatever the handler takes."""
    from router.dispatch.places import Body

    if any(isinstance(argument.get, Body) for argument in arguments):
        return plan
    try:
        check, call = Body(model), plan.call
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: the model: {error}") from None

    if batch:  # asked of each event by itself: one wrong body must not fail the others
        return Plan(call, plan.is_async, check)

    def check_and_call(event: Event) -> Any:
        check(event)
        return call(event)

    return Plan(check_and_call, plan.is_async)


def _flat_call(handler: Callable[..., Any], arguments: list[Argument]) -> Callable[[Any], Any]:
    """Return what calls a handler: the common shapes without any loop, the rest with one."""
    positional = [argument.get for argument in arguments if argument.get and not argument.by_keyword]
    named = {argument.name: argument.get for argument in arguments if argument.get and argument.by_keyword}
    if named or len(positional) > 2 or len([get for get in positional if _may_refuse(get)]) > 1:
        return _call_of_many(handler, positional, named)
    if not positional:
        return lambda event: handler()
    if len(positional) == 1:
        return _call_of_one(handler, positional[0])
    first, second = positional
    if first is itself and second is session_of:
        return lambda event: handler(event, event.session)
    return lambda event: handler(first(event), second(event))


def _call_of_one(handler: Callable[..., Any], get: Getter) -> Callable[[Any], Any]:
    if get is itself:
        return handler
    if isinstance(get, OfPath):  # the commonest shape, without a call in between
        name = get.name
        return lambda event: handler(event.params[name])
    return lambda event: handler(get(event))


def _may_refuse(get: Getter) -> bool:
    return get not in _NEVER_REFUSES and not isinstance(get, OfPath)


def _call_of_many(
    handler: Callable[..., Any], positional: list[Getter], named: dict[str, Getter]
) -> Callable[[Any], Any]:
    """Return a call whose error names all that is wrong with its arguments, not only the first."""
    by_name = list(named.items())

    def call(event: Any) -> Any:
        try:
            values = [get(event) for get in positional]
            others = {name: get(event) for name, get in by_name}
        except UnprocessableContent as error:
            from router.dispatch.places import all_refusals

            raise all_refusals(error, (*positional, *named.values()), event) from None
        return handler(*values, **others)

    return call
