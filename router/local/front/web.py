"""Answer requests over HTTP: from the socket to the payload, and from the answer of the function to the socket."""

from __future__ import annotations

import asyncio
from os import urandom
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import orjson

from router.event import Source
from router.local.calls import Call
from router.local.front import answers, refusals
from router.local.front.answers import Malformed
from router.local.front.caller import Patience
from router.local.front.cors import Cors
from router.local.front.events import DEFAULT, Events
from router.local.front.limits import PAYLOAD
from router.local.front.refusals import Refused
from router.local.front.request import Gone, Incoming, TooLarge, read_body
from router.local.front.streams import closed, send_chunks

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from router.local.calls import Outcome
    from router.local.front.authorizers import Authorizers
    from router.local.front.caller import Caller
    from router.local.front.limits import Limits
    from router.local.front.notices import Notices
    from router.local.front.refusals import Headers, Rendered
    from router.local.front.request import Receive, Scope, Send
    from router.local.front.surroundings import Surroundings, Target
    from router.local.settings import Settings

_MEASURED = PAYLOAD // 8  # JSON makes at most six bytes of a character, and there is more than the body in a payload


class Web:
    """Answers requests as one service does: REST API, HTTP API, function URL or load balancer."""

    def __init__(
        self,
        settings: Settings,
        caller: Caller,
        notices: Notices,
        authorizers: Authorizers,
        limits: Limits,
        *,
        stage_variables: Mapping[str, str] | None = None,
    ) -> None:
        self.source = settings.source
        self._settings = settings
        self._caller = caller
        self._notices = notices
        self._authorizers = authorizers
        self._limits = limits
        self._variables = stage_variables
        self._proper = self.source is Source.REST
        self._after: set[asyncio.Task[None]] = set()

    def take(self, surroundings: Surroundings) -> None:
        """Take what is known of the application."""
        self._surroundings = surroundings
        self._api = api = surroundings.apis[self.source]
        stage = self._settings.stage
        if self.source is Source.REST and stage == DEFAULT:
            stage = api.stage or "prod"
        self._prefix = "" if stage == DEFAULT or self.source in (Source.URL, Source.ALB) else f"/{stage}"
        self._events = Events(self._settings, self.source, stage, self._variables)
        self._cors = Cors(api.origins) if api.origins else None
        self._streams = self.source is Source.REST or (self.source is Source.URL and api.streams)

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Incoming(scope, _new_id(), proper=self._proper)
        if self._cors is not None:
            preflight = self._cors.preflight(request)
            if preflight is not None:
                await _send(send, 204, [*preflight, *self._own(request)], b"")
                return
        try:
            call = await self._call(request, receive)
        except Refused as refused:
            await self._send(request, send, self._refused(request, refused))
            return
        except Gone:
            return
        patience = Patience(self._limits.wait, lambda: self._later(self._too_late(request, send)))
        try:
            outcome = await self._caller.invoke(call)
        finally:
            patience.end()
        if patience.is_over:
            await closed(outcome.stream)
            return
        try:
            if outcome.stream is not None:
                await self._stream(request, outcome, receive, send)
                return
            rendered = self._rendered(request, outcome)
        except Refused as refused:
            rendered = self._refused(request, refused)
        await self._send(request, send, rendered)

    async def _call(self, request: Incoming, receive: Receive) -> Call:
        """Return the call of a request.

        Raises:
            Refused: the service refuses it. Gone: the client left.
        """
        self._check_head(request)
        if self._prefix and (request.path == self._prefix or request.path.startswith(f"{self._prefix}/")):
            request.path = request.path[len(self._prefix) :] or "/"
        self._check_path(request)
        try:
            body = await read_body(receive, request.header("content-length"), self._limits.body)
        except TooLarge:
            raise Refused(
                "body too large", f"the body has more than {self._limits.body:,} bytes, the most that is taken"
            ) from None
        if body:
            self._put_body(request, body)
        target = self._surroundings.target_of(request.method, request.path)
        is_asked = self._api.is_guarded or self.source is Source.URL
        authorized = await self._authorized(request, target) if is_asked else None
        event = self._events.of(request, target, authorized)
        if len(body) > _MEASURED:
            self._check_payload(event)
        return Call(
            event,
            "http",
            target.function,
            trace=request.trace,
            streams=self._streams,
            request_id=request.id,
        )

    async def _too_late(self, request: Incoming, send: Send) -> None:
        """Answer a request whose function takes too long."""
        text = f"the function took longer than the {self._limits.wait:g} s for which its caller waits. It runs on"
        await self._send(request, send, self._refused(request, Refused("timed out", text)))

    async def _send(self, request: Incoming, send: Send, rendered: Rendered) -> None:
        status, headers, body = rendered
        if self._cors is not None:
            headers = self._cors.put_on(request, headers)
        await _send(send, status, headers, body)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._after.add(task)
        task.add_done_callback(self._after.discard)

    # ---- before the call ---------------------------------------------------------------------------------------------

    def _check_head(self, request: Incoming) -> None:
        limits = self._limits
        if request.largest > limits.header:
            raise Refused(
                "headers too large",
                f"a header has {request.largest:,} bytes: {limits.header:,} are the most",
            )
        if request.size > limits.head:
            raise Refused(
                "headers too large",
                f"the request line and the headers have {request.size:,} bytes: {limits.head:,} are the most",
            )

    def _check_path(self, request: Incoming) -> None:
        """Refuse what is no path, and one that cannot be decoded where the service decodes it."""
        if not request.path.startswith("/"):
            raise Refused("bad request", f"{request.path!r:.120} is not a path: it must begin with a slash")
        if "%" not in request.path or self.source is not Source.HTTP:
            return
        try:
            unquote(request.path, errors="strict")
        except UnicodeDecodeError:
            raise Refused("bad request", f"the path {request.path!r:.120} is not UTF-8 once it is decoded") from None

    def _put_body(self, request: Incoming, body: bytes) -> None:
        api = self._api
        if self.source is not Source.REST or not api.is_declared:
            request.put_body(body, is_text=None)
            return
        is_binary = _is_of(request.header("content-type") or "application/json", api.binary)
        if request.put_body(body, is_text=not is_binary):
            self._notices.say(
                "rest",
                "the body was damaged",
                f"the content type {request.header('content-type')!r:.120} is not among the binary media types of the "
                f"REST API ({', '.join(api.binary) or 'none'}), so API Gateway reads the body as text, and bytes that "
                "are not UTF-8 are lost. Declare it: RestApi(binary=(...,))",
                outcome="done",
                **_where(request),
            )

    async def _authorized(self, request: Incoming, target: Target) -> Any:
        api = self._api
        if not api.is_guarded:
            return self._signed(request)
        if api.issuer or api.user_pools:
            self._notices.say_once(
                self.source.value,
                "signatures of tokens are not checked",
                "API Gateway checks tokens by the keys of their issuer. Here issuer, audience and times are checked, "
                "and the signature is not",
                outcome="done",
            )
        events = self._events
        return await self._authorizers.admit(
            self.source,
            api,
            request,
            events.method_arn(request),
            self._surroundings.authorizer_of(self.source),
            lambda identity: events.of_authorizer(request, target, identity),
        )

    def _signed(self, request: Incoming) -> Any:
        """Return who signed a request to a function URL; None where nobody did."""
        held = request.header("authorization") or ""
        if held.startswith("AWS4-HMAC-SHA256 "):
            key = held.partition("Credential=")[2].partition("/")[0]
            account = self._settings.account
            return {
                "iam": {
                    "accessKey": key,
                    "accountId": account,
                    "callerId": key,
                    "cognitoIdentity": None,
                    "principalOrgId": None,
                    "userArn": f"arn:aws:iam::{account}:root",
                    "userId": account,
                }
            }
        if not self._api.public:
            self._notices.say_once(
                "url",
                "the function URL is not public",
                "in AWS this function URL takes calls alone that are signed with AWS credentials, and answers others "
                "with 403. Here they are let in. FunctionUrl(public=True) opens it for everybody",
                outcome="done",
                **_where(request),
            )
        return None

    def _check_payload(self, event: dict[str, Any]) -> None:
        size = len(orjson.dumps(event))
        if size > PAYLOAD:
            raise Refused(
                "body too large",
                f"the payload of the function would have {size:,} bytes, and Lambda takes {PAYLOAD:,}. "
                "Binary bodies grow by a third in base64. Let clients upload to S3 with a signed URL",
            )

    # ---- after it ----------------------------------------------------------------------------------------------------

    def _own(self, request: Incoming) -> Headers:
        """Return the headers that the service puts on its answers."""
        id = request.id.encode()
        if self.source is Source.HTTP:
            return [(b"apigw-requestid", id)]
        if self.source is Source.ALB:
            return []
        return [(b"x-amzn-requestid", id), (b"x-amzn-trace-id", request.trace.encode())]

    def _rendered(self, request: Incoming, outcome: Outcome) -> Rendered:
        """Return the answer to a request of what became of the call. Raises Refused."""
        if outcome.became != "answered":
            return refusals.render("function failed", self.source, self._own(request))
        try:
            return answers.render(
                self.source, outcome.answer, self._own(request), decodes=self._decodes(request, outcome.answer)
            )
        except Malformed as malformed:
            raise Refused("malformed answer", str(malformed)) from None

    def _decodes(self, request: Incoming, answer: Any) -> bool:
        """Whether a body in base64 is decoded. A REST API asks its binary media types, and the Accept header."""
        api = self._api
        if self.source is not Source.REST or not api.is_declared:
            return True
        if type(answer) is not dict or answer.get("isBase64Encoded") is not True:
            return True
        accept = (request.header("accept") or "*/*").partition(",")[0].partition(";")[0].strip()
        if _is_of(accept, api.binary):
            return True
        self._notices.say(
            "rest",
            "the body was sent as base64",
            f"the client accepts {accept!r:.80}, which is not among the binary media types of the REST API "
            f"({', '.join(api.binary) or 'none'}), so API Gateway sends the body as it is, in base64. "
            "Declare RestApi(binary=('*/*',))",
            outcome="done",
            **_where(request),
        )
        return False

    def _refused(self, request: Incoming, refused: Refused) -> Rendered:
        rendered = refusals.render(refused.reason, self.source, self._own(request))
        self._notices.say(
            self.source.value,
            refused.reason,
            str(refused),
            outcome="timed out" if refused.reason == "timed out" else "refused",
            status=rendered[0],
            **_where(request),
        )
        return rendered

    # ---- streams -----------------------------------------------------------------------------------------------------

    async def _stream(self, request: Incoming, outcome: Outcome, receive: Receive, send: Send) -> None:
        """Send a streamed answer. Where it breaks off, the connection does: the client sees that it is not whole."""
        stream: Any = outcome.stream
        try:
            status, headers = answers.head(self.source, outcome.answer, self._own(request))
        except Malformed as malformed:
            await closed(stream)
            raise Refused("malformed answer", str(malformed)) from None
        if self.source is Source.REST and self._api.is_declared:
            self._notices.say_once(
                "rest",
                "the answer was streamed",
                "a template of `junction export` makes a REST API that joins the parts of an answer, 6 MB at most. "
                "Where responseTransferMode: STREAM is set by hand, it streams as here",
                outcome="done",
                **_where(request),
            )
        await send({"type": "http.response.start", "status": status, "headers": headers})
        broken = await send_chunks(stream, receive, send)
        if broken is not None:
            self._notices.say(
                self.source.value, "streamed answer broke off", broken, outcome="failed", **_where(request)
            )


def _new_id() -> str:
    """Return a random UUID, in a third of the time that `uuid4` takes."""
    held = urandom(16).hex()
    return f"{held[:8]}-{held[8:12]}-4{held[13:16]}-a{held[17:20]}-{held[20:]}"


async def _send(send: Send, status: int, headers: Headers, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _where(request: Incoming) -> dict[str, Any]:
    return {"call": request.id, "method": request.method, "path": request.path}


def _is_of(declared: str, kinds: tuple[str, ...]) -> bool:
    """Whether a media type is among those that an API takes for binary; `*/*` is all, `image/*` all of a kind."""
    kind = declared.partition(";")[0].strip().lower()
    main = kind.partition("/")[0]
    return any(one in ("*/*", kind) or one == f"{main}/*" for one in map(str.lower, kinds))
