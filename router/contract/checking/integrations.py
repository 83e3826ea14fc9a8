"""Find the functions that routes of API Gateway lead to: by the integration that they, or their document, name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from router.contract.checking.structure import mapping

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from router.contract.checking.deployed import Template

_NAMED = re.compile(r"\$\{(\w+)")


def function_of_route(template: Template, route: Mapping[str, Any]) -> str | None:
    """Return the logical id of the function that a route of an HTTP or WebSocket API leads to; None where it is open.

    route: the properties of the route.
    """
    for logical in _referred(route.get("Target")):
        if template.is_of(logical, "AWS::ApiGatewayV2::Integration"):
            return _function(template, template.properties(logical).get("IntegrationUri"))
    return None


def operations_of(template: Template, document: Any) -> Iterator[tuple[str, str, str | None]]:
    """Yield method, path and function of each operation in a document of OpenAPI."""
    for path, operations in mapping(mapping(document).get("paths")).items():
        for method, operation in mapping(operations).items():
            integration = mapping(mapping(operation).get("x-amazon-apigateway-integration"))
            if integration:
                yield method, path, _function(template, integration.get("uri"))


def _function(template: Template, value: Any) -> str | None:
    named = [template.function_of({"Ref": one}) for one in _referred(value)]
    return next((one for one in named if one is not None), None) or template.function_of(value)


def _referred(value: Any) -> Iterator[str]:
    """Yield the logical ids that a value names."""
    if isinstance(value, dict):
        for function, given in value.items():
            if function == "Ref":
                yield str(given)
            elif function == "Fn::GetAtt":
                yield str(given[0] if isinstance(given, list) else given).partition(".")[0]
            elif function == "Fn::Sub":
                text = given[0] if isinstance(given, list) else given
                yield from _NAMED.findall(str(text))
                yield from _referred(given[1:] if isinstance(given, list) else [])
            else:
                yield from _referred(given)
    elif isinstance(value, list):
        for one in value:
            yield from _referred(one)
