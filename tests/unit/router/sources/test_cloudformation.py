"""Custom resources of CloudFormation, answered to a server of the test."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from hypothesis import given

from router import Resolver
from router.errors import AnswerTooLarge, ConfigurationError, InvalidEvent, NoRoute, NotFound, RouterError
from router.event import Source
from router.sources import cloudformation
from router.sources.cloudformation import answer, failed
from tests.unit.router.sources.payload_cases import FUZZ, JSON, Context, mutations, read_one, real, survives

CREATE = {
    "RequestType": "Create",
    "RequestId": "r-1",
    "StackId": "arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/1",
    "LogicalResourceId": "Seed",
    "ResourceType": "Custom::Seed",
    "ResourceProperties": {"ServiceToken": "arn", "Table": "orders"},
}
UPDATE = {
    **CREATE,
    "RequestType": "Update",
    "PhysicalResourceId": "seed-1",
    "OldResourceProperties": {"ServiceToken": "arn", "Table": "old"},
}
DELETE = {**CREATE, "RequestType": "Delete", "PhysicalResourceId": "seed-1"}


class Bucket(ThreadingHTTPServer):
    """Takes documents as S3 does at a signed URL. `statuses` are answered first, then 200; 0 hangs up."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Put)
        self.statuses: list[int] = []
        self.requests: list[tuple[str, str | None, str | None]] = []
        self.documents: list[dict] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/bucket/key?X-Amz-Signature=s3cret"


class _Put(BaseHTTPRequestHandler):
    server: Bucket

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        self.server.requests.append((self.command, self.path, self.headers["content-type"]))
        if status == 0:
            self.close_connection = True
            return
        if status == 200:
            self.server.documents.append(json.loads(body))
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def bucket(monkeypatch) -> Iterator[Bucket]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(cloudformation, "PAUSES", (0.0, 0.0))
    monkeypatch.setattr(cloudformation, "_is_response_url", lambda url: True)
    with Bucket() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def sent(bucket, payload, result=None):
    """The document that arrives for a handler's result."""
    returned = answer(read_one({**payload, "ResponseURL": bucket.url}), result)
    (document,) = bucket.documents
    assert returned == document
    return document


def test_real_payloads_have_their_names():
    for file, payload, label in real(Source.CLOUDFORMATION):
        event = read_one(payload)
        assert (event.name, event.change, event.id) == (label["name"], payload["RequestType"], payload["RequestId"])
        assert event.json() == payload["ResourceProperties"], file


def test_the_fields_of_a_request():
    created, updated, deleted = read_one(CREATE), read_one(UPDATE), read_one(DELETE)
    assert created.json() == json.loads(created.body) == CREATE["ResourceProperties"]
    assert (created.new, created.old) == (CREATE["ResourceProperties"], None)
    assert (updated.new, updated.old) == (UPDATE["ResourceProperties"], UPDATE["OldResourceProperties"])
    assert (deleted.new, deleted.old) == (None, DELETE["ResourceProperties"])
    assert deleted.keys == {
        "StackId": CREATE["StackId"],
        "LogicalResourceId": "Seed",
        "PhysicalResourceId": "seed-1",
    }


def test_the_attributes_of_a_resource(bucket):
    document = sent(bucket, CREATE, {"Arn": "arn:aws:x", "Rows": 3})
    assert document == {
        "Status": "SUCCESS",
        "StackId": CREATE["StackId"],
        "RequestId": "r-1",
        "LogicalResourceId": "Seed",
        "PhysicalResourceId": document["PhysicalResourceId"],
        "Data": {"Arn": "arn:aws:x", "Rows": 3},
    }
    # The URL is signed for a request without a content type.
    assert bucket.requests == [("PUT", "/bucket/key?X-Amz-Signature=s3cret", "")]


def test_parts_of_the_document(bucket):
    result = {"PhysicalResourceId": "seed-9", "Data": {"Secret": "s"}, "NoEcho": True, "Reason": "seeded"}
    document = sent(bucket, CREATE, result)
    assert {name: document[name] for name in result} == result


def test_an_id_alone(bucket):
    document = sent(bucket, CREATE, "seed-9")
    assert document["PhysicalResourceId"] == "seed-9"
    assert "Data" not in document


def test_an_id_of_its_own_is_the_same_for_each_attempt():
    def id_of(payload):
        return answer(read_one(payload), None)["PhysicalResourceId"]

    assert id_of(CREATE) == id_of({**CREATE, "RequestId": "r-2"})
    assert id_of(CREATE).startswith("Seed-")
    assert id_of(CREATE) != id_of({**CREATE, "StackId": "other"})
    assert id_of(CREATE) != id_of({**CREATE, "LogicalResourceId": "Other"})


def test_an_update_keeps_the_id_unless_the_handler_gives_another(bucket):
    assert sent(bucket, UPDATE)["PhysicalResourceId"] == "seed-1"
    bucket.documents.clear()
    assert sent(bucket, UPDATE, {"PhysicalResourceId": "seed-2"})["PhysicalResourceId"] == "seed-2"


@pytest.mark.parametrize("result", [None, "other", {"PhysicalResourceId": "other"}])
def test_a_delete_never_changes_the_id(bucket, result):
    assert sent(bucket, DELETE, result)["PhysicalResourceId"] == "seed-1"


def test_a_failure_tells_what_the_library_or_the_handler_said(bucket):
    document = failed(read_one({**CREATE, "ResponseURL": bucket.url}), NotFound("no such table"))
    assert bucket.documents == [document]
    assert (document["Status"], document["Reason"]) == ("FAILED", "NotFound: no such table")
    assert document["PhysicalResourceId"].startswith("Seed-")
    assert document["RequestId"] == "r-1"


def test_of_any_other_failure_it_tells_the_type_and_the_place_of_the_log(bucket):
    event = read_one({**DELETE, "ResponseURL": bucket.url}, Context())
    document = failed(event, ValueError("password=hunter2"))
    assert document["Reason"] == "ValueError: see the log stream 2024/06/01/[1]abc"
    assert document["PhysicalResourceId"] == "seed-1"
    bare = failed(read_one({**DELETE, "ResponseURL": bucket.url}), ValueError("password=hunter2"))
    assert bare["Reason"] == "ValueError: see the log"


@pytest.mark.parametrize("message", ["x" * 9000, "\x01" * 9000, "\ud800" * 9000])
def test_a_long_reason_fits_into_the_document(bucket, message):
    failed(read_one({**CREATE, "ResponseURL": bucket.url}), NotFound(message))
    (document,) = bucket.documents
    assert document["Reason"].startswith("NotFound: ")
    assert len(json.dumps(document, ensure_ascii=False).encode()) <= 4096


def test_an_answer_over_4_kb_is_a_failure_instead(bucket):
    event = read_one({**CREATE, "ResponseURL": bucket.url})
    with pytest.raises(AnswerTooLarge, match="4,096") as caught:
        answer(event, {"Value": "x" * 4096})
    assert bucket.documents == []
    failed(event, caught.value)
    assert bucket.documents[0]["Status"] == "FAILED"
    assert "4,096" in bucket.documents[0]["Reason"]


@pytest.mark.parametrize("statuses", [[500], [503, 500], [0], [0, 500]])
def test_the_document_is_sent_again_when_it_did_not_arrive(bucket, statuses):
    bucket.statuses = statuses.copy()
    assert sent(bucket, CREATE)["Status"] == "SUCCESS"
    assert len(bucket.requests) == len(statuses) + 1


def test_the_bucket_has_time_before_it_is_asked_again(bucket, monkeypatch):
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    monkeypatch.setattr(cloudformation, "PAUSES", (1.0, 3.0))
    bucket.statuses = [503, 503]
    assert sent(bucket, CREATE)["Status"] == "SUCCESS"
    assert pauses == [1.0, 3.0]


@pytest.mark.parametrize(("statuses", "attempts"), [([403], 1), ([307], 1), ([500] * 3, 3), ([0] * 3, 3)])
def test_a_document_that_does_not_arrive_fails_the_call_without_showing_the_url(bucket, statuses, attempts):
    bucket.statuses = statuses
    event = read_one({**CREATE, "ResponseURL": bucket.url})
    with pytest.raises(RouterError, match="could not be delivered") as caught:
        answer(event, None)
    assert len(bucket.requests) == attempts
    assert "s3cret" not in str(caught.value)
    # It is not tried again as a failure: Lambda calls again.
    with pytest.raises(RouterError) as again:
        failed(event, caught.value)
    assert again.value is caught.value
    assert len(bucket.requests) == attempts


def test_nobody_listens(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(cloudformation, "PAUSES", ())
    monkeypatch.setattr(cloudformation, "_is_response_url", lambda url: True)
    with Bucket() as closed:
        url = closed.url
    with pytest.raises(RouterError, match="could not be delivered: URLError"):
        answer(read_one({**CREATE, "ResponseURL": url}), None)


HOST = "cloudformation-custom-resource-response-useast1.s3.amazonaws.com"


@pytest.mark.parametrize(
    "url",
    [
        *("file:///etc/passwd", "ftp://host/x", "", 5, {}, "HTTPS", "https://", "https://[", "http://a b/"),
        f"http://{HOST}/x",  # in clear text
        "https://evil.example/x",
        "https://169.254.169.254/latest",
        "https://bucket.s3.amazonaws.com/x",  # of anybody
        f"https://{HOST}.evil.example/x",
        f"https://{HOST}@evil.example/x",
        f"https://user:{HOST}@evil.example/x",
        f"https://evil.example\\@{HOST}/x",
        f"https://evil.example/{HOST}",
        f"https://evil.example?{HOST}/x",
        f"https://evil.example#.{HOST}/x",
        f"https://{HOST}:8443/x",
        f"https://{HOST}/\r\nX: y",
        "https://cloudformation-custom-resource-response-.evil.example/.s3.amazonaws.com/x",
        "https://cloudformation-custom-resource-response-x.evil.amazonaws.com/x",
    ],
)
def test_only_the_response_buckets_are_answered(url):
    with pytest.raises(InvalidEvent, match="ResponseURL"):
        read_one({**CREATE, "ResponseURL": url})


@pytest.mark.parametrize(
    "host",
    [
        *(HOST, f"{HOST}:443"),
        "cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com",
        "cloudformation-custom-resource-response-uswest2.s3-us-west-2.amazonaws.com",
        "cloudformation-custom-resource-response-cnnorth1.s3.cn-north-1.amazonaws.com.cn",
    ],
)
def test_each_response_bucket_is_answered(host):
    url = f"https://{host}/arn%3Aaws?X-Amz-Signature=s3cret"
    assert read_one({**CREATE, "ResponseURL": url}).response_url == url


def test_without_a_route_for_custom_resources_nothing_is_sent(bucket):
    with pytest.raises(NoRoute):
        Resolver().resolve({**CREATE, "ResponseURL": bucket.url})
    assert bucket.requests == []
    resolver = Resolver()
    resolver.on("cloudformation", "Custom::Other")(lambda: None)
    resolver.resolve({**CREATE, "ResponseURL": bucket.url})  # a slip in the name: the stack must not wait for an hour
    assert bucket.documents[0]["Status"] == "FAILED"


@pytest.mark.parametrize("name", ["StackId", "RequestId", "LogicalResourceId"])
@pytest.mark.parametrize("value", [None, "", 5])
def test_a_request_that_could_not_be_answered_is_refused(name, value):
    with pytest.raises(InvalidEvent, match=name):
        read_one({**CREATE, "ResponseURL": f"https://{HOST}/x", name: value})


def test_the_provider_framework_gets_the_answer_itself():
    assert answer(read_one(UPDATE), {"Arn": "a"}) == {"PhysicalResourceId": "seed-1", "Data": {"Arn": "a"}}
    assert answer(read_one(UPDATE), {"IsComplete": False}) == {"IsComplete": False}
    error = ValueError("no")
    with pytest.raises(ValueError, match="no") as caught:
        failed(read_one(UPDATE), error)
    assert caught.value is error


@pytest.mark.parametrize(
    "result",
    [
        True,
        [1],
        5,
        {"PhysicalResourceId": "a", "Arn": "b"},
        {"Data": "text"},
        {"PhysicalResourceId": ""},
        {"PhysicalResourceId": 5},
        {"PhysicalResourceId": "x" * 1025},
        "",
    ],
)
def test_a_result_that_is_no_answer_is_a_mistake_of_the_handler(result):
    with pytest.raises(ConfigurationError, match="Custom::Seed"):
        answer(read_one(CREATE), result)


@FUZZ
@given(mutations([CREATE, UPDATE, DELETE]), JSON)
def test_whatever_it_holds(payload, result):
    survives(payload, {Source.CLOUDFORMATION}, [None, result, {"Data": result}, {"PhysicalResourceId": result}])
