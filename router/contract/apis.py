"""Declare what is in front of the HTTP and WebSocket routes. Without a declaration it is an `HttpApi`."""

from __future__ import annotations

import re
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from router.contract.checks import check_count, check_name, check_types, check_variable, refuse
from router.contract.declarations import Resource

WEBSOCKET = "websocket-api"
_STAGE = re.compile(r"\w{1,128}", re.ASCII)
_SOURCES = ("header", "query")
_POOL = re.compile(r"arn:\S+:cognito-idp:\S+:userpool/\S+")


@dataclass(frozen=True, slots=True)
class Api(Resource):
    """Hold what all APIs have.

    variable: the environment variable that holds the URL of a WebSocket API, for `Connections(endpoint=)`. The URL of
        another API is not known before the functions are.
    authorizer: the name of an authorizer, which asks the `@on_authorize()` route before each call; "" for none: the
        application's own `auth=` is asked all the same.
    identity: where an authorizer finds the token, `header:authorization` or `query:token`.
    cached: seconds that an answer of the authorizer counts, at most 3,600.
    """

    _: KW_ONLY
    authorizer: str = ""
    identity: str = "header:authorization"
    cached: int = 0

    def __post_init__(self) -> None:
        check_types(self)
        if self.name:
            check_name(self, "api", self.name)
        check_variable(self, self.variable)
        if self.variable and (self.exists or self.kind != WEBSOCKET):
            refuse(self, "variable= is for a WebSocketApi of the stack; give others a value in Function(variables=)")
        check_count(self, "cached", self.cached, 0, 3600)
        stage = getattr(self, "stage", "live")
        if not _STAGE.fullmatch(stage):
            refuse(self, f"stage= takes letters, digits and _, not {stage!r:.80}")
        kind, colon, field = self.identity.partition(":")
        if kind not in _SOURCES or not colon or not field:
            refuse(self, f"identity= takes header:NAME or query:NAME, not {self.identity!r:.80}")

    def _check_alone(self, field: str) -> None:
        """Refuse an authorizer of the application, and answers that are kept, beside those that API Gateway asks."""
        if self.authorizer:
            refuse(self, f"authorizer= and {field}= do not go together: API Gateway asks one of them")
        if self.cached:
            refuse(self, f"cached= is of answers of the application, and {field}= asks it nothing")

    def __str__(self) -> str:
        return type(self).__name__


@dataclass(frozen=True, slots=True)
class HttpApi(Api):
    """An HTTP API of API Gateway.

    origins: those that browsers may call it from, by its own CORS; else the routes'.
    issuer: `https://...`, whose tokens (JWT) API Gateway asks for in place of an authorizer of the application.
    audience: for whom tokens of the issuer have to be; of Cognito the ids of its clients.
    """

    kind: ClassVar[str] = "http-api"
    _: KW_ONLY
    origins: tuple[str, ...] = ()
    issuer: str = ""
    audience: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        Api.__post_init__(self)
        if bool(self.issuer) is not bool(self.audience):
            refuse(self, "issuer= and audience= belong together: who issues tokens, and for whom they have to be")
        if self.issuer:
            self._check_alone("issuer")
            if not self.issuer.startswith("https://"):
                refuse(self, f"issuer= is a URL that begins with https://, not {self.issuer!r:.80}")


@dataclass(frozen=True, slots=True)
class RestApi(Api):
    """A REST API of API Gateway.

    stage: the name of its stage.
    binary: media types that are not text.
    user_pools: ARNs of user pools of Cognito, whose ID tokens API Gateway asks for in place of an authorizer of the
        application.
    """

    kind: ClassVar[str] = "rest-api"
    _: KW_ONLY
    stage: str = "live"
    binary: tuple[str, ...] = ()
    user_pools: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        Api.__post_init__(self)
        if self.user_pools:
            self._check_alone("user_pools")
            if not self.identity.startswith("header:"):
                refuse(self, f"identity={self.identity!r:.80}: Cognito takes tokens from a header alone")
        for arn in self.user_pools:
            if not _POOL.fullmatch(arn):
                refuse(self, f"user_pools= takes ARNs, arn:aws:cognito-idp:...:userpool/..., not {arn!r:.120}")


@dataclass(frozen=True, slots=True)
class FunctionUrl(Api):
    """The function's own URL.

    public: whether anybody may call it; else only who signs with AWS credentials and may invoke it.
    streams: whether answers are streamed (`junction runtime`).
    """

    kind: ClassVar[str] = "function-url"
    _: KW_ONLY
    public: bool = False
    streams: bool = False

    def __post_init__(self) -> None:
        Api.__post_init__(self)
        if self.authorizer:
            refuse(self, "a function URL has no authorizers: use auth= of the application, or an API")


@dataclass(frozen=True, slots=True)
class WebSocketApi(Api):
    """A WebSocket API. selection: finds the route key in a message. stage: the name of its stage."""

    kind: ClassVar[str] = WEBSOCKET
    _: KW_ONLY
    selection: str = "$request.body.action"
    stage: str = "live"
