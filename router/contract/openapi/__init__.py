"""Write OpenAPI documents: what the HTTP routes of an application take and answer.

document = openapi(describe(resolver, Info("The shop", "1.4.0")))
"""

from __future__ import annotations

from router.contract.openapi.document import VERSIONS as VERSIONS
from router.contract.openapi.document import openapi as openapi
from router.contract.openapi.merging import merged as merged

__all__ = ["VERSIONS", "merged", "openapi"]
