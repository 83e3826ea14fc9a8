"""Arguments that no service could deliver are refused, and the message says why."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from router.testing import samples

SESSION = {"tenant": "acme", "user": "alice"}
LATER = datetime(2030, 12, 31, 23, 59, 58, 765000, tzinfo=UTC)
CHANGE: tuple[str, None, dict[str, Any]] = ("INSERT", None, {"id": 1})
WRONG = {
    "path without a slash": (lambda: samples.rest(path="orders"), "must start with '/'"),
    "no method": (lambda: samples.http("GET /"), "HTTP method"),
    "body beyond JSON": (lambda: samples.rest("POST", "/", body=object()), "body cannot be written as JSON"),
    "authorizer of a URL": (lambda: samples.url(authorizer={"jwt": {}}), "must be"),
    "identity in Lattice 1.0": (lambda: samples.lattice(version="1.0", identity={"type": "a"}), "no identity"),
    "Lattice version": (lambda: samples.lattice(version="3.0"), "version must be one of 1.0, 2.0; got '3.0'"),
    "event type": (lambda: samples.websocket("connect"), "CONNECT, DISCONNECT, MESSAGE"),
    "body of CONNECT": (lambda: samples.websocket("CONNECT", body="a"), "no body"),
    "route key of CONNECT": (lambda: samples.websocket("CONNECT", route_key="chat"), r"is \$connect"),
    "headers of MESSAGE": (lambda: samples.websocket(headers={"a": "b"}), "no headers"),
    "FIFO by flag only": (lambda: samples.sqs("orders", ["a"], fifo=True), "ends in '.fifo'"),
    "standard by flag only": (lambda: samples.sqs("orders.fifo", ["a"], fifo=False), "does not end"),
    "queue name": (lambda: samples.sqs("or/ders", ["a"]), "letters, digits"),
    "lone body": (lambda: samples.sqs("orders", "hello"), "must be a list, got a lone str"),
    "no bodies": (lambda: samples.sqs("orders", []), "at least one"),
    "binary body": (lambda: samples.sqs("orders", [b"\xff"]), "must be text"),
    "groups": (lambda: samples.sqs("a.fifo", ["a", "b"], group=["x"]), "one string or 2 of them, got 1"),
    "receive count": (lambda: samples.sqs("orders", ["a"], receive_count=0), "counts from 1"),
    "attribute": (lambda: samples.sqs("orders", ["a"], attributes={"on": True}), "attribute 'on'"),
    "FIFO topic to Lambda": (lambda: samples.sns("orders.fifo", ["a"]), "sns_in_sqs"),
    "raw attributes": (
        lambda: samples.sns_in_sqs("t", ["a"], attributes={str(n): "a" for n in range(10)}, session="s", raw=True),
        "at most 10",
    ),
    "float": (lambda: samples.attribute_value(1.5), r"Decimal\('1.5'\)"),
    "39 digits": (lambda: samples.attribute_value(10**38 + 1), "38 significant digits"),
    "too large": (lambda: samples.attribute_value(Decimal("1E+126")), "range"),
    "infinity": (lambda: samples.attribute_value(Decimal("Infinity")), "no number"),
    "empty set": (lambda: samples.attribute_value(set()), "empty sets"),
    "mixed set": (lambda: samples.attribute_value({1, "a"}), "all be strings"),
    "set of booleans": (lambda: samples.attribute_value({True}), "all be strings"),
    "map key": (lambda: samples.attribute_value({1: "a"}), "names must be strings"),
    "object": (lambda: samples.attribute_value(object()), "no type for object"),
    "INSERT with old": (lambda: samples.dynamodb("t", [("INSERT", {"id": 1}, {"id": 1})]), "INSERT needs a new item"),
    "MODIFY without old": (lambda: samples.dynamodb("t", [("MODIFY", None, {"id": 1})]), "an old and a new"),
    "event name": (lambda: samples.dynamodb("t", [("insert", None, {"id": 1})]), "INSERT, MODIFY, REMOVE"),
    "no tuple": (lambda: samples.dynamodb("t", [{"id": 1}]), "a change is .event name, old item, new item."),  # type: ignore[list-item]
    "a lone change": (lambda: samples.dynamodb("t", CHANGE), "not 'INSERT'"),  # type: ignore[arg-type]
    "no key": (lambda: samples.dynamodb("t", [CHANGE], keys=("pk",)), "lacks its key 'pk'"),
    "view": (lambda: samples.dynamodb("t", [CHANGE], view="ALL"), "view must be one of"),
    "no changes": (lambda: samples.dynamodb("t", []), "at least one"),
    "window by hand": (lambda: samples.dynamodb("t", [], window={"state": {}}), "tumbling_window"),
    "window backwards": (lambda: samples.tumbling_window(start=LATER, end=LATER), "after its start"),
    "partition keys": (lambda: samples.kinesis("s", ["a"], partition_keys=["a", "b"]), "got 2"),
    "S3 event": (lambda: samples.s3("b", "k", event="Created"), "no event of S3"),
    "batch arguments": (lambda: samples.s3_batch("b", "k", version="1.0", arguments={"a": "b"}), "no user arguments"),
    "session in text": (lambda: samples.eventbridge("a", "text", session=SESSION), "session needs a detail"),
    "trigger": (lambda: samples.cognito("SignUp_SignUp"), "must be one of CreateAuthChallenge"),
    "trigger's occasion": (lambda: samples.cognito("PreSignUp"), "occasion"),
    "trigger's version": (lambda: samples.cognito(version="2"), "only TokenGeneration"),
    "TOKEN of an HTTP API": (lambda: samples.authorizer("t", version="2.0"), "no TOKEN"),
    "message type": (lambda: samples.config("r", message_type="Other"), "none of AWS Config's"),
    "id before Create": (lambda: samples.cloudformation(physical_id="p"), "no physical id"),
    "old properties": (lambda: samples.cloudformation("Delete", old_properties={}), "no old properties"),
    "intent": (lambda: samples.alexa(None), "needs an intent"),
    "body of a function": (lambda: samples.bedrock_agent(function="f", body={}), "not a body"),
    "body of a response": (lambda: samples.cloudfront("viewer-response", body="a"), "does not hold"),
    "response of a request": (lambda: samples.cloudfront(response_headers={"A": "b"}), "no response"),
    "data afterwards": (lambda: samples.sagemaker("post-annotation", data={}), "only a pre-annotation"),
    "environment": (lambda: samples.task("t", environment={"N": 1}), "N is int"),  # type: ignore[dict-item]
    "not a batch": (lambda: samples.pipes({}), "at least one"),
    "error of a success": (lambda: samples.lambda_destination(error={}), "Success has no error"),
    "no error": (lambda: samples.lambda_destination(condition="RetriesExhausted"), "must have one"),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_arguments_that_no_service_could_deliver_are_refused(mistake: str) -> None:
    build, told = WRONG[mistake]
    with pytest.raises(ValueError, match=told):
        build()
