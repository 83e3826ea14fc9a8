"""S3: objects of one bucket, on request only those of the session's tenant.

    s3 = S3(bucket="invoices", tenant_prefix=True)            # keys are under tenants/<tenant>/
    s3.put("2026/1.json", {"total": "9.90"}, tags={"kind": "invoice"})
    body = await s3.get_async("2026/1.json")
    url = s3.presign_get("2026/1.json", expires=300)

Every verb has an `_async` twin. The role needs `s3:GetObject`, `s3:PutObject`, `s3:DeleteObject` and so on, as far as
they are used, and `s3:ListBucket` on the bucket; without it S3 answers 403 for an object that is not there.
"""

from __future__ import annotations

from adapters.s3.bucket import S3
from adapters.s3.objects import (
    InvalidObjectKey,
    InvalidObjectPage,
    ObjectExists,
    ObjectNotFound,
    ObjectPage,
    Presigned,
    S3Object,
)

__all__ = [
    "S3",
    "InvalidObjectKey",
    "InvalidObjectPage",
    "ObjectExists",
    "ObjectNotFound",
    "ObjectPage",
    "Presigned",
    "S3Object",
]
