"""Make an operation of an OpenAPI document: what it takes, what it answers, and who may call it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from router.contract.interface import Operation
    from router.contract.openapi.answers import Answers
    from router.contract.openapi.requests import Requests
    from router.contract.openapi.security import Security


def operation_of(one: Operation, path: str, requests: Requests, answers: Answers, security: Security) -> dict[str, Any]:
    """Return an operation of a document.

    path: that of the document, which may name its parameters otherwise than the route does.
    """
    made: dict[str, Any] = {"operationId": one.name}
    if one.summary:
        made["summary"] = one.summary
    told = [part for part in (one.description, security.note(one)) if part]
    if told:
        made["description"] = "\n\n".join(told)
    if one.tags:
        made["tags"] = list(one.tags)
    if one.deprecated:
        made["deprecated"] = True
    if parameters := requests.parameters(one, path):
        made["parameters"] = parameters
    if body := requests.body(one):
        made["requestBody"] = body
    made["responses"] = answers.of(one)
    requirements = security.of(one)
    if requirements is not None:
        made["security"] = requirements
    return made
