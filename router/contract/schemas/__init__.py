"""Write annotations as JSON Schema 2020-12, as far as the converter of requests and the writer of answers know them.

schemas = Schemas()
schema = schemas.of(list[Order], "POST /orders (shop/app.py:12), the body")
components = schemas.components()
"""

from __future__ import annotations

from router.contract.schemas.components import Schemas as Schemas
from router.contract.schemas.components import asked_for as asked_for
from router.contract.schemas.dialect import as_30 as as_30
from router.contract.schemas.flat import flattened as flattened

__all__ = ["Schemas", "as_30", "asked_for", "flattened"]
