"""`TestClient`: call an application as AWS would. Each method builds a faithful payload and goes through `resolve`."""

from __future__ import annotations

from base64 import b64decode
from contextlib import ExitStack

from router.encode import dumps
from router.http.headers import Headers
from router.numbers import loads
from router.session import Session
from router.testing import samples
from router.testing.context import Context, WithClientContext
from router.testing.delivering import deliver
from router.testing.encoding import form, multipart, query_string
from router.testing.options import HTTP_SOURCES, check_options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, TypeAlias, Unpack

    from router.event import Source
    from router.resolver import Resolver
    from router.testing.encoding import Fields, Files
    from router.testing.options import CallOptions, HttpSource

    Outgoing: TypeAlias = Session | Mapping[str, Any] | str | None
    Failures: TypeAlias = dict[str, list[dict[str, str]]]


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
        return loads(self.body)


class TestClient:
    """Calls a Resolver as AWS would.

    resolver: the application.
    source: the HTTP source to play where a call names none.
    context: the Lambda context of each call.
    overrides: replacements of dependencies, `{dependency: replacement}`, for the calls of this client. As a context
        manager the client keeps them in place until the block ends, also for what calls the resolver itself.

    `session=` of a verb takes a Session, a mapping, or signed text. A Session is put on the wire as the resolver's
    policy would send it.

    Raises:
        ValueError: `source` is not an HTTP source.
        TypeError: `overrides` holds what is not callable. Each verb raises it for an option that it does not know.
    """

    __test__ = False  # it is no test, whatever its name suggests to pytest

    def __init__(
        self,
        resolver: Resolver,
        *,
        source: HttpSource | Source = "rest",
        context: Any = None,
        overrides: Mapping[Callable[..., Any], Callable[..., Any]] | None = None,
    ) -> None:
        self.resolver = resolver
        self.source = _http_source(source)
        self.context = context if context is not None else Context()
        self.overrides = dict(overrides or {})
        for dependency, replacement in self.overrides.items():
            if not callable(dependency) or not callable(replacement):
                raise TypeError(
                    f"TestClient(overrides=...): {dependency!r:.80} -> {replacement!r:.80}: give functions; "
                    "`lambda: value` is one for a value"
                )
        self._blocks: list[ExitStack] = []

    def __enter__(self) -> TestClient:
        self._blocks.append(self._overridden())
        return self

    def __exit__(self, *_: object) -> None:
        self._blocks.pop().close()

    def _overridden(self) -> ExitStack:
        """Put the overrides in place until the stack is closed."""
        stack = ExitStack()
        for dependency, replacement in self.overrides.items():
            stack.enter_context(self.resolver.override(dependency, replacement))
        return stack

    def _call(self, call: Callable[[], Any]) -> Any:
        if not self.overrides or self._blocks:
            return call()
        with self._overridden():
            return call()

    def event(self, raw: Any, context: Any = None) -> Any:
        """Send any payload at all, as it is."""
        return self._call(lambda: deliver(self.resolver, raw, self.context if context is None else context))

    def snapshot(self) -> None:
        """Take the application through a snapshot and a restore, with its hooks, as SnapStart does.

        Raises:
            SnapshotHookFailed: a hook raised.
            ConfigurationError: the application cannot start.
        """
        self._call(self.resolver._snapshots().go_through)

    # ---- HTTP --------------------------------------------------------------------------------------------------

    def request(
        self,
        method: str,
        path: str,
        *,
        source: HttpSource | Source | None = None,
        params: Fields | str | None = None,
        headers: Mapping[str, str | Sequence[str]] | None = None,
        json: Any = None,
        data: Fields | None = None,
        files: Files | None = None,
        body: str | bytes | None = None,
        **options: Any,
    ) -> Answer:
        """Send a request.

        method, path: as a client writes them; the path may hold a query.
        source: the HTTP source to play.
        params: the query: a mapping (a value, or a list of them), pairs, or an encoded string.
        headers: by name, a value or a list of them.
        json: a body, written as JSON.
        data: a form, urlencoded: a mapping (a value, or a list of them) or pairs.
        files: files of a multipart form: `{field: content}` or `{field: (filename, content, content type)}`.
        body: any other body, as text or bytes.
        options: those of the source's builder in `router.testing.samples`: cookies, authorizer, stage, source_ip ...

        Raises:
            TypeError: an option is unknown, or there are several bodies.
        """
        if sum(given is not None for given in (json, body, data if files is None else files)) > 1:
            raise TypeError("give one of json=, data= (with or without files=) and body=")
        sent = dict(headers or {})
        content_type = None
        if json is not None:
            body, content_type = dumps(json).decode(), "application/json"
        elif files is not None:
            body, content_type = multipart(data or {}, files)
        elif data is not None:
            body, content_type = form(data), "application/x-www-form-urlencoded"
        if content_type is not None and not any(name.lower() == "content-type" for name in sent):
            sent["content-type"] = content_type
        path, _, in_path = path.partition("?")
        query = "&".join(part for part in (in_path, query_string(params or "")) if part)
        build = getattr(samples, self.source if source is None else _http_source(source))
        check_options(build, options, without=("query",), own=("source", "params", "json", "data", "files"))
        return Answer(self.event(build(method, path, query=query or None, body=body, headers=sent, **options)))

    def get(self, path: str, **options: Unpack[CallOptions]) -> Answer:
        """Send a GET; the options are those of `request`."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Unpack[CallOptions]) -> Answer:
        """Send a POST; the options are those of `request`."""
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Unpack[CallOptions]) -> Answer:
        """Send a PUT; the options are those of `request`."""
        return self.request("PUT", path, **options)

    def patch(self, path: str, **options: Unpack[CallOptions]) -> Answer:
        """Send a PATCH; the options are those of `request`."""
        return self.request("PATCH", path, **options)

    def delete(self, path: str, **options: Unpack[CallOptions]) -> Answer:
        """Send a DELETE; the options are those of `request`."""
        return self.request("DELETE", path, **options)

    def head(self, path: str, **options: Unpack[CallOptions]) -> Answer:
        """Send a HEAD; the options are those of `request`."""
        return self.request("HEAD", path, **options)

    def options(self, path: str, **options: Unpack[CallOptions]) -> Answer:
        """Send an OPTIONS; the options are those of `request`."""
        return self.request("OPTIONS", path, **options)

    # ---- WebSocket ---------------------------------------------------------------------------------------------

    def connect(self, *, params: Fields | str | None = None, **options: Any) -> dict[str, Any]:
        """Open a WebSocket connection, and return what API Gateway would get.

        params: the query, as in `request`.
        options: those of `samples.websocket`: headers, cookies, authorizer, connection_id ...
        """
        query = query_string(params or "") or None
        answer: dict[str, Any] = self._send(samples.websocket, "CONNECT", query=query, options=options)
        return answer

    def message(self, body: Any, *, route_key: str = "$default", **options: Any) -> dict[str, Any]:
        """Send a WebSocket message, and return what API Gateway would get.

        body: the text; anything else as JSON.
        route_key: what the API's route selection would find in it.
        options: those of `samples.websocket`: authorizer, connection_id ...
        """
        answer: dict[str, Any] = self._send(
            samples.websocket, "MESSAGE", route_key=route_key, body=body, query=None, options=options
        )
        return answer

    def disconnect(self, **options: Any) -> dict[str, Any]:
        """Close a WebSocket connection, and return what API Gateway would get.

        options: those of `samples.websocket`: status_code, reason, authorizer, connection_id ...
        """
        answer: dict[str, Any] = self._send(samples.websocket, "DISCONNECT", query=None, options=options)
        return answer

    # ---- channels ----------------------------------------------------------------------------------------------

    def publish(self, channel: str, payloads: Sequence[Any], **options: Any) -> dict[str, Any]:
        """Publish events to a channel of an Event API, and return what AppSync would get: `{"events": [...]}`.

        options: those of `samples.appsync_publish`: identity, headers, ids.
        """
        answer: dict[str, Any] = self._send(samples.appsync_publish, channel, payloads, options=options)
        return answer

    def subscribe(self, channel: str, **options: Any) -> dict[str, str] | None:
        """Ask to subscribe to a channel of an Event API. Return None where that is allowed, else the error.

        options: those of `samples.appsync_subscribe`: identity, headers.
        """
        answer: dict[str, str] | None = self._send(samples.appsync_subscribe, channel, options=options)
        return answer

    # ---- records -----------------------------------------------------------------------------------------------

    def queue(
        self, name: str, bodies: Sequence[Any], *, fifo: bool | None = None, session: Outgoing = None, **options: Any
    ) -> Failures:
        """Deliver SQS messages, and return the `batchItemFailures`.

        fifo: whether the queue is one; by default its name tells.
        options: those of `samples.sqs`: group, attributes, message_ids, receive_count ...
        """
        wire = self._wire(session)
        failures: Failures = self._send(samples.sqs, name, bodies, fifo=fifo, session=wire, options=options)
        return failures

    def topic(self, name: str, messages: Sequence[Any], *, session: Outgoing = None, **options: Any) -> None:
        """Deliver SNS notifications. Raises RecordsFailed when one of them fails.

        options: those of `samples.sns`: subject, attributes, message_ids ...
        """
        self._send(samples.sns, name, messages, session=self._wire(session), options=options)

    def stream(
        self,
        name: str,
        changes: Sequence[tuple[str, Mapping[str, Any] | None, Mapping[str, Any] | None]],
        **options: Any,
    ) -> dict[str, Any]:
        """Deliver changes of a DynamoDB table, and return the `batchItemFailures`; of a window, the `state` too.

        changes: each (INSERT | MODIFY | REMOVE, old item, new item).
        options: those of `samples.dynamodb`: keys, view, window, shard ...
        """
        answer: dict[str, Any] = self._send(samples.dynamodb, name, changes, options=options)
        return answer

    def kinesis(self, name: str, data: Sequence[Any], **options: Any) -> dict[str, Any]:
        """Deliver records of a Kinesis stream, and return the `batchItemFailures`; of a window, the `state` too.

        options: those of `samples.kinesis`: partition_keys, shard, window ...
        """
        answer: dict[str, Any] = self._send(samples.kinesis, name, data, options=options)
        return answer

    def kafka(self, topic: str, messages: Sequence[Any], **options: Any) -> dict[str, Any] | None:
        """Deliver messages of a topic of Kafka; return the `batchItemFailures` where the route has `partial=True`.

        options: those of `samples.kafka`: keys, headers, partition, schema ...
        """
        answer: dict[str, Any] | None = self._send(samples.kafka, topic, messages, options=options)
        return answer

    def object(self, bucket: str, keys: Sequence[str] | str, **options: Any) -> None:
        """Deliver changes in an S3 bucket. Raises RecordsFailed when one of them fails.

        options: those of `samples.s3`: event, size, version_id ...
        """
        self._send(samples.s3, bucket, [keys] if isinstance(keys, str) else keys, options=options)

    # ---- buses, calls, tasks -----------------------------------------------------------------------------------

    def bus(self, detail_type: str, detail: Any = None, *, session: Outgoing = None, **options: Any) -> None:
        """Deliver an EventBridge event. Raises RecordsFailed when its handler fails.

        options: those of `samples.eventbridge`: source, resources, event_id ...
        """
        self._send(samples.eventbridge, detail_type, detail, session=self._wire(session), options=options)

    def schedule(self, name: str, **options: Any) -> None:
        """Let an EventBridge rule or schedule be due. Raises RecordsFailed when its handler fails.

        options: those of `samples.schedule`: scheduler, group ...
        """
        self._send(samples.schedule, name, options=options)

    def invoke(self, action: str | None = None, data: Any = None, *, session: Outgoing = None) -> Any:
        """Invoke the function directly, and return its result."""
        return self._send(samples.invoke, action, data, session=self._wire(session, "invoke"), options={})

    def tool(self, name: str, arguments: Mapping[str, Any] | None = None, **options: Any) -> Any:
        """Call a tool as an AgentCore Gateway does, and return what the gateway would get.

        options: those of `samples.tool_client_context`: target, headers, query, message_id ...
        """
        check_options(samples.tool_client_context, options)
        called = samples.tool_client_context(name, **options)
        return self.event(samples.tool(arguments), WithClientContext(self.context, called))

    def task(self, name: str, *, session: Outgoing = None, environment: Mapping[str, str] | None = None) -> int:
        """Run an ECS task, and return its exit code."""
        environ = samples.task(name, session=self._wire(session, "task"), environment=environment)
        code: int = self._call(lambda: self.resolver.run_task(environ))
        return code

    def _send(self, build: Callable[..., Any], *args: Any, options: Mapping[str, Any], **given: Any) -> Any:
        """Send a payload that a builder makes of the arguments of a verb and of further options."""
        check_options(build, options, without=("query",))
        return self.event(build(*args, **given, **options))

    def _wire(self, session: Outgoing, purpose: str = "message") -> Any:
        """Return a session as this application's policy would send it."""
        if session is None or isinstance(session, str):
            return session
        policy = self.resolver.session_policy
        if isinstance(session, Session):
            return policy.issue(session, purpose) if policy.signing is not None else session.to_dict()
        return policy.seal(dumps(dict(session)).decode(), purpose) if policy.signing is not None else dict(session)


def _http_source(source: str) -> str:
    if source not in HTTP_SOURCES:
        raise ValueError(f"TestClient(source={source!r:.80}): use one of {', '.join(HTTP_SOURCES)}")
    return str(source)
