"""An application whose paths overlap, with routes in three functions, and its stack."""

from __future__ import annotations

import os
from typing import Any

from router import Event, Resolver, Response
from router.contract import Function, HttpApi, RestApi, Stack

resolver = Resolver()


def answer(event: Event, name: str) -> Response:
    """Say who answers, and what it read."""
    return Response({"handler": name, **event.params}, headers={"x-function": os.environ.get("JUNCTION_FUNCTION", "")})


@resolver.get("/")
def home(event: Event) -> Response:
    return answer(event, "home")


@resolver.get("/things/new")
def blank(event: Event) -> Response:
    return answer(event, "blank")


@resolver.post("/things")
def add(event: Event) -> Response:
    return answer(event, "add")


@resolver.get("/files/{rest+}")
def file(event: Event) -> Response:
    return answer(event, "file")


@resolver.get("/{tenant}/report")
def report(event: Event) -> Response:
    return answer(event, "report")


@resolver.get("/things/{name}", function="items")
def thing(event: Event) -> Response:
    return answer(event, "thing")


@resolver.delete("/things/{other}", function="items")
def remove(event: Event) -> Response:
    return answer(event, "remove")


@resolver.get("/{shop}/orders/{number:int}", function="items")
def order(event: Event) -> Response:
    return answer(event, "order")


@resolver.put("/things/{name}", function="archive")
def put(event: Event) -> Response:
    return answer(event, "put")


@resolver.get("/files/old/{year}", function="archive")
def old(event: Event) -> Response:
    return answer(event, "old")


def handler(event: Any, context: Any) -> Any:
    return resolver.resolve(event, context)


stack = Stack(
    "tests.integration.deployed.paths_stack:resolver",
    Function(memory=256),
    HttpApi(),
    RestApi(),
    name="paths",
    handler="tests.integration.deployed.paths_stack.handler",
)
