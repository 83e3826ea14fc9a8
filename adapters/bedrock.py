"""Bedrock: ask models, agents and guardrails.

    bedrock = Bedrock(model="eu.amazon.nova-lite-v1:0")
    reply = bedrock.converse("Which orders are late?", system="Answer in one sentence.")
    for text in bedrock.converse_stream("Tell me more."):
        ...

Every verb has an `_async` twin. No repr shows what a model wrote. The role needs `bedrock:InvokeModel`, and for
streams `bedrock:InvokeModelWithResponseStream`, `bedrock:ApplyGuardrail` and `bedrock:InvokeAgent`.
"""

from __future__ import annotations

from codecs import getincrementaldecoder
from dataclasses import dataclass, field

from adapters._core.adapter import Adapter
from adapters._core.blocking import refuse_blocking
from adapters._core.outgoing import CURRENT, session_entry
from adapters._core.payloads import to_json
from adapters._core.steps import BlockingCall
from adapters.aws.botocore_errors import translate
from adapters.errors import AdapterError, ConnectionFailed, InvalidMessage, Throttled
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
    from typing import Any

    from adapters._core.outgoing import Outgoing
    from adapters._core.steps import Steps
    from adapters.aws.aws import Aws
    from router.durations import Duration
    from router.session import Policy

# The names of events in a stream begin with a small letter, those of answers with a capital one.
_BUSY = ("modelNotReadyException", "throttlingException", "serviceQuotaExceededException")
_LATE = ("modelTimeoutException",)
_PASSING = ("internalServerException", "serviceUnavailableException", "badGatewayException")
_ADVICE = {Throttled: "try again later, or ask AWS for a higher quota", ConnectionFailed: "ask for less at once"}


@dataclass(frozen=True, slots=True)
class TokenCount:
    """How many tokens were read and written. cached: of those read, from a cache of prompts."""

    input: int = 0
    output: int = 0
    cached: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer of a model. text: joined. message: goes back with the next question. stop_reason: why it ended."""

    text: str = field(repr=False)
    message: Mapping[str, Any] = field(repr=False)
    stop_reason: str
    tokens: TokenCount


@dataclass(frozen=True, slots=True)
class GuardrailResult:
    """Tell how a guardrail judges a text. intervened: whether it changed or refused it. text: what may be shown."""

    intervened: bool
    text: str = field(repr=False)
    assessments: Sequence[Mapping[str, Any]] = field(repr=False)


class Bedrock(Adapter):
    """Asks models, agents and guardrails.

    aws: makes the calls; by default one made of the environment.
    model: the id or ARN of a model or inference profile, where a verb names no other.
    timeout: for an answer, or for the next part of a stream; models take longer than other services.
    policy: signs sessions where no resolver runs; they go to agents.

    Raises:
        Throttled: the quota is used up, or the model is not ready.
        ConnectionFailed: the model did not answer in time.
        AdapterError: Bedrock refused it.
    """

    def __init__(
        self,
        aws: Aws | None = None,
        *,
        model: str | None = None,
        timeout: Duration = 300,
        policy: Policy | None = None,
    ) -> None:
        super().__init__(aws)
        self.model = model
        self.timeout = timeout
        self.policy = policy

    # ---- models ------------------------------------------------------------------------------------------------

    def invoke_model(self, body: Any, *, model: str | None = None) -> Any:
        """Send a model a body of its own form, as JSON, and return its answer, read from JSON."""
        return self._run(self._invoke_model(body, model), "invoke_model")

    async def invoke_model_async(self, body: Any, *, model: str | None = None) -> Any:
        """Do as `invoke_model` does, without blocking the event loop."""
        return await self.aws.run_async(self._invoke_model(body, model))

    def converse(self, messages: str | Sequence[Mapping[str, Any]], **options: Any) -> Reply:
        """Ask a model, in the form that is the same for all models.

        messages: a question, or the messages of Converse. system: a text that leads the model. model: another one.
        max_tokens, temperature: of the answer. Other options are parameters of Converse, such as `toolConfig`.
        """
        return self._run(self._converse(messages, options), "converse")

    async def converse_async(self, messages: str | Sequence[Mapping[str, Any]], **options: Any) -> Reply:
        """Do as `converse` does, without blocking the event loop."""
        return await self.aws.run_async(self._converse(messages, options))

    def converse_stream(self, messages: str | Sequence[Mapping[str, Any]], **options: Any) -> TextStream:
        """Ask a model, and get its text as it comes. Arguments are those of `converse`."""
        refuse_blocking(self, "converse_stream", "`async for` over Bedrock.converse_stream_async(...)")
        return TextStream(self, "bedrock-runtime", "converse_stream", self._question(messages, **options))

    def converse_stream_async(self, messages: str | Sequence[Mapping[str, Any]], **options: Any) -> TextStream:
        """Do as `converse_stream` does, for `async for`, without blocking the event loop."""
        return TextStream(self, "bedrock-runtime", "converse_stream", self._question(messages, **options))

    # ---- guardrails and agents ---------------------------------------------------------------------------------

    def apply_guardrail(
        self, text: str, *, guardrail: str, version: str = "DRAFT", source: str = "INPUT"
    ) -> GuardrailResult:
        """Let a guardrail judge a text. source: INPUT for what a user wrote, OUTPUT for what a model did."""
        return self._run(self._apply_guardrail(text, guardrail, version, source), "apply_guardrail")

    async def apply_guardrail_async(
        self, text: str, *, guardrail: str, version: str = "DRAFT", source: str = "INPUT"
    ) -> GuardrailResult:
        """Do as `apply_guardrail` does, without blocking the event loop."""
        return await self.aws.run_async(self._apply_guardrail(text, guardrail, version, source))

    def invoke_agent(
        self, agent: str, alias: str, text: str, *, conversation: str, session: Outgoing = CURRENT
    ) -> TextStream:
        """Ask an agent, and get its text as it comes.

        conversation: an id, by which the agent remembers what was said; one for each user. session: the current one
            unless another is given; it travels as the session attribute `session` to the agent's functions.
        """
        refuse_blocking(self, "invoke_agent", "`async for` over Bedrock.invoke_agent_async(...)")
        return self._invoke_agent(agent, alias, text, conversation, session)

    def invoke_agent_async(
        self, agent: str, alias: str, text: str, *, conversation: str, session: Outgoing = CURRENT
    ) -> TextStream:
        """Do as `invoke_agent` does, for `async for`, without blocking the event loop."""
        return self._invoke_agent(agent, alias, text, conversation, session)

    # ---- how ---------------------------------------------------------------------------------------------------

    def _named(self, model: str | None) -> str:
        named = model or self.model
        if not named:
            raise ConfigurationError("Bedrock: give model=, here or where it is made")
        return named

    def _question(
        self,
        messages: str | Sequence[Mapping[str, Any]],
        *,
        model: str | None = None,
        system: str | None = None,
        max_tokens: int | None = None,
        temperature: float | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        if not isinstance(messages, str | list | tuple):
            raise InvalidMessage(f"bedrock: give a text or a list of messages, not {type(messages).__name__}")
        held = [{"role": "user", "content": [{"text": messages}]}] if isinstance(messages, str) else list(messages)
        request: dict[str, Any] = {"modelId": self._named(model), "messages": held, **more}
        if system is not None:
            request["system"] = [{"text": system}]
        limits = {"maxTokens": max_tokens, "temperature": temperature}
        given = {name: value for name, value in limits.items() if value is not None}
        if given:
            request["inferenceConfig"] = {**request.get("inferenceConfig", {}), **given}
        return request

    def _invoke_model(self, body: Any, model: str | None) -> Steps[Any]:
        request = {"modelId": self._named(model), "contentType": "application/json", "accept": "application/json"}
        request["body"] = to_json(body, "bedrock.invoke_model: the body")
        return (yield BlockingCall(self._read_model, request, long=True))

    def _read_model(self, request: dict[str, Any]) -> Any:
        import json

        answer = self._call("bedrock-runtime", "invoke_model", request, lambda answer: answer["body"].read())
        try:
            return json.loads(answer)
        except ValueError:
            failure = AdapterError(f"bedrock.invoke_model {request['modelId']}: the answer is not JSON")
        raise failure  # out of the except block: the original quotes the answer

    def _converse(self, messages: str | Sequence[Mapping[str, Any]], options: Mapping[str, Any]) -> Steps[Reply]:
        request = self._question(messages, **options)
        reply: Reply = yield BlockingCall(self._call, "bedrock-runtime", "converse", request, _reply, long=True)
        return reply

    def _apply_guardrail(self, text: str, guardrail: str, version: str, source: str) -> Steps[GuardrailResult]:
        if source not in ("INPUT", "OUTPUT"):
            raise InvalidMessage(f"bedrock.apply_guardrail: the source is INPUT or OUTPUT, not {source!r}")
        request = {
            "guardrailIdentifier": guardrail,
            "guardrailVersion": version,
            "source": source,
            "content": [{"text": {"text": text}}],
        }

        def judged(answer: Any) -> GuardrailResult:
            intervened = answer["action"] == "GUARDRAIL_INTERVENED"
            shown = "".join(held["text"] for held in answer["outputs"]) if intervened else text
            return GuardrailResult(intervened, shown, answer["assessments"])

        call = BlockingCall(self._call, "bedrock-runtime", "apply_guardrail", request, judged, long=True)
        result: GuardrailResult = yield call
        return result

    def _invoke_agent(self, agent: str, alias: str, text: str, conversation: str, session: Outgoing) -> TextStream:
        request: dict[str, Any] = {
            "agentId": agent,
            "agentAliasId": alias,
            "sessionId": conversation,
            "inputText": text,
        }
        key, wire = session_entry(session, self.policy, purpose="message")
        if wire is not None:
            request["sessionState"] = {"sessionAttributes": {key: wire}}
        return TextStream(self, "bedrock-agent-runtime", "invoke_agent", request)

    def _call(self, service: str, operation: str, request: Mapping[str, Any], read: Any) -> Any:
        try:
            client = self.aws.client(service, read_timeout=self.timeout)
            return read(getattr(client, operation)(**request))
        except Exception as error:
            typed = failure_of(error, operation, request)
            if typed is error:
                raise
        raise typed  # out of the except block, so that the original is not even the context


class TextStream:
    """The text of an answer, part by part, for one `for` or `async for`. It is asked for when the first part is.

    tokens, stop_reason: of the whole answer, once it has ended; an agent tells neither.
    """

    def __init__(self, bedrock: Bedrock, service: str, operation: str, request: Mapping[str, Any]) -> None:
        self.tokens = TokenCount()
        self.stop_reason = ""
        self._bedrock = bedrock
        self._call = (service, operation, request)
        self._events: Any = None
        self._iterator: Iterator[Any] = iter(())
        self._decode = getincrementaldecoder("utf-8")("replace").decode  # a part may end inside of a character

    def __iter__(self) -> Iterator[str]:
        """Yield the parts; the connection is closed at the end, also where nobody reads that far."""
        try:
            while (text := self._next()) is not None:
                if text:
                    yield text
        finally:
            self.close()

    async def __aiter__(self) -> AsyncIterator[str]:
        """Yield the parts without blocking the loop."""
        try:
            while (text := await self._bedrock.aws.in_thread(self._next)) is not None:
                if text:
                    yield text
        finally:
            self.close()

    def close(self) -> None:
        """Close the connection."""
        events, self._events = self._events, iter(())
        if hasattr(events, "close"):
            events.close()

    def _next(self) -> str | None:
        """Return the text of the next event, which may be none; None at the end."""
        service, operation, request = self._call
        if self._events is None:
            self._events = self._bedrock._call(service, operation, request, _stream_of)
            self._iterator = iter(self._events)
        try:
            event = next(self._iterator, None)
        except Exception as error:
            typed = failure_of(error, operation, request)
            if typed is error:
                raise
        else:
            return None if event is None else self._text_of(event)
        raise typed

    def _text_of(self, event: Mapping[str, Any]) -> str:
        if "contentBlockDelta" in event:
            return str(event["contentBlockDelta"]["delta"].get("text", ""))
        if "chunk" in event:
            return self._decode(event["chunk"].get("bytes", b""))
        if "messageStop" in event:
            self.stop_reason = str(event["messageStop"]["stopReason"])
        elif "metadata" in event:
            self.tokens = _tokens(event["metadata"].get("usage", {}))
        return ""


def failure_of(error: Exception, operation: str, request: Mapping[str, Any]) -> Exception:
    """Return the typed error for one of botocore's, also for one that came in the middle of a stream."""
    resource = str(request.get("modelId") or request.get("guardrailIdentifier") or request.get("agentId") or "")
    typed = translate(error, "bedrock", operation, resource)
    if not isinstance(typed, AdapterError):
        return typed
    code = typed.code[:1].lower() + typed.code[1:]
    kind = Throttled if code in _BUSY else ConnectionFailed if code in _LATE else None
    if kind is None or isinstance(typed, kind):
        typed.retryable = typed.retryable or code in _PASSING
        return typed
    return kind(
        f"bedrock.{operation} {resource}: {typed.code}; {_ADVICE[kind]}",
        service="bedrock",
        operation=operation,
        resource=resource,
        code=typed.code,
        retryable=True,
        request_id=typed.request_id,
    )


def _stream_of(answer: Mapping[str, Any]) -> Any:
    return answer["stream"] if "stream" in answer else answer["completion"]


def _reply(answer: Mapping[str, Any]) -> Reply:
    message = answer["output"]["message"]
    text = "".join(str(part["text"]) for part in message["content"] if "text" in part)
    return Reply(text, message, str(answer["stopReason"]), _tokens(answer.get("usage", {})))


def _tokens(usage: Mapping[str, Any]) -> TokenCount:
    return TokenCount(
        int(usage.get("inputTokens", 0)), int(usage.get("outputTokens", 0)), int(usage.get("cacheReadInputTokens", 0))
    )
