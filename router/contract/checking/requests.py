"""Find the requests that a template brings to functions: methods and paths of APIs, and what takes all of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from router.contract.checking.deployed import Delivery
from router.contract.checking.globs import ANY
from router.contract.checking.integrations import function_of_route, operations_of
from router.contract.checking.structure import mapping

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from router.contract.checking.deployed import Template

HTTP = "http"
"""The source of all requests here, whatever brings them."""

ALL = f"{ANY} {ANY}"
"""The name of a delivery that brings every request."""

_PARAMETER = re.compile(r"\{[^}]*\}")
# What brings any request, or those of a document that is not read.
_ANYTHING = (
    *("AWS::Lambda::Url", "AWS::ApiGateway::RestApi", "AWS::ApiGateway::Method"),
    *("AWS::ElasticLoadBalancingV2::TargetGroup", "AWS::VpcLattice::TargetGroup"),
)
# APIs of SAM, into which it puts the events of functions where they have no document of their own.
_OF_SAM = ("AWS::Serverless::Api", "AWS::Serverless::HttpApi")


def requests(template: Template) -> Iterator[Delivery]:
    """Return the requests of a template; of most APIs nobody can tell to which function they go."""
    own = False
    for function in template.functions:
        if "FunctionUrlConfig" in function.properties:
            yield Delivery(HTTP, function.logical, ALL, None, function.place, function.logical)
        for name, event in mapping(function.properties.get("Events")).items():
            if mapping(event).get("Type") in ("Api", "HttpApi"):
                own = True
                place = template.place(function.logical, "Properties", "Events", name)
                yield Delivery(HTTP, function.logical, _of_event(template, event), None, place, name)
    sockets = websockets(template)
    for logical, held in template.of_type("AWS::ApiGatewayV2::Route"):
        if template.references.logical_of(held.get("ApiId")) in sockets:
            continue
        key = template.references.text(held.get("RouteKey"))
        name = ALL if key == "$default" else _of_path(*key.partition(" ")[::2])
        yield Delivery(HTTP, function_of_route(template, held), name, logical, template.place(logical), logical)
    for logical, held in template.of_type(*_ANYTHING, *_OF_SAM):
        told = list(operations_of(template, held.get("DefinitionBody") or held.get("Body")))
        for method, path, called in told:
            yield Delivery(HTTP, called, _of_path(method, path), logical, template.place(logical), logical)
        if told:
            continue
        if not own or "DefinitionBody" in held or "DefinitionUri" in held or template.is_of(logical, *_ANYTHING):
            yield Delivery(HTTP, None, ALL, logical, template.place(logical), logical)


def websockets(template: Template) -> set[str | None]:
    """Return the logical ids of the WebSocket APIs of a template."""
    return {one for one, held in template.of_type("AWS::ApiGatewayV2::Api") if held.get("ProtocolType") == "WEBSOCKET"}


def _of_event(template: Template, event: Any) -> str:
    held = mapping(event.get("Properties"))
    if "Path" not in held:
        return ALL  # of an HttpApi: everything
    return _of_path(template.references.text(held.get("Method", "any")), template.references.text(held["Path"]))


def _of_path(method: str, path: str) -> str:
    return f"{ANY if method.lower() in ('any', 'x-amazon-apigateway-any-method') else method.upper()} {wide(path)}"


def wide(path: str) -> str:
    """Return a path with `*` for each of its parameters."""
    return _PARAMETER.sub(ANY, path)
