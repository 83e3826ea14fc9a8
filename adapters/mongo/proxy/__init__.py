"""A query proxy: `find` and `aggregate` for clients outside, over an allow-list, in the database of their tenant.

    proxy = QueryProxy({"orders": Exposed(orders, fields=("sku", "status", "total", "customer.city"))})
    page = proxy.find({"collection": "orders", "filter": {"status": {"$in": ["open"]}}, "sort": ["-total"]})

A request is data of a stranger. It is read from top to bottom into a new filter or pipeline; what is not known is
refused, and nothing of the request itself goes to the database.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from adapters.mongo.proxy.errors import QueryRefused as QueryRefused
    from adapters.mongo.proxy.exposed import Exposed as Exposed
    from adapters.mongo.proxy.limits import Limits as Limits
    from adapters.mongo.proxy.proxy import QueryProxy as QueryProxy

_HOME = {"Exposed": "exposed", "Limits": "limits", "QueryProxy": "proxy", "QueryRefused": "errors"}

__all__ = sorted(_HOME)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
