"""MongoDB: clusters by name, databases of tenants, and repositories that follow the session's tenant.

    mongo = Mongo()                                    # MONGODB_URI
    orders = Repository(mongo, "orders", Order, indexes=[Index("number", unique=True)], stamps=True)

    async def handler(...):
        order = await orders.insert_async(Order(...))  # in the tenant's database
        await mongo.db.catalog.products.find_one(...)  # the driver's own collections

Needs the extra `mongo`: `pip install "lambda-junction[mongo]"`. The driver is imported at the first call, and names
here when they are first used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from adapters._core.page_tokens import Page as Page
    from adapters.mongo.bulk import BulkResult as BulkResult
    from adapters.mongo.bulk import Delete as Delete
    from adapters.mongo.bulk import Insert as Insert
    from adapters.mongo.bulk import Update as Update
    from adapters.mongo.document_errors import BulkFailed as BulkFailed
    from adapters.mongo.document_errors import ClusterUnavailable as ClusterUnavailable
    from adapters.mongo.document_errors import DocumentNotFound as DocumentNotFound
    from adapters.mongo.document_errors import DocumentTooLarge as DocumentTooLarge
    from adapters.mongo.document_errors import DuplicateKey as DuplicateKey
    from adapters.mongo.document_errors import InvalidDocument as InvalidDocument
    from adapters.mongo.document_errors import InvalidFilter as InvalidFilter
    from adapters.mongo.document_errors import InvalidId as InvalidId
    from adapters.mongo.document_errors import InvalidPageSize as InvalidPageSize
    from adapters.mongo.document_errors import InvalidPageToken as InvalidPageToken
    from adapters.mongo.document_errors import InvalidRequest as InvalidRequest
    from adapters.mongo.document_errors import InvalidTenant as InvalidTenant
    from adapters.mongo.document_errors import TenantMissing as TenantMissing
    from adapters.mongo.document_errors import UnknownTenant as UnknownTenant
    from adapters.mongo.document_errors import UnreadableDocument as UnreadableDocument
    from adapters.mongo.document_errors import VersionConflict as VersionConflict
    from adapters.mongo.filters import begins_with as begins_with
    from adapters.mongo.filters import between as between
    from adapters.mongo.filters import either as either
    from adapters.mongo.filters import exists as exists
    from adapters.mongo.filters import gt as gt
    from adapters.mongo.filters import gte as gte
    from adapters.mongo.filters import lt as lt
    from adapters.mongo.filters import lte as lte
    from adapters.mongo.filters import ne as ne
    from adapters.mongo.filters import none_of as none_of
    from adapters.mongo.filters import one_of as one_of
    from adapters.mongo.filters import raw as raw
    from adapters.mongo.index import Index as Index
    from adapters.mongo.mongo import Mongo as Mongo
    from adapters.mongo.mongo import all_repositories as all_repositories
    from adapters.mongo.mongo_settings import Cluster as Cluster
    from adapters.mongo.mongo_settings import MongoSettings as MongoSettings
    from adapters.mongo.proxy import Exposed as Exposed
    from adapters.mongo.proxy import Limits as Limits
    from adapters.mongo.proxy import QueryProxy as QueryProxy
    from adapters.mongo.proxy import QueryRefused as QueryRefused
    from adapters.mongo.repository import Repository as Repository
    from adapters.mongo.selection import Aggregation as Aggregation
    from adapters.mongo.selection import Selection as Selection
    from adapters.mongo.stamps import Stamps as Stamps
    from adapters.mongo.syncing import sync_indexes as sync_indexes
    from adapters.mongo.tenants import TenantList as TenantList
    from adapters.mongo.tenants import Tenants as Tenants
else:
    from router.lazy import lazy_names

    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        {
            "bulk": "BulkResult Delete Insert Update",
            "document_errors": (
                "BulkFailed ClusterUnavailable DocumentNotFound DocumentTooLarge DuplicateKey "
                "InvalidDocument InvalidFilter InvalidId InvalidPageSize InvalidPageToken InvalidRequest "
                "InvalidTenant TenantMissing UnknownTenant UnreadableDocument VersionConflict"
            ),
            "filters": "begins_with between either exists gt gte lt lte ne none_of one_of raw",
            "index": "Index",
            "stamps": "Stamps",
            "mongo": "Mongo all_repositories",
            "proxy": "Exposed Limits QueryProxy QueryRefused",
            "repository": "Repository",
            "selection": "Aggregation Selection",
            "mongo_settings": "Cluster MongoSettings",
            "syncing": "sync_indexes",
            "tenants": "TenantList Tenants",
            ".._core.page_tokens": "Page",
        },
    )
