"""Find the requests that a template brings to functions: methods and paths of APIs, and what takes all of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from router.contract.checking.deployed import Delivery
from router.contract.checking.globs import ANY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from router.contract.checking.deployed import Template

HTTP = "http"
"""The source of all requests here, whatever brings them."""

_ALL = f"{ANY} {ANY}"
_PARAMETER = re.compile(r"\{[^}]*\}")
# What brings any request, or those of a document that is not read.
_ANYTHING = (
    *("AWS::Lambda::Url", "AWS::Serverless::Api", "AWS::ApiGateway::RestApi", "AWS::ApiGateway::Method"),
    *("AWS::ElasticLoadBalancingV2::TargetGroup", "AWS::VpcLattice::TargetGroup"),
)


def requests(template: Template) -> Iterator[Delivery]:
    """Return the requests of a template; of most APIs nobody can tell to which function they go."""
    own = False
    for function in template.functions:
        if "FunctionUrlConfig" in function.properties:
            yield Delivery(HTTP, function.logical, _ALL, None, function.place, function.logical)
        events: Any = function.properties.get("Events")
        for name, event in events.items() if hasattr(events, "items") else ():
            if event.get("Type") in ("Api", "HttpApi"):
                own = True
                place = template.place(function.logical, "Properties", "Events", name)
                yield Delivery(HTTP, function.logical, _of_event(template, event), None, place, name)
    for logical, held in template.of_type("AWS::ApiGatewayV2::Route"):
        key = template.references.text(held.get("RouteKey"))
        name = _ALL if key == "$default" else _of_path(*key.partition(" ")[::2])
        yield Delivery(HTTP, None, name, logical, template.place(logical), logical)
    for logical, held in template.of_type(*_ANYTHING, "AWS::Serverless::HttpApi"):
        # SAM puts the events of functions into an API without a document of its own.
        if not own or "DefinitionBody" in held or "DefinitionUri" in held or template.is_of(logical, *_ANYTHING[2:]):
            yield Delivery(HTTP, None, _ALL, logical, template.place(logical), logical)


def _of_event(template: Template, event: Any) -> str:
    held = event.get("Properties") or {}
    if "Path" not in held:
        return _ALL  # of an HttpApi: everything
    return _of_path(template.references.text(held.get("Method", "any")), template.references.text(held["Path"]))


def _of_path(method: str, path: str) -> str:
    return f"{ANY if method.lower() in ('any', 'x-amazon-apigateway-any-method') else method.upper()} {wide(path)}"


def wide(path: str) -> str:
    """Return a path with `*` for each of its parameters."""
    return _PARAMETER.sub(ANY, path)
