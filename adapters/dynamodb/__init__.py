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
    from adapters._core.page_tokens import Page as Page
    from adapters.dynamodb.expressions import Condition as Condition
    from adapters.dynamodb.expressions import attr as attr
    from adapters.dynamodb.item_errors import AlreadyExists as AlreadyExists
    from adapters.dynamodb.item_errors import ConditionFailed as ConditionFailed
    from adapters.dynamodb.item_errors import InvalidKey as InvalidKey
    from adapters.dynamodb.item_errors import InvalidKeyValue as InvalidKeyValue
    from adapters.dynamodb.item_errors import InvalidPageSize as InvalidPageSize
    from adapters.dynamodb.item_errors import InvalidPageToken as InvalidPageToken
    from adapters.dynamodb.item_errors import InvalidRequest as InvalidRequest
    from adapters.dynamodb.item_errors import InvalidValue as InvalidValue
    from adapters.dynamodb.item_errors import ItemError as ItemError
    from adapters.dynamodb.item_errors import ItemNotFound as ItemNotFound
    from adapters.dynamodb.item_errors import ItemTooLarge as ItemTooLarge
    from adapters.dynamodb.item_errors import Reason as Reason
    from adapters.dynamodb.item_errors import TransactionFailed as TransactionFailed
    from adapters.dynamodb.item_errors import UnprocessedItems as UnprocessedItems
    from adapters.dynamodb.item_errors import UnreadableItem as UnreadableItem
    from adapters.dynamodb.item_errors import VersionConflict as VersionConflict
    from adapters.dynamodb.item_selection import Selection as Selection
    from adapters.dynamodb.models import Index as Index
    from adapters.dynamodb.models import item as item
    from adapters.dynamodb.ranges import begins_with as begins_with
    from adapters.dynamodb.ranges import between as between
    from adapters.dynamodb.ranges import gt as gt
    from adapters.dynamodb.ranges import gte as gte
    from adapters.dynamodb.ranges import lt as lt
    from adapters.dynamodb.ranges import lte as lte
    from adapters.dynamodb.schema import Layout as Layout
    from adapters.dynamodb.table import Table as Table
    from adapters.dynamodb.writes import Check as Check
    from adapters.dynamodb.writes import Create as Create
    from adapters.dynamodb.writes import Delete as Delete
    from adapters.dynamodb.writes import Put as Put
    from adapters.dynamodb.writes import Update as Update
else:
    from router.lazy import lazy_names

    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        {
            "item_errors": (
                "AlreadyExists ConditionFailed InvalidKey InvalidKeyValue InvalidPageSize InvalidPageToken "
                "InvalidRequest InvalidValue ItemError ItemNotFound ItemTooLarge Reason TransactionFailed "
                "UnprocessedItems UnreadableItem VersionConflict"
            ),
            "expressions": "Condition attr",
            "models": "Index item",
            "writes": "Check Create Delete Put Update",
            "ranges": "begins_with between gt gte lt lte",
            "schema": "Layout",
            "item_selection": "Selection",
            "table": "Table",
            ".._core.page_tokens": "Page",
        },
    )
