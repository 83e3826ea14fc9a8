"""Describe what the routes take and answer, as plain data: every interface document is made of it.

described = describe(resolver, Info("The shop", "1.4.0"))
for operation in described.operations: ...

Names are loaded when they are first used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from router.contract.interface.model import Answer as Answer
    from router.contract.interface.model import Info as Info
    from router.contract.interface.model import Interface as Interface
    from router.contract.interface.model import Operation as Operation
    from router.contract.interface.model import Parameter as Parameter
    from router.contract.interface.model import Payload as Payload
    from router.contract.interface.reading import describe as describe
else:
    from router.lazy import lazy_names

    __getattr__, __dir__, __all__ = lazy_names(
        __name__, {"model": "Answer Info Interface Operation Parameter Payload", "reading": "describe"}
    )
