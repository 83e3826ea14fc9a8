"""What was sent and what comes of it have a key in common: adapters and boto3 against MiniStack.

Each test sends through a handler that is watched, takes what the service delivers, makes the event that Lambda would
get of it, and compares the keys of both entries.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import boto3
import pytest

from adapters.aws import Aws
from adapters.dynamodb import Delete, Put, Table, Update, item
from adapters.eventbridge import Bus, OutgoingEvent
from adapters.lambda_invoke import Invoker
from adapters.messaging import Message
from adapters.s3 import S3
from adapters.sns import Sns
from adapters.sqs import Sqs
from adapters.stepfunctions import StepFunctions
from router import Resolver
from router.local.entries import AwsCall, Entry
from router.local.watch import Watch
from router.testing import Context, TestClient, samples
from tests.integration.adapters.management_api import ManagementApi
from tests.integration.adapters.places import aws_of, make_queue, make_topic
from tests.servers.aws import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY
from tests.servers.ministack import MiniStack

PATIENCE = 20  # seconds for what a service does by itself


@item(pk="order#{id}")
@dataclass
class Order:
    id: str
    total: int = 0


@pytest.fixture(scope="module")
def aws(ministack: MiniStack) -> Iterator[Aws]:
    made = aws_of(ministack)
    yield made
    made.close()


@pytest.fixture
def resolver() -> Resolver:
    return Resolver()


@pytest.fixture
def watch(resolver: Resolver) -> Iterator[Watch]:
    made = Watch().install(resolver)
    yield made
    made.uninstall()


def name() -> str:
    return f"w{uuid4().hex[:12]}"


def calls_of(resolver: Resolver, watch: Watch, send: Callable[[], Any]) -> list[AwsCall]:
    """Return the calls of a handler that sends."""
    resolver.post(f"/{name()}")(lambda: None)
    path = f"/{name()}"
    resolver.post(path)(lambda: {"sent": str(send())})
    answer = TestClient(resolver, context=Context(request_id="sender")).post(path)
    assert answer.status == 200, answer.text
    (entry,) = watch.collect("sender")
    return entry["calls"]


def entries_of(resolver: Resolver, watch: Watch, event: Any, request_id: str = "receiver") -> list[Entry]:
    """Return the entries of an event that nobody takes: its keys are told all the same."""
    try:
        resolver.resolve(event, Context(request_id=request_id))
    except Exception:
        pass
    return watch.collect(request_id)


def links(calls: list[AwsCall], *operations: str) -> set[str]:
    return {link for call in calls if call["operation"] in operations for link in call["links"] if "hop:" not in link}


def keys(entries: list[Entry]) -> set[str]:
    return {link for entry in entries for link in entry["links"]}


def messages(aws: Aws, url: str, count: int) -> dict[str, Any]:
    """Return so many messages of a queue as Lambda would get them."""
    records: list[dict[str, Any]] = []
    until = time.monotonic() + PATIENCE
    while len(records) < count and time.monotonic() < until:
        answer = aws.call("sqs", "receive_message", QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        records += [_record(one, url.rpartition("/")[2]) for one in answer.get("Messages", ())]
    assert len(records) == count
    return {"Records": records}


def _record(message: dict[str, Any], queue: str) -> dict[str, Any]:
    """Return a message as Lambda would get it."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1700000000000"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:000000000000:{queue}",
        "awsRegion": REGION,
    }


class TestMessages:
    def test_of_a_queue(self, aws: Aws, resolver: Resolver, watch: Watch) -> None:
        url, _ = make_queue(aws, name())
        sqs = Sqs(aws)

        def send() -> None:
            sqs.send(url, {"n": 1})
            sqs.send_many(url, [Message({"n": number}) for number in range(3)])

        sent = links(calls_of(resolver, watch, send), "SendMessage", "SendMessageBatch")
        came = keys(entries_of(resolver, watch, messages(aws, url, 4)))

        assert len(sent) == 4
        assert sent == came

    def test_of_a_topic_inside_of_those_of_a_queue(self, aws: Aws, resolver: Resolver, watch: Watch) -> None:
        url, arn = make_queue(aws, name())
        topic = make_topic(aws, name(), arn)
        sns = Sns(aws)

        def send() -> None:
            sns.publish(topic, {"n": 1})
            sns.publish_many(topic, [Message({"n": number}) for number in range(3)])

        sent = links(calls_of(resolver, watch, send), "Publish", "PublishBatch")
        came = keys(entries_of(resolver, watch, messages(aws, url, 4)))

        assert len(sent) == 4
        assert {link for link in came if link.startswith("sns:")} == sent

    def test_of_a_bus_inside_of_those_of_a_queue(self, aws: Aws, resolver: Resolver, watch: Watch) -> None:
        url, arn = make_queue(aws, name())
        bus, source = name(), name()
        aws.call("events", "create_event_bus", Name=bus)
        aws.call(
            "events",
            "put_rule",
            Name=name_of_rule(bus),
            EventBusName=bus,
            EventPattern=json.dumps({"source": [source]}),
        )
        aws.call(
            "events",
            "put_targets",
            Rule=name_of_rule(bus),
            EventBusName=bus,
            Targets=[{"Id": "queue", "Arn": arn}],
        )
        adapter = Bus(aws, name=bus, source=source)

        def send() -> None:
            adapter.publish("made", {"n": 1})
            adapter.publish_many([OutgoingEvent("made", {"n": number}) for number in range(2)])

        sent = links(calls_of(resolver, watch, send), "PutEvents")
        payload = messages(aws, url, 3)
        came = keys(entries_of(resolver, watch, payload))
        direct = keys(entries_of(resolver, watch, json.loads(payload["Records"][0]["body"])))

        assert len(sent) == 3
        assert {link for link in came if link.startswith("events:")} == sent
        assert direct < sent


def name_of_rule(bus: str) -> str:
    return f"{bus}-rule"


class TestTables:
    @pytest.fixture
    def table(self, aws: Aws) -> str:
        made = name()
        aws.call(
            "dynamodb",
            "create_table",
            TableName=made,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "N"},
            ],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        return made

    def came(self, aws: Aws, resolver: Resolver, watch: Watch, table: str) -> set[str]:
        """Return the keys of all changes in the stream of a table."""
        streams = aws.client("dynamodbstreams")
        (found,) = streams.list_streams(TableName=table)["Streams"]
        described = streams.describe_stream(StreamArn=found["StreamArn"])["StreamDescription"]
        records: list[dict[str, Any]] = []
        for shard in described["Shards"]:
            position = streams.get_shard_iterator(
                StreamArn=found["StreamArn"], ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            records += streams.get_records(ShardIterator=position)["Records"]
        held = [
            {
                "eventID": one["eventID"],
                "eventName": one["eventName"],
                "eventSource": "aws:dynamodb",
                "eventSourceARN": found["StreamArn"],
                "dynamodb": {"Keys": one["dynamodb"]["Keys"], "SequenceNumber": one["dynamodb"]["SequenceNumber"]},
            }
            for one in records
        ]
        return keys(entries_of(resolver, watch, {"Records": held}))

    def test_of_every_way_to_write(self, aws: Aws, resolver: Resolver, watch: Watch, table: str) -> None:
        client = aws.client("dynamodb")

        def key(number: int) -> dict[str, Any]:
            return {"pk": {"S": f"o-{number}"}, "sk": {"N": f"{number}.0"}}

        def send() -> None:
            client.put_item(TableName=table, Item={**key(1), "x": {"S": "y"}})
            client.update_item(
                TableName=table,
                Key=key(2),
                UpdateExpression="SET x = :x",
                ExpressionAttributeValues={":x": {"S": "y"}},
            )
            client.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": key(3)}}]})
            client.transact_write_items(TransactItems=[{"Put": {"TableName": table, "Item": key(4)}}])
            client.delete_item(TableName=table, Key=key(1))

        calls = calls_of(resolver, watch, send)
        sent = links(calls, "PutItem", "UpdateItem", "BatchWriteItem", "TransactWriteItems", "DeleteItem")

        assert len(sent) == 4
        assert sent == self.came(aws, resolver, watch, table)
        assert [call["action"] for call in calls] == [
            *("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem", "dynamodb:PutItem"),
            "dynamodb:DeleteItem",
        ]
        assert {call["resource"] for call in calls} == {f"arn:aws:dynamodb:{REGION}:000000000000:table/{table}"}

    def test_of_a_resource_of_boto3_with_values_of_python(
        self, aws: Aws, resolver: Resolver, watch: Watch, table: str, ministack: MiniStack
    ) -> None:
        held = boto3.resource(
            "dynamodb",
            region_name=REGION,
            endpoint_url=ministack.url,
            aws_access_key_id=ACCESS_KEY_ID,
            aws_secret_access_key=SECRET_ACCESS_KEY,
        ).Table(table)

        sent = links(calls_of(resolver, watch, lambda: held.put_item(Item={"pk": "o-1", "sk": 7})), "PutItem")

        assert sent == {f'dynamodb:{table}/{{"pk":{{"S":"o-1"}},"sk":{{"N":"7"}}}}'}
        assert sent == self.came(aws, resolver, watch, table)

    def test_of_the_adapter(self, aws: Aws, resolver: Resolver, watch: Watch) -> None:
        table = Table(name(), [Order], aws=aws)
        table.create_table()

        def send() -> None:
            table.put(Order("1"))
            table.create(Order("2"))
            table.update(Order, "1", set={"total": 3})
            table.batch_write([Order("3")], overwrite=True)
            table.transact_write(Put(Order("4")), Update(Order, "2", set={"total": 1}), Delete(Order, "3"))
            table.delete(Order, "1")

        calls = calls_of(resolver, watch, send)
        sent = {link for call in calls for link in call["links"] if link.startswith("dynamodb:")}

        assert {f"order#{number}" in link for number in range(1, 5) for link in sent} == {True, False}
        assert len(sent) == 4
        assert all(call["error"] is None for call in calls)


class TestStreams:
    def test_of_kinesis(self, aws: Aws, resolver: Resolver, watch: Watch) -> None:
        stream = name()
        client = aws.client("kinesis")
        client.create_stream(StreamName=stream, ShardCount=1)
        client.get_waiter("stream_exists").wait(StreamName=stream, WaiterConfig={"Delay": 1})

        def send() -> None:
            client.put_record(StreamName=stream, Data=b"1", PartitionKey="a")
            client.put_records(StreamName=stream, Records=[{"Data": b"2", "PartitionKey": "b"}] * 2)

        sent = links(calls_of(resolver, watch, send), "PutRecord", "PutRecords")
        (shard,) = client.list_shards(StreamName=stream)["Shards"]
        position = client.get_shard_iterator(
            StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        records = client.get_records(ShardIterator=position)["Records"]
        event = samples.kinesis(stream, ["x"] * len(records))
        for record, held in zip(event["Records"], records, strict=True):
            record["kinesis"]["sequenceNumber"] = held["SequenceNumber"]

        assert len(sent) == 3
        assert keys(entries_of(resolver, watch, event)) == sent


class TestObjects:
    def test_of_a_bucket_that_notifies_a_queue(self, aws: Aws, resolver: Resolver, watch: Watch) -> None:
        bucket, (url, arn) = name(), make_queue(aws, name())
        aws.call("s3", "create_bucket", Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        aws.call(
            "s3",
            "put_bucket_notification_configuration",
            Bucket=bucket,
            NotificationConfiguration={"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]},
        )
        messages_before = aws.call("sqs", "receive_message", QueueUrl=url, MaxNumberOfMessages=10)
        for one in messages_before.get("Messages", ()):  # s3:TestEvent
            aws.call("sqs", "delete_message", QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
        store = S3(aws, bucket=bucket)
        resolver.unpack(url.rpartition("/")[2])

        calls = calls_of(resolver, watch, lambda: store.put("a b/ö+.txt", b"x"))
        sent = links(calls, "PutObject")
        came = keys(entries_of(resolver, watch, messages(aws, url, 1)))

        assert sent == {f"s3:{bucket}/a b/ö+.txt"}
        assert sent < came
        assert calls[0]["resource"] == f"arn:aws:s3:::{bucket}/a b/ö+.txt"


class TestFunctions:
    def test_of_an_invoke_by_the_id_of_its_request(self, aws: Aws, resolver: Resolver, watch: Watch) -> None:
        function = name()
        aws.call(
            "lambda",
            "create_function",
            FunctionName=function,
            Runtime="python3.12",
            Role="arn:aws:iam::000000000000:role/x",
            Handler="index.handler",
            Code={"ZipFile": zipped("def handler(event, context):\n    return context.aws_request_id\n")},
        )
        answers: list[Any] = []

        calls = calls_of(resolver, watch, lambda: answers.append(Invoker(aws).invoke(function, "act", {"n": 1})))

        (call,) = [call for call in calls if call["operation"] == "Invoke"]
        assert call["action"] == "lambda:InvokeFunction"
        assert any(link.startswith("lambda:") for link in call["links"])
        came = entries_of(resolver, watch, samples.invoke("act", {"n": 1}), "some-request")
        assert came[0]["links"] == ["lambda:some-request"]

    def test_of_an_execution(self, aws: Aws, resolver: Resolver, watch: Watch) -> None:
        machine = aws.call(
            "stepfunctions",
            "create_state_machine",
            name=name(),
            definition=json.dumps({"StartAt": "done", "States": {"done": {"Type": "Succeed"}}}),
            roleArn="arn:aws:iam::000000000000:role/x",
        )["stateMachineArn"]
        started: list[str] = []

        calls = calls_of(resolver, watch, lambda: started.append(StepFunctions(aws).start(machine, {"n": 1})))

        (call,) = [call for call in calls if call["operation"] == "StartExecution"]
        assert f"states:{started[0]}" in call["links"]
        assert (call["action"], call["resource"]) == ("states:StartExecution", machine)


class TestConnections:
    def test_of_a_push_with_the_header_that_names_the_call(self, resolver: Resolver, watch: Watch) -> None:
        api = ManagementApi()
        with serving_api(api), aws_of_endpoint(api.url) as aws:
            client = aws.client("apigatewaymanagementapi")
            calls = calls_of(resolver, watch, lambda: client.post_to_connection(ConnectionId="c1=", Data=b"x"))
            came = entries_of(resolver, watch, samples.websocket("MESSAGE", connection_id="c1=", body="x"))

        (call,) = calls
        assert call["links"] == ["ws:c1=", "hop:sender/1"]
        assert keys(came) == {"ws:c1="}
        assert call["action"] == "execute-api:ManageConnections"


def zipped(source: str) -> bytes:
    from io import BytesIO
    from zipfile import ZipFile

    held = BytesIO()
    with ZipFile(held, "w") as archive:
        archive.writestr("index.py", source)
    return held.getvalue()


def serving_api(api: ManagementApi) -> Any:
    import threading
    from contextlib import contextmanager

    @contextmanager
    def served() -> Iterator[None]:
        thread = threading.Thread(target=api.serve_forever)
        thread.start()
        try:
            yield
        finally:
            api.shutdown()
            api.server_close()
            thread.join()

    return served()


def aws_of_endpoint(url: str) -> Any:
    from contextlib import closing

    from adapters.aws import Settings

    return closing(
        Aws(Settings(region=REGION, endpoint=url, access_key_id=ACCESS_KEY_ID, secret_access_key=SECRET_ACCESS_KEY))
    )
