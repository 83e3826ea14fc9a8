"""Documents as JSON where an application shows them: in answers, in messages and in logs."""

from __future__ import annotations

import io
import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import bson
import pytest
from aws_lambda_powertools import Logger
from bson import Binary, Decimal128, Int64, MinKey, ObjectId, Regex, Timestamp
from pydantic import BaseModel, ConfigDict

from adapters.errors import InvalidMessage
from adapters.sns import Sns
from adapters.sqs import Sqs
from router import Resolver
from router.encode import dumps, loggable
from router.testing import TestClient
from tests.unit.adapters.fakes import QUEUE_URL, FakeClient, fake_aws

OID = ObjectId("507f1f77bcf86cd799439011")
DOCUMENT: dict[str, Any] = {
    "_id": OID,
    "total": Decimal128("12345678901234567890.10"),
    "rate": Decimal("0.10"),
    "nothing": Decimal128("NaN"),
    "endless": Decimal128("Infinity"),
    "raw": Binary(b"\x00\xff", 128),
    "bytes": b"a",
    "key": UUID(int=1),
    "stored_key": Binary.from_uuid(UUID(int=2)),
    "count": Int64(2**62),
    "at": datetime(2025, 1, 31, 12, 30, tzinfo=UTC),
    "moment": Timestamp(1738326600, 1),
    "lines": [{"product": OID}],
}
WRITTEN = (
    '{"_id":"507f1f77bcf86cd799439011","total":12345678901234567890.10,"rate":0.10,"nothing":null,"endless":null,'
    '"raw":"AP8=","bytes":"YQ==","key":"00000000-0000-0000-0000-000000000001",'
    '"stored_key":"00000000-0000-0000-0000-000000000002","count":4611686018427387904,'
    '"at":"2025-01-31T12:30:00+00:00","moment":"2025-01-31T12:30:00+00:00",'
    '"lines":[{"product":"507f1f77bcf86cd799439011"}]}'
)


@dataclass
class Order:
    id: ObjectId
    total: Decimal128


class Model(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    id: ObjectId
    total: Decimal128


class TestAnswers:
    @pytest.fixture
    def client(self) -> TestClient:
        resolver = Resolver()
        found: dict[str, Any] = {
            "document": DOCUMENT,
            "decoded": bson.decode(bson.encode({"a": OID, "b": Decimal128("1.50")})),
            "dataclass": Order(OID, Decimal128("1.50")),
            "model": Model(id=OID, total=Decimal128("1.50")),
            "pattern": {"pattern": Regex("SECRET")},
        }

        @resolver.get("/things/{name}")
        def show(name: str) -> Any:
            return found[name]

        return TestClient(resolver)

    @pytest.mark.parametrize(
        ("name", "body"),
        [
            ("document", WRITTEN),
            ("decoded", '{"a":"507f1f77bcf86cd799439011","b":1.50}'),
            ("dataclass", '{"id":"507f1f77bcf86cd799439011","total":1.50}'),
            ("model", '{"id":"507f1f77bcf86cd799439011","total":1.50}'),
        ],
    )
    def test_hold_all_digits(self, client: TestClient, name: str, body: str) -> None:
        answer = client.get(f"/things/{name}")
        assert answer.status == 200
        assert answer.body.decode() == body
        assert answer.headers["content-type"] == "application/json"

    def test_with_what_has_no_json_form_are_a_500_without_the_value(
        self, client: TestClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        answer = client.get("/things/pattern")
        assert answer.status == 500
        assert b"SECRET" not in answer.body
        assert "bson.regex.Regex" in caplog.text


class TestMessages:
    def test_hold_documents(self) -> None:
        topic, queue = FakeClient(publish={"MessageId": "m"}), FakeClient(send_message={"MessageId": "m"})
        Sns(fake_aws({"sns": topic})).publish("order-events", DOCUMENT, session=None)
        Sqs(fake_aws({"sqs": queue})).send(QUEUE_URL, DOCUMENT, session=None)
        assert topic.parameters("publish")[0]["Message"] == WRITTEN
        assert queue.parameters("send_message")[0]["MessageBody"] == WRITTEN

    def test_with_what_has_no_json_form_are_refused_by_name(self) -> None:
        topic = FakeClient(publish={"MessageId": "m"})
        with pytest.raises(InvalidMessage, match=r"bson\.min_key\.MinKey"):
            Sns(fake_aws({"sns": topic})).publish("order-events", {"lowest": MinKey()})
        assert not topic.calls


LOGGED = {**json.loads(WRITTEN), "lowest": "<bson.min_key.MinKey>"}


class TestLogs:
    """A line is written for every entry, whatever is in it."""

    def test_by_json_of_the_standard_library(self) -> None:
        entry = {**DOCUMENT, "lowest": MinKey()}
        assert json.loads(json.dumps(entry, default=loggable)) == LOGGED

    def test_by_a_formatter_of_the_standard_library(self) -> None:
        class AsJson(logging.Formatter):
            def format(self, record: logging.LogRecord) -> str:
                return json.dumps({"message": record.getMessage(), "order": record.order}, default=loggable)  # type: ignore[attr-defined]

        stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        handler.setFormatter(AsJson())
        order = {**DOCUMENT, "lowest": MinKey()}
        handler.handle(logging.makeLogRecord({"msg": "stored %s", "args": (OID,), "order": order}))
        assert json.loads(stream.getvalue()) == {"message": f"stored {OID}", "order": LOGGED}

    def test_by_the_logger_of_powertools(self) -> None:
        stream = io.StringIO()
        logger = Logger(service="test-json-default", stream=stream, json_default=loggable)
        logger.info({"order": {**DOCUMENT, "lowest": MinKey()}}, extra={"tenant_key": UUID(int=1)})
        line = json.loads(stream.getvalue())
        assert line["message"]["order"] == LOGGED
        assert line["tenant_key"] == "00000000-0000-0000-0000-000000000001"

    def test_by_the_logger_of_powertools_with_all_digits(self) -> None:
        stream = io.StringIO()
        logger = Logger(
            service="test-json-serializer", stream=stream, json_serializer=lambda entry: dumps(entry).decode()
        )
        logger.info("stored", extra={"order": DOCUMENT})
        assert WRITTEN in stream.getvalue()
