"""Describe what an application needs around it: its triggers, its resources, its permissions.

    stack = Stack("shop.app:resolver", Queue("orders", dead_letter=3), Schedule("nightly", "rate(1 day)"))

Declare in a module of its own, which no handler imports: a function in Lambda needs none of this.
Names are loaded when they are first used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from router.contract.apis import FunctionUrl as FunctionUrl
    from router.contract.apis import HttpApi as HttpApi
    from router.contract.apis import RestApi as RestApi
    from router.contract.apis import WebSocketApi as WebSocketApi
    from router.contract.compute import Function as Function
    from router.contract.compute import Task as Task
    from router.contract.declarations import Bucket as Bucket
    from router.contract.declarations import Bus as Bus
    from router.contract.declarations import Kafka as Kafka
    from router.contract.declarations import Queue as Queue
    from router.contract.declarations import Schedule as Schedule
    from router.contract.declarations import Secret as Secret
    from router.contract.declarations import Stream as Stream
    from router.contract.declarations import Table as Table
    from router.contract.declarations import Topic as Topic
    from router.contract.interface.model import Info as Info
    from router.contract.openapi.serving import serve_openapi as serve_openapi
    from router.contract.stack import Stack as Stack
else:
    from router.lazy import lazy_names

    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        {
            "apis": "FunctionUrl HttpApi RestApi WebSocketApi",
            "compute": "Function Task",
            "declarations": "Bucket Bus Kafka Queue Schedule Secret Stream Table Topic",
            "interface.model": "Info",
            "openapi.serving": "serve_openapi",
            "stack": "Stack",
        },
    )
