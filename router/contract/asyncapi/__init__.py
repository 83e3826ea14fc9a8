"""Write the AsyncAPI document of an application: channels, messages, and who sends and receives them.

document = asyncapi(describe(resolver, Info("The shop", "1.4.0")))
"""

from __future__ import annotations

from router.contract.asyncapi.document import asyncapi as asyncapi

__all__ = ["asyncapi"]
