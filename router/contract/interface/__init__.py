"""Describe what the routes take and answer, as plain data: every interface document is made of it.

described = describe(resolver, Info("The shop", "1.4.0"))
for operation in described.operations: ...
"""

from __future__ import annotations

from router.contract.interface.model import Answer as Answer
from router.contract.interface.model import Info as Info
from router.contract.interface.model import Interface as Interface
from router.contract.interface.model import Operation as Operation
from router.contract.interface.model import Parameter as Parameter
from router.contract.interface.model import Payload as Payload
from router.contract.interface.reading import describe as describe

__all__ = ["Answer", "Info", "Interface", "Operation", "Parameter", "Payload", "describe"]
