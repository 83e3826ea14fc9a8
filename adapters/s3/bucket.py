"""`S3`: the verbs on the objects of a bucket."""

from __future__ import annotations

from adapters._core.blocking import refuse_blocking
from adapters._core.delivery import BatchEntry, Delivery, cut
from adapters.errors import AdapterError, InvalidMessage, MessageTooLarge, ResourceNotFound
from adapters.s3.files import Files
from adapters.s3.keys import checked
from adapters.s3.objects import InvalidObjectPage, ObjectPage, described
from adapters.s3.presign import Presigning
from adapters.s3.streaming import reading
from router.encode import dumps
from router.errors import ConfigurationError, EncodeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
    from typing import Any

    from adapters._core.steps import Steps
    from adapters.s3.objects import S3Object

_MOST_DELETES = 1000


class S3(Files, Presigning):
    """The objects of a bucket.

    aws: makes the calls; by default one made of the environment.
    tenant_prefix: every key is under `tenants/<tenant>/` of the current session, and no call leaves it; without a
        tenant a call raises SessionError.
    encryption, kms_key: AES256, aws:kms or aws:kms:dsse in place of the bucket's own setting, and its key.

    Keys have no segments `.` and `..`.
    """

    # ---- whole objects -----------------------------------------------------------------------------------------

    def put(self, key: str, body: Any, **options: Any) -> S3Object:
        """Write an object. body: bytes as they are, text as UTF-8, anything else as JSON.

        content_type: guessed from the kind of body by default. tags, metadata: texts. cache_control: for browsers.
        only_new: raise ObjectExists where there is one already. What only met another write of the key is sent again;
            then WriteConflict says so.
        """
        return self._run(self._put(*self._body(key, body, **options)), "put")

    async def put_async(self, key: str, body: Any, **options: Any) -> S3Object:
        """`put` from async code, without blocking its loop."""
        return await self.aws.run_async(self._put(*self._body(key, body, **options)))

    def get(self, key: str, *, version: str | None = None, most: int | None = None) -> bytes:
        """Read an object. most: bytes; a larger one raises MessageTooLarge and is not read. Raises ResourceNotFound."""
        refuse_blocking(self, "get")
        return self._get(key, self._object_of(key, version), most)

    async def get_async(self, key: str, *, version: str | None = None, most: int | None = None) -> bytes:
        """`get` from async code, without blocking its loop."""
        return await self.aws.in_thread(self._get, key, self._object_of(key, version), most)

    def head(self, key: str, *, version: str | None = None) -> S3Object:
        """Return what S3 knows of an object. Raises ResourceNotFound."""
        refuse_blocking(self, "head")
        return self._head(key, self._object_of(key, version))

    async def head_async(self, key: str, *, version: str | None = None) -> S3Object:
        """`head` from async code, without blocking its loop."""
        return await self.aws.in_thread(self._head, key, self._object_of(key, version))

    def exists(self, key: str) -> bool:
        """Return whether there is an object with the key."""
        refuse_blocking(self, "exists")
        return self._exists(key, self._object_of(key))

    async def exists_async(self, key: str) -> bool:
        """`exists` from async code, without blocking its loop."""
        return await self.aws.in_thread(self._exists, key, self._object_of(key))

    def delete(self, key: str, *, version: str | None = None) -> None:
        """Delete an object; that there is none is no error."""
        refuse_blocking(self, "delete")
        self._call("delete_object", key, self._object_of(key, version))

    async def delete_async(self, key: str, *, version: str | None = None) -> None:
        """`delete` from async code, without blocking its loop."""
        await self.aws.in_thread(self._call, "delete_object", key, self._object_of(key, version))

    def delete_many(self, keys: Iterable[str]) -> None:
        """Delete objects, a thousand in a request. What S3 refuses is tried again; then PartialFailure says which."""
        self._run(self._delete_many(self._entries(keys)), "delete_many")

    async def delete_many_async(self, keys: Iterable[str]) -> None:
        """`delete_many` from async code, without blocking its loop."""
        await self.aws.run_async(self._delete_many(self._entries(keys)))

    # ---- tags --------------------------------------------------------------------------------------------------

    def tags(self, key: str) -> dict[str, str]:
        """Return the tags of an object."""
        refuse_blocking(self, "tags")
        return _plain_tags(self._call("get_object_tagging", key, self._object_of(key)))

    async def tags_async(self, key: str) -> dict[str, str]:
        """`tags` from async code, without blocking its loop."""
        return _plain_tags(await self.aws.in_thread(self._call, "get_object_tagging", key, self._object_of(key)))

    def set_tags(self, key: str, tags: Mapping[str, str]) -> None:
        """Put tags in place of those of an object."""
        refuse_blocking(self, "set_tags")
        self._call("put_object_tagging", key, {**self._object_of(key), "Tagging": _tag_set(tags)})

    async def set_tags_async(self, key: str, tags: Mapping[str, str]) -> None:
        """`set_tags` from async code, without blocking its loop."""
        request = {**self._object_of(key), "Tagging": _tag_set(tags)}
        await self.aws.in_thread(self._call, "put_object_tagging", key, request)

    # ---- lists -------------------------------------------------------------------------------------------------

    def page(
        self, prefix: str = "", *, limit: int = 1000, token: str | None = None, delimiter: str | None = None
    ) -> ObjectPage:
        """Return a page of the objects whose keys begin with `prefix`, in the order of their keys.

        limit: 1 to 1000. token: of the page before. delimiter: `/` to list one level, with `folders` below it.
        """
        refuse_blocking(self, "page")
        return self._page(*self._listing(prefix, limit, token, delimiter))

    async def page_async(
        self, prefix: str = "", *, limit: int = 1000, token: str | None = None, delimiter: str | None = None
    ) -> ObjectPage:
        """`page` from async code, without blocking its loop."""
        return await self.aws.in_thread(self._page, *self._listing(prefix, limit, token, delimiter))

    def objects(self, prefix: str = "") -> Iterator[S3Object]:
        """Yield all objects whose keys begin with `prefix`; pages are asked for as they are needed."""
        refuse_blocking(self, "objects", "`async for` over S3.objects_async(...)")
        # The tenant is that of the call, not of whenever the next page is asked for.
        return self._objects(*self._listing(prefix))

    def objects_async(self, prefix: str = "") -> AsyncIterator[S3Object]:
        """`objects` for `async for`, without blocking its loop."""
        return self._objects_async(*self._listing(prefix))

    def _listing(
        self, prefix: str, limit: int = 1000, token: str | None = None, delimiter: str | None = None
    ) -> tuple[str, dict[str, Any]]:
        if type(limit) is not int or not 1 <= limit <= 1000:
            raise ConfigurationError(f"page(limit={limit!r}): give 1 to 1000")
        root = self._root()
        begins = root + (checked(prefix, what="the prefix") if prefix else "")
        request: dict[str, Any] = {"Bucket": self.bucket, "Prefix": begins, "MaxKeys": limit}
        if token is not None:
            request["ContinuationToken"] = token
        if delimiter is not None:
            request["Delimiter"] = delimiter
        return root, request

    def _page(self, root: str, request: dict[str, Any]) -> ObjectPage:
        where = f"s3://{self.bucket}/{request['Prefix']}"
        try:
            answer = self.aws.call("s3", "list_objects_v2", resource=where, **request)
        except AdapterError as error:
            if error.code != "InvalidArgument" or "ContinuationToken" not in request:
                raise
            raise InvalidObjectPage(str(error), service="s3", operation="list_objects_v2", resource=where) from None
        objects = [described(str(held["Key"])[len(root) :], held) for held in answer.get("Contents", ())]
        folders = [str(held["Prefix"])[len(root) :] for held in answer.get("CommonPrefixes", ())]
        return ObjectPage(objects, folders, answer.get("NextContinuationToken"))

    def _objects(self, root: str, request: dict[str, Any]) -> Iterator[S3Object]:
        while True:
            page = self._page(root, request)
            yield from page.objects
            if page.token is None:
                return
            request = {**request, "ContinuationToken": page.token}

    async def _objects_async(self, root: str, request: dict[str, Any]) -> AsyncIterator[S3Object]:
        while True:
            page = await self.aws.in_thread(self._page, root, request)
            for held in page.objects:
                yield held
            if page.token is None:
                return
            request = {**request, "ContinuationToken": page.token}

    # ---- how ---------------------------------------------------------------------------------------------------

    def _body(self, key: str, body: Any, **options: Any) -> tuple[str, dict[str, Any]]:
        """Return the request that writes a body, made in the context of the caller, whose tenant it is."""
        kind: str | None
        if isinstance(body, bytes | bytearray | memoryview):
            held, kind = bytes(body), None
        elif isinstance(body, str):
            held, kind = body.encode(), "text/plain; charset=utf-8"
        else:
            try:
                held, kind = dumps(body), "application/json"
            except EncodeError as error:
                raise InvalidMessage(f"s3.put_object s3://{self.bucket}/{key}: the body {error}") from None
        if options.get("content_type") is None and kind is not None:
            options["content_type"] = kind
        return key, {**self._writing(key, **options), "Body": held}

    def _get(self, key: str, request: dict[str, Any], most: int | None) -> bytes:
        answer = self._call("get_object", key, request)
        body, where = answer["Body"], self._where(request)
        try:
            if most is not None and answer["ContentLength"] > most:
                raise MessageTooLarge(
                    f"{where}: it has {answer['ContentLength']:,} bytes, and {most:,} are the most",
                    service="s3",
                    operation="get_object",
                    resource=where,
                )
            held: bytes = reading(body.read, where)
            return held
        finally:
            body.close()

    def _head(self, key: str, request: dict[str, Any]) -> S3Object:
        return described(key, self._call("head_object", key, request))

    def _exists(self, key: str, request: dict[str, Any]) -> bool:
        try:
            self._call("head_object", key, request)
        except ResourceNotFound:
            return False
        return True

    def _entries(self, keys: Iterable[str]) -> list[BatchEntry]:
        root = self._root()
        if not hasattr(keys, "__iter__"):
            raise InvalidMessage(f"s3: give keys, not {type(keys).__name__}")
        return [
            BatchEntry(position, key, {"Key": self._key(root, key)})
            for position, key in enumerate([keys] if isinstance(keys, str) else keys)
        ]

    def _delete_many(self, entries: list[BatchEntry]) -> Steps[None]:
        batches = list(cut(entries, _MOST_DELETES))
        where = {"service": "s3", "operation": "delete_objects", "resource": f"s3://{self.bucket}"}
        yield from Delivery(self._delete_batch, self.settings).run(batches, **where)

    def _delete_batch(self, batch: list[BatchEntry]) -> Steps[Any]:
        """Delete some, and return the answer in the form of SQS: S3 names only those that it did not delete."""
        objects = [entry.request for entry in batch]
        answer = yield self.aws.step(
            "s3",
            "delete_objects",
            resource=f"s3://{self.bucket}",
            parameters={"Bucket": self.bucket, "Delete": {"Objects": objects, "Quiet": True}},
        )
        errors = {error.get("Key"): error for error in answer.get("Errors", ())}
        refused = [
            {
                "Id": str(entry.position),
                "Code": error.get("Code", ""),
                "Message": error.get("Message", ""),
                "SenderFault": error.get("Code") not in ("InternalError", "SlowDown", "ServiceUnavailable"),
            }
            for entry in batch
            if (error := errors.get(entry.request["Key"])) is not None
        ]
        taken = [
            {"Id": str(entry.position), "MessageId": entry.given}
            for entry in batch
            if entry.request["Key"] not in errors
        ]
        return {"Successful": taken, "Failed": refused}


def _tag_set(tags: Mapping[str, str]) -> dict[str, Any]:
    if not hasattr(tags, "items"):
        raise InvalidMessage(f"s3: tags are a mapping of names to texts, not {type(tags).__name__}")
    return {"TagSet": [{"Key": name, "Value": value} for name, value in tags.items()]}


def _plain_tags(answer: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}
