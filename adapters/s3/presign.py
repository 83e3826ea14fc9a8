"""Presigned requests: a client reads or writes one object by itself, for a while, without credentials of its own."""

from __future__ import annotations

from functools import partial
from urllib.parse import quote

from adapters._core.blocking import refuse_blocking
from adapters._core.whole_seconds import whole_seconds
from adapters.aws.botocore_errors import translate
from adapters.errors import InvalidMessage
from adapters.s3.objects import Presigned
from adapters.s3.streaming import Streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.durations import Duration

_LONGEST = 7 * 86_400  # seconds: the most that Signature Version 4 allows
_HEADERS = {
    "ContentType": "content-type",
    "ContentLength": "content-length",
    "ServerSideEncryption": "x-amz-server-side-encryption",
    "SSEKMSKeyId": "x-amz-server-side-encryption-aws-kms-key-id",
}


class Presigning(Streams):
    """The part of `S3` that signs requests for others."""

    def presign_get(
        self,
        key: str,
        expires: Duration = 3600,
        *,
        version: str | None = None,
        filename: str | None = None,
        content_type: str | None = None,
    ) -> str:
        """Return a URL from which whoever has it reads the object.

        expires: seconds or a timedelta, 7 days at most; sooner when the credentials that signed end sooner, such as
            those of a role.
        filename: browsers save it under that name.
        content_type: in place of the object's own.
        """
        refuse_blocking(self, "presign_get")
        return self._sign("get_object", self._getting(key, version, filename, content_type), _expiry(expires))

    async def presign_get_async(
        self,
        key: str,
        expires: Duration = 3600,
        *,
        version: str | None = None,
        filename: str | None = None,
        content_type: str | None = None,
    ) -> str:
        """`presign_get` from async code: the credentials may have to be asked for."""
        request = self._getting(key, version, filename, content_type)
        return await self.aws.in_thread(self._sign, "get_object", request, _expiry(expires))

    def presign_put(
        self, key: str, expires: Duration = 3600, *, content_type: str | None = None, size: int | None = None
    ) -> Presigned:
        """Return a request with which whoever has it writes the object, and the headers that it must have.

        expires: as of `presign_get`.
        content_type, size (bytes): what must be sent, where given; S3 refuses anything else.
        """
        refuse_blocking(self, "presign_put")
        request = self._putting(key, content_type, size)
        return _presigned(request, self._sign("put_object", request, _expiry(expires)))

    async def presign_put_async(
        self, key: str, expires: Duration = 3600, *, content_type: str | None = None, size: int | None = None
    ) -> Presigned:
        """`presign_put` from async code: the credentials may have to be asked for."""
        request = self._putting(key, content_type, size)
        return _presigned(request, await self.aws.in_thread(self._sign, "put_object", request, _expiry(expires)))

    def _getting(self, key: str, version: str | None, filename: str | None, content_type: str | None) -> dict[str, Any]:
        request = self._object_of(key, version)
        if filename is not None:
            # RFC 6266: everything that could end the parameter is percent-encoded.
            try:
                quoted = quote(filename.encode(), safe="")
            except (AttributeError, UnicodeEncodeError):
                raise InvalidMessage("s3: the filename must be valid text") from None
            request["ResponseContentDisposition"] = f"attachment; filename*=UTF-8''{quoted}"
        if content_type is not None:
            request["ResponseContentType"] = content_type
        return request

    def _putting(self, key: str, content_type: str | None, size: int | None) -> dict[str, Any]:
        request = self._writing(key, content_type=content_type)
        return request if size is None else {**request, "ContentLength": size}

    def _sign(self, operation: str, request: dict[str, Any], expires: int) -> str:
        try:
            client = self.aws.client("s3")
            _use_version_4(client)
            return str(client.generate_presigned_url(operation, Params=request, ExpiresIn=expires))
        except Exception as error:
            typed = translate(error, "s3", f"presign {operation}", self._where(request))
            if typed is error:
                raise
        raise typed


def _expiry(expires: Duration) -> int:
    return whole_seconds(expires, "expires", least=1, most=_LONGEST)


def _presigned(request: dict[str, Any], url: str) -> Presigned:
    headers = {header: str(request[name]) for name, header in _HEADERS.items() if name in request}
    return Presigned("PUT", url, headers)


def _use_version_4(client: Any) -> None:
    """Let a client presign with Signature Version 4, for the endpoint of its region.

    Of itself botocore presigns with version 2 in older regions, which objects under a KMS key refuse, and for the
    global endpoint, which sends requests for a new bucket elsewhere, where the signature no longer fits.
    """
    events = client.meta.events
    region = client.meta.region_name
    for operation in ("GetObject", "PutObject"):  # asked before the handler for all of S3, and the first answer counts
        events.register(f"choose-signer.s3.{operation}", _signer, unique_id=f"junction-{operation}")
    events.register("before-endpoint-resolution.s3", partial(_regional, region), unique_id="junction-endpoint")


def _signer(signature_version: str, **_: Any) -> str | None:
    return "s3v4-query" if signature_version in ("v4-query", "s3v4-query") else None


def _regional(region: str, builtins: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    if context.get("is_presign_request") and builtins.get("AWS::S3::UseGlobalEndpoint"):
        builtins["AWS::Region"] = region
        builtins["AWS::S3::UseGlobalEndpoint"] = False
