"""DynamoDB: dataclasses and pydantic models as items of one table, with keys made of templates.

    @item(pk="user#{id}", sk="profile", indexes={"by_email": Index(pk="email#{email}")})
    @dataclass
    class User:
        id: str
        email: str | None = None

    table = Table("app", [User], tenant_prefix=True)
    table.put(User("u1", "ann@example.com"))
    table.query(User, "ann@example.com", index="by_email").first()

Needs the extra `aws`: `pip install "lambda-junction[aws]"`. botocore is imported at the first call, and names here
when they are first used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from adapters.dynamodb.errors import AlreadyExists as AlreadyExists
    from adapters.dynamodb.errors import ConditionFailed as ConditionFailed
    from adapters.dynamodb.errors import InvalidKey as InvalidKey
    from adapters.dynamodb.errors import InvalidPageToken as InvalidPageToken
    from adapters.dynamodb.errors import InvalidRequest as InvalidRequest
    from adapters.dynamodb.errors import ItemError as ItemError
    from adapters.dynamodb.errors import ItemNotFound as ItemNotFound
    from adapters.dynamodb.errors import Reason as Reason
    from adapters.dynamodb.errors import TransactionFailed as TransactionFailed
    from adapters.dynamodb.errors import UnprocessedItems as UnprocessedItems
    from adapters.dynamodb.errors import UnreadableItem as UnreadableItem
    from adapters.dynamodb.errors import VersionConflict as VersionConflict
    from adapters.dynamodb.expressions import Condition as Condition
    from adapters.dynamodb.expressions import attr as attr
    from adapters.dynamodb.models import Index as Index
    from adapters.dynamodb.models import item as item
    from adapters.dynamodb.operations import Check as Check
    from adapters.dynamodb.operations import Create as Create
    from adapters.dynamodb.operations import Delete as Delete
    from adapters.dynamodb.operations import Put as Put
    from adapters.dynamodb.operations import Update as Update
    from adapters.dynamodb.ranges import begins_with as begins_with
    from adapters.dynamodb.ranges import between as between
    from adapters.dynamodb.ranges import gt as gt
    from adapters.dynamodb.ranges import gte as gte
    from adapters.dynamodb.ranges import lt as lt
    from adapters.dynamodb.ranges import lte as lte
    from adapters.dynamodb.schema import Layout as Layout
    from adapters.dynamodb.selection import Selection as Selection
    from adapters.dynamodb.table import Table as Table
    from adapters.paging import Page as Page

_HOMES = {
    "errors": (
        "AlreadyExists",
        "ConditionFailed",
        "InvalidKey",
        "InvalidPageToken",
        "InvalidRequest",
        "ItemError",
        "ItemNotFound",
        "Reason",
        "TransactionFailed",
        "UnprocessedItems",
        "UnreadableItem",
        "VersionConflict",
    ),
    "expressions": ("Condition", "attr"),
    "models": ("Index", "item"),
    "operations": ("Check", "Create", "Delete", "Put", "Update"),
    "ranges": ("begins_with", "between", "gt", "gte", "lt", "lte"),
    "schema": ("Layout",),
    "selection": ("Page", "Selection"),
    "table": ("Table",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

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
