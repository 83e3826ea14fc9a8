"""Objects that are larger than memory should hold: read chunk by chunk, written part by part."""

from __future__ import annotations

import threading
from functools import partial
from urllib.parse import urlencode

from adapters._core.adapter import Adapter
from adapters._core.blocking import refuse_blocking
from adapters._core.delivery import backoff
from adapters._core.steps import BlockingCall, Wait
from adapters.aws.botocore_errors import translate
from adapters.errors import AdapterError, InvalidMessage, ResourceNotFound, WriteConflict
from adapters.s3.keys import tenant_prefix as prefix_of_tenant
from adapters.s3.keys import within
from adapters.s3.objects import ObjectExists, ObjectNotFound, described
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterable,
        AsyncIterator,
        Callable,
        Generator,
        Iterable,
        Iterator,
        Mapping,
    )
    from typing import Any, TypeVar

    from adapters._core.steps import Steps
    from adapters.aws.aws import Aws
    from adapters.s3.objects import S3Object

    T = TypeVar("T")

# S3 user guide, multipart upload limits.
_SMALLEST_PART = 5 * 1024 * 1024
_MOST_PARTS = 10_000
_PART = 8 * 1024 * 1024
_CHUNK = 1024 * 1024
# Of an answer without a body, such as that of HEAD, botocore knows the status alone.
_NO_OBJECT = ("NoSuchKey", "NoSuchVersion", "404")


class Streams(Adapter):
    """The part of `S3` that streams, and what all of its verbs need."""

    def __init__(
        self,
        aws: Aws | None = None,
        *,
        bucket: str,
        tenant_prefix: bool = False,
        encryption: str | None = None,
        kms_key: str | None = None,
    ) -> None:
        super().__init__(aws)
        if not isinstance(bucket, str) or not bucket or ("/" in bucket and not bucket.startswith("arn:")):
            raise ConfigurationError(f"S3(bucket={bucket!r}): give the name of a bucket, or the ARN of an access point")
        if encryption not in (None, "AES256", "aws:kms", "aws:kms:dsse"):
            raise ConfigurationError(f"S3(encryption={encryption!r}): use AES256, aws:kms or aws:kms:dsse")
        if kms_key is not None and encryption == "AES256":
            raise ConfigurationError("S3(kms_key=...) goes with encryption aws:kms or aws:kms:dsse")
        self.bucket = bucket
        self.tenant_prefix = tenant_prefix
        self._encryption: dict[str, str] = {}
        if encryption or kms_key:
            self._encryption["ServerSideEncryption"] = encryption or "aws:kms"
        if kms_key:
            self._encryption["SSEKMSKeyId"] = kms_key

    # ---- streams -----------------------------------------------------------------------------------------------

    def stream(self, key: str, *, version: str | None = None, chunk: int = _CHUNK) -> Iterator[bytes]:
        """Read an object in chunks of so many bytes. It is asked for when the first of them is."""
        refuse_blocking(self, "stream", "`async for` over S3.stream_async(...)")
        return self._stream(key, self._object_of(key, version), chunk)

    def stream_async(self, key: str, *, version: str | None = None, chunk: int = _CHUNK) -> AsyncIterator[bytes]:
        """`stream` for `async for`, without blocking its loop."""
        return self._stream_async(key, self._object_of(key, version), chunk)

    def upload(self, key: str, chunks: Iterable[bytes], *, part_size: int = _PART, **options: Any) -> S3Object:
        """Write an object from chunks, of which no more than a part of `part_size` bytes is held; options as of `put`.

        A file opened for reading bytes will do. When anything fails, the object stays as it was and what had been sent
        is thrown away.
        """
        refuse_blocking(self, "upload")
        upload = self._upload(key, part_size, options)
        try:
            for piece in _pieces(chunks, part_size):
                if upload.add(piece):
                    upload.send()
            return upload.finish()
        except BaseException:
            upload.abort()
            raise

    async def upload_async(
        self,
        key: str,
        chunks: Iterable[bytes] | AsyncIterable[bytes],
        *,
        part_size: int = _PART,
        **options: Any,
    ) -> S3Object:
        """`upload` from async code, without blocking its loop; chunks may come from an async iterator."""
        upload, in_thread = self._upload(key, part_size, options), self.aws.in_thread
        try:
            if hasattr(chunks, "__aiter__"):
                async for piece in chunks:
                    if upload.add(piece):
                        await in_thread(upload.send)
            else:
                for piece in _pieces(chunks, part_size):
                    if upload.add(piece):
                        await in_thread(upload.send)
            return await in_thread(upload.finish)
        except BaseException:
            await in_thread(upload.abort)
            raise

    def _stream(self, key: str, request: dict[str, Any], chunk: int) -> Generator[bytes]:
        body, where = self._call("get_object", key, request)["Body"], self._where(request)
        try:
            while data := reading(partial(body.read, chunk), where):
                yield data
        finally:
            body.close()

    async def _stream_async(self, key: str, request: dict[str, Any], chunk: int) -> AsyncGenerator[bytes]:
        answer = await self.aws.in_thread(self._call, "get_object", key, request)
        body, where = answer["Body"], self._where(request)
        try:
            while data := await self.aws.in_thread(reading, partial(body.read, chunk), where):
                yield data
        finally:
            body.close()

    def _upload(self, key: str, part_size: int, options: dict[str, Any]) -> _Upload:
        if type(part_size) is not int or part_size < _SMALLEST_PART:
            raise ConfigurationError(f"upload(part_size={part_size!r}): give bytes from {_SMALLEST_PART} (5 MiB)")
        return _Upload(self, key, self._writing(key, **options), part_size)

    # ---- what all verbs need -----------------------------------------------------------------------------------

    def _root(self) -> str:
        """Return where the keys of a caller begin; asked for in its context, whose tenant it is."""
        return prefix_of_tenant() if self.tenant_prefix else ""

    def _key(self, root: str, key: str) -> str:
        return within(root, key)

    def _object_of(self, key: str, version: str | None = None) -> dict[str, Any]:
        """Return the parameters that name an object."""
        named = {"Bucket": self.bucket, "Key": self._key(self._root(), key)}
        return named if version is None else {**named, "VersionId": version}

    def _where(self, request: Mapping[str, Any]) -> str:
        return f"s3://{self.bucket}/{request['Key']}"

    def _writing(
        self,
        key: str,
        *,
        content_type: str | None = None,
        tags: Mapping[str, str] | None = None,
        metadata: Mapping[str, str] | None = None,
        cache_control: str | None = None,
        only_new: bool = False,
    ) -> dict[str, Any]:
        """Return the parameters of an object that is written, its body aside."""
        parameters: dict[str, Any] = {
            "ContentType": content_type,
            "Tagging": urlencode(tags) if tags else None,
            "Metadata": dict(metadata) if metadata else None,
            "CacheControl": cache_control,
            "IfNoneMatch": "*" if only_new else None,
        }
        return {
            **self._object_of(key),
            **self._encryption,
            **{name: value for name, value in parameters.items() if value is not None},
        }

    def _call(self, operation: str, key: str, request: dict[str, Any]) -> Any:
        """Call S3 for one object.

        Raises:
            ObjectExists: it should have been new.
            ObjectNotFound: it is not there.
        """
        try:
            return self.aws.call("s3", operation, resource=self._where(request), **request)
        except AdapterError as error:
            failure = self._failure(error, operation, request)
        raise failure

    def _failure(self, error: AdapterError, operation: str, request: Mapping[str, Any]) -> AdapterError:
        """Return what an error of S3 means for the object; the error itself where it is not about one."""
        where = self._where(request)
        told: dict[str, Any] = {"service": "s3", "operation": operation, "resource": where, "code": error.code}
        failure = error
        if "IfNoneMatch" in request and error.code == "PreconditionFailed":
            message = f"{where}: there is an object with this key already"
            failure = ObjectExists(message, request_id=error.request_id, **told)
        elif error.code in _NO_OBJECT:
            failure = ObjectNotFound(str(error), request_id=error.request_id, **told)
        failure.repeated = error.repeated
        return failure

    def _put(self, key: str, request: dict[str, Any]) -> Steps[S3Object]:
        """Write an object, and again where it only met another write of the same key.

        Raises:
            ObjectExists: there is one that should not be.
            WriteConflict: it met another write at every try.
        """
        attempt, repeated = 0, False
        while True:
            try:
                answer = yield BlockingCall(self._call, "put_object", key, request)
                return described(key, answer, len(request["Body"]))
            except WriteConflict as error:
                attempt, repeated = attempt + 1, repeated or error.repeated
                if attempt >= self.settings.attempts:
                    raise
            except ObjectExists as error:
                own: S3Object | None = None
                if repeated or error.repeated:
                    own = yield BlockingCall(self._own, key, request)
                if own is None:
                    raise
                return own
            yield Wait(backoff(attempt - 1, self.settings.backoff))

    def _own(self, key: str, request: Mapping[str, Any]) -> S3Object | None:
        """Return the object that is there if it is the one that was sent; None for another, or where it is not told.

        The answer to a try may have been lost: the next one then met what it had stored.
        """
        try:
            answer = self._call("get_object", key, {"Bucket": request["Bucket"], "Key": request["Key"]})
            body = answer["Body"]
            try:
                same = answer["ContentLength"] == len(request["Body"])
                same = same and reading(body.read, self._where(request)) == request["Body"]
            finally:
                body.close()
        except AdapterError:
            return None
        same = same and request.get("ContentType") in (None, answer.get("ContentType"))
        return described(key, answer) if same and answer.get("Metadata", {}) == request.get("Metadata", {}) else None


class _Upload:
    """One object on its way. A single part goes as a plain object; S3 shows nothing of several before `finish`."""

    def __init__(self, s3: Streams, key: str, request: dict[str, Any], part_size: int) -> None:
        self._s3 = s3
        self._key = key
        self._request = request
        self._part_size = part_size
        self._waiting = bytearray()
        self._size = 0
        self._id: str | None = None
        self._parts: list[dict[str, Any]] = []
        # A task that is cancelled leaves a thread that is sending: abort waits for it, so that no part comes after.
        self._lock = threading.Lock()
        self._object = {"Bucket": request["Bucket"], "Key": request["Key"]}

    def add(self, piece: bytes) -> bool:
        """Take a piece, and say whether `send` has something to send."""
        if not isinstance(piece, bytes | bytearray | memoryview):
            raise InvalidMessage(f"{self._s3._where(self._request)}: a chunk is a {type(piece).__name__}, not bytes")
        self._waiting += piece
        return len(self._waiting) > self._part_size

    def send(self) -> None:
        """Send the parts that are whole."""
        with self._lock:
            while len(self._waiting) > self._part_size:
                part = bytes(self._waiting[: self._part_size])
                del self._waiting[: self._part_size]
                self._send(part)

    def finish(self) -> S3Object:
        """Send the rest, and let the object be there."""
        with self._lock:
            rest = bytes(self._waiting)
            if self._id is None:
                return self._s3.aws.run(self._s3._put(self._key, {**self._request, "Body": rest}))
            self._send(rest)
            request = {**self._object, "UploadId": self._id, "MultipartUpload": {"Parts": self._parts}}
            if "IfNoneMatch" in self._request:
                request["IfNoneMatch"] = self._request["IfNoneMatch"]
            answer = self._complete(request)
            self._id = None
            return described(self._key, answer, self._size)

    def _complete(self, request: dict[str, Any]) -> Any:
        """Return what S3 says of the whole object, also where only a repeated request met what it had made itself."""
        try:
            return self._s3._call("complete_multipart_upload", self._key, request)
        except (ObjectExists, ResourceNotFound) as error:
            if not error.repeated:
                raise
            held = self._s3._call("head_object", self._key, self._object)
            if str(held.get("ETag", "")).strip('"') != _etag_of_parts(self._parts):
                raise
            return held

    def abort(self) -> None:
        """Throw away what was sent. That this fails must not hide why."""
        with self._lock:
            if self._id is None:
                return
            request, self._id = {**self._object, "UploadId": self._id}, None
            try:
                self._s3._call("abort_multipart_upload", self._key, request)
            except AdapterError:
                from logging import getLogger

                getLogger("adapters").exception("%s: parts are left over", self._s3._where(request))

    def _send(self, part: bytes) -> None:
        if self._id is None:
            begin = {name: value for name, value in self._request.items() if name != "IfNoneMatch"}
            self._id = str(self._s3._call("create_multipart_upload", self._key, begin)["UploadId"])
        number = len(self._parts) + 1
        if number > _MOST_PARTS:
            raise InvalidMessage(
                f"{self._s3._where(self._request)}: more than {_MOST_PARTS:,} parts of {self._part_size:,} bytes; "
                "give a larger part_size"
            )
        request = {**self._object, "UploadId": self._id, "PartNumber": number, "Body": part}
        answer = self._s3._call("upload_part", self._key, request)
        held = {name: answer[name] for name in ("ETag", "ChecksumCRC32", "ChecksumCRC64NVME") if answer.get(name)}
        self._parts.append({**held, "PartNumber": number})
        self._size += len(part)


def _etag_of_parts(parts: Iterable[Mapping[str, Any]]) -> str:
    """Return the ETag of an object that was put together of parts; a text that no object has where it is another.

    It is the MD5 of the MD5 of the parts, and their number. That of parts under keys of KMS is no MD5.
    """
    from hashlib import md5

    etags = [str(part.get("ETag", "")).strip('"') for part in parts]
    try:
        digests = [bytes.fromhex(etag) for etag in etags]
    except ValueError:
        return "-"
    return f"{md5(b''.join(digests), usedforsecurity=False).hexdigest()}-{len(digests)}"


def reading(read: Callable[[], T], where: str) -> T:
    """Read from a body that is coming in. A connection that breaks is a typed error, too."""
    try:
        return read()
    except Exception as error:
        typed = translate(error, "s3", "get_object", where)
        if typed is error:
            raise
    raise typed


def _pieces(chunks: Any, size: int) -> Iterable[bytes]:
    """Chunks as they are; a file in pieces of a size, not line by line."""
    read = getattr(chunks, "read", None)
    if read is None:
        return chunks  # type: ignore[no-any-return]
    return iter(partial(read, size), b"")
