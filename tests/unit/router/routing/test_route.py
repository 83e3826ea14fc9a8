"""`Route`: one registered route, frozen, and refused at once when its options make no sense."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from adapters.messaging import Queue, Topic
from router.errors import ConfigurationError
from router.event import Source
from router.routing.route import STREAM_SOURCES, Route
from router.sources._registry import HTTP_SOURCES, RECORD_SOURCES


def show() -> None:
    """Show an order.

    More of it.
    """


class Handler:
    """Not the summary of what it handles."""

    def __call__(self) -> None: ...


def queue(handler: Any = show, match: Any = "orders", **options: Any) -> Route:
    return Route((Source.SQS,), match, handler, **options)


def test_name_and_summary_come_from_the_handler() -> None:
    route = queue()
    assert (route.name, route.summary) == ("show", "Show an order.")
    named = queue(name="orders.show", summary="All orders")
    assert (named.name, named.summary) == ("orders.show", "All orders")
    anonymous = queue(Handler())
    assert (anonymous.name, anonymous.summary, anonymous.where) == ("Handler", "", "Handler")
    assert queue(partial(show)).summary == ""


def test_what_was_not_given() -> None:
    route = queue()
    assert (route.methods, route.events, route.middleware, route.tags) == ((), (), (), ())
    assert (route.pattern, route.permission, dict(route.requires)) == (None, None, {})
    assert (route.batch, route.concurrency, route.prefix, route.suffix, route.bus_source) == (False, 1, "", "", "")


def test_one_value_stands_for_a_list_of_one() -> None:
    route = queue(tags="orders", middleware=print, events="INSERT")
    assert (route.tags, route.middleware, route.events) == (("orders",), (print,), ("INSERT",))
    assert queue(tags=["a", "b"], middleware=[print, len]).middleware == (print, len)


@pytest.mark.parametrize(
    ("sources", "options", "text"),
    [
        (HTTP_SOURCES, {"methods": ("GET",)}, "GET /orders"),
        (HTTP_SOURCES, {"methods": ("GET", "POST")}, "GET|POST /orders"),
        ((Source.SQS,), {}, "sqs /orders"),
        (STREAM_SOURCES, {}, "stream /orders"),
        ((Source.DYNAMODB,), {}, "dynamodb /orders"),
    ],
)
def test_how_messages_name_it(sources: tuple[Source, ...], options: dict[str, Any], text: str) -> None:
    route = Route(sources, "/orders", show, **options)
    assert str(route) == text
    assert repr(route) == f"<Route {text} -> show>"
    assert route.where.startswith("show (")
    assert "test_route.py:" in route.where


def test_it_is_frozen_and_copied_with_changes() -> None:
    route = queue(tags=["a"], batch=True, concurrency=3)
    with pytest.raises(AttributeError, match="frozen"):
        route.match = "other"
    other = route.replace(match="other", concurrency=4)
    assert (other.match, other.concurrency, other.batch, other.tags) == ("other", 4, True, ("a",))
    assert (route.match, route.concurrency) == ("orders", 3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"handler": "show"}, "the handler must be callable, not str"),
        ({"handler": None}, "the handler must be callable, not NoneType"),
        ({"match": ""}, "expected a name or path"),
        ({"match": 5}, "expected a name or path, got 5"),
        ({"permission": "admin"}, "permission= takes a callable"),
        ({"batch": 1}, "batch= takes True or False"),
        ({"batch": "yes"}, "batch= takes True or False"),
        ({"concurrency": 0}, "an integer from 1"),
        ({"concurrency": -1}, "an integer from 1"),
        ({"concurrency": 2.0}, "an integer from 1"),
        ({"concurrency": True}, "an integer from 1"),
        ({"batched": True, "patern": {}}, "unknown option batched, patern"),
        ({"publishes": ["orders"]}, "publishes= takes typed topics and queues of adapters.messaging, not 'orders'"),
        ({"publishes": None}, "publishes= takes typed topics and queues of adapters.messaging, not None"),
        ({"publishes": dict}, "publishes= takes typed topics and queues"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        queue(**options)


@pytest.mark.parametrize("source", Source)
@pytest.mark.parametrize("options", [{"batch": True}, {"concurrency": 2}])
def test_only_sources_of_records_take_batches(source: Source, options: dict[str, Any]) -> None:
    if source in RECORD_SOURCES:
        assert Route((source,), "*", show, **options).sources == (source,)
    else:
        with pytest.raises(ConfigurationError, match="for sources that deliver records"):
            Route((source,), "a", show, **options)


def test_it_names_the_typed_topics_and_queues_that_its_handler_sends_to() -> None:
    announced, billed = Topic("order-events", None), Queue("bills", None)
    assert queue(publishes=[announced, billed]).publishes == (announced, billed)
    assert queue(publishes=announced).publishes == (announced,)
    assert queue().publishes == ()
    assert [one.kind for one in (announced, billed)] == ["topic", "queue"]
