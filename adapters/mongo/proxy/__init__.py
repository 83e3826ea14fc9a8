"""A query proxy: `find` and `aggregate` for clients outside, over an allow-list, in the database of their tenant.

    proxy = QueryProxy({"orders": Exposed(orders, fields=("sku", "status", "total", "customer.city"))})
    page = proxy.find({"collection": "orders", "filter": {"status": {"$in": ["open"]}}, "sort": ["-total"]})

A request is data of a stranger. It is read from top to bottom into a new filter or pipeline; what is not known is
refused, and nothing of the request itself goes to the database.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from adapters.mongo.proxy.exposed import Exposed as Exposed
    from adapters.mongo.proxy.proxy import QueryProxy as QueryProxy
    from adapters.mongo.proxy.refusal import QueryRefused as QueryRefused
    from adapters.mongo.proxy.request_limits import Limits as Limits
else:
    from router.lazy import lazy_names

    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        {
            "exposed": "Exposed",
            "request_limits": "Limits",
            "proxy": "QueryProxy",
            "refusal": "QueryRefused",
        },
    )
