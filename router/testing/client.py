"""`TestClient`: call an application as AWS would. Each method builds a faithful payload and goes through `resolve`."""

from __future__ import annotations

from base64 import b64decode

import orjson

from router.encode import dumps
from router.http.headers import Headers
from router.session import Session
from router.testing import samples

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Literal

    from router.resolver import Resolver

    As = Literal["rest", "http", "url", "alb", "lattice"]


class Context:
    """What Lambda hands to a handler beside the event. `remaining` is how many seconds the invocation still has."""

    def __init__(self, *, remaining: float = 30.0, tenant_id: str | None = None, request_id: str = "test") -> None:
        self.function_name = "test"
        self.function_version = "$LATEST"
        self.invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:test"
        self.memory_limit_in_mb = "128"
        self.aws_request_id = request_id
        self.log_group_name = "/aws/lambda/test"
        self.log_stream_name = "test"
        self.tenant_id = tenant_id
        self.remaining = remaining

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds left."""
        return int(self.remaining * 1000)


class Answer:
    """An HTTP answer as the client would see it, whatever form its source has. `raw` is what Lambda would get."""

    def __init__(self, raw: Any) -> None:
        self.raw = raw
        self.status: int = raw["statusCode"]
        headers = dict(raw.get("headers") or {})
        many = {name: list(values) for name, values in (raw.get("multiValueHeaders") or {}).items()}
        pairs = [(name, [value]) for name, value in headers.items()] + list(many.items())
        self.headers = Headers(pairs)
        self.cookies: list[str] = [*(raw.get("cookies") or []), *self.headers.getall("set-cookie")]
        body = raw.get("body") or ""
        self.body: bytes = b64decode(body) if raw.get("isBase64Encoded") else body.encode()
        if self.headers.get("content-encoding") == "gzip":
            import gzip

            self.body = gzip.decompress(self.body)

    def __repr__(self) -> str:
        return f"<Answer {self.status} {self.text[:80]!r}>"

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    def json(self) -> Any:
        """The body as JSON."""
        return orjson.loads(self.body)


class TestClient:
    """Calls a Resolver as AWS would.

    as_: the HTTP source to play where a call names none. context: the Lambda context of each call.
    session arguments take a Session, a mapping, or signed text. A Session is put on the wire as the resolver's policy
    would send it.
    """

    __test__ = False  # it is no test, whatever its name suggests to pytest

    def __init__(self, resolver: Resolver, *, as_: As = "rest", context: Any = None) -> None:
        self.resolver = resolver
        self.as_ = as_
        self.context = context if context is not None else Context()

    def event(self, raw: Any, context: Any = None) -> Any:
        """Any payload at all, as it is."""
        return self.resolver.resolve(raw, self.context if context is None else context)

    # ---- HTTP --------------------------------------------------------------------------------------------------

    def request(
        self,
        method: str,
        path: str,
        *,
        as_: As | None = None,
        json: Any = None,
        body: str | bytes | None = None,
        headers: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Answer:
        """A request. json: a body with its content type; options: those of the payload builder (query, cookies,
        authorizer, stage, source_ip ...)."""
        sent = dict(headers or {})
        if json is not None:
            body = dumps(json).decode()
            if not any(name.lower() == "content-type" for name in sent):
                sent["content-type"] = "application/json"
        path, mark, query = path.partition("?")
        if mark and "query" not in options:
            options["query"] = query
        build = getattr(samples, as_ or self.as_)
        return Answer(self.event(build(method, path, body=body, headers=sent, **options)))

    def get(self, path: str, **options: Any) -> Answer:
        """GET."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> Answer:
        """POST."""
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Any) -> Answer:
        """PUT."""
        return self.request("PUT", path, **options)

    def patch(self, path: str, **options: Any) -> Answer:
        """PATCH."""
        return self.request("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> Answer:
        """DELETE."""
        return self.request("DELETE", path, **options)

    def head(self, path: str, **options: Any) -> Answer:
        """HEAD."""
        return self.request("HEAD", path, **options)

    def options(self, path: str, **options: Any) -> Answer:
        """OPTIONS."""
        return self.request("OPTIONS", path, **options)

    # ---- WebSocket ---------------------------------------------------------------------------------------------

    def connect(self, **options: Any) -> Any:
        """A WebSocket connection opens (options: headers, query, authorizer, connection_id ...)."""
        return self.event(samples.websocket("CONNECT", **options))

    def message(self, body: Any, *, route_key: str = "$default", **options: Any) -> Any:
        """A WebSocket message; `route_key` is what the API's route selection would find in it."""
        return self.event(samples.websocket("MESSAGE", route_key=route_key, body=body, **options))

    def disconnect(self, **options: Any) -> Any:
        """A WebSocket connection has closed."""
        return self.event(samples.websocket("DISCONNECT", **options))

    # ---- records -----------------------------------------------------------------------------------------------

    def queue(
        self, name: str, bodies: Sequence[Any], *, fifo: bool | None = None, session: Any = None, **options: Any
    ) -> Any:
        """SQS messages; gives the `batchItemFailures`."""
        return self.event(samples.sqs(name, bodies, fifo=fifo, session=self._wire(session), **options))

    def topic(self, name: str, messages: Sequence[Any], *, session: Any = None, **options: Any) -> Any:
        """SNS notifications."""
        return self.event(samples.sns(name, messages, session=self._wire(session), **options))

    def stream(
        self,
        name: str,
        changes: Sequence[tuple[str, Mapping[str, Any] | None, Mapping[str, Any] | None]],
        **options: Any,
    ) -> Any:
        """Changes of a DynamoDB table, each (INSERT | MODIFY | REMOVE, old item, new item)."""
        return self.event(samples.dynamodb(name, changes, **options))

    def kinesis(self, name: str, data: Sequence[Any], **options: Any) -> Any:
        """Records of a Kinesis stream."""
        return self.event(samples.kinesis(name, data, **options))

    def object(self, bucket: str, keys: Sequence[str] | str, **options: Any) -> Any:
        """Changes in an S3 bucket."""
        return self.event(samples.s3(bucket, [keys] if isinstance(keys, str) else keys, **options))

    # ---- buses, calls, tasks -----------------------------------------------------------------------------------

    def bus(self, detail_type: str, detail: Any = None, *, session: Any = None, **options: Any) -> Any:
        """An EventBridge event."""
        return self.event(samples.eventbridge(detail_type, detail, session=self._wire(session), **options))

    def schedule(self, name: str, **options: Any) -> Any:
        """An EventBridge rule or schedule is due."""
        return self.event(samples.schedule(name, **options))

    def invoke(self, action: str | None = None, data: Any = None, *, session: Any = None) -> Any:
        """A direct invoke."""
        return self.event(samples.invoke(action, data, session=self._wire(session)))

    def task(self, name: str, *, session: Any = None, environment: Mapping[str, str] | None = None) -> int:
        """An ECS task; gives its exit code."""
        environ = samples.task(name, session=self._wire(session), environment=environment)
        return self.resolver.run_task(environ)

    def _wire(self, session: Session | Mapping[str, Any] | str | None) -> Any:
        """A session as this application's policy would send it."""
        if session is None or isinstance(session, str):
            return session
        policy = self.resolver.session_policy
        if isinstance(session, Session):
            return policy.issue(session) if policy.signing is not None else session.to_dict()
        return policy.seal(dumps(dict(session)).decode()) if policy.signing is not None else dict(session)
