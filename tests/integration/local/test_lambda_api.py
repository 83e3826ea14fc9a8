"""Lambda's own API, asked by boto3 and the AWS CLI: it answers as the service does."""

from __future__ import annotations

import base64
import json
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from router.local.aws.forwarding import address
from router.local.calls import Call, Outcome
from router.local.lambda_api.api import LambdaApi
from router.local.lambda_api.functions import Asynchronous, Function
from tests.servers.asgi import Served
from tests.servers.aws import client
from tests.servers.moto import MotoServer
from tests.servers.process import wait_until

ARN = "arn:aws:lambda:us-east-1:000000000000:function:orders"


@dataclass
class Application:
    """An application: `answers` says what the next calls come to; without any, the event is the answer."""

    calls: list[Call] = field(default_factory=list)
    answers: list[Outcome] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    async def invoke(self, call: Call) -> Outcome:
        self.calls.append(call)
        return self.answers.pop(0) if self.answers else Outcome("answered", {"seen": call.event}, ms=1.5)


@dataclass
class Run:
    """A run with two functions, and boto3 for it."""

    url: str
    application: Application
    api: LambdaApi
    server: Served

    @property
    def functions(self) -> Any:
        return client("lambda", self.url)

    def settings(self) -> Asynchronous:
        return self.api.functions.find("orders").function.asynchronous


def failed(message: str = "no stock") -> Outcome:
    return Outcome("failed", error={"errorType": "OutOfStock", "errorMessage": message, "stackTrace": []})


@pytest.fixture
def start() -> Iterator[Callable[..., Run]]:
    """Start runs; `clients` makes clients of the emulator."""
    servers = []

    def started(clients: Callable[[str], Any] | None = None) -> Run:
        application, apis = Application(), []

        def build() -> Any:
            functions = [Function("orders", timeout=3), Function("shop-reports", "reports")]
            apis.append(
                LambdaApi(
                    application, functions, clients=clients, retry_delays=(0.05, 0.1), tell=application.told.append
                )
            )
            return apis[0].app

        async def close() -> None:
            await apis[0].close()

        server = Served(build, close)
        server.__enter__()
        servers.append(server)
        return Run(server.url, application, apis[0], server)

    yield started
    for server in servers:
        server.__exit__()


@pytest.fixture
def run(start: Callable[..., Run]) -> Run:
    return start()


def refused(call: Callable[[], Any]) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as info:
        call()
    answer = info.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]


class TestInvoke:
    def test_answers_with_the_answer_of_the_function(self, run: Run) -> None:
        answer = run.functions.invoke(
            FunctionName="orders", Payload=b'{"id": 12345678901234567890, "name": "\xc3\xa4"}'
        )

        assert answer["StatusCode"] == 200
        assert answer["ExecutedVersion"] == "$LATEST"
        assert "FunctionError" not in answer
        assert json.loads(answer["Payload"].read()) == {"seen": {"id": 12345678901234567890, "name": "ä"}}
        (call,) = run.application.calls
        assert (call.origin, call.function, call.timeout) == ("invoke", "main", 3)
        assert answer["ResponseMetadata"]["RequestId"] == call.request_id

    def test_without_a_payload_the_event_is_empty(self, run: Run) -> None:
        assert json.loads(run.functions.invoke(FunctionName="orders")["Payload"].read()) == {"seen": {}}

    def test_half_of_a_surrogate_pair_comes_through(self, run: Run) -> None:
        answer = run.functions.invoke(FunctionName="orders", Payload=b'{"text": "\\ud800"}')
        assert answer["Payload"].read() == b'{"seen":{"text":"\\ud800"}}'
        streamed = run.functions.invoke_with_response_stream(FunctionName="orders", Payload=b'"\\ud800"')
        first, _ = streamed["EventStream"]
        assert first["PayloadChunk"]["Payload"] == b'{"seen":"\\ud800"}'

    @pytest.mark.parametrize(
        ("name", "qualifier", "version"),
        [
            ("orders:live", None, "$LATEST"),
            ("orders", "7", "7"),
            (ARN, None, "$LATEST"),
            (f"{ARN}:12", "12", "12"),
            ("000000000000:function:orders", "$LATEST", "$LATEST"),
        ],
    )
    def test_finds_a_function_by_every_kind_of_name(
        self, run: Run, name: str, qualifier: str | None, version: str
    ) -> None:
        options = {"Qualifier": qualifier} if qualifier else {}
        assert run.functions.invoke(FunctionName=name, **options)["ExecutedVersion"] == version

    def test_the_part_of_an_application_is_called_by_the_name_of_its_function(self, run: Run) -> None:
        run.functions.invoke(FunctionName="shop-reports")
        assert run.application.calls[0].function == "reports"

    @pytest.mark.parametrize("name", ["order", "arn:aws:lambda:eu-west-1:000000000000:function:orders"])
    def test_a_function_that_is_not_there_is_refused_with_those_that_are(self, run: Run, name: str) -> None:
        status, code, message = refused(lambda: run.functions.invoke(FunctionName=name))
        assert (status, code) == (404, "ResourceNotFoundException")
        assert message.startswith("Function not found: arn:aws:lambda:")
        assert message.endswith(f":function:{name.rpartition(':')[2]} (the functions here: orders, shop-reports)")

    def test_two_qualifiers_that_differ_are_refused(self, run: Run) -> None:
        status, code, _ = refused(lambda: run.functions.invoke(FunctionName="orders:1", Qualifier="2"))
        assert (status, code) == (400, "InvalidParameterValueException")

    @pytest.mark.parametrize("payload", [b"{", b"NaN", b"\xff", b"[" * 100_000])
    def test_what_is_not_json_is_refused(self, run: Run, payload: bytes) -> None:
        status, code, message = refused(lambda: run.functions.invoke(FunctionName="orders", Payload=payload))
        assert (status, code) == (400, "InvalidRequestContentException")
        assert message.startswith("Could not parse request body into json: ")
        assert run.application.calls == []

    def test_an_error_of_the_function_is_an_answer(self, run: Run) -> None:
        run.application.answers = [failed()]
        answer = run.functions.invoke(FunctionName="orders")
        assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
        assert json.loads(answer["Payload"].read()) == {
            "errorType": "OutOfStock",
            "errorMessage": "no stock",
            "stackTrace": [],
        }

    @pytest.mark.parametrize(
        ("outcome", "kind", "message"),
        [
            (Outcome("timed out"), "Sandbox.Timedout", "Error: Task timed out after 3.00 seconds"),
            (Outcome("died"), "Runtime.ExitError", "Error: Runtime exited without providing a reason"),
            (Outcome("answered", "x" * 6_291_557), "Function.ResponseSizeTooLarge", "payload size (6291556 bytes)."),
        ],
    )
    def test_errors_that_lambda_makes_up_are_those_of_lambda(
        self, run: Run, outcome: Outcome, kind: str, message: str
    ) -> None:
        run.application.answers = [outcome]
        answer = run.functions.invoke(FunctionName="orders")
        error = json.loads(answer["Payload"].read())
        assert answer["FunctionError"] == "Unhandled"
        assert error["errorType"] == kind
        assert error["errorMessage"].endswith(message)

    def test_a_lost_answer_is_an_error_of_the_service_which_boto3_tries_again(self, run: Run) -> None:
        run.application.answers = [Outcome("lost answer")]
        assert run.functions.invoke(FunctionName="orders")["StatusCode"] == 200
        assert len(run.application.calls) == 2

    def test_the_client_context_and_the_tenant_reach_the_function(self, run: Run) -> None:
        context = base64.b64encode(b'{"custom": {"tool": "find"}}').decode()
        run.functions.invoke(FunctionName="orders", ClientContext=context, TenantId="acme")
        assert run.application.calls[0].client_context == {"custom": {"tool": "find"}}
        assert run.application.calls[0].tenant_id == "acme"

    @pytest.mark.parametrize("context", ["not base64", base64.b64encode(b"[1]").decode(), "A" * 3584])
    def test_a_bad_client_context_is_refused(self, run: Run, context: str) -> None:
        status, code, _ = refused(lambda: run.functions.invoke(FunctionName="orders", ClientContext=context))
        assert (status, code) == (400, "InvalidRequestContentException")

    def test_the_end_of_the_log_comes_along_when_it_is_asked_for(self, run: Run) -> None:
        line: Any = {"at": 0.0, "level": "INFO", "logger": "shop", "message": "packed", "fields": {}}
        run.application.answers = [Outcome("answered", None, ms=12.345, logs=[line])]
        answer = run.functions.invoke(FunctionName="orders", LogType="Tail")
        number = run.application.calls[0].request_id
        sizes = "Memory Size: 512 MB\tMax Memory Used: 512 MB\t"
        assert base64.b64decode(answer["LogResult"]).decode().splitlines() == [
            f"START RequestId: {number} Version: $LATEST",
            f"[INFO]\t1970-01-01T00:00:00.000Z\t{number}\tpacked",
            f"END RequestId: {number}",
            f"REPORT RequestId: {number}\tDuration: 12.35 ms\tBilled Duration: 13 ms\t{sizes}",
        ]

    def test_no_more_than_four_kilobytes_of_the_log_come(self, run: Run) -> None:
        line: Any = {"at": 0.0, "level": "INFO", "logger": "shop", "message": "ä" * 9000, "fields": {}}
        run.application.answers = [Outcome("answered", None, logs=[line])]
        assert len(base64.b64decode(run.functions.invoke(FunctionName="orders", LogType="Tail")["LogResult"])) == 4096

    def test_a_dry_run_calls_nothing(self, run: Run) -> None:
        assert run.functions.invoke(FunctionName="orders", InvocationType="DryRun")["StatusCode"] == 204
        assert run.application.calls == []

    @pytest.mark.parametrize(
        ("kind", "limit", "message"),
        [
            (
                "RequestResponse",
                6_291_456,
                "Request must be smaller than 6291456 bytes for the InvokeFunction",
            ),
            (
                "Event",
                1_048_576,
                "1048577 byte payload is too large for the Event invocation type",
            ),
        ],
    )
    def test_the_largest_payload_is_taken_and_one_more_byte_is_not(
        self, run: Run, kind: str, limit: int, message: str
    ) -> None:
        largest = b'"' + b"x" * (limit - 2) + b'"'
        run.application.answers = [Outcome("answered")]
        assert run.functions.invoke(FunctionName="orders", InvocationType=kind, Payload=largest)["StatusCode"] < 300
        status, code, told = refused(
            lambda: run.functions.invoke(FunctionName="orders", InvocationType=kind, Payload=largest[:-1] + b'x"')
        )
        assert (status, code) == (413, "RequestEntityTooLargeException")
        assert told.startswith(message)

    def test_what_is_not_answered_here_says_so(self, run: Run) -> None:
        status, code, message = refused(run.functions.get_account_settings)
        assert (status, code) == (404, "UnknownOperationException")
        assert message.startswith("GET /2016-08-19/account-settings is not a call that is answered here")


class TestClients:
    def test_one_that_goes_away_under_way_harms_nobody(self, run: Run, caplog: pytest.LogCaptureFixture) -> None:
        host, _, port = run.url.removeprefix("http://").partition(":")
        head = b"POST /2015-03-31/functions/orders/invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(head)
        assert run.functions.invoke(FunctionName="orders")["StatusCode"] == 200
        assert len(run.application.calls) == 1
        assert [record for record in caplog.records if record.levelname == "ERROR"] == []


class TestStream:
    def test_parts_come_as_they_are_made(self, run: Run) -> None:
        async def parts() -> Any:
            yield b"one "
            yield b"two"

        run.application.answers = [Outcome("answered", {"statusCode": 200}, stream=parts())]
        answer = run.functions.invoke_with_response_stream(FunctionName="orders", Payload=b"{}", LogType="Tail")
        *chunks, end = list(answer["EventStream"])
        assert [chunk["PayloadChunk"]["Payload"] for chunk in chunks] == [
            b'{"statusCode":200}' + b"\0" * 8,
            b"one ",
            b"two",
        ]
        assert set(end["InvokeComplete"]) == {"LogResult"}
        assert run.application.calls[0].streams

    def test_an_answer_that_is_not_streamed_is_one_part(self, run: Run) -> None:
        answer = run.functions.invoke_with_response_stream(FunctionName="orders", Payload=b"[1]")
        assert list(answer["EventStream"]) == [{"PayloadChunk": {"Payload": b'{"seen":[1]}'}}, {"InvokeComplete": {}}]

    def test_an_error_under_way_is_told_at_the_end(self, run: Run) -> None:
        async def parts() -> Any:
            yield b"one "
            raise OSError("the disk is gone")

        run.application.answers = [Outcome("answered", {}, stream=parts()), failed()]
        events = list(run.functions.invoke_with_response_stream(FunctionName="orders")["EventStream"])
        assert events[-1]["InvokeComplete"]["ErrorCode"] == "Unhandled"
        assert json.loads(events[-1]["InvokeComplete"]["ErrorDetails"])["errorMessage"] == "the disk is gone"
        (end,) = run.functions.invoke_with_response_stream(FunctionName="orders")["EventStream"]
        assert json.loads(end["InvokeComplete"]["ErrorDetails"])["errorType"] == "OutOfStock"


class TestAsynchronous:
    def send(self, run: Run, payload: bytes = b'{"id": 1}') -> None:
        assert run.functions.invoke(FunctionName="orders", InvocationType="Event", Payload=payload)["StatusCode"] == 202

    def test_a_failed_event_is_tried_again_twice(self, run: Run) -> None:
        run.application.answers = [failed(), Outcome("died"), failed()]
        self.send(run)
        assert wait_until(lambda: bool(run.application.told), timeout_s=5)
        assert [call.attempt for call in run.application.calls] == [1, 2, 3]
        assert len({call.request_id for call in run.application.calls}) == 1
        (told,) = run.application.told
        assert told.startswith("an asynchronous event of orders is given up after 3 attempts (RetriesExhausted), and")
        assert told.endswith("neither a destination for failures nor a dead-letter queue is set")
        assert run.api.later.waiting == []

    def test_an_event_waits_while_the_application_cannot_be_imported(self, run: Run) -> None:
        run.application.answers = [Outcome("broken")]
        self.send(run)
        assert wait_until(lambda: len(run.application.calls) == 1, timeout_s=5)
        (waiting,) = run.api.later.waiting
        assert waiting.attempts == 0
        assert wait_until(lambda: len(run.application.calls) == 2, timeout_s=5)
        assert [call.attempt for call in run.application.calls] == [1, 1]
        assert run.application.told == []

    def test_a_wait_for_the_application_costs_no_event_a_try_or_age(self, run: Run) -> None:
        function = run.api.functions.find("orders").function
        function.asynchronous = Asynchronous(retries=0, max_age=0.2)
        run.application.answers = [Outcome("broken")] * 4
        self.send(run)
        assert wait_until(lambda: len(run.application.calls) == 5, timeout_s=5)
        assert wait_until(lambda: not run.api.later.waiting, timeout_s=5)
        assert run.application.told == []

    def test_the_queue_says_when_the_next_attempt_is_due(self, start: Callable[..., Run]) -> None:
        run = start()
        run.api.later._delays = (60, 120)
        run.application.answers = [failed()]
        self.send(run)
        assert wait_until(lambda: any(one.attempts for one in run.api.later.waiting), timeout_s=5)
        assert 55 < run.api.later.waiting[0].due - time.time() <= 60
        assert run.server.call(run.api.close()) is None
        assert run.application.told == ["1 asynchronous event was not done at the end"]

    def test_an_event_that_is_too_old_is_given_up(self, run: Run) -> None:
        run.settings().max_age = 0.02
        run.application.answers = [failed(), failed()]
        self.send(run)
        assert wait_until(lambda: bool(run.application.told), timeout_s=5)
        assert "after 1 attempt (EventAgeExceeded)" in run.application.told[0]

    def test_callers_set_retries_and_age(self, run: Run) -> None:
        status, code, _ = refused(lambda: run.functions.get_function_event_invoke_config(FunctionName="orders"))
        assert (status, code) == (404, "ResourceNotFoundException")
        run.functions.put_function_event_invoke_config(FunctionName="orders", MaximumRetryAttempts=0)
        run.functions.update_function_event_invoke_config(FunctionName="orders", MaximumEventAgeInSeconds=60)
        told = run.functions.get_function_event_invoke_config(FunctionName="orders")
        assert (told["MaximumRetryAttempts"], told["MaximumEventAgeInSeconds"]) == (0, 60)
        run.application.answers = [failed()]
        self.send(run)
        assert wait_until(lambda: bool(run.application.told), timeout_s=5)
        assert "after 1 attempt (RetriesExhausted)" in run.application.told[0]
        status, code, _ = refused(
            lambda: run.functions.put_function_event_invoke_config(
                FunctionName="orders", MaximumEventAgeInSeconds=21_601
            )
        )
        assert (status, code) == (400, "InvalidParameterValueException")
        run.api.functions.replace([Function("orders")])
        assert run.settings().retries == 0
        run.functions.delete_function_event_invoke_config(FunctionName="orders")
        assert run.settings().retries == 2


class TestDestinations:
    def test_a_success_and_a_failure_go_where_they_are_sent(self, start: Callable[..., Run], moto: MotoServer) -> None:
        sqs = moto.client("sqs")
        urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("done", "gone", "dead")}
        arns = {name: f"arn:aws:sqs:eu-west-1:123456789012:{name}" for name in urls}
        run = start(moto.client)
        run.functions.put_function_event_invoke_config(
            FunctionName="orders",
            DestinationConfig={
                "OnSuccess": {"Destination": arns["done"]},
                "OnFailure": {"Destination": arns["gone"]},
            },
        )
        run.settings().dead_letters = arns["dead"]

        def received(name: str) -> Any:
            (message,) = sqs.receive_message(QueueUrl=urls[name], WaitTimeSeconds=5, MessageAttributeNames=["All"])[
                "Messages"
            ]
            return message

        run.functions.invoke(FunctionName="orders", InvocationType="Event", Payload=b'{"id": 1}')
        record = json.loads(received("done")["Body"])
        (call,) = run.application.calls
        assert record.pop("timestamp").endswith("Z")
        assert record == {
            "version": "1.0",
            "requestContext": {
                "requestId": call.request_id,
                "functionArn": f"{ARN}:$LATEST",
                "condition": "Success",
                "approximateInvokeCount": 1,
            },
            "requestPayload": {"id": 1},
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"},
            "responsePayload": {"seen": {"id": 1}},
        }

        run.application.answers = [failed() for _ in range(3)]
        run.functions.invoke(FunctionName="orders", InvocationType="Event", Payload=b'{"id": 2}')
        record = json.loads(received("gone")["Body"])
        assert record["requestContext"]["condition"] == "RetriesExhausted"
        assert record["requestContext"]["approximateInvokeCount"] == 3
        assert record["responseContext"]["functionError"] == "Unhandled"
        assert record["responsePayload"]["errorMessage"] == "no stock"
        letter = received("dead")
        assert json.loads(letter["Body"]) == {"id": 2}
        attributes = {name: one["StringValue"] for name, one in letter["MessageAttributes"].items()}
        number = run.application.calls[-1].request_id
        assert attributes == {"RequestID": number, "ErrorCode": "200", "ErrorMessage": "no stock"}
        assert run.application.told == []

    def test_topics_buses_buckets_and_functions_get_records(self, start: Callable[..., Run], moto: MotoServer) -> None:
        sqs, sns, events, s3 = (moto.client(name) for name in ("sqs", "sns", "events", "s3"))
        queue = sqs.create_queue(QueueName="seen")["QueueUrl"]
        arn = "arn:aws:sqs:eu-west-1:123456789012:seen"
        topic = sns.create_topic(Name="results")["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
        bus = events.create_event_bus(Name="results")["EventBusArn"]
        events.put_rule(Name="all", EventBusName="results", EventPattern='{"source": ["lambda"]}')
        events.put_targets(Rule="all", EventBusName="results", Targets=[{"Id": "1", "Arn": arn}])
        s3.create_bucket(Bucket="results", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        run = start(moto.client)

        def body() -> Any:
            (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            return json.loads(message["Body"])

        def send() -> None:
            run.functions.invoke(FunctionName="orders", InvocationType="Event", Payload=b'"x"')

        run.settings().on_success = topic
        send()
        assert body()["requestPayload"] == "x"
        run.settings().on_success = bus
        send()
        event = body()
        assert event["detail-type"] == "Lambda Function Invocation Result - Success"
        assert event["resources"] == [bus, f"{ARN}:$LATEST"]
        assert event["detail"]["requestPayload"] == "x"
        run.settings().on_success = f"{ARN.replace('orders', 'shop-reports')}"
        send()
        assert wait_until(lambda: run.application.calls[-1].function == "reports", timeout_s=5)
        assert run.application.calls[-1].event["requestPayload"] == "x"
        run.settings().on_failure = "arn:aws:s3:::results"
        run.settings().retries = 0
        run.application.answers = [failed()]
        send()
        assert wait_until(lambda: "Contents" in s3.list_objects_v2(Bucket="results"), timeout_s=5)
        (stored,) = s3.list_objects_v2(Bucket="results")["Contents"]
        assert stored["Key"].startswith("aws/lambda/async/orders/2")
        assert json.loads(s3.get_object(Bucket="results", Key=stored["Key"])["Body"].read())["requestPayload"] == "x"

    def test_a_record_that_cannot_be_sent_is_told(self, run: Run) -> None:
        run.settings().on_success = "arn:aws:sqs:us-east-1:000000000000:done"
        run.functions.invoke(FunctionName="orders", InvocationType="Event")
        assert wait_until(lambda: bool(run.application.told), timeout_s=5)
        arn, number = run.settings().on_success, run.application.calls[0].request_id
        (told,) = run.application.told
        assert told == f"the record of {number} could not be sent to {arn}: there is no AWS in this run"


class TestDescribe:
    def test_tells_of_the_functions(self, run: Run) -> None:
        listed = run.functions.list_functions()["Functions"]
        assert [one["FunctionName"] for one in listed] == ["orders", "shop-reports"]
        told = run.functions.get_function(FunctionName="orders:live")["Configuration"]
        assert (told["FunctionArn"], told["Timeout"], told["State"]) == (f"{ARN}:live", 3, "Active")
        assert run.functions.get_function_configuration(FunctionName="orders")["FunctionArn"] == ARN
        run.functions.get_waiter("function_active_v2").wait(FunctionName="orders")
        assert refused(lambda: run.functions.get_function(FunctionName="none"))[1] == "ResourceNotFoundException"


class TestForward:
    def post(self, run: Run, body: Any, kind: Any = "RequestResponse", token: str | None = None) -> httpx.Response:
        url = address(run.url, "orders", run.api.token if token is None else token, kind)
        with httpx.Client(trust_env=False) as http:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            return http.post(url, content=content, headers={"X-Amzn-Lambda-Request-Id": "r-1"})

    def test_hands_an_event_of_the_emulator_over(self, run: Run) -> None:
        answer = self.post(run, {"Records": []})
        assert answer.json() == {"seen": {"Records": []}}
        assert "X-Amz-Function-Error" not in answer.headers
        (call,) = run.application.calls
        assert (call.origin, call.request_id, call.event) == ("aws", "r-1", {"Records": []})

    def test_an_error_is_told_as_one(self, run: Run) -> None:
        run.application.answers = [failed()]
        answer = self.post(run, {})
        assert (answer.status_code, answer.headers["X-Amz-Function-Error"]) == (200, "Unhandled")
        assert answer.json()["errorType"] == "OutOfStock"

    def test_an_asynchronous_event_is_tried_again_here(self, run: Run) -> None:
        run.application.answers = [failed()]
        assert self.post(run, {"id": 1}, "Event").status_code == 202
        assert wait_until(lambda: len(run.application.calls) == 2, timeout_s=5)
        assert [(call.origin, call.attempt) for call in run.application.calls] == [("aws", 1), ("aws", 2)]

    @pytest.mark.parametrize("token", ["", "wrong", "ä"])
    def test_nobody_else_comes_in(self, run: Run, token: str) -> None:
        assert self.post(run, {}, token=token).status_code == 403
        assert run.application.calls == []

    @pytest.mark.parametrize(("body", "kind"), [(b"{", "RequestResponse"), (b"{}", "Batch")])
    def test_other_requests_are_refused(self, run: Run, body: Any, kind: str) -> None:
        assert self.post(run, body, kind).status_code == 400


class TestAwsCli:
    def test_invokes_a_function(self, run: Run, aws_cli: Any, tmp_path: Any) -> None:
        words = ("lambda", "invoke", "--function-name", "orders", "--payload", '{"id": 1}', "out.json")
        done = aws_cli(run.url, *words, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {"StatusCode": 200, "ExecutedVersion": "$LATEST"}
        assert json.loads((tmp_path / "out.json").read_text()) == {"seen": {"id": 1}}

    def test_is_told_what_is_wrong(self, run: Run, aws_cli: Any, tmp_path: Any) -> None:
        done = aws_cli(run.url, "lambda", "invoke", "--function-name", "nobody", "out.json", cwd=tmp_path)
        assert done.returncode != 0
        assert "(ResourceNotFoundException)" in done.stderr
        assert "the functions here: orders, shop-reports" in done.stderr
