"""Make documents of small applications, each checked by openapi-spec-validator."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from openapi_spec_validator import validate

from router import Resolver
from router.contract import Info
from router.contract.interface import describe
from router.contract.openapi import openapi

PROBLEM = "application/problem+json"
JSON = "application/json"


def document_of(resolver: Resolver, version: str = "3.1.0") -> dict[str, Any]:
    made = json.loads(json.dumps(openapi(describe(resolver, Info("A shop")), version)))
    validate(made)
    return made


def only(register: Callable[[Resolver], object], **options: Any) -> dict[str, Any]:
    """Return the only operation of a document."""
    resolver = Resolver(**options)
    register(resolver)
    (path,) = document_of(resolver)["paths"].values()
    (operation,) = path.values()
    return operation
