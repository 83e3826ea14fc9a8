"""S3: keys and tenants, what is refused before it is sent, broken streams, and uploads that fail half way."""

from __future__ import annotations

import asyncio
import io
from datetime import timedelta
from hashlib import md5

import pytest
from botocore.exceptions import IncompleteReadError, ReadTimeoutError

from adapters.aws import Aws, Settings
from adapters.errors import (
    AccessDenied,
    AdapterError,
    ConnectionFailed,
    CredentialsMissing,
    InvalidMessage,
    MessageTooLarge,
    PartialFailure,
    ResourceNotFound,
    WriteConflict,
)
from adapters.s3 import S3, ObjectExists
from router import (
    ConfigurationError,
    FromRequest,
    Resolver,
    Session,
    SessionError,
    SessionPolicy,
    reset_session,
    set_session,
)
from router.testing import TestClient
from tests.unit.adapters.fakes import SETTINGS, FakeClient, fake_aws, refusal

MIB = 1024 * 1024


@pytest.fixture
def acme():
    token = set_session(Session(tenant="acme"))
    yield
    reset_session(token)


def s3(client, **options):
    return S3(fake_aws({"s3": client}), **{"bucket": "invoices", **options})


def of_aws(region="eu-west-1", bucket="invoices", **options):
    """With a client of botocore; what it signs needs no network."""
    return S3(Aws(SETTINGS.replace(region=region)), bucket=bucket, **options)


class Broken(io.BytesIO):
    """A body whose connection breaks after the first chunk."""

    def __init__(self, error):
        super().__init__(b"x" * 10)
        self._error = error

    def read(self, size=-1):
        if self.tell() or size < 0:
            raise self._error
        return super().read(size)


class TestKeys:
    @pytest.mark.parametrize(
        "key",
        ["../other", "a/../../b", "..", ".", "a/./b", "a/..", "a\x00b", "a\nb", "", None, 7, "x" * 1025, "a\ud800"],
    )
    @pytest.mark.parametrize("verb", ["get", "put", "delete", "head", "exists", "presign_get", "presign_put", "stream"])
    def test_that_no_object_has_are_refused_before_anything_is_sent(self, verb, key, acme):
        client = FakeClient()
        with pytest.raises(InvalidMessage):
            getattr(s3(client, tenant_prefix=True), verb)(key, *([b""] if verb == "put" else []))
        assert client.calls == []

    @pytest.mark.parametrize("key", ["a/b", "a..b", "...", "/a", "a//b", "%2e%2e/b", "é b+?#&"])
    def test_all_others_are_under_the_tenant(self, key, acme):
        client = FakeClient(put_object={"ETag": '"e"'})
        stored = s3(client, tenant_prefix=True).put(key, b"x")
        assert client.calls[0][1]["Key"] == f"tenants/acme/{key}"
        assert stored.key == key

    @pytest.mark.parametrize("tenant", [None, "", "a/b", "..", ".", "a\n"])
    def test_a_tenant_that_cannot_have_a_prefix_reaches_nothing(self, tenant):
        token = set_session(Session(tenant=tenant))
        client = FakeClient()
        bucket = s3(client, tenant_prefix=True)
        try:
            for work in (
                lambda: bucket.get("a"),
                bucket.page,
                bucket.objects,
                lambda: bucket.delete_many(["a"]),
                lambda: bucket.upload("a", [b"x"]),
                lambda: bucket.presign_get("a"),
            ):
                with pytest.raises(SessionError, match="tenant"):
                    work()
        finally:
            reset_session(token)
        assert client.calls == []

    def test_a_request_without_a_tenant_is_answered_and_reaches_nothing(self):
        client = FakeClient(get_object={})
        resolver = Resolver(session=SessionPolicy(request=FromRequest(tenant_header="x-tenant")))
        bucket = s3(client, tenant_prefix=True)
        resolver.get("/invoice")(lambda: bucket.get("a"))
        answer = TestClient(resolver).get("/invoice")
        assert (answer.status, answer.json()["detail"]) == (400, "the tenant is missing")
        assert client.calls == []

    def test_the_tenant_is_that_of_the_call_and_not_of_its_later_pages(self):
        client = FakeClient(
            list_objects_v2=[
                {"Contents": [{"Key": "tenants/acme/a", "Size": 1}], "NextContinuationToken": "t"},
                {"Contents": [{"Key": "tenants/acme/b", "Size": 2}]},
            ],
            get_object={"Body": io.BytesIO(b"x"), "ContentLength": 1},
        )
        bucket = s3(client, tenant_prefix=True)
        token = set_session(Session(tenant="acme"))
        objects, chunks = bucket.objects(), bucket.stream("a")
        reset_session(token)
        token = set_session(Session(tenant="other"))
        try:
            assert [held.key for held in objects] == ["a", "b"]
            assert list(chunks) == [b"x"]
        finally:
            reset_session(token)
        assert [held["Prefix"] for held in client.parameters("list_objects_v2")] == ["tenants/acme/"] * 2
        assert client.parameters("get_object")[0]["Key"] == "tenants/acme/a"

    @pytest.mark.parametrize("prefix", ["../", "../other/", "a/../", "a/./"])
    def test_prefixes_do_not_lead_out_either(self, prefix, acme):
        with pytest.raises(InvalidMessage, match="prefix"):
            s3(FakeClient(), tenant_prefix=True).objects(prefix)

    @pytest.mark.parametrize(
        "options",
        [
            {"bucket": ""},
            {"bucket": "a/b"},
            {"encryption": "rot13"},
            {"encryption": "AES256", "kms_key": "k"},
        ],
    )
    def test_a_bucket_that_makes_no_sense(self, options):
        with pytest.raises(ConfigurationError):
            s3(FakeClient(), **options)


class TestWriting:
    @pytest.mark.parametrize(
        ("body", "held", "kind"),
        [
            (b"\xff", b"\xff", None),
            (bytearray(b"a"), b"a", None),
            ("é", "é".encode(), "text/plain; charset=utf-8"),
            ({"a": 1}, b'{"a":1}', "application/json"),
        ],
    )
    def test_bytes_text_and_json(self, body, held, kind):
        client = FakeClient(put_object={"ETag": '"e"', "VersionId": "v1"})
        stored = s3(client).put("a", body)
        [sent] = client.parameters("put_object")
        assert (sent["Body"], sent.get("ContentType")) == (held, kind)
        assert (stored.size, stored.etag, stored.version) == (len(held), "e", "v1")

    def test_options(self):
        client = FakeClient(put_object={})
        tags = {"kind": "a b&c"}
        s3(client, kms_key="key").put(
            "a", {"a": 1}, content_type="x/y", tags=tags, metadata={"m": "1"}, cache_control="no-store", only_new=True
        )
        assert client.parameters("put_object") == [
            {
                "Bucket": "invoices",
                "Key": "a",
                "ServerSideEncryption": "aws:kms",
                "SSEKMSKeyId": "key",
                "ContentType": "x/y",
                "Tagging": "kind=a+b%26c",
                "Metadata": {"m": "1"},
                "CacheControl": "no-store",
                "IfNoneMatch": "*",
                "Body": b'{"a":1}',
            }
        ]
        assert tags == {"kind": "a b&c"}

    def test_a_body_without_a_json_form(self):
        with pytest.raises(InvalidMessage, match="cannot be written as JSON"):
            s3(FakeClient()).put("a", object())

    def test_over_an_object_that_should_not_be_there(self):
        client = FakeClient(put_object=refusal("PreconditionFailed", status=412))
        with pytest.raises(ObjectExists, match="s3://invoices/a"):
            s3(client).put("a", b"", only_new=True)
        assert len(client.calls) == 1

    def test_refusals_name_the_object(self):
        with pytest.raises(AccessDenied, match="s3://invoices/a"):
            s3(FakeClient(put_object=refusal("AccessDenied", status=403))).put("a", b"")


CONFLICT = refusal("ConditionalRequestConflict", status=409, operation="PutObject")


def lost(code, status=412):
    """A refusal of the second try, after the answer to the first one was lost."""
    error = refusal(code, status=status)
    error.response["ResponseMetadata"]["RetryAttempts"] = 1
    return error


def held(body, **more):
    return {"Body": io.BytesIO(body), "ContentLength": len(body), "ETag": '"e"', **more}


class TestWritesThatMeetOthers:
    @pytest.mark.parametrize("error", [CONFLICT, refusal("OperationAborted", status=409)])
    @pytest.mark.parametrize("is_async", [False, True])
    def test_are_tried_again_with_pauses(self, error, is_async):
        client = FakeClient(put_object=[error, error, {"ETag": '"e"'}])
        sleeps: list[float] = []
        bucket = S3(fake_aws({"s3": client}, sleeps, SETTINGS.replace(attempts=3)), bucket="invoices")
        if is_async:
            asyncio.run(bucket.put_async("a", b"x", only_new=True))
        else:
            bucket.put("a", b"x", only_new=True)
            assert len(sleeps) == 2
        assert len(client.calls) == 3

    def test_say_at_last_that_they_may_succeed_later(self):
        client = FakeClient(put_object=CONFLICT)
        bucket = S3(fake_aws({"s3": client}, settings=SETTINGS.replace(attempts=3)), bucket="invoices")
        with pytest.raises(WriteConflict, match="s3://invoices/a") as caught:
            bucket.put("a", b"x", only_new=True)
        assert (caught.value.retryable, len(client.calls)) == (True, 3)

    def test_in_one_part_are_tried_again_in_an_upload(self):
        client = FakeClient(put_object=[CONFLICT, {"ETag": '"e"'}])
        assert s3(client).upload("a", [b"x"], only_new=True).etag == "e"

    def test_in_several_parts_say_so_at_once_and_leave_nothing(self):
        """S3 wants such an upload to begin anew, and its chunks are gone."""
        client = FakeClient(
            create_multipart_upload={"UploadId": "u"},
            upload_part={"ETag": '"p"'},
            complete_multipart_upload=CONFLICT,
            abort_multipart_upload={},
        )
        with pytest.raises(WriteConflict) as caught:
            s3(client).upload("a", [b"x" * 6 * MIB], part_size=5 * MIB, only_new=True)
        assert caught.value.retryable
        assert [name for name, _ in client.calls][-2:] == ["complete_multipart_upload", "abort_multipart_upload"]


class TestAnswersThatWereLost:
    def put(self, **answers):
        client = FakeClient(put_object=lost("PreconditionFailed"), **answers)
        return s3(client).put("a", {"n": 1}, only_new=True, metadata={"by": "ann"})

    def test_what_was_sent_is_there_so_it_was_stored(self):
        stored = held(b'{"n":1}', ContentType="application/json", Metadata={"by": "ann"})
        assert self.put(get_object=stored).etag == "e"
        assert stored["Body"].closed

    @pytest.mark.parametrize(
        "stored",
        [
            held(b'{"n":2}', ContentType="application/json", Metadata={"by": "ann"}),
            held(b'{"n":1} ', ContentType="application/json", Metadata={"by": "ann"}),
            held(b'{"n":1}', ContentType="text/plain", Metadata={"by": "ann"}),
            held(b'{"n":1}', ContentType="application/json", Metadata={"by": "bob"}),
            refusal("AccessDenied", status=403),
            refusal("NoSuchKey", status=404),
        ],
    )
    def test_something_else_is_there(self, stored):
        with pytest.raises(ObjectExists):
            self.put(get_object=stored)

    def test_over_a_conflict_it_is_remembered(self):
        client = FakeClient(
            put_object=[lost("ConditionalRequestConflict", 409), refusal("PreconditionFailed", status=412)],
            get_object=held(b"x"),
        )
        assert s3(client).put("a", b"x", only_new=True).size == 1

    ETAG = f"{md5(md5(b'1').digest() + md5(b'2').digest()).hexdigest()}-2"

    @pytest.mark.parametrize("error", [lost("PreconditionFailed"), lost("NoSuchUpload", 404)])
    @pytest.mark.parametrize(("etag", "done"), [(ETAG, True), (md5(b"x").hexdigest(), False)])
    def test_an_upload_in_parts_is_known_by_its_etag(self, error, etag, done):
        parts = [{"ETag": f'"{md5(part).hexdigest()}"'} for part in (b"1", b"2")]
        client = FakeClient(
            create_multipart_upload={"UploadId": "u"},
            upload_part=parts,
            complete_multipart_upload=error,
            head_object={"ETag": f'"{etag}"', "ContentLength": 6 * MIB},
            abort_multipart_upload={},
        )

        def upload():
            return s3(client).upload("a", [b"x" * 6 * MIB], part_size=5 * MIB, only_new=True)

        if done:
            assert upload().size == 6 * MIB
        else:
            with pytest.raises((ObjectExists, ResourceNotFound)):
                upload()
        assert ("abort_multipart_upload" in [name for name, _ in client.calls]) is not done


class TestReading:
    def test_one_that_is_larger_than_wanted_is_not_read(self):
        body = io.BytesIO(b"x" * 100)
        with pytest.raises(MessageTooLarge, match="100 bytes"):
            s3(FakeClient(get_object={"Body": body, "ContentLength": 100})).get("a", most=99)
        assert body.closed

    @pytest.mark.parametrize(
        "error",
        [ReadTimeoutError(endpoint_url="https://s3"), IncompleteReadError(actual_bytes=1, expected_bytes=2)],
    )
    def test_a_connection_that_breaks_is_a_typed_error(self, error):
        def answer(_):
            return {"Body": Broken(error), "ContentLength": 20}

        bucket = s3(FakeClient(get_object=answer))
        with pytest.raises(AdapterError, match="s3://invoices/a"):
            bucket.get("a")
        chunks = bucket.stream("a", chunk=10)
        assert next(chunks) == b"x" * 10
        with pytest.raises(AdapterError, match="s3://invoices/a"):
            next(chunks)

    def test_a_stream_that_is_left_closes_its_connection(self):
        body = io.BytesIO(b"x" * 100)
        chunks = s3(FakeClient(get_object={"Body": body, "ContentLength": 100})).stream("a", chunk=10)
        next(chunks)
        chunks.close()
        assert body.closed


class Multipart(FakeClient):
    """S3 as far as uploads go; fails at the part of a number."""

    def __init__(self, fails_at=None, abort=None):
        self.fails_at = fails_at
        super().__init__(
            put_object={"ETag": '"one"'},
            create_multipart_upload={"UploadId": "u1"},
            upload_part=self._part,
            complete_multipart_upload={"ETag": '"many"'},
            abort_multipart_upload=abort or {},
        )

    def _part(self, parameters):
        if parameters["PartNumber"] == self.fails_at:
            raise ReadTimeoutError(endpoint_url="https://s3")
        return {"ETag": f'"{parameters["PartNumber"]}"'}

    @property
    def operations(self):
        return [name for name, _ in self.calls]


@pytest.fixture(params=["sync", "async"])
def upload(request):
    """An upload by sync or by async code."""

    def run(bucket, key, chunks, **options):
        if request.param == "sync":
            return bucket.upload(key, chunks, **options)
        return asyncio.run(bucket.upload_async(key, chunks, **options))

    return run


class TestUploads:
    def test_what_fits_into_a_part_is_a_plain_object(self, upload):
        client = Multipart()
        stored = upload(s3(client), "a", [b"x"] * 100, content_type="x/y", tags={"a": "b"})
        assert client.operations == ["put_object"]
        assert (stored.size, stored.etag) == (100, "one")
        assert client.calls[0][1]["ContentType"] == "x/y"

    def test_of_nothing_is_an_empty_object(self, upload):
        assert upload(s3(Multipart()), "a", []).size == 0

    def test_the_rest_goes_in_parts_of_one_size(self, upload):
        client = Multipart()
        stored = upload(
            s3(client, encryption="AES256"), "a", [b"ab" * (2 * MIB)] * 3, part_size=5 * MIB, tags={"a": "b"}
        )
        parts = client.parameters("upload_part")
        assert [len(part["Body"]) for part in parts] == [5 * MIB, 5 * MIB, 2 * MIB]
        assert b"".join(part["Body"] for part in parts) == b"ab" * (6 * MIB)
        assert (stored.size, stored.etag) == (12 * MIB, "many")
        [begun] = client.parameters("create_multipart_upload")
        assert (begun["ServerSideEncryption"], begun["Tagging"]) == ("AES256", "a=b")
        [done] = client.parameters("complete_multipart_upload")
        assert done["MultipartUpload"]["Parts"] == [{"ETag": f'"{n}"', "PartNumber": n} for n in (1, 2, 3)]

    def test_a_file_is_read_in_pieces(self, upload):
        client = Multipart()
        upload(s3(client), "a", io.BytesIO(b"line\n" * (2 * MIB)), part_size=5 * MIB)
        assert [len(part["Body"]) for part in client.parameters("upload_part")] == [5 * MIB, 5 * MIB]

    def test_from_an_async_iterator(self):
        async def chunks():
            for _ in range(2):
                await asyncio.sleep(0)
                yield b"x" * (5 * MIB)

        client = Multipart()
        assert asyncio.run(s3(client).upload_async("a", chunks(), part_size=5 * MIB)).size == 10 * MIB

    @pytest.mark.parametrize("abort", [None, refusal("InternalError", status=500)])
    def test_one_that_fails_leaves_nothing_behind_and_says_why(self, upload, abort):
        client = Multipart(fails_at=2, abort=abort)
        with pytest.raises(ConnectionFailed, match="s3://invoices/a"):
            upload(s3(client), "a", [b"x" * (5 * MIB)] * 4, part_size=5 * MIB)
        assert client.parameters("abort_multipart_upload") == [{"Bucket": "invoices", "Key": "a", "UploadId": "u1"}]
        assert "complete_multipart_upload" not in client.operations

    def test_chunks_that_fail_leave_nothing_behind(self, upload):
        def chunks():
            yield b"x" * (11 * MIB)
            raise RuntimeError("the source is gone")

        client = Multipart()
        with pytest.raises(RuntimeError, match="the source is gone"):
            upload(s3(client), "a", chunks(), part_size=5 * MIB)
        assert client.operations[-1] == "abort_multipart_upload"

    def test_chunks_that_are_no_bytes(self, upload):
        client = Multipart()
        with pytest.raises(InvalidMessage, match="a chunk is a str"):
            upload(s3(client), "a", [b"x" * (6 * MIB), "text"], part_size=5 * MIB)
        assert client.operations[-1] == "abort_multipart_upload"

    def test_an_object_that_should_be_new(self, upload):
        client = Multipart()
        upload(s3(client), "a", [b"x" * (6 * MIB)], part_size=5 * MIB, only_new=True)
        assert "IfNoneMatch" not in client.parameters("create_multipart_upload")[0]
        assert client.parameters("complete_multipart_upload")[0]["IfNoneMatch"] == "*"

    def test_parts_that_s3_would_not_take(self, upload):
        with pytest.raises(ConfigurationError, match="5 MiB"):
            upload(s3(Multipart()), "a", [b""], part_size=MIB)

    def test_more_parts_than_s3_takes(self, upload, monkeypatch):
        monkeypatch.setattr("adapters.s3.streaming._MOST_PARTS", 2)
        client = Multipart()
        with pytest.raises(InvalidMessage, match="larger part_size"):
            upload(s3(client), "a", [b"x" * (5 * MIB)] * 4, part_size=5 * MIB)
        assert client.operations[-1] == "abort_multipart_upload"

    def test_one_that_is_cancelled_is_thrown_away(self):
        client = Multipart()

        async def main():
            sent = asyncio.Event()

            async def chunks():
                yield b"x" * (11 * MIB)
                sent.set()  # the next chunk is asked for when the parts of this one are sent
                await asyncio.Event().wait()

            work = asyncio.create_task(s3(client).upload_async("a", chunks(), part_size=5 * MIB))
            await sent.wait()
            work.cancel()
            with pytest.raises(asyncio.CancelledError):
                await work

        asyncio.run(main())
        assert client.operations[-1] == "abort_multipart_upload"


class TestDeleting:
    def test_a_thousand_at_a_time(self, acme):
        client = FakeClient(delete_objects={})
        s3(client, tenant_prefix=True).delete_many([f"k{n}" for n in range(1001)])
        sizes = [len(held["Delete"]["Objects"]) for held in client.parameters("delete_objects")]
        assert sizes == [1000, 1]
        assert client.parameters("delete_objects")[1]["Delete"]["Objects"] == [{"Key": "tenants/acme/k1000"}]

    def test_what_s3_refuses_is_tried_again_or_named(self):
        errors = [{"Key": "b", "Code": "InternalError"}, {"Key": "c", "Code": "AccessDenied", "Message": "no"}]
        client = FakeClient(delete_objects=[{"Errors": errors}, {}])
        with pytest.raises(PartialFailure, match="s3://invoices: 1 of 3") as raised:
            s3(client).delete_many(["a", "b", "c"])
        assert [(one.entry, one.code) for one in raised.value.failed] == [("c", "AccessDenied")]
        assert client.parameters("delete_objects")[1]["Delete"]["Objects"] == [{"Key": "b"}]

    def test_one_bad_key_among_many_deletes_nothing(self):
        client = FakeClient(delete_objects={})
        with pytest.raises(InvalidMessage):
            s3(client).delete_many(["a", "../b"])
        assert client.calls == []


class TestPresigning:
    @pytest.mark.parametrize("region", ["eu-west-1", "us-east-1", "eu-south-2"])
    @pytest.mark.parametrize("bucket", ["invoices", "in.voices"])
    def test_is_of_version_4_and_for_the_region_of_the_bucket(self, region, bucket):
        url = of_aws(region, bucket).presign_get("a b")
        host = f"s3.{region}.amazonaws.com"
        place = f"https://{bucket}.{host}/a%20b?" if "." not in bucket else f"https://{host}/{bucket}/a%20b?"
        assert url.startswith(place)
        assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in url
        assert "X-Amz-Expires=3600" in url

    def test_for_writing_signs_what_has_to_be_sent(self):
        request = of_aws(kms_key="key").presign_put("a", 60, content_type="image/png", size=10)
        assert request.method == "PUT"
        assert request.headers == {
            "content-type": "image/png",
            "content-length": "10",
            "x-amz-server-side-encryption": "aws:kms",
            "x-amz-server-side-encryption-aws-kms-key-id": "key",
        }
        signed = "%3B".join(sorted([*request.headers, "host"]))
        assert f"X-Amz-SignedHeaders={signed}" in request.url
        assert "X-Amz-Signature" not in repr(request)

    def test_a_file_name_stays_within_its_parameter(self):
        url = of_aws().presign_get("a", filename='x"; \r\nset-cookie: a=b.pdf', content_type="x/y")
        assert "%0D" not in url.replace("%250D", "")
        assert "response-content-type=x%2Fy" in url

    @pytest.mark.parametrize("expires", [0, -1, 604_801, timedelta(days=7, seconds=1), True, None])
    def test_for_longer_than_seven_days_is_refused(self, expires):
        with pytest.raises(InvalidMessage, match="expires="):
            of_aws().presign_get("a", expires)

    def test_without_credentials_names_the_object(self, monkeypatch):
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
            monkeypatch.setenv(name, "/nowhere")
        with pytest.raises(CredentialsMissing, match="s3://invoices/a"):
            S3(Aws(Settings(region="eu-west-1")), bucket="invoices").presign_get("a")

    def test_under_the_prefix_of_the_tenant(self, acme):
        assert "/tenants/acme/a?" in of_aws(tenant_prefix=True).presign_get("a")


@pytest.mark.parametrize("limit", [0, 1001, True])
def test_pages_that_s3_would_not_give(limit):
    with pytest.raises(ConfigurationError, match="1 to 1000"):
        s3(FakeClient()).page(limit=limit)


class BreaksOff:
    """A body that ends in the middle."""

    def __init__(self):
        self.left = [b"half"]

    def read(self, size):
        if self.left:
            return self.left.pop()
        raise ReadTimeoutError(endpoint_url="https://s3")

    def close(self):
        pass


def test_a_download_that_breaks_off_leaves_the_file_as_it_was(tmp_path):
    (tmp_path / "kept").write_bytes(b"before")
    client = FakeClient(get_object=lambda _: {"Body": BreaksOff(), "ContentLength": 8})
    bucket = S3(fake_aws({"s3": client}), bucket="invoices")
    with pytest.raises(ConnectionFailed):
        bucket.download_file("a", tmp_path / "kept")
    with pytest.raises(ConnectionFailed):
        asyncio.run(bucket.download_file_async("a", tmp_path / "kept"))
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("kept", b"before")]


@pytest.mark.parametrize("is_async", [False, True])
def test_a_download_follows_a_link_and_keeps_who_may_read(tmp_path, is_async):
    (tmp_path / "real").write_bytes(b"before")
    (tmp_path / "real").chmod(0o640)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    client = FakeClient(get_object=lambda _: {"Body": io.BytesIO(b"new"), "ContentLength": 3})
    bucket = S3(fake_aws({"s3": client}), bucket="invoices")
    if is_async:
        asyncio.run(bucket.download_file_async("a", tmp_path / "link"))
    else:
        bucket.download_file("a", tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert ((tmp_path / "real").read_bytes(), (tmp_path / "real").stat().st_mode & 0o777) == (b"new", 0o640)
