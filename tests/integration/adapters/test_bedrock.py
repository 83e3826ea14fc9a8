"""Bedrock by its wire forms: no server of the tests answers for models, so one of this file does, over HTTP."""

from __future__ import annotations

import asyncio
import json
import struct
from base64 import b64encode
from binascii import crc32
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from urllib.parse import unquote

import pytest

from adapters.aws import Aws, Settings
from adapters.bedrock import Bedrock, TokenCount
from adapters.errors import AccessDenied, AdapterError, ConnectionFailed, InvalidMessage, Throttled
from router import Session
from tests.servers.loopback import LoopbackServer, Quiet

MODEL = "eu.amazon.nova-lite-v1:0"
STREAM = "application/vnd.amazon.eventstream"


def frame(kind: str, name: str, payload: dict) -> bytes:
    """One message of an event stream; kind: event or exception."""
    texts = {":message-type": kind, f":{kind}-type": name, ":content-type": "application/json"}
    headers = b"".join(
        struct.pack("!B", len(key)) + key.encode() + struct.pack("!BH", 7, len(text)) + text.encode()
        for key, text in texts.items()
    )
    body = json.dumps(payload).encode()
    prelude = struct.pack("!II", 16 + len(headers) + len(body), len(headers))
    prelude += struct.pack("!I", crc32(prelude))
    message = prelude + headers + body
    return message + struct.pack("!I", crc32(message))


def delta(text: str) -> bytes:
    return frame("event", "contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": text}})


class Place(LoopbackServer):
    """A server that gives one answer to all, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answer: tuple[int, dict[str, str], bytes] = (200, {}, b"{}")
        self.asked: list[tuple[str, dict]] = []
        place = self

        class Handler(Quiet, BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                place.asked.append((unquote(self.path), json.loads(body)))
                status, headers, answer = place.answer
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(answer))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer)

        super().__init__(Handler)

    def says(self, held: dict, status: int = 200, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answer = (status, {"content-type": "application/json", **named}, json.dumps(held).encode())

    def streams(self, *frames: bytes) -> None:
        self.answer = (200, {"content-type": STREAM}, b"".join(frames))


@pytest.fixture
def place() -> Iterator[Place]:
    with Place() as made:
        yield made


@pytest.fixture
def bedrock(place: Place) -> Iterator[Bedrock]:
    settings = Settings(
        region="eu-west-1", endpoint=place.url, access_key_id="testing", secret_access_key="testing", attempts=1
    )
    aws = Aws(settings)
    yield Bedrock(aws, model=MODEL)
    aws.close()


def test_a_model_is_asked_and_its_tokens_are_counted(place, bedrock):
    place.says(
        {
            "output": {"message": {"role": "assistant", "content": [{"text": "Two "}, {"text": "orders."}]}},
            "stopReason": "end_turn",
            "usage": {"inputTokens": 9, "outputTokens": 3, "totalTokens": 12, "cacheReadInputTokens": 4},
            "metrics": {"latencyMs": 5},
        }
    )
    reply = bedrock.converse("Which?", system="Be short.", max_tokens=50)
    assert (reply.text, reply.stop_reason, reply.tokens) == ("Two orders.", "end_turn", TokenCount(9, 3, 4))
    assert "Two" not in repr(reply)
    assert asyncio.run(bedrock.converse_async("Which?")).text == "Two orders."
    path, body = place.asked[0]
    assert path == f"/model/{MODEL}/converse"
    assert body == {
        "messages": [{"role": "user", "content": [{"text": "Which?"}]}],
        "system": [{"text": "Be short."}],
        "inferenceConfig": {"maxTokens": 50},
    }


def test_a_model_takes_a_body_of_its_own(place, bedrock):
    place.says({"embedding": [0.5]})
    assert bedrock.invoke_model({"inputText": "a"}, model="titan") == {"embedding": [0.5]}
    assert asyncio.run(bedrock.invoke_model_async({"inputText": "a"})) == {"embedding": [0.5]}
    assert place.asked[0] == ("/model/titan/invoke", {"inputText": "a"})


async def _collect(stream):
    return [text async for text in stream]


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_text_comes_in_parts(place, bedrock, asynchronous):
    place.streams(
        frame("event", "messageStart", {"role": "assistant"}),
        delta("Two "),
        delta("örders."),
        frame("event", "contentBlockStop", {"contentBlockIndex": 0}),
        frame("event", "messageStop", {"stopReason": "max_tokens"}),
        frame("event", "metadata", {"usage": {"inputTokens": 9, "outputTokens": 3, "totalTokens": 12}}),
    )
    if asynchronous:
        stream = bedrock.converse_stream_async("Which?")
        parts = asyncio.run(_collect(stream))
    else:
        stream = bedrock.converse_stream("Which?")
        parts = list(stream)
    assert parts == ["Two ", "örders."]
    assert (stream.stop_reason, stream.tokens) == ("max_tokens", TokenCount(9, 3))
    assert place.asked[0][0] == f"/model/{MODEL}/converse-stream"


@pytest.mark.parametrize(
    ("name", "kind"), [("throttlingException", Throttled), ("serviceUnavailableException", AdapterError)]
)
def test_a_stream_that_breaks_off_gives_what_came_and_then_an_error(place, bedrock, name, kind):
    place.streams(delta("Two "), frame("exception", name, {"message": "no"}))
    seen = []

    with pytest.raises(kind) as caught:
        seen.extend(bedrock.converse_stream("secret"))
    assert seen == ["Two "]
    assert caught.value.retryable
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("ThrottlingException", 429, Throttled),
        ("ModelNotReadyException", 429, Throttled),
        ("ServiceQuotaExceededException", 400, Throttled),
        ("ModelTimeoutException", 408, ConnectionFailed),
        ("AccessDeniedException", 403, AccessDenied),
        ("ValidationException", 400, InvalidMessage),
    ],
)
@pytest.mark.parametrize("verb", ["converse", "invoke_model", "converse_stream"])
def test_refusals_are_typed(place, bedrock, verb, code, status, kind):
    place.says({"message": "no"}, status, x_amzn_ErrorType=code)

    def ask():
        found = getattr(bedrock, verb)("a question")
        return list(found) if verb == "converse_stream" else found

    with pytest.raises(kind) as caught:
        ask()
    assert (caught.value.code, caught.value.service) == (code, "bedrock")
    assert MODEL in str(caught.value)


def test_a_guardrail_changes_a_text(place, bedrock):
    place.says(
        {
            "usage": {},
            "action": "GUARDRAIL_INTERVENED",
            "outputs": [{"text": "call {PHONE}"}],
            "assessments": [{"topicPolicy": {"topics": []}}],
        }
    )
    result = bedrock.apply_guardrail("call 555", guardrail="g1", version="2", source="OUTPUT")
    assert (result.intervened, result.text) == (True, "call {PHONE}")
    assert place.asked[0][0] == "/guardrail/g1/version/2/apply"
    place.says({"usage": {}, "action": "NONE", "outputs": [], "assessments": []})
    assert asyncio.run(bedrock.apply_guardrail_async("call me", guardrail="g1")).text == "call me"


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_an_agent_gets_the_session(place, bedrock, asynchronous):
    letters = "grüße".encode()
    place.streams(
        *(
            frame("event", "chunk", {"bytes": b64encode(part).decode()})
            for part in (letters[:3], letters[3:])  # in the middle of a character
        )
    )
    session = Session(tenant="acme", user="ann")
    if asynchronous:
        parts = asyncio.run(
            _collect(bedrock.invoke_agent_async("AGENT", "ALIAS", "hi", conversation="chat-1", session=session))
        )
    else:
        parts = list(bedrock.invoke_agent("AGENT", "ALIAS", "hi", conversation="chat-1", session=session))
    assert "".join(parts) == "grüße"
    path, body = place.asked[0]
    assert path == "/agents/AGENT/agentAliases/ALIAS/sessions/chat-1/text"
    assert json.loads(body["sessionState"]["sessionAttributes"]["session"]) == {"tenant": "acme", "user": "ann"}
