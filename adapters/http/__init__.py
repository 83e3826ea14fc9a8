"""HTTP: call sister services by name, with the session attached.

    services = Services({"billing": "https://billing.internal", "stock": "https://api.example.com/stock"})
    invoice = services.get("billing", "/invoices/1").json()
    await services.post_async("billing", ["invoices", order_id, "payments"], json={"amount": "9.90"})

The session travels in the header `x-junction-session`, to the named services alone. Needs the extra `http`:
`pip install "lambda-junction[http]"`; httpx is imported at the first call. Every verb has an `_async` twin.
"""

from __future__ import annotations

from adapters.http.service_errors import ServiceFailed
from adapters.http.services import Services

__all__ = ["ServiceFailed", "Services"]
