"""`Event`: one request or one record, whatever the trigger. Nothing of it is parsed before it is asked for."""

from __future__ import annotations

from enum import StrEnum

import orjson

from router.errors import InvalidEvent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import Task
    from collections.abc import Callable, Coroutine, Mapping, Sequence
    from datetime import datetime
    from typing import Any, ClassVar, NoReturn
    from xml.etree.ElementTree import Element

    # Of a field that a source may leave out, though in many handlers it is there: no checker asks whether it is None.
    MaybeNone = Any

    from router.event_trace import EventTrace
    from router.http.forms import Form
    from router.http.headers import Headers, QueryParams
    from router.session import Policy, Session


class Source(StrEnum):
    """The event source. An unrecognised payload is `INVOKE`."""

    REST = "rest"
    HTTP = "http"
    URL = "url"
    ALB = "alb"
    LATTICE = "lattice"
    WEBSOCKET = "websocket"
    SQS = "sqs"
    SNS = "sns"
    DYNAMODB = "dynamodb"
    KINESIS = "kinesis"
    KAFKA = "kafka"
    ACTIVEMQ = "activemq"
    RABBITMQ = "rabbitmq"
    DOCUMENTDB = "documentdb"
    FIREHOSE = "firehose"
    S3 = "s3"
    S3_BATCH = "s3-batch"
    S3_OBJECT = "s3-object"
    EVENTBRIDGE = "eventbridge"
    SCHEDULE = "schedule"
    LOGS = "logs"
    ALARM = "alarm"
    DASHBOARD = "dashboard"
    COGNITO = "cognito"
    COGNITO_SYNC = "cognito-sync"
    AUTHORIZER = "authorizer"
    APPSYNC = "appsync"
    APPSYNC_AUTHORIZER = "appsync-authorizer"
    APPSYNC_EVENTS = "appsync-events"
    APPSYNC_EVENTS_AUTHORIZER = "appsync-events-authorizer"
    SES = "ses"
    CODECOMMIT = "codecommit"
    CODEPIPELINE = "codepipeline"
    CODEDEPLOY = "codedeploy"
    CONFIG = "config"
    CONNECT = "connect"
    LEX = "lex"
    ALEXA = "alexa"
    ALEXA_HOME = "alexa-home"
    IOT = "iot"
    IOT_AUTHORIZER = "iot-authorizer"
    IOT_PROVISIONING = "iot-provisioning"
    TRANSFER = "transfer"
    CLOUDFORMATION = "cloudformation"
    CLOUDFRONT = "cloudfront"
    SECRETSMANAGER = "secretsmanager"
    BEDROCK_AGENT = "bedrock-agent"
    TOOL = "tool"
    KINESIS_ANALYTICS = "kinesis-analytics"
    SAGEMAKER = "sagemaker"
    WORKMAIL = "workmail"
    VPN = "vpn"
    INVOKE = "invoke"
    TASK = "task"


# With every digit made a nought, a search tells whether JSON may hold a whole number over 64 bits (19 digits or more),
# of which orjson makes a float. A run that long shows in every sixth character as well, which is cheaper to look at.
TO_NOUGHTS = bytes.maketrans(b"123456789", b"000000000")
TO_TELL = "000"
_MOST_LEVELS = 254  # that orjson writes: what is read can be sent on
SHORT = 2 * _MOST_LEVELS  # characters in which nothing is nested deeper

_UNREAD = object()  # what json() has not parsed yet; a parsed body may be any value


class Event:
    """One request, or one record of a batch.

    Each source has a subclass in `router.sources` that knows where its payload keeps a field: `_headers` computes
    `headers`, and so on. A field is computed when it is first read, and kept. A handler may be annotated with the
    subclass: type checkers then know the fields that only this source has, and those that it always fills.
    """

    __slots__ = (
        *("_ignored", "_json", "_offloaded", "_own_session", "_policy", "_tasks", "attempt", "attributes"),
        *("body", "bus_source", "change", "claims", "context", "cookies", "correlation_id", "error", "headers", "id"),
        *("inner", "keys", "method", "name", "new", "old", "outer", "params", "path", "query", "raw"),
        *("record", "records", "route", "source", "source_ip", "state", "tenant_id", "text", "timestamp"),
        *("topic", "trace", "trace_id", "typed"),
    )

    if TYPE_CHECKING:
        source: Source
        raw: Any  # the payload as Lambda delivered it, untouched
        context: Any  # the Lambda context object, or None
        id: str  # stable across redeliveries: message id, event id, request id
        name: str  # what the route matched on: queue, topic, table, stream, bucket, detail-type, trigger, route key
        method: str
        path: str  # as delivered, still percent-encoded, without the stage
        params: dict[str, Any]  # path parameters, decoded and converted
        query: QueryParams
        headers: Headers
        cookies: dict[str, str]
        body: bytes  # base64 already undone
        text: str
        attributes: dict[str, Any]  # message attributes as plain values
        record: Any  # this record as delivered; the payload itself where a source has no records
        records: list[Any]  # all records as delivered
        change: str  # what happened: INSERT, ObjectCreated:Put
        bus_source: str  # the `source` of an EventBridge event
        keys: dict[str, Any] | None  # stream images as plain Python values; of an object: bucket, key, version
        old: dict[str, Any] | None
        new: dict[str, Any] | None
        attempt: int  # 1 at the first delivery
        timestamp: datetime | None  # aware
        correlation_id: str
        trace: EventTrace  # what the event came with: traceparent, tracestate, baggage, xray
        trace_id: str | None  # the header of X-Ray as it came, else that of the call
        tenant_id: str | None  # of Lambda's tenant isolation mode
        claims: Mapping[str, Any]  # what an authorizer vouched for
        source_ip: str | None
        topic: str | None  # the SNS topic a message came through
        state: dict[str, Any]  # free for middleware and handlers
        error: BaseException | None  # what went wrong in its dispatch, once that is known
        _ignored: str | None  # why a session (or a pointer) that was there does not count
        inner: list[Event]  # the events inside this one: of S3, EventBridge, SNS, CloudWatch Logs, DynamoDB
        outer: Event | None  # the event that this one came inside
        _policy: Policy  # where the session comes from
        _own_session: Session | None  # None until something reads it
        _offloaded: Callable[[], bytes] | None  # fetches a body that waits elsewhere
        _tasks: Sequence[Task[Any]] | None  # what `background` started; None where nobody would wait for it
        _json: Any
        route: Any  # the Route that matched
        typed: Any  # the aws-lambda-powertools data class

    _unreadable: ClassVar[type[Exception]] = InvalidEvent  # of a body: a record fails with it; HTTP answers with 400
    _computed: ClassVar[dict[str, Callable[[Any], Any]]]
    # Set by router.sources, which stands above this module and knows the classes.
    _data_class: ClassVar[Callable[[Event], Any]]
    _events_inside: ClassVar[Callable[[Event], list[Event]]]
    _lazy: ClassVar[frozenset[str]]  # the fields that are computed when first read
    _speaks_http: ClassVar[bool] = False  # errors are answered, not raised
    _ends_window: ClassVar[bool] = False  # the end of a tumbling window has no content that a condition could look at
    _session_purpose: ClassVar[str] = "message"  # what a session is signed for that this event carries
    _json_is_text_too: ClassVar[bool] = False  # for a class with a _parsed of its own that reads `text`
    _json_is_text: ClassVar[bool]  # whether json() is what `text` holds, and not a value made otherwise
    _from_client: ClassVar[bool] = False  # the session comes from headers and claims, never as a whole

    def __init__(self, source: Source, raw: Any, context: Any, record: Any) -> None:
        self.source = source
        self.raw = raw
        self.context = context
        self.record = record
        self._tasks = None
        self._offloaded = None
        self._own_session = None
        self._json = _UNREAD

    def __init_subclass__(cls) -> None:
        cls._json_is_text = cls._parsed is Event._parsed or cls._json_is_text_too
        # By field, so that a first read costs one lookup and one call.
        cls._computed = {field: getattr(cls, "_" + field) for field in cls._lazy if hasattr(cls, "_" + field)}
        # The engine's own. __init__ sets them where most events are asked for them; hot constructors leave them out.
        cls._computed |= dict.fromkeys(("_ignored", "_offloaded", "_own_session", "_tasks"), cls._nothing)
        cls._computed |= {"_json": cls._unread, "_policy": cls._default_policy}

    if not TYPE_CHECKING:  # which would take any name for a field

        def __getattr__(self, field: str) -> Any:
            # Called only while a slot is empty: compute it once, keep it.
            if (compute := self._computed.get(field)) is None:
                raise AttributeError(f"{type(self).__name__} has no field {field!r}; the payload is in .raw")
            value = compute(self)
            setattr(self, field, value)
            return value

        def __getitem__(self, key: Any) -> Any:
            # For those who come from handlers of the payload itself. Type checkers refuse it by themselves.
            raise TypeError(
                f"{type(self).__name__} is not the payload: read its fields (body, json(), ...) or .raw[{key!r:.80}]"
            )

    def __repr__(self) -> str:
        return f"<Event {self.source.value} name={self.name!r} id={self.id!r}>"

    @property
    def session(self) -> Session:
        """Return the session of the event, read on first use from where its source carries one.

        Raises:
            SessionError: the policy refuses what the event carried.
        """
        if self._own_session is None:
            self._own_session = self._policy.of_event(self)
        return self._own_session

    @session.setter
    def session(self, session: Session) -> None:
        if not hasattr(session, "_policy"):
            raise TypeError(f"event.session takes a Session, not {type(session).__name__}")
        if session._policy is None:  # what an application made is signed like what it replaces
            session = session.replace()
            session._policy = self._policy
        self._own_session = session

    def json(self) -> Any:
        """Return the body as JSON, parsed once. Bad JSON is a 400 or a failed record, with its position."""
        value = self._json
        if value is _UNREAD:
            self._json = value = self._parsed()
        return value

    def form(self) -> Form:
        """Return the fields and files of a urlencoded or multipart body. Another kind is a 400, or a failed record."""
        from router.http.forms import read_form

        return read_form(self)

    def xml(self) -> Element:
        """Return the root element of an XML body. A document type is refused, so that no entity is expanded."""
        from router.http.forms import read_xml

        return read_xml(self)

    def remaining(self) -> float:
        """Return the seconds until Lambda stops this call; infinity where there is no limit (a task, a laptop)."""
        remaining = getattr(self.context, "get_remaining_time_in_millis", None)
        return float("inf") if remaining is None else remaining() / 1000

    def background(self, work: Coroutine[Any, Any, Any]) -> Task[Any]:
        """Start a coroutine beside the handler. The event is done when it is: an error in it counts as the handler's.

        A bare `asyncio.create_task` would be frozen with the function when the answer is out.
        """
        from router.background import start

        task = start(work, waited_for=self._tasks is not None)
        self._tasks = (*(self._tasks or ()), task)
        return task

    def _refuse(self, message: str) -> NoReturn:
        """Raise the error that says this event cannot be read."""
        raise self._unreadable(message)

    # ---- where fields come from unless a source says otherwise -------------------------------------------------
    def _forget_body(self) -> None:
        """Forget what was read of the body: it is another one now."""
        self._json = _UNREAD
        for field in ("text", "body"):
            try:
                delattr(self, field)
            except AttributeError:
                pass  # it was not read

    def _parsed(self) -> Any:
        text = self.text
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            if type(text) is str and text.startswith("\ufeff"):  # a byte order mark, which some clients put in front
                self.text = text[1:]
                return self._parsed()
            where = f"(line {error.lineno}, column {error.colno})"
            raise self._unreadable(f"the body is not valid JSON {where}: {error.msg.partition(': line')[0]}") from None
        if len(text) > SHORT or TO_TELL in text[::6].encode().translate(TO_NOUGHTS).decode():
            return self._checked(text, value)
        return value

    def _checked(self, text: str, value: Any) -> Any:
        """Return what orjson has made of a text, with exact whole numbers; what is too deep to send on is refused."""
        from router.numbers import checked

        try:
            return checked(text, value, _MOST_LEVELS)
        except ValueError as error:
            self._refuse(f"the body is not valid JSON: {error}")

    def _id(self) -> str:
        if id := getattr(self.context, "aws_request_id", None):
            return str(id)
        from uuid import uuid4

        return str(uuid4())

    def _body(self) -> bytes:
        return orjson.dumps(self.record)

    def _text(self) -> str:
        body = self.body
        try:
            return body.decode()
        except UnicodeDecodeError as error:
            raise self._unreadable(f"the body is not UTF-8 (byte {error.start})") from None

    def _headers(self) -> Headers:
        from router.http.headers import Headers

        return Headers()

    def _query(self) -> QueryParams:
        from router.http.headers import QueryParams

        return QueryParams()

    def _record(self) -> Any:
        return self.raw

    def _records(self) -> list[Any]:
        return [self.record]

    def _correlation_id(self) -> str:
        return self.session.correlation_id or self.id

    def _trace_id(self) -> str | None:
        from os import environ

        return environ.get("_X_AMZN_TRACE_ID")  # the runtime client sets it for each call

    def _trace(self) -> EventTrace:
        from router.event_trace import trace_of

        return trace_of(self)

    def _tenant_id(self) -> str | None:
        return getattr(self.context, "tenant_id", None)

    def _default_policy(self) -> Policy:
        from router.session import Policy

        return Policy()

    def _session_wire(self, attribute: str) -> Any:
        """Return the session as this event carried it (text or object), or None."""
        return None

    def _check_pointer(self, attribute: str) -> None:
        """Refuse a pointer to a body elsewhere that this attribute announces, where anyone may have written it."""

    def _inner(self) -> list[Event]:
        return Event._events_inside(self)

    def _typed(self) -> Any:
        return Event._data_class(self)

    def _empty(self) -> str:
        return ""

    def _arguments(self) -> Any:
        """Return the arguments of the call of a tool."""
        return self.json()

    def _attempt(self) -> int:
        return 1

    def _unread(self) -> Any:
        return _UNREAD

    def _nothing(self) -> Any:
        return None

    def _mapping(self) -> dict[str, Any]:
        return {}

    _name = _method = _path = _change = _bus_source = _empty
    _keys = _old = _new = _timestamp = _source_ip = _topic = _route = _outer = _error = _nothing
    _params = _cookies = _attributes = _state = _claims = _mapping


Event._lazy = frozenset(field for field in Event.__slots__ if field[0] != "_") - {"source", "raw", "context"}
Event.__init_subclass__()
